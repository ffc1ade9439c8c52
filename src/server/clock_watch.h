// ClockWatch: looks a few times a second whether the wall clock jumped, and tells the log and the metrics.
// What a jump does otherwise is io/clock.h's. Thread-compatible.
#pragma once

#include "base/logger.h"
#include "io/clock.h"
#include "telemetry/metrics.h"

namespace akidb::server {

class ClockWatch {
  public:
    /// All must outlive it.
    ClockWatch(const io::Clock& clock, Logger& logger, telemetry::Metrics& metrics);
    void tick();

  private:
    const io::Clock& clock_;
    Logger& logger_;
    telemetry::Metrics& metrics_;
};

}  // namespace akidb::server
