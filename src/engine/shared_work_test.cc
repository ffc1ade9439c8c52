#include "engine/shared_work.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <latch>
#include <new>
#include <string>
#include <vector>

#include "io/executor.h"

namespace akidb::engine {
namespace {

TEST(SharedWork, IdleThreadsWorkAtTheSameTime) {
    io::ThreadPool pool({.name = "help", .threads = 2});
    std::latch all_are_there(3);
    std::atomic<int> ended{0};
    run_shared(pool, "link", 2, [&] {
        all_are_there.arrive_and_wait();  // would never end with fewer
        ++ended;
    });
    EXPECT_EQ(ended.load(), 3);
}

TEST(SharedWork, NobodyWaitsForAHelperThatDoesNotBegin) {
    io::ThreadPool pool({.name = "help", .threads = 1});
    std::latch may_end(1);
    std::atomic<int> ran{0};
    ASSERT_TRUE(pool.submit("busy", [&](const std::stop_token&) { may_end.wait(); }));
    run_shared(pool, "link", 3, [&] { ++ran; });
    EXPECT_EQ(ran.load(), 1);
    may_end.count_down();
    std::latch is_idle(1);
    ASSERT_TRUE(pool.submit("last", [&](const std::stop_token&) { is_idle.count_down(); }));
    is_idle.wait();
    EXPECT_EQ(ran.load(), 1) << "a helper began after its caller had gone";
}

/// Keeps the jobs, so that they run when their caller has gone.
class LateExecutor final : public io::Executor {
  public:
    bool submit(std::string, Job job) override {
        jobs_.push_back(std::move(job));
        return jobs_.size() < 3;
    }
    void run() {
        for (Job& job : jobs_) {
            job({});
        }
    }

  private:
    std::vector<Job> jobs_;
};

TEST(SharedWork, AnErrorInTheCallerLeavesNothingBehind) {
    LateExecutor late;
    int ran = 0;
    EXPECT_THROW(run_shared(late, "link", 5,
                            [&] {
                                ++ran;
                                throw std::bad_alloc();
                            }),
                 std::bad_alloc);
    late.run();
    EXPECT_EQ(ran, 1);
}

TEST(SharedWork, StepsRunOnceEachAndTheFirstThatFailedIsTold) {
    io::ThreadPool pool({.name = "help", .threads = 2});
    for (const uint32_t helpers : {0u, 2u}) {
        std::vector<std::atomic<int>> ran(20);
        std::vector<std::function<Result<void>()>> steps;
        for (size_t step = 0; step < ran.size(); ++step) {
            steps.emplace_back([&ran, step]() -> Result<void> {
                ++ran[step];
                return step % 7 == 5 ? Result<void>(Error(Code::kDataLoss, std::to_string(step)))
                                     : Result<void>();
            });
        }
        const Result<void> outcome = run_steps(pool, "open", helpers, steps);
        ASSERT_FALSE(outcome.has_value());
        EXPECT_EQ(outcome.error().message(), "5");
        for (const std::atomic<int>& times : ran) {
            EXPECT_EQ(times.load(), 1);
        }
        EXPECT_TRUE(run_steps(pool, "open", helpers, std::span(steps).first(5)).has_value());
        EXPECT_TRUE(run_steps(pool, "open", helpers, {}).has_value());
    }
}

}  // namespace
}  // namespace akidb::engine
