// SimClock: time that moves only when a test moves it. monotonic_us in microseconds, unix_ms in milliseconds
// since 1970 UTC; the two are set apart, because the wall clock may jump and the other may not. Thread-safe.
#pragma once

#include <atomic>

#include "base/assert.h"
#include "io/clock.h"

namespace akidb::sim {

/// 14 November 2023.
inline constexpr uint64_t kSimStartMs = 1'700'000'000'000;

class SimClock final : public io::Clock {
  public:
    explicit SimClock(uint64_t unix_ms = kSimStartMs) : unix_ms_(unix_ms) {}

    uint64_t monotonic_us() const override { return monotonic_us_.load(); }
    uint64_t unix_ms() const override { return unix_ms_.load(); }

    void set_monotonic_us(uint64_t time) {
        AKIDB_ASSERT(time >= monotonic_us_.load());
        monotonic_us_.store(time);
    }
    /// Any time, also an earlier one.
    void set_unix_ms(uint64_t time) { unix_ms_.store(time); }
    /// Moves both.
    void advance_us(uint64_t time) {
        const uint64_t before = monotonic_us_.fetch_add(time);
        unix_ms_.fetch_add((before + time) / 1000 - before / 1000);
    }

  private:
    std::atomic<uint64_t> monotonic_us_{0};
    std::atomic<uint64_t> unix_ms_;
};

}  // namespace akidb::sim
