// HttpServer: HTTP/1.1 over Boost.Beast: sockets, limits, time-outs, keep-alive and drain; it knows no route.
// All Beast templates live in http_connection.cc behind this plain interface (40 s of compiling). One io
// thread per core, each with its own listener (SO_REUSEPORT); connections go to the loops in turn. Limits:
// body by route, header 16 KiB, URL 8 KiB, slow clients (time to header 10 s, body 5 s per 64 KiB, idle 60
// s), connections in all and per address, memory of the requests in flight. What breaks HTTP itself is
// answered here in the one error shape: 400, 405, 408, 413, 414, 429, 431, 503. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/logger.h"
#include "base/result.h"
#include "io/tls_identity.h"
#include "service/credentials.h"
#include "service/memory_budget.h"
#include "telemetry/metrics.h"
#include "tracing/trace_context.h"

namespace akidb::rest {

struct HttpRequest {
    std::string method;
    std::string path;  // decoded per segment by the router, raw here, without query
    std::string query;
    std::string content_type;
    std::vector<std::string>
        idempotency_keys;                // each that was sent: the route knows whether there may be one
    service::Credentials credentials;    // each that was sent, too
    std::vector<std::string> forwarded;  // the values of X-Forwarded-For, which anybody may have made up
    std::string user_agent;
    bool is_tls = false;
    std::string body;  // with 64 spare bytes of capacity behind it, for simdjson
    std::string remote_address;
    std::string origin;             // of the page that asks, when a browser says so
    std::string request_id;         // the client's X-Request-Id when well-formed, else made here
    tracing::TraceHeaders trace{};  // only with HttpServerOptions::reads_trace_headers
};

struct HttpResponse {
    int status = 200;
    std::string content_type = "application/json";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
};

/// Called exactly once, from any thread, possibly before handle() returns.
using Respond = std::function<void(HttpResponse)>;

class HttpHandler {
  public:
    virtual ~HttpHandler() = default;
    /// The body limit of this method and path, asked before the body is read.
    virtual uint64_t body_bytes_max(std::string_view method, std::string_view path) const = 0;
    /// On an io thread: must not block for long; hands blocking work to its own pool.
    virtual void handle(HttpRequest request, Respond respond) = 0;
    /// The error answer in our one shape, for faults found by the server itself.
    virtual HttpResponse error_response(int status, std::string_view code, std::string_view message,
                                        std::string_view request_id) const = 0;
};

struct HttpServerOptions {
    std::string host = "127.0.0.1";
    uint16_t port = 0;  // 0 = any free one
    size_t threads = 2;
    uint32_t spin_us = 0;  // how long a thread looks for more work before it sleeps
    size_t connections_max = 4096;
    size_t connections_per_address_max = 1024;
    uint64_t request_memory_bytes_max = 512 << 20;  // of all requests in flight (service/memory_budget.h)
    service::MemoryBudget* memory = nullptr;        // shared with other servers, in its place
    const io::TlsSource* tls = nullptr;             // then HTTPS and nothing else; outlives the server
    bool reads_trace_headers = false;               // for who traces requests
    uint32_t header_timeout_ms = 10'000;
    uint32_t body_timeout_ms_per_64k = 5'000;
    uint32_t idle_timeout_ms = 60'000;
    uint32_t write_timeout_ms = 60'000;
};

class HttpServer {
  public:
    /// Bound and accepting at return. kConflict when the port is taken (field "port").
    static Result<std::unique_ptr<HttpServer>> listen(HttpServerOptions options, HttpHandler& handler,
                                                      telemetry::Metrics& metrics, Logger& logger);
    virtual ~HttpServer() = default;
    virtual uint16_t port() const = 0;
    /// From now on answers carry `Connection: close`; listeners stay open.
    virtual void begin_draining() = 0;
    /// Closes listeners and idle connections; requests in flight go on. A connection that came or was
    /// answered less than 200 ms ago counts as in flight until then: its request may be on the way.
    virtual void stop_accepting() = 0;
    /// Requests being read, handled or written.
    virtual size_t requests_in_flight() const = 0;
    /// True when no request is in flight any more; false when `timeout_ms` ran out.
    virtual bool wait_until_idle(uint32_t timeout_ms) = 0;
    /// Closes what is left and joins the threads. Idempotent.
    virtual void stop() = 0;
};

}  // namespace akidb::rest
