// Oracle: what a collection must hold, kept as plain maps: acknowledged = present, deleted = absent, a batch
// whole or not at all, exact search = brute force. An operation whose outcome is unknown (an error after the
// log was touched, or a crash before the answer) forks the set of states that are allowed; the collection
// must be exactly one of them. Thread-compatible.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/collection.h"
#include "sim/dice.h"

namespace akidb::sim {

inline constexpr uint64_t kIds = 48;  // few, so that overwrites, deletes and re-inserts meet often
inline constexpr uint32_t kDimension = 16;

struct Entry {
    std::vector<float> vector;
    int64_t stamp =
        0;  // unique per write, kept in the metadata: an old version that comes back is told from a new one
    uint64_t expires_at_ms = 0;  // 0: never
    bool has_its_side = true;    // where there is a second vector: it is the one of the stamp
    bool operator==(const Entry&) const = default;
};
using State = std::map<uint64_t, Entry>;

struct Operation {
    enum class Kind : uint8_t { kUpsert, kDelete, kDeleteMatching, kRestamp };
    Kind kind = Kind::kUpsert;
    std::vector<std::pair<uint64_t, Entry>> documents;
    std::vector<uint64_t> ids;
    int64_t stamp_below = 0;  // kDeleteMatching
    int64_t stamp = 0;        // kRestamp: in the metadata of those of `ids` that are there
    uint64_t key = 0;         // what the client names it by, to send it again; 0: nothing
};

std::vector<float> random_vector(Dice& dice);
/// A second vector, named "side", that every other simulated collection has.
model::VectorSpec side_spec();
/// Of the document with this stamp, as it is kept; empty: it lacks one. No dice fall for it, so that
/// histories are the same with and without.
std::vector<float> side_of(int64_t stamp);
/// Exact or not, filtered or not; `next_stamp` is where filters are interesting.
model::SearchRequest random_search(Dice& dice, int64_t next_stamp);
/// Of one of its documents; the state is not empty.
const std::vector<float>& draw_vector(const State& state, Dice& dice);
/// Of a search of random_search in that state: empty when it is right, else what is wrong.
std::string judge_reply(const State& state, const model::SearchRequest& request,
                        const model::SearchReply& reply);
/// `now_ms`: one document in four expires some seconds after it.
Operation random_operation(Dice& dice, int64_t& next_stamp, uint64_t now_ms);
uint64_t random_expiry(Dice& dice, uint64_t now_ms);
void apply(const Operation& operation, State& state);
/// The vectors become what a collection of that storage keeps of them; what it has kept stays as it is.
void keep(model::VectorStorage storage, State& state);
Result<engine::WriteReply> perform(const Operation& operation, engine::Collection& collection);

class Oracle {
  public:
    Oracle() : allowed_{State{}} {}
    explicit Oracle(State state) : allowed_{std::move(state)} {}

    void acknowledged(const Operation& operation);
    void unknown(const Operation& operation);
    /// What has expired by then is there in no state any more.
    void set_now(uint64_t now_ms);
    /// Checks every read path against the allowed states; afterwards only the state that was found is
    /// allowed. An empty string when all is well, else what is wrong.
    std::string check(const engine::Collection& collection, Dice& dice);
    const State& state() const { return allowed_.front(); }
    /// That it can be no other.
    bool is_certain() const { return allowed_.size() == 1; }

  private:
    void drop_expired();

    std::vector<State> allowed_;
    uint64_t now_ms_ = 0;
};

}  // namespace akidb::sim
