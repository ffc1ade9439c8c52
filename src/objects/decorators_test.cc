#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "objects/breaker.h"
#include "objects/memory_store.h"
#include "objects/retrying_store.h"
#include "objects/stores_for_tests.h"
#include "objects/traffic.h"

namespace akidb::objects {
namespace {

class Decorators : public testing::Test {
  protected:
    std::unique_ptr<ObjectStore> memory_ = make_memory_store();
    FaultyStore faulty_{*memory_};
    PassingTime time_;
    std::unique_ptr<io::Random> random_ = io::make_seeded_random(7);
};

TEST_F(Decorators, RetryWaitsWithFullJitterAndGivesUpAfterFiveTries) {
    const auto store = make_retrying_store(faulty_, *random_, time_);
    for (int round = 0; round < 50; ++round) {
        faulty_.plan(std::deque<Fault>(5, Fault{Code::kUnavailable}));
        EXPECT_EQ(store->head("a").error().code(), Code::kUnavailable);
    }
    EXPECT_EQ(faulty_.calls(), 250u);
    ASSERT_EQ(time_.waits().size(), 200u);
    uint64_t longest[4] = {};
    for (size_t i = 0; i < time_.waits().size(); ++i) {
        EXPECT_LE(time_.waits()[i], 1'000'000u << (i % 4));
        longest[i % 4] = std::max(longest[i % 4], time_.waits()[i]);
    }
    for (size_t i = 0; i < 4; ++i) {  // of 50 draws one is beyond the middle
        EXPECT_GT(longest[i], 500'000u << i);
    }
}

TEST_F(Decorators, RetryCapsItsWaits) {
    const auto store = make_retrying_store(faulty_, *random_, time_, {.tries = 12});
    faulty_.plan(std::deque<Fault>(12, Fault{Code::kRateLimited}));
    EXPECT_FALSE(store->head("a"));
    EXPECT_THAT(time_.waits(), testing::Each(testing::Le(64'000'000u)));
    EXPECT_EQ(time_.waits().size(), 11u);
}

TEST_F(Decorators, RetryLeavesRefusalsAloneAndEndsWhenStopped) {
    const auto store = make_retrying_store(faulty_, *random_, time_);
    faulty_.plan({Fault{Code::kPermissionDenied}});
    EXPECT_EQ(store->head("a").error().code(), Code::kPermissionDenied);
    EXPECT_EQ(faulty_.calls(), 1u);
    time_.stop();
    faulty_.plan({Fault{Code::kUnavailable}, Fault{Code::kUnavailable}});
    EXPECT_EQ(store->head("a").error().code(), Code::kUnavailable);
    EXPECT_EQ(faulty_.calls(), 2u);
}

TEST_F(Decorators, RetryKnowsItsOwnCreateOnlyPutWhoseAnswerWasLost) {
    const auto store = make_retrying_store(faulty_, *random_, time_);
    faulty_.plan({Fault{Code::kUnavailable, When::kAfter}});
    EXPECT_TRUE(store->put("mine", "bytes", PutMode::kCreateOnly));
    faulty_.plan({Fault{Code::kUnavailable}});
    EXPECT_EQ(store->put("mine", "others", PutMode::kCreateOnly).error().code(), Code::kAlreadyExists);
    // Whoever knows the outcome of his first try gets no such benefit.
    EXPECT_EQ(store->put("mine", "bytes", PutMode::kCreateOnly).error().code(), Code::kAlreadyExists);
}

TEST_F(Decorators, EveryTryIsToldWithItsOutcome) {
    class Listening final : public TrafficObserver {
      public:
        void note_ended(const EndedRequest& request) override { ended.push_back(request); }
        void note_retry() override { ++retries; }
        std::vector<EndedRequest> ended;
        size_t retries = 0;
    } heard;
    const auto observed = make_observed_store(faulty_, time_, heard);
    const auto store = make_retrying_store(*observed, *random_, time_, {}, &heard);
    faulty_.plan({Fault{Code::kUnavailable}, Fault{Code::kDataLoss}});
    ASSERT_TRUE(store->put("a", "four", PutMode::kOverwrite));
    EXPECT_EQ(store->get("a", 100).value(), "four");
    EXPECT_EQ(store->get_range("a", {1, 2}).value(), "ou");
    EXPECT_EQ(store->head("b").error().code(), Code::kNotFound);
    EXPECT_EQ(heard.retries, 2u);
    const auto is = [](Operation operation, TrafficOutcome outcome, uint64_t sent, uint64_t received) {
        return testing::AllOf(testing::Field(&EndedRequest::operation, operation),
                              testing::Field(&EndedRequest::outcome, outcome),
                              testing::Field(&EndedRequest::sent_bytes, sent),
                              testing::Field(&EndedRequest::received_bytes, received));
    };
    EXPECT_THAT(heard.ended, testing::ElementsAre(is(Operation::kPut, TrafficOutcome::kFailed, 0, 0),
                                                  is(Operation::kPut, TrafficOutcome::kFailed, 0, 0),
                                                  is(Operation::kPut, TrafficOutcome::kOk, 4, 0),
                                                  is(Operation::kGet, TrafficOutcome::kOk, 0, 4),
                                                  is(Operation::kGetRange, TrafficOutcome::kOk, 0, 2),
                                                  is(Operation::kHead, TrafficOutcome::kRefused, 0, 0)));
}

TEST_F(Decorators, BreakerOpensAboveHalfOfTenAndClosesAfterTenGoodOnes) {
    Breaker breaker(time_, {});
    const auto store = make_breaking_store(faulty_, breaker);
    const auto call = [&](bool fails) {
        if (fails) {
            faulty_.plan({Fault{Code::kUnavailable}});
        }
        return store->put("a", "b", PutMode::kOverwrite).has_value();
    };
    for (int i = 0; i < 10; ++i) {  // five of ten are not more than half
        call(i % 2 == 0);
    }
    EXPECT_EQ(breaker.state(), BreakerState::kClosed);
    call(true);
    EXPECT_EQ(breaker.state(), BreakerState::kOpen);
    const size_t calls = faulty_.calls();
    EXPECT_FALSE(call(false));
    EXPECT_EQ(faulty_.calls(), calls) << "an open breaker lets nothing through";
    time_.pass_us(299'000'000);
    EXPECT_EQ(breaker.admit().error().retry_after_s(), 1u);
    time_.pass_us(1'000'000);
    EXPECT_TRUE(call(false));
    EXPECT_EQ(breaker.state(), BreakerState::kHalfOpen);
    ASSERT_TRUE(breaker.admit());
    EXPECT_FALSE(breaker.admit()) << "one at a time";
    breaker.note(false);
    for (int i = 0; i < 7; ++i) {
        EXPECT_TRUE(call(false));
    }
    EXPECT_EQ(breaker.state(), BreakerState::kHalfOpen);
    EXPECT_TRUE(call(false));
    EXPECT_EQ(breaker.state(), BreakerState::kClosed);
}

TEST_F(Decorators, BreakerOpensAgainAtTheFirstFailureAndForgetsAfterAMinute) {
    Breaker breaker(time_, {});
    for (int i = 0; i < 9; ++i) {
        breaker.note(true);
    }
    EXPECT_EQ(breaker.state(), BreakerState::kClosed) << "nine are too few";
    time_.pass_us(60'000'000);
    breaker.note(true);
    EXPECT_EQ(breaker.state(), BreakerState::kClosed) << "those of a minute ago do not count";
    for (int i = 0; i < 9; ++i) {
        breaker.note(true);
    }
    EXPECT_EQ(breaker.state(), BreakerState::kOpen);
    time_.pass_us(300'000'000);
    ASSERT_TRUE(breaker.admit());
    breaker.note(true);
    EXPECT_EQ(breaker.state(), BreakerState::kOpen);
    breaker.reset();
    EXPECT_TRUE(breaker.admit());
}

TEST_F(Decorators, BreakerTakesARefusalForAnAnswer) {
    Breaker breaker(time_, {});
    const auto store = make_breaking_store(faulty_, breaker);
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(store->head("nothing").error().code(), Code::kNotFound);
    }
    EXPECT_EQ(breaker.state(), BreakerState::kClosed);
}

}  // namespace
}  // namespace akidb::objects
