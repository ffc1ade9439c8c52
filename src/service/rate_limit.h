// RateLimit: requests a second by the generic cell rate algorithm (ITU-T I.371): one stored moment, at which
// the next request would be due if they came evenly; bursts of up to one second's worth pass. Thread-safe,
// without a lock.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace akidb::service {

class RateLimit {
  public:
    struct Verdict {
        bool is_admitted = true;
        uint64_t remaining = 0;       // requests that would pass right now
        uint64_t reset_after_us = 0;  // until all of the burst is there again
        uint64_t retry_after_us = 0;  // when refused
    };

    /// `per_second` of at least 1. `now_us`: monotonic.
    Verdict take(uint64_t now_us, uint64_t per_second) {
        constexpr uint64_t kBurstUs = 1'000'000;
        const uint64_t interval_us = std::max<uint64_t>(1, kBurstUs / per_second);
        uint64_t due_us = due_us_.load(std::memory_order_relaxed);
        while (true) {
            const uint64_t next_us = std::max(due_us, now_us) + interval_us;
            const uint64_t ahead_us = next_us - now_us;
            if (ahead_us > kBurstUs) {
                return {false, 0, ahead_us - interval_us, ahead_us - kBurstUs};
            }
            if (due_us_.compare_exchange_weak(due_us, next_us, std::memory_order_relaxed)) {
                return {true, (kBurstUs - ahead_us) / interval_us, ahead_us, 0};
            }
        }
    }

  private:
    std::atomic<uint64_t> due_us_{0};
};

}  // namespace akidb::service
