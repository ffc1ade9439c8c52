// kSettings: every setting of the server, declared once: parser, flags, variables, `print-config` and
// docs/generated/configuration.md come from this table. Limits on what a client may send live in
// model/limits.h; what stands here is what an operator may move. A key is added together with the line of
// code that acts on it. Constants: thread-safe.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "server/settings_of_stores.h"
#include "settings/settings.h"

namespace akidb::server {

using settings::Reload;
using settings::Setting;
using settings::SettingType;

inline constexpr std::array kFirstSettings{
    Setting{.key = "server.host",
            .type = SettingType::kString,
            .fallback = "127.0.0.1",
            .sentence =
                "IP address that REST and gRPC listen on. Beyond loopback only with authentication and "
                "TLS, or with server.insecure_i_understand."},
    Setting{.key = "server.rest_port",
            .type = SettingType::kInteger,
            .fallback = "8080",
            .min = 0,
            .max = 65535,
            .sentence = "Port of the REST API; 0 takes any free one, told in the ready line."},
    Setting{.key = "server.grpc_port",
            .type = SettingType::kInteger,
            .fallback = "9090",
            .min = 0,
            .max = 65535,
            .sentence = "Port of the gRPC API, health and reflection among it; 0 takes any free one."},
    Setting{.key = "server.threads",
            .type = SettingType::kInteger,
            .unit = "threads",
            .fallback = "0",
            .min = 0,
            .max = 256,
            .sentence = "Threads that read requests, answer probes and search; 0 is one per core."},
    Setting{.key = "server.spin_us",
            .type = SettingType::kInteger,
            .unit = "µs",
            .fallback = "0",
            .min = 0,
            .max = 1000,
            .sentence =
                "How long each of these threads looks for more work before it sleeps; saves waking it, costs "
                "processor time under load."},
    Setting{.key = "server.worker_threads",
            .type = SettingType::kInteger,
            .unit = "threads",
            .fallback = "16",
            .min = 1,
            .max = 1024,
            .sentence =
                "Threads for exact or filtered searches, large bodies, deletes by filter and changes of "
                "collections."},
    Setting{
        .key = "server.maintenance_threads",
        .type = SettingType::kInteger,
        .unit = "threads",
        .fallback = "0",
        .min = 0,
        .max = 64,
        .sentence =
            "Low-priority threads that link new rows into graphs and write checkpoints; 0 is one for every "
            "two cores. A collection is linked by all that are idle."},
    Setting{
        .key = "server.core_dumps",
        .type = SettingType::kBool,
        .fallback = "false",
        .sentence =
            "Whether a crash may leave a core file. Such a file holds what memory held: documents, tokens "
            "and passwords that were on their way, the keys of TLS and of the audit log."},
    Setting{.key = "server.insecure_i_understand",
            .type = SettingType::kBool,
            .fallback = "false",
            .sentence =
                "Allows listening beyond loopback without authentication or without TLS, although anyone who "
                "reaches the port may then read, change and delete everything, or listen to who may. Also "
                "--insecure-i-understand."},
    Setting{
        .key = "auth.enabled",
        .type = SettingType::kChoice,
        .fallback = "auto",
        .choices = "auto|true|false",
        .sentence =
            "Whether requests must say who asks (docs/access.md). auto: as soon as there is a user; until "
            "then whoever reaches the port may do everything. true: from the first start on, which tells a "
            "set-up token in its log."},
    Setting{.key = "auth.session_idle_s",
            .type = SettingType::kInteger,
            .unit = "s",
            .fallback = "7200",
            .min = 60,
            .max = 86400,
            .sentence =
                "A session of a user ends when nothing was asked with it for so long, and after 24 hours "
                "anyhow."},
    Setting{
        .key = "auth.trusted_proxies",
        .type = SettingType::kString,
        .fallback = "",
        .sentence =
            "Networks of proxies whose X-Forwarded-For is believed, with commas (10.0.0.0/8, 2001:db8::7); "
            "without, the client is whoever holds the connection."},
    Setting{.key = "metrics.host",
            .type = SettingType::kString,
            .fallback = "127.0.0.1",
            .sentence =
                "IP address of the listener for probes and /metrics, which answers however busy the API is."},
    Setting{.key = "metrics.port",
            .type = SettingType::kInteger,
            .fallback = "9091",
            .min = 0,
            .max = 65535,
            .sentence = "Port of the listener for probes and /metrics; 0 takes any free one."},
    Setting{.key = "probe.share_permille",
            .type = SettingType::kInteger,
            .unit = "permille",
            .fallback = "10",
            .min = 0,
            .max = 1000,
            .reload = Reload::kLive,
            .sentence = "Share of searches answered again exactly, to measure recall. Read again on SIGHUP."},
    Setting{.key = "tls.certificate_file",
            .type = SettingType::kString,
            .fallback = "",
            .sentence =
                "PEM file of the server's certificate and those between it and its authority. With "
                "it REST and gRPC speak TLS 1.2 and 1.3 and nothing else (docs/security.md). Read again "
                "when it changes."},
    Setting{.key = "tls.key_file",
            .type = SettingType::kString,
            .fallback = "",
            .sentence = "PEM file of the certificate's private key; others than owner and group must not be "
                        "able to read it."},
    Setting{.key = "tls.client_ca_file",
            .type = SettingType::kString,
            .fallback = "",
            .sentence =
                "PEM file of authorities. With it clients of REST and gRPC must show a certificate of "
                "one of them; a certificate stands for no user."},
    Setting{.key = "server.cors_origins",
            .type = SettingType::kString,
            .fallback = "",
            .sentence = "Origins whose pages may call the REST API from a browser, with commas: "
                        "https://console.example. Empty: none."},
    Setting{.key = "database.path",
            .type = SettingType::kString,
            .fallback = "sqlite://akidb.db",
            .sentence =
                "Where the catalog lies: sqlite:// and a file name inside the data directory, or sqlite:// "
                "and an absolute path (sqlite:///…)."},
    Setting{.key = "storage.data_dir",
            .type = SettingType::kPath,
            .fallback = "./akidb-data",
            .sentence = "Data directory, made when it is not there (its parent must be). Also --data."},
    Setting{.key = "storage.checkpoint_log_bytes",
            .type = SettingType::kInteger,
            .unit = "bytes",
            .fallback = "67108864",
            .min = 1 << 20,
            .max = int64_t{1} << 40,
            .sentence =
                "A checkpoint is due when the log of a collection holds more than this; smaller restarts "
                "faster, larger writes less."},
    Setting{.key = "storage.log_file_bytes",
            .type = SettingType::kInteger,
            .unit = "bytes",
            .fallback = "67108864",
            .min = 1 << 20,
            .max = 1 << 30,
            .sentence = "A log file is closed and the next begun before it would pass this."},
    Setting{.key = "storage.disk_soft_free_bytes",
            .type = SettingType::kInteger,
            .unit = "bytes",
            .fallback = "0",
            .min = 0,
            .max = int64_t{1} << 50,
            .sentence =
                "With less than this free on the disk of the data directory, readiness tells disk_low and "
                "checkpoints write as little as they can; 0: the larger of 5 % of the disk and 2 GiB."},
    Setting{.key = "storage.disk_hard_free_bytes",
            .type = SettingType::kInteger,
            .unit = "bytes",
            .fallback = "0",
            .min = 0,
            .max = int64_t{1} << 50,
            .sentence =
                "With less than this free, upserts are answered 507 until there is space again; reads, "
                "searches and deletes go on; 0: the larger of 1 % of the disk and 256 MiB."},
    Setting{.key = "storage.ballast_bytes",
            .type = SettingType::kInteger,
            .unit = "bytes",
            .fallback = "67108864",
            .min = 0,
            .max = int64_t{1} << 40,
            .sentence =
                "A file of this size (at most a tenth of the disk) lies in the data directory and is given "
                "up on a full disk so that deletes go on; made again when there is space. 0: none."},
    Setting{.key = "storage.remembered_keys_max",
            .type = SettingType::kInteger,
            .unit = "keys",
            .fallback = "1000000",
            .min = 1'000,
            .max = 100'000'000,
            .sentence = "Idempotency-Keys that a collection remembers, each for 24 hours and at about 150 "
                        "bytes of memory; "
                        "writes with a key beyond these are answered 429."},
    Setting{
        .key = "storage.scrub_interval_s",
        .type = SettingType::kInteger,
        .unit = "s",
        .fallback = "604800",
        .min = 1,
        .max = 1'209'600,
        .sentence =
            "How long after one scrub of a collection (all its files read from the disk and compared with "
            "their checksums, its parts in memory with each other) the next begins; at most 14 days."},
    Setting{.key = "storage.scrub_bytes_per_second",
            .type = SettingType::kInteger,
            .unit = "bytes/s",
            .fallback = "16777216",
            .min = 1 << 20,
            .max = int64_t{1} << 40,
            .sentence = "What the scrubs of all collections together read at most."},
    Setting{.key = "upgrade.copy_days",
            .type = SettingType::kInteger,
            .unit = "d",
            .fallback = "7",
            .min = 0,
            .max = 3'650,
            .sentence = "A start that changes formats first keeps what is there as before-upgrade-… in the "
                        "data directory, "
                        "and removes it after so many days (docs/upgrade.md). 0: nothing is kept, and the "
                        "only way back is a "
                        "backup."},
};

inline constexpr std::array kLastSettings{
    Setting{.key = "traces.endpoint",
            .type = SettingType::kString,
            .fallback = "",
            .sentence =
                "Where spans of requests go: a collector of OpenTelemetry that speaks OTLP over HTTP, "
                "http[s]://HOST[:PORT][/PATH], without a path /v1/traces (docs/monitoring.md). Empty: none "
                "are made."},
    Setting{.key = "traces.sample_permille",
            .type = SettingType::kInteger,
            .unit = "permille",
            .fallback = "10",
            .min = 0,
            .max = 1000,
            .reload = Reload::kLive,
            .sentence =
                "Share of requests that are traced, of those that come without a traceparent; with one, who "
                "calls has decided. Read again on SIGHUP."},
    Setting{
        .key = "traces.headers_file",
        .type = SettingType::kPath,
        .fallback = "",
        .sentence =
            "File of headers for the collector, NAME: VALUE a line, such as a token; others than owner and "
            "group must not be able to read it. Read again whenever spans are sent."},
    Setting{
        .key = "traces.ca_file",
        .type = SettingType::kPath,
        .fallback = "",
        .sentence = "PEM file of the authorities to trust for traces.endpoint, in place of the system's."},
    Setting{.key = "traces.timeout_ms",
            .type = SettingType::kInteger,
            .unit = "ms",
            .fallback = "5000",
            .min = 100,
            .max = 60'000,
            .sentence = "How long the collector may take for one batch of spans; no request waits for it."},
    Setting{
        .key = "traces.queue_spans",
        .type = SettingType::kInteger,
        .unit = "spans",
        .fallback = "8192",
        .min = 1'024,
        .max = 1'048'576,
        .sentence =
            "Spans that wait for the collector at most, about a kilobyte each; traces beyond are dropped and "
            "counted."},
    Setting{.key = "index.default_ef",
            .type = SettingType::kInteger,
            .unit = "candidates",
            .fallback = "256",
            .min = 1,
            .max = 4096,
            .sentence =
                "Candidates kept while a search walks the graph, when the request does not say and the graph "
                "was not measured yet, or under a filter; more finds more and takes longer."},
    Setting{.key = "index.default_recall_permille",
            .type = SettingType::kInteger,
            .unit = "permille",
            .fallback = "970",
            .min = 0,
            .max = 999,
            .sentence =
                "Recall@10 that searches aim at when the request names neither ef nor recall_target, by what "
                "was measured on the collection's graph; 0: always index.default_ef."},
    Setting{
        .key = "index.layout",
        .type = SettingType::kChoice,
        .fallback = "auto",
        .choices = "auto|split|turbo",
        .sentence =
            "What walks read: turbo keeps codes of each document's neighbours beside it, the fastest; split "
            "keeps codes of documents alone, in far less memory; auto is turbo within "
            "index.turbo_bytes_max. Chosen when a collection is opened or first gets a graph, and kept "
            "while it is open."},
    Setting{.key = "index.turbo_bytes_max",
            .type = SettingType::kInteger,
            .unit = "bytes",
            .fallback = "4294967296",
            .min = 0,
            .max = int64_t{1} << 44,
            .sentence =
                "With layout auto: what twice the documents of a collection may take in turbo codes; beyond, "
                "it is split."},
    Setting{.key = "index.degree",
            .type = SettingType::kChoice,
            .unit = "neighbours",
            .fallback = "32",
            .choices = "16|32|48|64",
            .sentence = "Neighbours a row in graphs of collections that have none yet; 4 bytes a row each."},
    Setting{.key = "index.build_ef",
            .type = SettingType::kInteger,
            .unit = "candidates",
            .fallback = "160",
            .min = 16,
            .max = 1024,
            .sentence = "Candidates kept while a row is linked; more builds a better graph slower."},
    Setting{.key = "index.graph_rows_min",
            .type = SettingType::kInteger,
            .unit = "rows",
            .fallback = "10000",
            .min = 0,
            .max = 100'000'000,
            .sentence = "A smaller collection has no graph: every search compares with all its documents."},
    Setting{.key = "index.head_rows_max",
            .type = SettingType::kInteger,
            .unit = "rows",
            .fallback = "262144",
            .min = 1024,
            .max = 16'777'216,
            .sentence = "Writes are answered 429 while more rows than this wait to be linked."},
    Setting{.key = "index.rewrite_dead_percent",
            .type = SettingType::kInteger,
            .unit = "percent",
            .fallback = "20",
            .min = 5,
            .max = 90,
            .sentence =
                "A collection is written anew without its deleted and overwritten documents once they "
                "are so large a share of its rows."},
    Setting{.key = "limits.connections",
            .type = SettingType::kInteger,
            .unit = "connections",
            .fallback = "4096",
            .min = 1,
            .max = 1'000'000,
            .sentence = "Open connections to the REST API; one more is answered 503 and closed. Unless it is "
                        "set, no more than the "
                        "limit of open files (ulimit -n) leaves room for; a start with more is refused."},
    Setting{.key = "limits.connections_per_address",
            .type = SettingType::kInteger,
            .unit = "connections",
            .fallback = "1024",
            .min = 1,
            .max = 1'000'000,
            .sentence = "Open connections to the REST API from one address."},
    Setting{.key = "limits.request_memory_bytes",
            .type = SettingType::kInteger,
            .unit = "bytes",
            .fallback = "0",
            .min = 0,
            .max = int64_t{1} << 50,
            .sentence =
                "Memory for the requests in flight together, four times their bodies; what does not fit is "
                "answered 429 before it is read. 0: a quarter of the memory that the machine or the control "
                "group allows."},
    Setting{
        .key = "drain.min_ms",
        .type = SettingType::kInteger,
        .unit = "ms",
        .fallback = "5000",
        .min = 0,
        .max = 600'000,
        .sentence =
            "After SIGTERM the ports stay open this long while readiness says 503, so that load balancers "
            "notice. Ctrl-C in a terminal skips it."},
    Setting{
        .key = "drain.max_ms",
        .type = SettingType::kInteger,
        .unit = "ms",
        .fallback = "25000",
        .min = 0,
        .max = 600'000,
        .sentence =
            "Requests in flight may go on until this long after SIGTERM; closing takes at most 5 s more."},
    Setting{.key = "logging.level",
            .type = SettingType::kChoice,
            .fallback = "info",
            .choices = "debug|info|warning|error",
            .reload = Reload::kLive,
            .sentence = "Events below this are not logged. Read again from the file on SIGHUP."},
    Setting{.key = "logging.format",
            .type = SettingType::kChoice,
            .fallback = "text",
            .choices = "text|json",
            .sentence = "Form of the lines on standard error."},
    Setting{
        .key = "logging.slow_query_ms",
        .type = SettingType::kInteger,
        .unit = "ms",
        .fallback = "1000",
        .min = 0,
        .max = 3'600'000,
        .reload = Reload::kLive,
        .sentence = "Searches slower than this are logged with their plan; 0: none. Read again on SIGHUP."},
};

/// In the order of the pages that are made of them.
inline constexpr auto kSettings = [] {
    std::array<Setting, kFirstSettings.size() + kStoreSettings.size() + kLastSettings.size()> all{};
    auto* end = std::copy(kFirstSettings.begin(), kFirstSettings.end(), all.begin());
    end = std::copy(kStoreSettings.begin(), kStoreSettings.end(), end);
    std::copy(kLastSettings.begin(), kLastSettings.end(), end);
    return all;
}();

}  // namespace akidb::server
