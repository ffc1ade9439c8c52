// Clock: the door to time. Order comes from sequence numbers, timers from monotonic_us, and the wall clock
// only labels (rule R15): it may be set at any moment, by seconds or by years. What that does to labels that
// must be in order, and to what is deleted for its age, is decided here, for everybody who asks this clock
// (docs/operations.md, When the clock jumps). Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/mutex.h"

namespace akidb::io {

/// From so much on it is a jump. Below are steps of a clock that is kept right, and threads that had to wait.
inline constexpr uint64_t kClockJumpMs = 10'000;
/// How long a jump forwards is doubted: who sets a clock wrong finds out, or a time service does.
inline constexpr uint64_t kClockDoubtUs = uint64_t{15} * 60 * 1'000'000;

class Clock {
  public:
    virtual ~Clock() = default;
    /// Never goes back; its zero has no meaning.
    virtual uint64_t monotonic_us() const = 0;
    /// Milliseconds since 1970 UTC; may jump.
    virtual uint64_t unix_ms() const = 0;
    /// Processor time of the calling thread; its zero has no meaning. What a thread takes that has to wait
    /// for others, where monotonic_us tells how long it took. Of a clock of a test the two are one.
    virtual uint64_t thread_us() const { return monotonic_us(); }

    /// As unix_ms, but never earlier than what it told or was told before: what is labelled later has no
    /// earlier label. After a jump back it goes on at half the speed of time until the wall clock is there.
    uint64_t stamp_ms() const AKIDB_EXCLUDES(mutex_);
    /// That such a label is there, of a process before this one.
    void note_stamp(uint64_t unix_ms) const AKIDB_EXCLUDES(mutex_);
    /// Since a jump forwards, for kClockDoubtUs: meanwhile nothing is deleted only because it is old.
    bool is_in_doubt() const AKIDB_EXCLUDES(mutex_);
    /// Of the jumps since it was last asked, all together: how far, negative for back. For one who asks often
    /// and tells; the first to ask anything of the kind begins the watch.
    int64_t take_jump_ms() const AKIDB_EXCLUDES(mutex_);

  private:
    struct Moment {
        uint64_t ms = 0;
        uint64_t us = 0;  // monotonic
    };
    Moment look() const AKIDB_REQUIRES(mutex_);

    mutable Mutex mutex_;
    mutable std::optional<Moment> seen_ AKIDB_GUARDED_BY(mutex_);  // the last look
    mutable Moment stamp_ AKIDB_GUARDED_BY(mutex_);                // where stamps go on from
    mutable int64_t jumped_ms_ AKIDB_GUARDED_BY(mutex_) = 0;       // not told yet
    mutable uint64_t doubted_until_us_ AKIDB_GUARDED_BY(mutex_) = 0;
};

std::unique_ptr<Clock> make_system_clock();

}  // namespace akidb::io
