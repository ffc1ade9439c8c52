// GrpcHealthServer: the gRPC port: grpc.health.v1 (readiness, the same answer as /ready) and server
// reflection. The services of akidb.v1 join it later. Not serving until told. Times are milliseconds. Errors:
// kConflict when the port is taken (field "port"). Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace akidb::rpc {

struct GrpcServerOptions {
    std::string host = "127.0.0.1";
    uint16_t port = 0;  // 0 = any free one
    int message_bytes_max = 64 << 20;
    int connection_age_ms = 30 * 60 * 1000;  // then clients reconnect, so that load spreads over replicas
};

class GrpcHealthServer {
  public:
    /// Bound and answering (NOT_SERVING) at return.
    static Result<std::unique_ptr<GrpcHealthServer>> listen(const GrpcServerOptions& options);
    virtual ~GrpcHealthServer() = default;
    virtual uint16_t port() const = 0;
    virtual void set_serving(bool is_serving) = 0;
    /// Refuses new calls, lets those in flight finish for `timeout_ms`, cancels the rest. Idempotent.
    virtual void stop(uint32_t timeout_ms) = 0;
};

}  // namespace akidb::rpc
