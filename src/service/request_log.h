// RequestLog: one line for each request that ended, the same for all protocols, at level debug: who reads the
// log for errors is not to wade through them. No content of a request stands in it. Thread-safe.
#pragma once

#include <string>

#include "base/logger.h"
#include "service/context.h"

namespace akidb::service {

inline constexpr LogLevel kRequestLogLevel = LogLevel::kDebug;

struct EndedRequest {
    std::string protocol;    // rest, grpc
    std::string what;        // the template of the route, or the method; never a path as it was sent
    std::string status;      // as the protocol has it: "200", "NOT_FOUND"
    std::string collection;  // as the request names it; empty when it names none
    double ms = 0;
};

/// To be asked for only while the logger keeps kRequestLogLevel.
void log_request(Logger& logger, const RequestContext& context, EndedRequest ended);

/// "default", or its id; "none" before it is known who asks.
std::string tenant_text(const RequestContext& context);
/// In hex; "none" when it belongs to no trace.
std::string trace_text(const RequestContext& context);
/// "12.345"
std::string milliseconds(double ms);

}  // namespace akidb::service
