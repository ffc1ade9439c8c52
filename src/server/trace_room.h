// TraceRoom: all that traces requests of this server and sends the spans away, put together by its settings.
// There is none without traces.endpoint. Thread-compatible; the tracer that it gives out is thread-safe.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/logger.h"
#include "io/clock.h"
#include "io/executor.h"
#include "io/random.h"
#include "settings/settings.h"
#include "telemetry/metrics.h"
#include "tracing/exporter.h"

namespace akidb::server {

class TraceRoom {
  public:
    struct Dependencies {
        const io::Clock& clock;
        io::Random& random;
        telemetry::Metrics& metrics;
        Logger& logger;
    };
    /// Null without traces.endpoint. What is wrong with the settings, check_trace_settings has said.
    static std::unique_ptr<TraceRoom> open(const Dependencies& given, const settings::Effective& effective,
                                           std::string_view version);
    TraceRoom(const Dependencies& given, const settings::Effective& effective,
              tracing::ExporterOptions options);

    tracing::Tracer& tracer() { return tracer_; }
    void apply(const settings::Effective& effective);
    /// To be called a few times a second.
    void tick() { exporter_.tick(); }
    /// Sends what is left, for about two seconds at most.
    void close();

  private:
    tracing::Tracer tracer_;
    io::ThreadPool thread_;
    tracing::Exporter exporter_;
};

/// Between the values, without a look at the machine.
void check_trace_settings(const settings::Effective& effective, std::vector<settings::Finding>& findings);
/// That the file of headers can be used.
void check_trace_files(const settings::Effective& effective, std::vector<settings::Finding>& findings);

}  // namespace akidb::server
