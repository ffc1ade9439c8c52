// SimObjectStore: an ObjectStore in memory that misbehaves as the ones behind a network do, by its seed:
// answers get lost, requests arrive late and a second time, lists show what was, reads come short or with a
// wrong bit. It outlives the machine that asks it; each request is two steps of the machine's power, one
// before it is done and one before its answer is heard.
//
// A put or removal that arrives late comes after requests that were made later, perhaps of another process.
// What a store promises all the same: a request is done whole or not at all, a create-only put decides, get
// and head see what was put last. Families of faults are on or off for a whole history (swarm testing: Groce
// and others 2012), and all rest while it is calm. Single-threaded.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "objects/object_store.h"
#include "sim/dice.h"
#include "sim/sim_clock.h"
#include "sim/sim_power.h"

namespace akidb::sim {

enum class ObjectFault : uint8_t {
    kRefused,            // 503 before anything is done
    kFailedBefore,       // 500 before anything is done
    kFailedAfter,        // 500 though it was done
    kLostReply,          // done, and the connection ends before the answer
    kLate,               // the connection ends, and the request is done later
    kLateDuplicate,      // done and answered, and done once more later
    kStaleList,          // a list of some requests ago
    kTruncatedRead,      // the answer ends early, which its length tells
    kFlippedRead,        // one bit of the answer is wrong
    kMultipartLeftOpen,  // of a file some parts arrive and it is never completed
    kSlow,               // the answer takes up to a minute
};
inline constexpr size_t kObjectFaultCount = 11;
const char* name_of(ObjectFault fault);

class SimObjectStore final : public objects::ObjectStore {
  public:
    /// The power and the clock are the machine's and must outlive it.
    SimObjectStore(uint64_t seed, SimPower& power, SimClock& clock);

    Result<void> put(const std::string& key, std::string_view bytes, objects::PutMode mode) override;
    Result<void> put_file(const std::string& key, const objects::FileToPut& source) override;
    Result<std::string> get(const std::string& key, uint64_t bytes_max) override;
    Result<std::string> get_range(const std::string& key, objects::ByteRange range) override;
    Result<objects::ObjectFacts> head(const std::string& key) override;
    Result<objects::ObjectPage> list(const objects::ListRequest& request) override;
    Result<void> remove(const std::string& key) override;

    /// Without faults until it is no longer.
    void set_calm(bool is_calm) { is_calm_ = is_calm; }
    /// Whatever is still under way arrives.
    void let_all_arrive();
    /// Puts under way of what is not there yet.
    size_t late_puts(std::string_view prefix) const;
    bool has(ObjectFault fault) const { return families_.contains(fault); }

    // Of what is really there.
    std::vector<std::string> keys(const std::string& prefix) const;
    const std::string* find(const std::string& key) const;
    /// For good, unlike faults: it flips a bit, or removes it.
    void damage(const std::string& key);
    /// Keys of which an older put arrived after they had been removed.
    const std::set<std::string>& returned() const { return returned_; }

    uint64_t requests() const { return requests_; }
    const std::array<uint64_t, kObjectFaultCount>& faults() const { return faults_; }

  private:
    struct Object {
        std::string bytes;
        std::string sha256;
    };
    /// A put, or a removal where there are no bytes.
    struct Change {
        std::string key;
        const std::string* bytes = nullptr;
        objects::PutMode mode = objects::PutMode::kOverwrite;
        bool is_late = false;
    };
    struct LateChange {
        uint64_t due = 0;  // at this request
        std::string key;
        std::optional<std::string> bytes;
        objects::PutMode mode;
    };
    /// What was listed, for lists that lag behind.
    struct ListedChange {
        uint64_t request;
        std::string key;
        bool was_there;
    };

    Result<void> begin();
    Result<void> end();
    bool draw(ObjectFault fault);
    Result<void> change(const Change& change);
    Result<void> apply(const Change& change);
    void postpone(const Change& change);
    void deliver(const LateChange& late);
    void note_listed(const std::string& key, bool was_there);
    std::set<std::string> listed_keys(bool is_stale);
    Result<const Object*> look_up(const std::string& key) const;
    Result<void> spoil(std::string& bytes, bool is_verified);

    Dice dice_;
    SimPower& power_;
    SimClock& clock_;
    std::set<ObjectFault> families_;
    bool keeps_checksums_;
    bool is_calm_ = false;
    uint64_t requests_ = 0;
    std::map<std::string, Object> objects_;
    std::deque<LateChange> late_;
    std::deque<ListedChange> listed_;
    std::set<std::string> returned_;
    std::set<std::string> removed_;
    std::array<uint64_t, kObjectFaultCount> faults_{};
};

}  // namespace akidb::sim
