#include "rpc/grpc_health_server.h"

#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <mutex>

namespace akidb::rpc {
namespace {

class Implementation final : public GrpcHealthServer {
  public:
    Implementation(std::unique_ptr<grpc::Server> server, uint16_t port)
        : server_(std::move(server)), port_(port) {
        set_serving(false);
    }
    ~Implementation() override { stop(0); }

    uint16_t port() const override { return port_; }

    void set_serving(bool is_serving) override {
        server_->GetHealthCheckService()->SetServingStatus(is_serving);
    }

    void stop(uint32_t timeout_ms) override {
        std::call_once(stopped_, [&] {
            server_->GetHealthCheckService()->Shutdown();
            server_->Shutdown(
                gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(timeout_ms, GPR_TIMESPAN)));
            server_->Wait();
        });
    }

  private:
    std::unique_ptr<grpc::Server> server_;
    uint16_t port_;
    std::once_flag stopped_;
};

std::string address_of(const GrpcServerOptions& options) {
    const bool is_ipv6 = options.host.find(':') != std::string::npos;
    return (is_ipv6 ? "[" + options.host + "]" : options.host) + ":" + std::to_string(options.port);
}

}  // namespace

Result<std::unique_ptr<GrpcHealthServer>> GrpcHealthServer::listen(const GrpcServerOptions& options) {
    // The library's own lines on standard error would stand between ours and break JSON; what matters is in
    // the result.
    gpr_set_log_function([](gpr_log_func_args*) {});
    // Process-wide switches of the library that take effect on builders made afterwards; safe to repeat.
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    int port = 0;
    const std::string address = address_of(options);
    builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
    builder.SetMaxReceiveMessageSize(options.message_bytes_max);
    builder.SetMaxSendMessageSize(options.message_bytes_max);
    // Otherwise two servers share one port in silence, each with half of the calls.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, options.connection_age_ms);
    std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
    if (server == nullptr || port == 0) {
        return Error(Code::kConflict, "the gRPC port cannot be opened on " + address).with_field("port");
    }
    return std::unique_ptr<GrpcHealthServer>(
        std::make_unique<Implementation>(std::move(server), static_cast<uint16_t>(port)));
}

}  // namespace akidb::rpc
