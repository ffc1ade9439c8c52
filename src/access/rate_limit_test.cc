#include "access/rate_limit.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "access/bounded_table.h"
#include "io/clock_for_tests.h"

namespace akidb::access {
namespace {

class RateLimiterTest : public ::testing::Test {
  protected:
    io::HandClock clock_;
    std::unique_ptr<io::Random> random_ = io::make_seeded_random(1);
};

TEST_F(RateLimiterTest, LetsTheBurstThroughThenExactlyTheRate) {
    RateLimiter limiter(clock_, *random_, per_minute(10, 20), 1000);
    for (uint32_t i = 0; i < 20; ++i) {
        const RateDecision decision = limiter.take("a");
        ASSERT_TRUE(decision.allowed) << i;
        EXPECT_EQ(decision.remaining, 19 - i);
        EXPECT_EQ(decision.reset_us, (i + 1) * 6'000'000u);
    }
    const RateDecision refused = limiter.take("a");
    EXPECT_FALSE(refused.allowed);
    EXPECT_EQ(refused.retry_after_us, 6'000'000u);
    EXPECT_EQ(refused.retry_after_s(), 6u);
    clock_.advance_us(5'999'999);
    EXPECT_EQ(limiter.take("a").retry_after_us, 1u);
    clock_.advance_us(1);
    EXPECT_TRUE(limiter.take("a").allowed);
    EXPECT_FALSE(limiter.take("a").allowed);
}

TEST_F(RateLimiterTest, RoundsNoRate) {
    // 7 a minute is one each 8,571,428.57 µs: after an hour of greed exactly 420 and the burst.
    RateLimiter limiter(clock_, *random_, per_minute(7, 3), 1000);
    uint32_t allowed = 0;
    for (int step = 0; step <= 36'000; ++step) {
        allowed += limiter.take("a").allowed ? 1 : 0;
        if (step < 36'000) {
            clock_.advance_us(100'000);
        }
    }
    EXPECT_EQ(allowed, 7u * 60 + 3);
}

TEST_F(RateLimiterTest, AdmitsNoMoreThanTheRateInAnyStretchOfTime) {
    const Rate rate{.count = 13, .period_us = 1'000'000, .burst = 5};
    RateLimiter limiter(clock_, *random_, rate, 1000);
    std::vector<uint64_t> admitted;
    auto dice = io::make_seeded_random(3);
    for (int i = 0; i < 20'000; ++i) {
        clock_.advance_us(dice->next_u64() % 40'000);
        if (limiter.take("a").allowed) {
            admitted.push_back(clock_.monotonic_us());
        }
    }
    for (size_t first = 0; first < admitted.size(); ++first) {
        for (size_t last = first; last < std::min(admitted.size(), first + 100); ++last) {
            const uint64_t stretch = admitted[last] - admitted[first];
            ASSERT_LE(last - first + 1, rate.burst + stretch * rate.count / rate.period_us);
        }
    }
    EXPECT_GT(admitted.size(), 1000u);
}

TEST_F(RateLimiterTest, ARefusedTryCostsNothing) {
    RateLimiter limiter(clock_, *random_, per_minute(1, 1), 1000);
    EXPECT_TRUE(limiter.take("a").allowed);
    for (int i = 0; i < 100; ++i) {
        EXPECT_FALSE(limiter.take("a").allowed);
    }
    clock_.advance_s(60);
    EXPECT_TRUE(limiter.peek("a").allowed);
    EXPECT_TRUE(limiter.take("a").allowed);
}

TEST_F(RateLimiterTest, AFloodOfKeysNeverFreesOneThatMustWait) {
    RateLimiter limiter(clock_, *random_, per_minute(10, 2), 64);
    for (int i = 0; i < 3; ++i) {
        limiter.take("guesser");
    }
    for (int i = 0; i < 10'000; ++i) {
        limiter.take("other" + std::to_string(i));
        ASSERT_FALSE(limiter.peek("guesser").allowed) << i;
    }
    EXPECT_LE(limiter.keys(), 64u);
    clock_.advance_s(6);
    EXPECT_TRUE(limiter.take("guesser").allowed);
}

TEST_F(RateLimiterTest, TurnsNewKeysAwayWhenAllOthersMustWait) {
    RateLimiter limiter(clock_, *random_, per_minute(1, 1), 16);  // one a shard
    for (int i = 0; i < 1000; ++i) {
        limiter.take("k" + std::to_string(i));
    }
    EXPECT_EQ(limiter.keys(), 16u);
    const RateDecision turned_away = limiter.take("one more");
    EXPECT_FALSE(turned_away.allowed);
    EXPECT_GT(turned_away.retry_after_us, 0u);
    clock_.advance_s(61);
    EXPECT_TRUE(limiter.take("one more").allowed);
}

TEST(BoundedTable, KeepsWhoComesOftenThroughAFloodOfKeysSeenOnce) {
    BoundedTable<uint32_t> table(1600);
    const auto free = [](uint32_t) { return false; };
    const auto count = [](uint32_t& value) { ++value; };
    for (int round = 0; round < 3; ++round) {
        for (uint64_t key = 0; key < 400; ++key) {
            EXPECT_TRUE(table.edit(key, free, count));
        }
    }
    for (uint64_t key = 1'000'000; key < 1'100'000; ++key) {
        ASSERT_TRUE(table.edit(key, free, count));
    }
    for (uint64_t key = 0; key < 400; ++key) {
        EXPECT_EQ(table.look(key), 3u) << key;
    }
    EXPECT_EQ(table.size(), 1600u);
}

TEST(BoundedTable, AgreesWithAMapWhileNothingNeedsToGo) {
    BoundedTable<uint64_t> table(16 * 4096);
    std::map<uint64_t, uint64_t> model;
    auto dice = io::make_seeded_random(9);
    for (int i = 0; i < 50'000; ++i) {
        const uint64_t key = dice->next_u64() % 16'384;
        const uint64_t value = dice->next_u64();
        ASSERT_TRUE(table.edit(
            key, [](uint64_t) { return true; }, [&](uint64_t& out) { out ^= value; }));
        model[key] ^= value;
    }
    for (const auto& [key, value] : model) {
        ASSERT_EQ(table.look(key), value);
    }
    EXPECT_EQ(table.size(), model.size());
}

TEST(RateMeter, LetsASecondsWorthThroughAndThenOneAfterAnother) {
    RateMeter meter;
    uint64_t now_us = 5'000'000;
    for (uint64_t i = 0; i < 10; ++i) {
        const auto verdict = meter.take(per_second(10), now_us);
        EXPECT_TRUE(verdict.allowed);
        EXPECT_EQ(verdict.remaining, 9 - i);
    }
    EXPECT_FALSE(meter.take(per_second(10), now_us).allowed);
    EXPECT_EQ(meter.take(per_second(10), now_us).retry_after_us, 100'000U);
    EXPECT_FALSE(meter.take(per_second(10), now_us + 99'999).allowed);
    EXPECT_TRUE(meter.take(per_second(10), now_us + 100'000).allowed);
    uint64_t admitted = 0;
    for (now_us = 10'000'000; now_us < 20'000'000; now_us += 1'000) {
        admitted += meter.take(per_second(10), now_us).allowed ? 1 : 0;
    }
    EXPECT_NEAR(static_cast<double>(admitted), 110, 1) << "ten seconds, and the burst";
}

}  // namespace
}  // namespace akidb::access
