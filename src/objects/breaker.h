// Breaker: keeps calls from a server that fails most of them. Closed, it counts the outcomes of the last
// minute; when at least ten calls ended and more than half of them failed it opens, and every call is refused
// at once for the cool-down. Then (half-open) it lets one call through at a time: ten successes close it, one
// failure opens it again. A failure is an answer that may_pass and is no wrong data; "not found" is an answer
// like another. Thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>

#include "base/mutex.h"
#include "io/clock.h"
#include "objects/object_store.h"

namespace akidb::objects {

enum class BreakerState : uint8_t { kClosed = 0, kHalfOpen = 1, kOpen = 2 };

struct BreakerOptions {
    uint64_t window_us = 60'000'000;
    uint32_t calls_min = 10;
    uint32_t failed_percent = 50;
    uint64_t cool_down_us = 300'000'000;
    uint32_t successes_to_close = 10;
};

class Breaker {
  public:
    Breaker(const io::Clock& clock, BreakerOptions options) : clock_(clock), options_(options) {}

    /// kUnavailable, with the seconds until it lets one through; each success is followed by one note().
    Result<void> admit() AKIDB_EXCLUDES(mutex_);
    void note(bool has_failed) AKIDB_EXCLUDES(mutex_);
    BreakerState state() const AKIDB_EXCLUDES(mutex_);
    /// An operator knows better.
    void reset() AKIDB_EXCLUDES(mutex_);

  private:
    struct Outcome {
        uint64_t at_us;
        bool has_failed;
    };
    void open() AKIDB_REQUIRES(mutex_);

    const io::Clock& clock_;
    const BreakerOptions options_;
    mutable Mutex mutex_;
    BreakerState state_ AKIDB_GUARDED_BY(mutex_) = BreakerState::kClosed;
    std::deque<Outcome> outcomes_ AKIDB_GUARDED_BY(mutex_);  // within the window, at most kOutcomesMax
    uint32_t failed_ AKIDB_GUARDED_BY(mutex_) = 0;           // of them
    uint64_t opened_at_us_ AKIDB_GUARDED_BY(mutex_) = 0;
    uint32_t successes_ AKIDB_GUARDED_BY(mutex_) = 0;  // while half-open
    bool is_probing_ AKIDB_GUARDED_BY(mutex_) = false;
};

/// Both must outlive it.
std::unique_ptr<ObjectStore> make_breaking_store(ObjectStore& store, Breaker& breaker);

}  // namespace akidb::objects
