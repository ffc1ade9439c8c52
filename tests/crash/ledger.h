// Ledger: what a server may show after it was killed, judged from outside. A thing (a batch of documents, a
// name) holds one stamp, or none. Each write is noted before it is sent and after its answer; both moments
// take numbers from one counter, so writes of several clients to one thing may overlap. A state is allowed
// when some write that was not refused makes it, and no acknowledged write lies wholly after that one
// (linearizability of one register). What a check saw becomes the only past: a write that was not seen must
// not show up later. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "base/mutex.h"

namespace akidb::crash {

inline constexpr uint64_t kAbsent = 0;

enum class Outcome : uint8_t { kUnknown, kAcknowledged, kRefused };
enum class Verdict : uint8_t { kFine, kLost, kGhost };

struct Ticket {
    size_t thing = 0;
    size_t place = 0;    // within the history
    uint64_t stamp = 0;  // unique, never kAbsent
};

class Ledger {
  public:
    explicit Ledger(size_t things) : histories_(things) {}

    size_t things() const { return histories_.size(); }
    Ticket begin_write(size_t thing) { return begin(thing, true); }
    Ticket begin_delete(size_t thing) { return begin(thing, false); }
    /// Without it the outcome stays unknown.
    void end(const Ticket& ticket, Outcome outcome);

    /// Of the stamp that a reader found, or kAbsent.
    Verdict judge(size_t thing, uint64_t stamp) const;
    /// After a check, with no write under way.
    void settle(size_t thing, uint64_t stamp);
    /// One of the stamps that may be there, for clients that choose what to do next.
    uint64_t latest(size_t thing) const;
    /// The writes since the last check, for messages.
    std::string describe(size_t thing) const;
    uint64_t acknowledged() const { return acknowledged_.load(); }

  private:
    struct Write {
        uint64_t makes = kAbsent;
        uint64_t stamp = 0;
        uint64_t begun = 0;
        uint64_t ended = 0;
        Outcome outcome = Outcome::kUnknown;
    };
    struct History {
        uint64_t settled = kAbsent;
        std::vector<Write> writes;
    };

    Ticket begin(size_t thing, bool makes_stamp) AKIDB_EXCLUDES(mutex_);

    mutable Mutex mutex_;
    uint64_t next_ AKIDB_GUARDED_BY(mutex_) = 1;
    std::vector<History> histories_;  // elements guarded by mutex_
    std::atomic<uint64_t> acknowledged_ = 0;
};

}  // namespace akidb::crash
