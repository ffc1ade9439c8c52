// Exporter: sends ended traces to a collector of OpenTelemetry, by OTLP over HTTP as binary protobuf. Batches
// go one after another from a job on an executor of its own, so no request waits for a collector. What it
// refuses for now (429, 502, 503, 504, no connection, no answer in time) is sent again after a pause that
// doubles from a second, or is as long as it asks for; what it refuses for good, or five times, is lost and
// counted. Meanwhile the tracer's queue fills, and what does not fit there is dropped and counted.
// Thread-safe but for close().
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/logger.h"
#include "base/mutex.h"
#include "io/clock.h"
#include "io/executor.h"
#include "io/http_client.h"
#include "telemetry/metrics.h"
#include "tracing/otlp.h"
#include "tracing/tracer.h"

namespace akidb::tracing {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// http[s]://HOST[:PORT][/PATH]; without a path /v1/traces. kInvalidArgument for anything else.
Result<std::string> parse_collector_url(const std::string& text);
/// "NAME: VALUE" a line. As io::read_private_file, and kInvalidArgument for a line that is no header; no
/// message holds a value.
Result<Headers> read_headers(const std::string& path);

struct ExporterOptions {
    std::string url{};           // as parse_collector_url gives it
    std::string headers_file{};  // read with each batch, so that a token can be renewed; empty: none
    uint32_t timeout_ms = 5000;  // of one batch
    Resource resource{};
};

class Exporter {
  public:
    static constexpr size_t kBatchSpans = 512;
    static constexpr int kTriesMax = 5;

    struct Dependencies {
        Tracer& tracer;
        const io::Clock& clock;
        io::ThreadPool& thread;  // of one thread, for this alone
        telemetry::Metrics& metrics;
        Logger& logger;
    };
    Exporter(const Dependencies& given, std::unique_ptr<io::HttpClient> client, ExporterOptions options);
    ~Exporter();
    Exporter(const Exporter&) = delete;
    Exporter& operator=(const Exporter&) = delete;

    /// Starts sending what waits, unless that is under way or a pause is on. To be called a few times a
    /// second; quick.
    void tick() AKIDB_EXCLUDES(mutex_);
    /// Sends what is left, each batch once, and counts what could not be sent, all within about `grace_ms`.
    /// Nothing is sent afterwards. Idempotent.
    void close(uint32_t grace_ms) AKIDB_EXCLUDES(mutex_);

  private:
    struct Batch {
        std::string body;
        size_t spans = 0;
        int tries = 0;
    };
    enum class Outcome : uint8_t { kDone, kAgain };
    enum class Refusal : uint8_t { kForNow, kForGood };

    void run(const std::stop_token& stop) AKIDB_EXCLUDES(mutex_);
    bool fill();
    Outcome send(uint32_t timeout_ms, const std::stop_token& stop) AKIDB_EXCLUDES(mutex_);
    Outcome refuse(const std::string& why, Refusal refusal, uint64_t pause_us) AKIDB_EXCLUDES(mutex_);
    void note_health(const std::string& why);

    const Dependencies given_;
    const std::unique_ptr<io::HttpClient> client_;
    const ExporterOptions options_;
    telemetry::Counter& exported_;
    telemetry::Counter& failed_;
    telemetry::Counter& dropped_;
    Mutex mutex_;
    CondVar idle_;
    bool is_busy_ AKIDB_GUARDED_BY(mutex_) = false;
    bool is_closed_ AKIDB_GUARDED_BY(mutex_) = false;
    uint64_t not_before_us_ AKIDB_GUARDED_BY(mutex_) = 0;
    // Of whoever made is_busy_ true.
    Batch batch_;
    bool is_failing_ = false;
};

}  // namespace akidb::tracing
