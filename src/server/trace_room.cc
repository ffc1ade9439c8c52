#include "server/trace_room.h"

#include <unistd.h>

#include "server/backup_access.h"
#include "server/load_settings.h"

namespace akidb::server {
namespace {

constexpr uint32_t kExporterCloseMs = 1'000;  // of the five seconds that the end of a server may take
constexpr int kNice = 5;

tracing::Resource resource_of(const settings::Effective& effective, std::string_view version) {
    char host[256] = {};
    static_cast<void>(::gethostname(host, sizeof(host) - 1));
    return {.version = std::string(version),
            .instance = lock_owner_of(effective.text("storage.data_dir")).to_string(),
            .host = host,
            .process = ::getpid()};
}

uint32_t share_of(const settings::Effective& effective) {
    return static_cast<uint32_t>(effective.integer("traces.sample_permille"));
}

}  // namespace

std::unique_ptr<TraceRoom> TraceRoom::open(const Dependencies& given, const settings::Effective& effective,
                                           std::string_view version) {
    Result<std::string> url = tracing::parse_collector_url(effective.text("traces.endpoint"));
    if (!url) {
        return nullptr;
    }
    return std::make_unique<TraceRoom>(
        given, effective,
        tracing::ExporterOptions{.url = std::move(*url),
                                 .headers_file = effective.text("traces.headers_file"),
                                 .timeout_ms = static_cast<uint32_t>(effective.integer("traces.timeout_ms")),
                                 .resource = resource_of(effective, version)});
}

TraceRoom::TraceRoom(const Dependencies& given, const settings::Effective& effective,
                     tracing::ExporterOptions options)
    : tracer_(given.clock, given.random, given.metrics,
              {.sample_permille = share_of(effective),
               .queue_spans_max = static_cast<size_t>(effective.integer("traces.queue_spans"))}),
      thread_({.name = "traces", .threads = 1, .queue_max = 1, .nice = kNice}),
      exporter_({tracer_, given.clock, thread_, given.metrics, given.logger},
                io::make_curl_http_client(effective.text("traces.ca_file")), std::move(options)) {}

void TraceRoom::apply(const settings::Effective& effective) {
    tracer_.set_share(share_of(effective));
}

void TraceRoom::close() {
    exporter_.close(kExporterCloseMs);
}

void check_trace_settings(const settings::Effective& effective, std::vector<settings::Finding>& findings) {
    const std::string& endpoint = effective.text("traces.endpoint");
    if (const auto url = tracing::parse_collector_url(endpoint); !endpoint.empty() && !url) {
        findings.push_back(
            finding_at("traces.endpoint", effective, url.error().message(), url.error().allowed()));
    }
    for (const char* key : {"traces.headers_file", "traces.ca_file"}) {
        if (endpoint.empty() && !effective.text(key).empty()) {
            findings.push_back(finding_at(key, effective, "is for a collector, and there is none",
                                          "together with traces.endpoint"));
        }
    }
}

void check_trace_files(const settings::Effective& effective, std::vector<settings::Finding>& findings) {
    const std::string& path = effective.text("traces.headers_file");
    if (path.empty()) {
        return;
    }
    if (const auto headers = tracing::read_headers(path); !headers) {
        findings.push_back(finding_at("traces.headers_file", effective, headers.error().message(),
                                      "a file of lines NAME: VALUE that only its owner can read"));
    }
}

}  // namespace akidb::server
