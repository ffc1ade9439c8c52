#include "bench/index_engine.h"

#include <chrono>
#include <ctime>

namespace akidb::bench {
namespace {

TimeSpent now(Timer::Of of) {
    timespec cpu{};
    clock_gettime(of == Timer::Of::kProcess ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_THREAD_CPUTIME_ID, &cpu);
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now().time_since_epoch();
    return {static_cast<double>(cpu.tv_sec) + static_cast<double>(cpu.tv_nsec) * 1e-9, wall.count()};
}

}  // namespace

Timer::Timer(Of of) : of_(of), start_(now(of)) {}

TimeSpent Timer::elapsed() const {
    const TimeSpent end = now(of_);
    return {end.cpu_s - start_.cpu_s, end.wall_s - start_.wall_s};
}

}  // namespace akidb::bench
