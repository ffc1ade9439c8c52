// grpc_health_status: asks grpc.health.v1.Health/Check of a real server and returns its answer: 1 is SERVING,
// 2 NOT_SERVING; negative: minus the gRPC status code. Bytes are written by hand, so no generated code is
// needed. At most 20 s. Thread-safe.
#pragma once

#include <grpcpp/security/credentials.h>

#include <memory>
#include <string>

namespace akidb::e2e {

int grpc_health_status(
    const std::string& address,
    const std::shared_ptr<grpc::ChannelCredentials>& credentials = grpc::InsecureChannelCredentials());

}  // namespace akidb::e2e
