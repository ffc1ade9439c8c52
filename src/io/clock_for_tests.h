// HandClock: a clock that stands until a test moves it: time that passes moves both readings, who sets the
// wall clock moves that alone. For tests only; thread-safe.
#pragma once

#include <atomic>
#include <cstdint>

#include "io/clock.h"

namespace akidb::io {

class HandClock final : public Clock {
  public:
    explicit HandClock(uint64_t monotonic_us = 1'000'000, uint64_t unix_ms = 1'700'000'000'000)
        : now_us(monotonic_us), wall_ms(unix_ms) {}

    uint64_t monotonic_us() const override { return now_us; }
    uint64_t unix_ms() const override { return wall_ms; }

    void advance_us(uint64_t us) {
        now_us += us;
        wall_ms += us / 1000;
    }
    void pass_ms(uint64_t ms) { advance_us(ms * 1000); }
    void advance_s(uint64_t seconds) { advance_us(seconds * 1'000'000); }
    void set_unix_ms(uint64_t time) { wall_ms = time; }

    std::atomic<uint64_t> now_us;
    std::atomic<uint64_t> wall_ms;
};

}  // namespace akidb::io
