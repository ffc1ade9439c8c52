// ScrubPace: how many bytes a second all collections of a server together may read for their scrubs, so that
// those disturb nobody. Thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/mutex.h"

namespace akidb::engine {

class ScrubPace {
  public:
    explicit ScrubPace(uint64_t bytes_a_second) : bytes_a_second_(bytes_a_second) {}

    /// Up to `wanted` of what has come together until `now_us`; 0: ask later.
    uint64_t take(uint64_t now_us, uint64_t wanted) AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        gather(now_us);
        const uint64_t taken = left_ >= kTakenMin ? std::min(left_, wanted) : 0;
        left_ -= taken;
        return taken;
    }
    bool has_any(uint64_t now_us) AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        gather(now_us);
        return left_ >= kTakenMin;
    }

  private:
    // More than the server takes between two rounds of looking after its collections.
    static constexpr uint64_t kSecondsKept = 4;
    static constexpr uint64_t kTakenMin = 64 << 10;  // a block of a segment

    void gather(uint64_t now_us) AKIDB_REQUIRES(mutex_) {
        const uint64_t elapsed_us = std::min(now_us - gathered_us_, kSecondsKept * 1'000'000);
        const uint64_t bytes = elapsed_us * bytes_a_second_ / 1'000'000;
        if (bytes > 0) {
            left_ = std::min(left_ + bytes, kSecondsKept * bytes_a_second_);
            gathered_us_ = now_us;
        }
    }

    const uint64_t bytes_a_second_;
    Mutex mutex_;
    uint64_t left_ AKIDB_GUARDED_BY(mutex_) = 0;
    uint64_t gathered_us_ AKIDB_GUARDED_BY(mutex_) = 0;
};

}  // namespace akidb::engine
