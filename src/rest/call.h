// Call: one request of the API on its way from its route to its answer. An answer is owed: whoever drops the
// last reference without one answers 503 (a queued job that the executor dropped when it stopped).
// guarded() runs a part of the work: whatever goes wrong in it becomes the answer.
// Thread-compatible: one thread at a time holds it.
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "base/logger.h"
#include "io/clock.h"
#include "rest/answer_codec.h"
#include "rest/duration_series.h"
#include "rest/http_server.h"
#include "rest/json_writer.h"
#include "rest/router.h"
#include "service/access_control.h"
#include "service/context.h"
#include "service/request_log.h"

namespace akidb::rest {

class Call {
  public:
    /// `tracer`: null, or who is told of the request.
    Call(HttpRequest request, Respond respond, DurationSeries& durations, const io::Clock& clock,
         Logger& logger, tracing::Tracer* tracer)
        : request_(std::move(request)),
          context_{.principal = nullptr, .request_id = request_.request_id},
          respond_(std::move(respond)),
          durations_(durations),
          clock_(clock),
          logger_(logger),
          began_us_(clock.monotonic_us()) {
        if (tracer != nullptr) {
            context_.traced = tracer->begin(request_.trace);
        }
    }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    ~Call() {
        if (respond_ != nullptr) {
            fail(Error(Code::kUnavailable, "the server is stopping").with_retry_after(1));
        }
    }

    HttpRequest& request() { return request_; }
    std::string& body() { return request_.body; }
    const service::RequestContext& context() const { return context_; }
    void set_write_key(std::optional<model::WriteKey> key) { context_.write_key = std::move(key); }
    void set_source(std::string source) {
        context_.source = std::move(source);
        context_.user_agent = request_.user_agent;
    }
    service::Asking asking(std::string_view what, std::string_view method = {}) const {
        return {.method = method,
                .what = what,
                .request_id = context_.request_id,
                .source = context_.source.empty() ? request_.remote_address : context_.source,
                .user_agent = request_.user_agent};
    }
    /// Who asks, as it was found out.
    void set_admission(service::Admission admission) {
        context_.principal = std::move(admission.principal);
        context_.session = admission.session;
        quota_ = admission.quota;
    }
    /// The answer says that it is the one of an earlier request.
    void set_replay(bool is_replay) { is_replay_ = is_replay; }
    const RouteMatch& match() const { return match_; }
    void set_match(RouteMatch match) { match_ = std::move(match); }
    const std::string& collection() const { return match_.captured[0]; }
    uint64_t began_us() const { return began_us_; }
    double elapsed_ms() const { return static_cast<double>(clock_.monotonic_us() - began_us_) / 1e3; }

    /// For what nobody wants to read of: probes.
    void drop_trace() { context_.traced = {}; }
    /// Does a part of the work, which is a span of its own when the request is traced.
    template <class Act>
    auto timed(std::string_view what, Act act) const {
        const tracing::Step step(context_.trace(), what);
        return act();
    }
    /// From begin_wait() to end_wait() the call has no thread.
    void begin_wait() {
        if (context_.trace() != nullptr) {
            waits_.emplace(context_.trace(), "wait");
        }
    }
    void end_wait() { waits_.reset(); }

    /// The first answer counts: an exception may come after it.
    void answer(HttpResponse response) {
        if (respond_ == nullptr) {
            return;
        }
        const double ms = elapsed_ms();
        durations_.observe(request_.method, match_.route, response.status, ms / 1e3);
        if (logger_.keeps(service::kRequestLogLevel)) {
            log_end(response.status, ms);
        }
        if (context_.trace() != nullptr) {
            end_trace(response.status);
        }
        if (is_replay_) {
            response.headers.emplace_back("Idempotency-Replayed", "true");
        }
        if (quota_) {
            response.headers.emplace_back("X-RateLimit-Limit", std::to_string(quota_->limit));
            response.headers.emplace_back("X-RateLimit-Remaining", std::to_string(quota_->remaining));
            response.headers.emplace_back("X-RateLimit-Reset", std::to_string(quota_->reset_after_s));
        }
        Respond respond = std::exchange(respond_, nullptr);
        respond(std::move(response));
    }
    void answer(JsonWriter writer, int status = 200) {
        answer(HttpResponse{.status = status, .body = std::move(writer).take()});
    }
    /// How errors look in the dialect of this route.
    using ErrorAnswer = HttpResponse (*)(const Error& error, std::string_view request_id);
    void set_error_answer(ErrorAnswer error_answer) { error_answer_ = error_answer; }
    void fail(const Error& error) { answer(error_answer_(error, request_.request_id)); }

    template <class Act>
    void guarded(Act act) {
        try {
            Result<void> done = act();
            if (!done) {
                if (done.error().code() == Code::kInternal) {
                    logger_.log(LogLevel::kError, "a request failed",
                                {{"request_id", context_.request_id}, {"why", done.error().message()}});
                }
                fail(done.error());
            }
        } catch (const std::exception& fault) {
            logger_.log(LogLevel::kError, "a request ended by an exception",
                        {{"request_id", context_.request_id}, {"what", fault.what()}});
            fail(Error(Code::kInternal, "a fault of the server; its log has the request id"));
        }
    }

  private:
    bool names_collection() const {
        return match_.route != nullptr && match_.route->path.find("/{collection}") != std::string_view::npos;
    }

    void log_end(int status, double ms) {
        const Route* const route = match_.route;
        service::log_request(logger_, context_,
                             {.protocol = "rest",
                              .what = route == nullptr ? std::string("no such route")
                                                       : request_.method + " " + std::string(route->path),
                              .status = std::to_string(status),
                              .collection = names_collection() ? match_.captured[0] : std::string(),
                              .ms = ms});
    }

    /// By the conventions of OpenTelemetry for HTTP; the path as it was sent stays out, as it may name a
    /// document.
    void end_trace(int status) {
        waits_.reset();
        const bool is_known = match_.route != nullptr;
        const std::string method = is_known ? request_.method : "_OTHER";
        tracing::Span root{.name = is_known ? method + " " + std::string(match_.route->path) : "HTTP",
                           .kind = tracing::SpanKind::kServer,
                           .begin_us = began_us_,
                           .attributes = {{"http.request.method", method},
                                          {"http.response.status_code", status},
                                          {"url.scheme", request_.is_tls ? "https" : "http"},
                                          {"akidb.request_id", context_.request_id},
                                          {"akidb.tenant", service::tenant_text(context_)}},
                           .is_failed = status >= 500};
        if (is_known) {
            root.attributes.push_back({"http.route", match_.route->path});
        }
        if (names_collection()) {
            root.attributes.push_back({"akidb.collection", match_.captured[0]});
        }
        if (root.is_failed) {
            root.attributes.push_back({"error.type", std::to_string(status)});
        }
        context_.trace()->end(std::move(root));
    }

    HttpRequest request_;
    service::RequestContext context_;
    Respond respond_;
    DurationSeries& durations_;
    const io::Clock& clock_;
    Logger& logger_;
    uint64_t began_us_;
    RouteMatch match_;
    std::optional<tracing::Step> waits_;
    bool is_replay_ = false;
    std::optional<service::QuotaState> quota_;
    ErrorAnswer error_answer_ = &error_answer;
};

}  // namespace akidb::rest
