#include "rest/probes.h"

#include <algorithm>

#include "base/printable.h"
#include "model/limits.h"
#include "rest/answer_codec.h"
#include "rest/api.h"
#include "rest/json_writer.h"

namespace akidb::rest {
namespace {

constexpr uint64_t kProbeBodyBytesMax = 4 << 10;

std::string progress_text(const service::LoadProgress& progress) {
    return std::to_string(progress.loaded) + "/" + std::to_string(progress.total) + " collections loaded";
}

std::string_view name_of(storage::DiskLevel level) {
    switch (level) {
        case storage::DiskLevel::kPlenty:
            return "healthy";
        case storage::DiskLevel::kLow:
            return "disk_low";
        case storage::DiskLevel::kFull:
            return "disk_full";
    }
    return "unknown";
}

/// `/ready?for=write`; parameters of other names are passed over, as balancers add what they like.
Result<bool> asks_for_write(const HttpRequest& request) {
    std::string_view rest = request.query;
    while (!rest.empty()) {
        const std::string_view pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
        if (pair.starts_with("for=") && pair != "for=read" && pair != "for=write") {
            return invalid_argument("for", "unknown purpose \"" + printable(pair.substr(4)) + "\"",
                                    "read|write");
        }
        if (pair == "for=write") {
            return true;
        }
    }
    return false;
}

HttpResponse answer_ready(const HttpRequest& request, const service::Lifecycle& lifecycle) {
    const Result<bool> for_write = asks_for_write(request);
    if (!for_write) {
        return error_answer(for_write.error(), request.request_id);
    }
    service::Readiness readiness = lifecycle.readiness();
    if (readiness.is_ready && *for_write && readiness.disk == storage::DiskLevel::kFull) {
        readiness.is_ready = false;
        readiness.reason = "disk_full";
    }
    JsonWriter writer;
    writer.begin_object();
    if (readiness.is_ready) {
        writer.member("status", "ready")
            .member("database", "connected")
            .member("collections_loaded",
                    uint64_t{readiness.progress.loaded - readiness.progress.quarantined})
            .member("storage_backends", name_of(readiness.disk));
    } else {
        writer.member("status", "not_ready").member("reason", readiness.reason);
        if (!readiness.progress.finished) {
            writer.member("progress", progress_text(readiness.progress));
        }
    }
    if (!readiness.quarantined.empty()) {
        writer.key("quarantined").begin_array();
        for (const std::string& name : readiness.quarantined) {
            writer.value(name);
        }
        writer.end_array();
    }
    writer.end_object();
    return {.status = readiness.is_ready ? 200 : 503, .body = std::move(writer).take()};
}

HttpResponse answer_startup(const service::Lifecycle& lifecycle) {
    bool started = lifecycle.is_started();
    JsonWriter writer;
    writer.begin_object().member("status", started ? "started" : "starting");
    if (!started) {
        writer.member("progress", progress_text(lifecycle.readiness().progress));
    }
    writer.end_object();
    return {.status = started ? 200 : 503, .body = std::move(writer).take()};
}

class ProbeHandler final : public HttpHandler {
  public:
    ProbeHandler(const service::Lifecycle& lifecycle, telemetry::Metrics& metrics)
        : lifecycle_(lifecycle), metrics_(metrics) {}

    uint64_t body_bytes_max(std::string_view, std::string_view) const override { return kProbeBodyBytesMax; }
    void handle(HttpRequest request, Respond respond) override { respond(answer(request)); }
    HttpResponse error_response(int status, std::string_view code, std::string_view message,
                                std::string_view request_id) const override {
        return error_answer(status, code, message, request_id);
    }

  private:
    HttpResponse answer(const HttpRequest& request) const {
        Result<RouteMatch> match = match_route(request.method, request.path);
        if (!match) {
            return error_answer(match.error(), request.request_id);
        }
        if (match->route != nullptr && match->route->id > RouteId::kRoot) {
            match = RouteMatch{.nearest = "/metrics"};
        }
        if (match->route == nullptr) {
            return answer_no_route(request, *match);
        }
        return answer_probe(match->route->id, request, lifecycle_, metrics_);
    }

    const service::Lifecycle& lifecycle_;
    const telemetry::Metrics& metrics_;
};

}  // namespace

HttpResponse answer_probe(RouteId route, const HttpRequest& request, const service::Lifecycle& lifecycle,
                          const telemetry::Metrics& metrics) {
    JsonWriter writer;
    switch (route) {
        case RouteId::kHealth:
            writer.begin_object()
                .member("status", "ok")
                .member("uptime_seconds", lifecycle.uptime_s())
                .end_object();
            return {.body = std::move(writer).take()};
        case RouteId::kReady:
            return answer_ready(request, lifecycle);
        case RouteId::kStartup:
            return answer_startup(lifecycle);
        case RouteId::kMetrics:
            return {.content_type = "text/plain; version=0.0.4", .body = metrics.expose()};
        case RouteId::kHealthz:
            return {.content_type = "text/plain", .body = "healthz check passed"};
        case RouteId::kLivez:
            return {.content_type = "text/plain", .body = "livez check passed"};
        case RouteId::kReadyz: {
            const bool is_ready = lifecycle.readiness().is_ready;
            return {.status = is_ready ? 200 : 503,
                    .content_type = "text/plain",
                    .body = is_ready ? "all shards are ready" : "some shards are not ready"};
        }
        default:
            // Clients of the Qdrant dialect warn unless `version` is near their own.
            writer.begin_object()
                .member("name", "akidb")
                .member("akidb_version", "0.1.0")
                .member("title", "AkiDB")
                .member("version", "1.19.0")
                .end_object();
            return {.body = std::move(writer).take()};
    }
}

HttpResponse answer_no_route(const HttpRequest& request, const RouteMatch& match) {
    if (!match.allow.empty()) {
        HttpResponse response = error_answer(
            405, "INVALID_ARGUMENT", "this path is served by " + match.allow + " only", request.request_id);
        response.headers.emplace_back("Allow", match.allow);
        return response;
    }
    std::string message = "no such route: " + printable(request.method + " " + request.path);
    if (!match.nearest.empty()) {
        message.append("; did you mean ").append(match.nearest).append("?");
    }
    return error_answer(404, row_of(Code::kNotFound).name, message, request.request_id);
}

std::unique_ptr<HttpHandler> make_probe_handler(const service::Lifecycle& lifecycle,
                                                telemetry::Metrics& metrics) {
    return std::make_unique<ProbeHandler>(lifecycle, metrics);
}

}  // namespace akidb::rest
