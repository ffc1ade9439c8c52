// What the tests of this room share: a clock that stands until it is moved. For tests only; thread-safe.
#pragma once

#include <atomic>

#include "io/clock.h"

namespace akidb::access {

class HandClock final : public io::Clock {
  public:
    uint64_t monotonic_us() const override { return monotonic_us_.load(); }
    uint64_t unix_ms() const override { return unix_ms_.load(); }

    void advance_us(uint64_t us) {
        monotonic_us_ += us;
        unix_ms_ += us / 1000;
    }
    void set_unix_ms(uint64_t time) { unix_ms_ = time; }
    void advance_s(uint64_t seconds) { advance_us(seconds * 1'000'000); }

  private:
    std::atomic<uint64_t> monotonic_us_{77};
    std::atomic<uint64_t> unix_ms_{1'700'000'000'000};
};

}  // namespace akidb::access
