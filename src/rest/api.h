// Api: the routes of /api/v1 and the probes as one HttpHandler: matches method and path in the route table,
// decodes JSON, calls one service function, encodes the answer. No decision is made here that another
// protocol would also need. Quick calls (probes, get, a plain search that reads little, writes by id of
// moderate size) run on the io thread; exact, filtered and long searches, large bodies and everything that
// may wait for a disk run on `workers`. A write by id holds no thread while it waits for its turn and the
// disk: it is answered by the thread that commits it. Thread-safe.
#pragma once

#include <memory>

#include "access/trusted_proxies.h"
#include "base/logger.h"
#include "io/clock.h"
#include "io/executor.h"
#include "rest/http_server.h"
#include "service/lifecycle.h"
#include "service/service.h"
#include "telemetry/metrics.h"
#include "tracing/tracer.h"

namespace akidb::rest {

struct ApiDependencies {
    /// Null until the catalog is open; then set by attach_service. Until then /api/v1 answers 503.
    const service::Lifecycle& lifecycle;
    io::Executor& workers;
    const io::Clock& clock;
    telemetry::Metrics& metrics;
    Logger& logger;
    /// Null: nobody is behind a proxy.
    const access::TrustedProxies* proxies = nullptr;
    /// Null: no request is traced.
    tracing::Tracer* tracer = nullptr;
};

class Api : public HttpHandler {
  public:
    virtual void attach_service(service::Service& service) = 0;
};

/// All routes, and the probes.
std::unique_ptr<Api> make_api(ApiDependencies dependencies);
/// /health, /ready, /startup and /metrics only: for the listener of its own.
std::unique_ptr<HttpHandler> make_probe_handler(const service::Lifecycle& lifecycle,
                                                telemetry::Metrics& metrics);

/// "METHOD /path" of every route, for tests that hold openapi.yaml against it.
std::vector<std::string> route_list();

}  // namespace akidb::rest
