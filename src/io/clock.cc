#include "io/clock.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace akidb::io {
namespace {

class SystemClock final : public Clock {
  public:
    uint64_t monotonic_us() const override {
        const auto since = std::chrono::steady_clock::now().time_since_epoch();
        return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(since).count());
    }
    uint64_t unix_ms() const override {
        const auto since = std::chrono::system_clock::now().time_since_epoch();
        return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
    }
    uint64_t thread_us() const override {
        timespec used{};
        if (::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used) != 0) {
            return monotonic_us();
        }
        return static_cast<uint64_t>(used.tv_sec) * 1'000'000 + static_cast<uint64_t>(used.tv_nsec) / 1000;
    }
};

}  // namespace

Clock::Moment Clock::look() const {
    const Moment now{.ms = unix_ms(), .us = monotonic_us()};
    if (seen_) {
        const auto by_wall = static_cast<int64_t>(now.ms - seen_->ms);
        const auto passed = static_cast<int64_t>((now.us - std::min(now.us, seen_->us)) / 1000);
        const int64_t jump = by_wall - passed;
        if (jump >= static_cast<int64_t>(kClockJumpMs)) {
            doubted_until_us_ = now.us + kClockDoubtUs;
            jumped_ms_ += jump;
        } else if (-jump >= static_cast<int64_t>(kClockJumpMs)) {
            jumped_ms_ += jump;
        }
    }
    seen_ = now;
    return now;
}

uint64_t Clock::stamp_ms() const {
    MutexLock lock(mutex_);
    const Moment now = look();
    const uint64_t passed_us = now.us - std::min(now.us, stamp_.us);
    const uint64_t goes_on = stamp_.ms == 0 ? 0 : stamp_.ms + passed_us / 2000;
    if (now.ms >= goes_on) {
        stamp_ = now;
        return now.ms;
    }
    return goes_on;
}

void Clock::note_stamp(uint64_t unix_ms) const {
    const uint64_t stamp = stamp_ms();
    MutexLock lock(mutex_);
    if (unix_ms > stamp) {
        stamp_ = {.ms = unix_ms, .us = monotonic_us()};
    }
}

bool Clock::is_in_doubt() const {
    MutexLock lock(mutex_);
    return look().us < doubted_until_us_;
}

int64_t Clock::take_jump_ms() const {
    MutexLock lock(mutex_);
    look();
    return std::exchange(jumped_ms_, 0);
}

std::unique_ptr<Clock> make_system_clock() {
    return std::make_unique<SystemClock>();
}

}  // namespace akidb::io
