// BreakerWitness: stands between a breaker and the store behind it and says what the breaker's state has to
// be, by its published figures and by what came through: open once at least ten calls ended within a minute
// and more than half of them failed; then nothing for five minutes; then one at a time, of which ten
// successes close it and one failure opens it again. Shares no code with objects/breaker.cc. For tests; of
// one thread.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>

#include "objects/breaker.h"
#include "objects/forwarding_store.h"

namespace akidb::s3_test {

class BreakerWitness final : public objects::ForwardingStore<BreakerWitness> {
  public:
    BreakerWitness(objects::ObjectStore& store, const io::Clock& clock)
        : ForwardingStore(store), clock_(clock) {}

    template <class Call>
    auto around(uint64_t /*bytes*/, Call call) -> decltype(call()) {
        if (state_ == objects::BreakerState::kOpen) {
            EXPECT_GE(clock_.monotonic_us() - opened_at_us_, kCoolDownUs) << "the server is left alone";
            state_ = objects::BreakerState::kHalfOpen;
            successes_ = 0;
        }
        auto outcome = call();
        const bool has_failed = !outcome.has_value() && objects::may_pass(outcome.error()) &&
                                outcome.error().code() != Code::kDataLoss;
        state_ == objects::BreakerState::kHalfOpen ? probe_ended(has_failed) : call_ended(has_failed);
        return outcome;
    }

    objects::BreakerState state() const { return state_; }
    uint64_t openings() const { return openings_; }
    uint64_t closings() const { return closings_; }

  private:
    static constexpr uint64_t kMinuteUs = 60'000'000;
    static constexpr uint64_t kCoolDownUs = 300'000'000;

    struct Ended {
        uint64_t at_us;
        bool has_failed;
    };

    void probe_ended(bool has_failed) {
        if (has_failed) {
            open();
        } else if (++successes_ == 10) {
            state_ = objects::BreakerState::kClosed;
            ++closings_;
        }
    }
    void call_ended(bool has_failed) {
        ended_.push_back({clock_.monotonic_us(), has_failed});
        std::erase_if(ended_,
                      [&](const Ended& one) { return clock_.monotonic_us() - one.at_us >= kMinuteUs; });
        const auto failed = static_cast<size_t>(
            std::count_if(ended_.begin(), ended_.end(), [](const Ended& one) { return one.has_failed; }));
        if (ended_.size() >= 10 && 2 * failed > ended_.size()) {
            open();
        }
    }
    void open() {
        state_ = objects::BreakerState::kOpen;
        opened_at_us_ = clock_.monotonic_us();
        ended_.clear();
        ++openings_;
    }

    const io::Clock& clock_;
    objects::BreakerState state_ = objects::BreakerState::kClosed;
    std::deque<Ended> ended_;
    uint64_t opened_at_us_ = 0;
    uint64_t successes_ = 0;
    uint64_t openings_ = 0;
    uint64_t closings_ = 0;
};

}  // namespace akidb::s3_test
