#include "bench/index_engine.h"

#include <chrono>
#include <ctime>

namespace akidb::bench {
namespace {

BuildFigures now() {
    timespec cpu{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now().time_since_epoch();
    return {static_cast<double>(cpu.tv_sec) + static_cast<double>(cpu.tv_nsec) * 1e-9, wall.count()};
}

}  // namespace

BuildTimer::BuildTimer() : start_(now()) {}

BuildFigures BuildTimer::elapsed() const {
    const BuildFigures end = now();
    return {end.cpu_s - start_.cpu_s, end.wall_s - start_.wall_s};
}

}  // namespace akidb::bench
