// OtlpCollector: a collector of OpenTelemetry for tests: takes POST /v1/traces over real sockets, reads the
// protobuf, keeps the spans, and answers as it is told. Thread-safe.
#pragma once

#include <gtest/gtest.h>
#include <otlp_for_tests.pb.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/logger.h"
#include "base/mutex.h"
#include "rest/http_server.h"

namespace akidb::e2e {

struct CollectedSpan {
    std::string trace_id;  // the three in hex
    std::string id;
    std::string parent;
    std::string name;
    std::string state;
    int kind = 0;
    uint64_t begin_ns = 0;
    uint64_t end_ns = 0;
    bool is_failed = false;
    std::map<std::string, std::string> facts;     // attributes, as text
    std::map<std::string, std::string> resource;  // the same of who made it
};

class OtlpCollector final : public rest::HttpHandler {
  public:
    /// `port` 0: any free one.
    explicit OtlpCollector(uint16_t port = 0) {
        auto listening = rest::HttpServer::listen({.port = port, .threads = 1}, *this, metrics_, logger_);
        EXPECT_TRUE(listening) << listening.error().message();
        server_ = std::move(*listening);
    }
    ~OtlpCollector() override {
        speak();
        server_->stop();
    }

    std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }
    /// Statuses of the next answers; then 200.
    void plan(std::deque<int> statuses) AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        planned_ = std::move(statuses);
    }
    /// No request is answered until speak().
    void fall_silent() AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        is_silent_ = true;
    }
    void speak() AKIDB_EXCLUDES(mutex_) {
        std::vector<rest::Respond> held;
        {
            MutexLock lock(mutex_);
            is_silent_ = false;
            held.swap(held_);
        }
        for (const rest::Respond& respond : held) {
            respond({.status = 200, .content_type = "application/x-protobuf"});
        }
    }
    size_t held() const AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        return held_.size();
    }
    size_t requests() const AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        return requests_;
    }
    /// Of requests that were answered with success.
    std::vector<CollectedSpan> spans() const AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        return spans_;
    }
    /// All bodies behind each other.
    std::string bytes() const AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        return bytes_;
    }
    std::string authorization() const AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        return authorization_;
    }

    uint64_t body_bytes_max(std::string_view, std::string_view) const override { return 16 << 20; }
    rest::HttpResponse error_response(int status, std::string_view, std::string_view,
                                      std::string_view) const override {
        return {.status = status};
    }
    void handle(rest::HttpRequest request, rest::Respond respond) override AKIDB_EXCLUDES(mutex_) {
        EXPECT_EQ(request.method + " " + request.path, "POST /v1/traces");
        EXPECT_EQ(request.content_type, "application/x-protobuf");
        int status = 200;
        {
            MutexLock lock(mutex_);
            ++requests_;
            authorization_ =
                request.credentials.authorization.empty() ? "" : request.credentials.authorization.front();
            if (!planned_.empty()) {
                status = planned_.front();
                planned_.pop_front();
            }
            if (status == 200) {
                keep(request.body);
            }
            if (is_silent_) {
                held_.push_back(std::move(respond));
                return;
            }
        }
        respond({.status = status, .content_type = "application/x-protobuf"});
    }

  private:
    static std::string hex(const std::string& bytes) {
        constexpr std::string_view kDigits = "0123456789abcdef";
        std::string text;
        for (const char byte : bytes) {
            text.append({kDigits[static_cast<uint8_t>(byte) >> 4], kDigits[static_cast<uint8_t>(byte) & 15]});
        }
        return text;
    }
    template <class Attributes>
    static std::map<std::string, std::string> facts_of(const Attributes& attributes) {
        std::map<std::string, std::string> facts;
        for (const otlp::KeyValue& one : attributes) {
            const otlp::AnyValue& value = one.value();
            facts[one.key()] = value.has_bool_value()  ? (value.bool_value() ? "true" : "false")
                               : value.has_int_value() ? std::to_string(value.int_value())
                                                       : value.string_value();
        }
        return facts;
    }
    void keep(const std::string& body) AKIDB_REQUIRES(mutex_) {
        bytes_ += body;
        otlp::ExportRequest read;
        EXPECT_TRUE(read.ParseFromString(body));
        for (const otlp::ResourceSpans& of_resource : read.resource_spans()) {
            const auto resource = facts_of(of_resource.resource().attributes());
            for (const otlp::ScopeSpans& of_scope : of_resource.scope_spans()) {
                for (const otlp::Span& span : of_scope.spans()) {
                    spans_.push_back({.trace_id = hex(span.trace_id()),
                                      .id = hex(span.span_id()),
                                      .parent = hex(span.parent_span_id()),
                                      .name = span.name(),
                                      .state = span.trace_state(),
                                      .kind = span.kind(),
                                      .begin_ns = span.start_time_unix_nano(),
                                      .end_ns = span.end_time_unix_nano(),
                                      .is_failed = span.status().code() == otlp::Status::ERROR,
                                      .facts = facts_of(span.attributes()),
                                      .resource = resource});
                }
            }
        }
    }

    NullLogger logger_;
    telemetry::Metrics metrics_;
    mutable Mutex mutex_;
    std::deque<int> planned_ AKIDB_GUARDED_BY(mutex_);
    bool is_silent_ AKIDB_GUARDED_BY(mutex_) = false;
    std::vector<rest::Respond> held_ AKIDB_GUARDED_BY(mutex_);
    size_t requests_ AKIDB_GUARDED_BY(mutex_) = 0;
    std::vector<CollectedSpan> spans_ AKIDB_GUARDED_BY(mutex_);
    std::string bytes_ AKIDB_GUARDED_BY(mutex_);
    std::string authorization_ AKIDB_GUARDED_BY(mutex_);
    std::unique_ptr<rest::HttpServer> server_;
};

}  // namespace akidb::e2e
