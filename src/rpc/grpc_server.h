// GrpcServer: the gRPC port: the services of akidb.v1, grpc.health.v1 (readiness, the same answer as /ready)
// and server reflection, from one process with REST and on the same collections. Health is not serving until
// told, and calls are answered UNAVAILABLE until the service is attached. No thread waits with a call: gRPC's
// callback API. Times are milliseconds. Errors: kConflict when the port is taken (field "port"). Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "io/tls_identity.h"
#include "model/limits.h"
#include "rpc/calls.h"

namespace akidb::rpc {

struct GrpcServerOptions {
    std::string host = "127.0.0.1";
    uint16_t port = 0;  // 0 = any free one
    /// What a method takes is looked at when its message is there; this is for the largest of them.
    int message_bytes_max = static_cast<int>(model::kImportBodyBytesMax);
    /// What gRPC itself may hold for all connections: buffers, messages that are being received.
    size_t memory_bytes_max = size_t{512} << 20;
    const io::TlsSource* tls = nullptr;      // then TLS and nothing else; outlives the server
    int connection_age_ms = 30 * 60 * 1000;  // then clients reconnect, so that load spreads over replicas
};

class GrpcServer {
  public:
    /// Bound and answering (NOT_SERVING) at return. What is given must outlive the server.
    static Result<std::unique_ptr<GrpcServer>> listen(const GrpcServerOptions& options,
                                                      CallDependencies dependencies);
    virtual ~GrpcServer() = default;
    virtual uint16_t port() const = 0;
    virtual void set_serving(bool is_serving) = 0;
    /// From now on calls are answered. It must live until stop() returned.
    virtual void attach_service(service::Service& service) = 0;
    /// New calls are answered UNAVAILABLE; those in flight go on.
    virtual void stop_accepting() = 0;
    /// True when no call is in flight; false when `timeout_ms` ran out.
    virtual bool wait_until_idle(uint32_t timeout_ms) = 0;
    /// Refuses new calls, lets those in flight finish for `timeout_ms`, cancels the rest. Idempotent. Calls
    /// that wait for a worker or a write end when that does: workers and collections stop after this.
    virtual void stop(uint32_t timeout_ms) = 0;
};

}  // namespace akidb::rpc
