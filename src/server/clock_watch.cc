#include "server/clock_watch.h"

#include <string>

namespace akidb::server {

using telemetry::MetricId;

ClockWatch::ClockWatch(const io::Clock& clock, Logger& logger, telemetry::Metrics& metrics)
    : clock_(clock), logger_(logger), metrics_(metrics) {
    for (const char* direction : {"forward", "back"}) {
        metrics_.counter(MetricId::kClockJumps, {direction}).add(0);
    }
    tick();
}

void ClockWatch::tick() {
    const int64_t jump_ms = clock_.take_jump_ms();
    if (jump_ms == 0) {
        return;
    }
    metrics_.counter(MetricId::kClockJumps, {jump_ms > 0 ? "forward" : "back"}).add();
    logger_.log(LogLevel::kWarning, "the clock jumped",
                {{"direction", jump_ms > 0 ? "forward" : "back"},
                 {"milliseconds", std::to_string(jump_ms > 0 ? jump_ms : -jump_ms)},
                 {"what_to_do", "docs/operations.md, When the clock jumps"}});
}

}  // namespace akidb::server
