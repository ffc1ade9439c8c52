// RememberedKeys: the keys of the writes of the last 24 hours with their answers, so that a retry is answered
// and not applied (docs/idempotency.md). Filled from the file that the manifest names and from the log, so it
// is as durable as the writes themselves. The lane's leader settles each group by it, in the order of the
// lane. Never forgets early to make room: beyond `keys_max` a write with a new key is refused (kRateLimited).
//
// Time is a clock of its own that never goes back: it starts at the wall clock or at the newest key,
// whichever is later, and goes on by the monotonic clock. So the wall clock may jump while the server runs,
// and may be behind when it starts; a clock that is ahead at a start cannot be told from a server that was
// off.
//
// Thread-safe; start() once, after what was remembered is in and before the first settle().
#pragma once

#include <deque>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "engine/collection.h"
#include "engine/write_lane.h"
#include "io/clock.h"
#include "storage/keyed_record.h"
#include "telemetry/metrics.h"

namespace akidb::engine {

inline constexpr uint64_t kRememberedForMs = 24 * 3'600'000;

class RememberedKeys {
  public:
    RememberedKeys(const io::Clock& clock, uint64_t keys_max, telemetry::Metrics& metrics);

    /// The newest so far; sequences ascend.
    void add(const storage::RememberedKey& key) AKIDB_EXCLUDES(mutex_);
    void start() AKIDB_EXCLUDES(mutex_);

    /// The answer when this key was seen up to `sequence`: that of the first time, or kConflict when it was
    /// given with another write. Nothing for a new key.
    std::optional<Result<WriteReply>> find(const model::WriteKey& key, uint64_t sequence) const
        AKIDB_EXCLUDES(mutex_);

    /// A write that waits for one of its own group with the same key.
    struct Repeat {
        PendingWrite* write = nullptr;
        const PendingWrite* first = nullptr;
    };
    /// Answers the writes of a group whose key is remembered, or that find no room, and takes them and the
    /// repeats out of it.
    std::vector<Repeat> settle(std::vector<PendingWrite*>& group) AKIDB_EXCLUDES(mutex_);
    /// Once the group is applied, or refused.
    void answer(std::span<const Repeat> repeats) const AKIDB_EXCLUDES(mutex_);
    /// Puts its key behind the record of each write that has one.
    void add_keys(std::span<PendingWrite* const> group) const;

    /// Those of writes up to `sequence`, by sequence; what was forgotten is left out.
    std::vector<storage::RememberedKey> up_to(uint64_t sequence) const AKIDB_EXCLUDES(mutex_);
    /// Whether a file of all keys up to `covered` still tells all there is.
    bool is_unchanged_since(uint64_t covered) const AKIDB_EXCLUDES(mutex_);

  private:
    struct DigestHash {
        size_t operator()(const Digest128& digest) const;
    };

    uint64_t now_ms() const;
    bool is_remembered(const storage::RememberedKey& key, uint64_t now_ms) const;
    void forget_some(uint64_t now_ms) AKIDB_REQUIRES(mutex_);
    std::optional<Result<WriteReply>> look_up(const model::WriteKey& key, uint64_t now_ms) const
        AKIDB_REQUIRES(mutex_);
    Error no_room(uint64_t now_ms) const AKIDB_REQUIRES(mutex_);

    const io::Clock& clock_;
    const uint64_t keys_max_;
    telemetry::Counter& replays_;
    uint64_t started_at_ms_ = 0;  // of our time, when monotonic time was started_us_; set by start()
    uint64_t started_us_ = 0;

    mutable Mutex mutex_;
    // By sequence, and so by age. What stands in it stays where it is until it is forgotten.
    std::deque<storage::RememberedKey> keys_ AKIDB_GUARDED_BY(mutex_);
    std::unordered_map<Digest128, const storage::RememberedKey*, DigestHash> by_key_ AKIDB_GUARDED_BY(mutex_);
};

}  // namespace akidb::engine
