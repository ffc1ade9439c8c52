// Probes: /health, /ready, /startup and /metrics as answers: the same on the main listener and on the one of
// their own. Cheap, never wait for a disk or a lock held long. Thread-safe.
#pragma once

#include "rest/http_server.h"
#include "rest/router.h"
#include "service/lifecycle.h"
#include "telemetry/metrics.h"

namespace akidb::rest {

/// `route` is one of the four probes or the root; `request` its request.
HttpResponse answer_probe(RouteId route, const HttpRequest& request, const service::Lifecycle& lifecycle,
                          const telemetry::Metrics& metrics);

/// 404 with the nearest route, or 405 with Allow.
HttpResponse answer_no_route(const HttpRequest& request, const RouteMatch& match);

}  // namespace akidb::rest
