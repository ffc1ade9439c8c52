#include "bench/open_loop.h"

#include <sys/prctl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <random>
#include <thread>

#include "bench/curve.h"

namespace akidb::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr uint64_t kTimetableSeed = 7;

double milliseconds(Clock::duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

std::vector<Clock::duration> make_timetable(const LoadPlan& plan) {
    auto count = static_cast<size_t>(plan.rate * plan.seconds);
    std::vector<Clock::duration> due(count);
    std::mt19937_64 random(kTimetableSeed);
    std::exponential_distribution<double> gap(plan.rate);
    double at = 0;
    for (size_t index = 0; index < count; ++index) {
        at = plan.poisson ? at + gap(random) : static_cast<double>(index) / plan.rate;
        due[index] = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(at));
    }
    return due;
}

}  // namespace

LoadResult run_load(const LoadPlan& plan) {
    const std::vector<Clock::duration> due = make_timetable(plan);
    std::vector<double> latencies(due.size());
    std::atomic<size_t> next{0};
    std::atomic<uint64_t> errors{0};
    // A moment to connect before the first request is due.
    const Clock::time_point start = Clock::now() + std::chrono::milliseconds(100);
    auto work = [&] {
        prctl(PR_SET_TIMERSLACK, 1000);  // ns; the default of 50 µs would be charged to the server
        support::HttpConnection connection(plan.endpoint);
        try {
            connection.open();
        } catch (const support::HttpFault&) {
            connection.close();  // each request tries again and is counted
        }
        for (size_t index = 0; (index = next.fetch_add(1)) < due.size();) {
            std::this_thread::sleep_until(start + due[index]);
            try {
                support::HttpReply reply =
                    connection.request("POST", plan.path, plan.bodies[index % plan.bodies.size()]);
                errors += reply.status == 200 ? 0 : 1;
            } catch (const support::HttpFault&) {
                errors += 1;
                connection.close();
            }
            latencies[index] = milliseconds(Clock::now() - (start + due[index]));
        }
    };
    std::vector<std::thread> threads;
    for (size_t index = 0; index < plan.connections; ++index) {
        threads.emplace_back(work);
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    LoadResult result;
    result.seconds = milliseconds(Clock::now() - start) / 1000;
    result.rate = plan.rate;
    result.sent = due.size();
    result.errors = errors.load();
    result.p50_ms = quantile(latencies, 0.50);
    result.p95_ms = quantile(latencies, 0.95);
    result.p99_ms = quantile(latencies, 0.99);
    result.max_ms = quantile(latencies, 1);
    return result;
}

}  // namespace akidb::bench
