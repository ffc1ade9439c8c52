#include "objects/breaker.h"

#include "objects/forwarding_store.h"

namespace akidb::objects {
namespace {

constexpr size_t kOutcomesMax = 10'000;
constexpr uint64_t kSecondUs = 1'000'000;

class BreakingStore final : public ForwardingStore<BreakingStore> {
  public:
    BreakingStore(ObjectStore& store, Breaker& breaker) : ForwardingStore(store), breaker_(breaker) {}

    template <class Call>
    auto around(uint64_t /*bytes*/, Call call) -> decltype(call()) {
        AKIDB_TRY(breaker_.admit());
        auto outcome = call();
        breaker_.note(!outcome.has_value() && may_pass(outcome.error()) &&
                      outcome.error().code() != Code::kDataLoss);
        return outcome;
    }

  private:
    Breaker& breaker_;
};

}  // namespace

Result<void> Breaker::admit() {
    MutexLock lock(mutex_);
    if (state_ == BreakerState::kOpen) {
        const uint64_t passed = clock_.monotonic_us() - opened_at_us_;
        if (passed < options_.cool_down_us) {
            const uint64_t left_s = (options_.cool_down_us - passed + kSecondUs - 1) / kSecondUs;
            return Error(Code::kUnavailable, "the object store failed too often; it is asked again in " +
                                                 std::to_string(left_s) + " s")
                .with_retry_after(static_cast<uint32_t>(left_s));
        }
        state_ = BreakerState::kHalfOpen;
        successes_ = 0;
        is_probing_ = false;
    }
    if (state_ == BreakerState::kHalfOpen) {
        if (is_probing_) {
            return Error(Code::kUnavailable, "the object store is just being tried again")
                .with_retry_after(1);
        }
        is_probing_ = true;
    }
    return {};
}

void Breaker::note(bool has_failed) {
    MutexLock lock(mutex_);
    if (state_ == BreakerState::kOpen) {
        return;  // begun before it opened
    }
    if (state_ == BreakerState::kHalfOpen) {
        is_probing_ = false;
        if (has_failed) {
            open();
        } else if (++successes_ >= options_.successes_to_close) {
            state_ = BreakerState::kClosed;
        }
        return;
    }
    const uint64_t now = clock_.monotonic_us();
    outcomes_.push_back({now, has_failed});
    failed_ += has_failed ? 1 : 0;
    while (outcomes_.size() > kOutcomesMax || now - outcomes_.front().at_us >= options_.window_us) {
        failed_ -= outcomes_.front().has_failed ? 1 : 0;
        outcomes_.pop_front();
    }
    if (outcomes_.size() >= options_.calls_min &&
        uint64_t{failed_} * 100 > outcomes_.size() * uint64_t{options_.failed_percent}) {
        open();
    }
}

void Breaker::open() {
    state_ = BreakerState::kOpen;
    opened_at_us_ = clock_.monotonic_us();
    outcomes_.clear();
    failed_ = 0;
}

BreakerState Breaker::state() const {
    MutexLock lock(mutex_);
    return state_;
}

void Breaker::reset() {
    MutexLock lock(mutex_);
    state_ = BreakerState::kClosed;
    outcomes_.clear();
    failed_ = 0;
}

std::unique_ptr<ObjectStore> make_breaking_store(ObjectStore& store, Breaker& breaker) {
    return std::make_unique<BreakingStore>(store, breaker);
}

}  // namespace akidb::objects
