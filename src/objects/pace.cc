#include "objects/pace.h"

#include <algorithm>

namespace akidb::objects {
namespace {

constexpr uint64_t kPaceSecondUs = 1'000'000;

}  // namespace

uint64_t Pace::Schedule::take(uint64_t units, uint64_t now_us) {
    if (per_second_ == 0) {
        return now_us;
    }
    // A second's worth may be saved up.
    free_at_us_ = std::max(free_at_us_, now_us > kPaceSecondUs ? now_us - kPaceSecondUs : 0);
    const uint64_t begin = std::max(free_at_us_, now_us);
    free_at_us_ +=
        static_cast<uint64_t>(static_cast<double>(units) * kPaceSecondUs / static_cast<double>(per_second_));
    return begin;
}

uint64_t Pace::Lane::take(uint64_t request_count, uint64_t byte_count, uint64_t now_us) {
    return std::max(requests.take(request_count, now_us), bytes.take(byte_count, now_us));
}

uint64_t Pace::take(uint64_t request_count, uint64_t byte_count, Urgency urgency, uint64_t now_us) {
    const uint64_t of_all = all_.take(request_count, byte_count, now_us);
    return urgency == Urgency::kBackground ? of_all : urgent_.take(request_count, byte_count, now_us);
}

Result<void> Pace::wait(uint64_t bytes, Urgency urgency) {
    const uint64_t now_us = clock_.monotonic_us();
    uint64_t begin_us = 0;
    {
        MutexLock lock(mutex_);
        begin_us = take(1, bytes, urgency, now_us);
    }
    if (begin_us <= now_us) {
        return {};
    }
    if (!pause_.wait_us(begin_us - now_us)) {
        return Error(Code::kUnavailable, "stopped before its turn came");
    }
    return {};
}

void Pace::count(uint64_t bytes, Urgency urgency) {
    const uint64_t now_us = clock_.monotonic_us();
    MutexLock lock(mutex_);
    take(0, bytes, urgency, now_us);
}

}  // namespace akidb::objects
