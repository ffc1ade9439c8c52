#include "tracing/exporter.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>

#include "io/private_file.h"

namespace akidb::tracing {
namespace {

constexpr uint64_t kHeadersBytesMax = 16 << 10;
constexpr uint64_t kReplyBytesMax = 64 << 10;
constexpr uint64_t kFirstPauseUs = 1'000'000;
constexpr uint64_t kPauseUsMax = 60'000'000;  // whatever a collector asks for

/// Those that OTLP says are worth another try.
bool is_worth_another_try(int status) {
    return status == 429 || status == 502 || status == 503 || status == 504;
}

/// Seconds; a date is taken as nothing said.
uint64_t retry_after_us(const io::HttpReply& reply) {
    for (const auto& [name, value] : reply.headers) {
        uint32_t seconds = 0;
        if (name == "retry-after" &&
            std::from_chars(value.data(), value.data() + value.size(), seconds).ec == std::errc()) {
            return std::min(uint64_t{seconds} * 1'000'000, kPauseUsMax);
        }
    }
    return 0;
}

bool is_header_name(std::string_view text) {
    constexpr std::string_view kLetters =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~";
    return !text.empty() && text.find_first_not_of(kLetters) == std::string_view::npos;
}

}  // namespace

Result<std::string> parse_collector_url(const std::string& text) {
    const auto refused = [&] {
        return invalid_argument("endpoint", "is no URL of a collector",
                                "http://HOST[:PORT][/PATH] or https://…; without a path /v1/traces");
    };
    const size_t host = text.starts_with("https://") ? 8 : text.starts_with("http://") ? 7 : 0;
    const size_t slash = std::min(text.find('/', host), text.size());
    const bool is_printable =
        std::all_of(text.begin(), text.end(), [](char letter) { return letter > ' ' && letter <= '~'; });
    if (host == 0 || slash == host || text[host] == ':' || !is_printable ||
        text.find_first_of("@?#\\\"<>") != std::string::npos) {
        return refused();
    }
    return slash + 1 >= text.size() ? text.substr(0, slash) + "/v1/traces" : text;
}

Result<Headers> read_headers(const std::string& path) {
    AKIDB_TRY(const std::string content, io::read_private_file(path, kHeadersBytesMax));
    Headers headers;
    size_t number = 0;
    for (std::string_view rest = content; !rest.empty();) {
        const size_t end = std::min(rest.find('\n'), rest.size());
        std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        ++number;
        line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
        if (line.empty()) {
            continue;
        }
        const size_t colon = std::min(line.find(':'), line.size());
        const size_t value =
            std::min(line.find_first_not_of(" \t", std::min(colon + 1, line.size())), line.size());
        const bool is_plain = std::all_of(line.begin(), line.end(), [](char letter) {
            return letter == '\t' || (static_cast<uint8_t>(letter) >= 0x20 && letter != 0x7f);
        });
        if (!is_plain || !is_header_name(line.substr(0, colon)) || value == line.size()) {
            return invalid_argument("headers_file",
                                    "line " + std::to_string(number) + " of " + path + " is no header",
                                    "NAME: VALUE a line");
        }
        headers.emplace_back(line.substr(0, colon), line.substr(value));
    }
    return headers;
}

Exporter::Exporter(const Dependencies& given, std::unique_ptr<io::HttpClient> client, ExporterOptions options)
    : given_(given),
      client_(std::move(client)),
      options_(std::move(options)),
      exported_(given.metrics.counter(telemetry::MetricId::kTraceSpans, {"exported"})),
      failed_(given.metrics.counter(telemetry::MetricId::kTraceSpans, {"failed"})),
      dropped_(given.metrics.counter(telemetry::MetricId::kTraceSpans, {"dropped"})) {
    given_.tracer.set_wake(kBatchSpans, [this] { tick(); });
}

Exporter::~Exporter() {
    close(0);
}

void Exporter::tick() {
    const size_t waiting = given_.tracer.waiting_spans();
    {
        MutexLock lock(mutex_);
        if (is_busy_ || is_closed_ || given_.clock.monotonic_us() < not_before_us_ ||
            (batch_.spans == 0 && waiting == 0)) {
            return;
        }
        is_busy_ = true;
    }
    if (!given_.thread.submit("export", [this](const std::stop_token& stop) { run(stop); })) {
        MutexLock lock(mutex_);
        is_busy_ = false;
        idle_.notify_all();
    }
}

void Exporter::run(const std::stop_token& stop) {
    while (!stop.stop_requested() && fill() && send(options_.timeout_ms, stop) == Outcome::kDone) {
    }
    MutexLock lock(mutex_);
    is_busy_ = false;
    idle_.notify_all();
}

/// False when nothing waits.
bool Exporter::fill() {
    if (batch_.spans > 0) {
        return true;
    }
    const std::vector<EndedTrace> traces = given_.tracer.take(kBatchSpans);
    for (const EndedTrace& trace : traces) {
        batch_.spans += trace.spans.size();
    }
    if (batch_.spans > 0) {
        batch_.body = encode_traces(options_.resource, traces);
    }
    return batch_.spans > 0;
}

Exporter::Outcome Exporter::send(uint32_t timeout_ms, const std::stop_token& stop) {
    ++batch_.tries;
    io::HttpRequest request{.method = "POST",
                            .url = options_.url,
                            .body = batch_.body,
                            .headers = {},
                            .timeout_ms = timeout_ms,
                            .reply_bytes_max = kReplyBytesMax,
                            .stop = stop};
    if (!options_.headers_file.empty()) {
        Result<Headers> headers = read_headers(options_.headers_file);
        if (!headers) {
            return refuse(headers.error().message(), Refusal::kForNow, 0);
        }
        request.headers = std::move(*headers);
    }
    request.headers.emplace_back("Content-Type", "application/x-protobuf");
    const Result<io::HttpReply> reply = client_->send(request);
    if (!reply) {
        return refuse(reply.error().message(), Refusal::kForNow, 0);
    }
    if (reply->status < 200 || reply->status > 299) {
        return refuse("the collector answered " + std::to_string(reply->status),
                      is_worth_another_try(reply->status) ? Refusal::kForNow : Refusal::kForGood,
                      retry_after_us(*reply));
    }
    const uint64_t rejected = std::min<uint64_t>(read_rejected_spans(reply->body), batch_.spans);
    exported_.add(static_cast<double>(batch_.spans - rejected));
    failed_.add(static_cast<double>(rejected));
    note_health(rejected == 0 ? std::string()
                              : "the collector left out " + std::to_string(rejected) + " spans");
    batch_ = {};
    return Outcome::kDone;
}

Exporter::Outcome Exporter::refuse(const std::string& why, Refusal refusal, uint64_t pause_us) {
    note_health(why);
    const uint64_t doubled = kFirstPauseUs << (batch_.tries - 1);
    if (refusal == Refusal::kForGood || batch_.tries >= kTriesMax) {
        failed_.add(static_cast<double>(batch_.spans));
        batch_ = {};
    }
    if (refusal == Refusal::kForGood) {
        return Outcome::kDone;
    }
    MutexLock lock(mutex_);
    not_before_us_ = given_.clock.monotonic_us() + (pause_us == 0 ? doubled : pause_us);
    return Outcome::kAgain;
}

/// One line when it stops working, and one when it works again.
void Exporter::note_health(const std::string& why) {
    if (is_failing_ == !why.empty()) {
        return;
    }
    is_failing_ = !is_failing_;
    if (is_failing_) {
        given_.logger.log(LogLevel::kWarning, "spans cannot be exported",
                          {{"to", options_.url}, {"why", why}});
    } else {
        given_.logger.log(LogLevel::kInfo, "spans are exported again", {{"to", options_.url}});
    }
}

void Exporter::close(uint32_t grace_ms) {
    const uint64_t end_us = given_.clock.monotonic_us() + uint64_t{grace_ms} * 1000;
    const auto left_ms = [&] {
        const uint64_t now_us = given_.clock.monotonic_us();
        return now_us >= end_us ? 0 : (end_us - now_us) / 1000;
    };
    {
        MutexLock lock(mutex_);
        if (is_closed_) {
            return;
        }
        is_closed_ = true;
        while (is_busy_ && left_ms() > 0) {
            idle_.wait_for(mutex_, std::chrono::milliseconds(left_ms()));
        }
    }
    given_.thread.stop();
    const std::stop_token none;
    while (left_ms() > 0 && fill() &&
           send(static_cast<uint32_t>(std::min<uint64_t>(left_ms(), options_.timeout_ms)), none) ==
               Outcome::kDone) {
    }
    while (fill()) {
        dropped_.add(static_cast<double>(batch_.spans));
        batch_ = {};
    }
}

}  // namespace akidb::tracing
