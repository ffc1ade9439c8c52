#include "io/executor.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace akidb::io {
namespace {

/// Holds the only thread of a pool until told.
struct Gate {
    std::promise<void> started;
    std::promise<void> open;
};

Executor::Job wait_at(const std::shared_ptr<Gate>& gate) {
    return [gate](const std::stop_token&) {
        gate->started.set_value();
        gate->open.get_future().wait();
    };
}

TEST(ThreadPool, RunsJobsInOrderOfSubmission) {
    ThreadPool pool({.name = "order"});
    std::vector<int> order;
    std::promise<void> done;
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(pool.submit("count", [&order, i](const std::stop_token&) { order.push_back(i); }));
    }
    ASSERT_TRUE(pool.submit("last", [&done](const std::stop_token&) { done.set_value(); }));
    done.get_future().wait();
    ASSERT_EQ(order.size(), 100u);
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(order[static_cast<size_t>(i)], i);
    }
}

TEST(ThreadPool, RefusesJobsBeyondItsQueue) {
    ThreadPool pool({.name = "full", .threads = 1, .queue_max = 2});
    const auto gate = std::make_shared<Gate>();
    ASSERT_TRUE(pool.submit("gate", wait_at(gate)));
    gate->started.get_future().wait();
    EXPECT_TRUE(pool.submit("a", [](const std::stop_token&) {}));
    EXPECT_TRUE(pool.submit("b", [](const std::stop_token&) {}));
    EXPECT_FALSE(pool.submit("c", [](const std::stop_token&) {}));
    EXPECT_EQ(pool.pending(), 3u);
    gate->open.set_value();
}

TEST(ThreadPool, DropsQueuedJobsAndStopsRunningOnesWhenStopped) {
    ThreadPool pool({.name = "stop"});
    std::promise<void> started;
    bool saw_stop = false;
    bool queued_ran = false;
    ASSERT_TRUE(pool.submit("long", [&](const std::stop_token& token) {
        std::promise<void> stopped;
        const std::stop_callback on_stop(token, [&] { stopped.set_value(); });
        started.set_value();
        stopped.get_future().wait();
        saw_stop = token.stop_requested();
    }));
    const auto owned = std::make_shared<int>(1);
    ASSERT_TRUE(pool.submit("queued", [&queued_ran, owned](const std::stop_token&) { queued_ran = true; }));
    started.get_future().wait();
    pool.stop();
    EXPECT_TRUE(saw_stop);
    EXPECT_FALSE(queued_ran);
    EXPECT_EQ(owned.use_count(), 1) << "the dropped job still owns its captures";
    EXPECT_EQ(pool.pending(), 0u);
    EXPECT_FALSE(pool.submit("late", [](const std::stop_token&) {}));
    pool.stop();
}

TEST(ThreadPool, LetsAJobSubmitAnother) {
    ThreadPool pool({.name = "chain"});
    std::promise<void> done;
    ASSERT_TRUE(pool.submit("first", [&](const std::stop_token&) {
        EXPECT_TRUE(pool.submit("second", [&](const std::stop_token&) { done.set_value(); }));
    }));
    done.get_future().wait();
}

TEST(ThreadPool, NamesItsThreadsAndLowersTheirPriority) {
    ThreadPool pool({.name = "a name that is far too long", .threads = 1, .nice = 3});
    std::promise<std::pair<std::string, int>> found;
    ASSERT_TRUE(pool.submit("look", [&](const std::stop_token&) {
        char name[16] = {};
        pthread_getname_np(pthread_self(), name, sizeof(name));
        found.set_value({name, ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()))});
    }));
    const auto [name, nice] = found.get_future().get();
    EXPECT_EQ(name, "a name that is ");
    EXPECT_GT(nice, ::getpriority(PRIO_PROCESS, 0) - 1);
    if (::getpriority(PRIO_PROCESS, 0) <= 16) {
        EXPECT_EQ(nice, ::getpriority(PRIO_PROCESS, 0) + 3);
    }
}

TEST(ThreadPoolDeathTest, EndsTheProcessWhenAJobThrows) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(
        {
            ThreadPool pool({.name = "throws"});
            pool.submit("bad", [](const std::stop_token&) { throw std::runtime_error("surprise"); });
            std::promise<void> never;
            never.get_future().wait();
        },
        "job 'bad' threw: surprise");
}

}  // namespace
}  // namespace akidb::io
