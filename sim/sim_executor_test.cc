#include "sim/sim_executor.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "sim/sim_clock.h"

namespace akidb::sim {
namespace {

std::vector<int> order_of_ten(uint64_t seed) {
    SimExecutor executor(seed);
    std::vector<int> order;
    for (int i = 0; i < 10; ++i) {
        EXPECT_TRUE(executor.submit("count", [&order, i](const std::stop_token&) { order.push_back(i); }));
    }
    EXPECT_TRUE(order.empty()) << "a job ran before it was pumped";
    EXPECT_EQ(executor.run_all(), 10u);
    return order;
}

TEST(SimExecutor, RunsEveryJobInAnOrderThatTheSeedChooses) {
    EXPECT_EQ(order_of_ten(7), order_of_ten(7));
    EXPECT_NE(order_of_ten(7), order_of_ten(8));
    const std::vector<int> order = order_of_ten(9);
    EXPECT_EQ(std::set<int>(order.begin(), order.end()).size(), 10u);
}

TEST(SimExecutor, RunsJobsThatJobsSubmitAndStopsAtItsBound) {
    SimExecutor executor(1);
    int runs = 0;
    std::function<void(std::stop_token)> again = [&](const std::stop_token&) {
        ++runs;
        EXPECT_TRUE(executor.submit("again", again));
    };
    ASSERT_TRUE(executor.submit("again", again));
    EXPECT_EQ(executor.run_all(50), 50u);
    EXPECT_EQ(runs, 50);
    EXPECT_EQ(executor.pending(), 1u);
}

TEST(SimExecutor, RefusesBeyondItsQueueAndAfterStop) {
    SimExecutor executor(1, 1);
    const auto owned = std::make_shared<int>(0);
    EXPECT_TRUE(executor.submit("a", [owned](const std::stop_token&) {}));
    EXPECT_FALSE(executor.submit("b", [](const std::stop_token&) {}));
    executor.stop();
    EXPECT_EQ(owned.use_count(), 1);
    EXPECT_FALSE(executor.submit("c", [](const std::stop_token&) {}));
    EXPECT_FALSE(executor.run_one());
}

TEST(SimClock, MovesOnlyWhenMoved) {
    SimClock clock(1000);
    EXPECT_EQ(clock.monotonic_us(), 0u);
    clock.advance_us(1500);
    clock.advance_us(1500);
    EXPECT_EQ(clock.monotonic_us(), 3000u);
    EXPECT_EQ(clock.unix_ms(), 1003u);
    clock.set_unix_ms(5);
    EXPECT_EQ(clock.unix_ms(), 5u);
    EXPECT_EQ(clock.monotonic_us(), 3000u);
}

}  // namespace
}  // namespace akidb::sim
