// RateLimiter: at most `count` in `period_us` for each key, and `burst` at once, by the generic cell rate
// algorithm (GCRA, ITU-T I.371): one stored time a key, the moment at which its allowance would be whole
// again. Rate and burst are exact, and so is the time to wait, with no windows whose edges let twice as much
// through. Times are kept in 1/count of a microsecond, so no rate is rounded. The table is bounded
// (bounded_table.h): forgetting a key that waits for nothing gives it a fresh burst at most; one that must
// wait is not forgotten before its time, and where only such are left, new keys are told to wait.
// RateMeter is the same for who keeps one allowance and no table, without a lock. Thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "access/bounded_table.h"
#include "io/clock.h"
#include "io/random.h"

namespace akidb::access {

/// A key of a table: 64 bits of SipHash under a key of this process, so that nobody can aim at another's key.
class KeyHash {
  public:
    explicit KeyHash(io::Random& random);
    uint64_t of(std::string_view text) const;

  private:
    uint8_t key_[16];
};

inline constexpr uint32_t kRateCountMax = 100'000;  // with it, 64 bits of time last five years

struct Rate {
    uint32_t count = 1;  // at most kRateCountMax
    uint64_t period_us = 1'000'000;
    uint32_t burst = 1;
};

constexpr Rate per_minute(uint32_t count, uint32_t burst) {
    return {.count = count, .period_us = 60'000'000, .burst = burst};
}

/// A second's worth at once.
constexpr Rate per_second(uint32_t count) {
    return {.count = count, .period_us = 1'000'000, .burst = count};
}

struct RateDecision {
    bool allowed = false;
    uint64_t retry_after_us = 0;  // 0 when allowed
    uint32_t remaining = 0;       // how many more would be allowed now
    uint64_t reset_us = 0;        // until the burst is whole again

    /// For Retry-After: whole seconds, at least 1 when refused.
    uint32_t retry_after_s() const { return static_cast<uint32_t>((retry_after_us + 999'999) / 1'000'000); }
};

class RateMeter {
  public:
    /// Each time at the same rate. `now_us` counts from a start that is not long ago.
    RateDecision take(const Rate& rate, uint64_t now_us);

  private:
    std::atomic<uint64_t> whole_again_{0};  // as in RateLimiter
};

class RateLimiter {
  public:
    RateLimiter(const io::Clock& clock, io::Random& random, Rate rate, size_t keys_max);

    /// Takes one when it is allowed; a refused try costs nothing.
    RateDecision take(std::string_view key);
    /// What take would say.
    RateDecision peek(std::string_view key) const;
    size_t keys() const { return table_.size(); }
    const Rate& rate() const { return rate_; }

  private:
    struct Cell {
        uint64_t whole_again = 0;  // in units of 1/count µs since the start; the "theoretical arrival time"
    };
    uint64_t now() const;

    const io::Clock& clock_;
    const Rate rate_;
    const uint64_t start_us_;
    KeyHash hash_;
    BoundedTable<Cell> table_;
};

}  // namespace akidb::access
