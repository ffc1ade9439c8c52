#include "rpc/grpc_server.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <algorithm>
#include <array>
#include <mutex>

#include "rpc/grpc_tls.h"
#include "rpc/services.h"

namespace akidb::rpc {
namespace {

class Implementation final : public GrpcServer {
  public:
    explicit Implementation(CallDependencies dependencies)
        : calls_(dependencies),
          services_{make_collection_service(calls_), make_document_service(calls_),
                    make_search_service(calls_), make_access_service(calls_), make_tier_service(calls_)} {}
    ~Implementation() override { stop(0); }

    void register_with(grpc::ServerBuilder& builder) {
        for (const std::unique_ptr<grpc::Service>& service : services_) {
            builder.RegisterService(service.get());
        }
    }
    void begin(std::unique_ptr<grpc::Server> server, std::shared_ptr<grpc::ServerCredentials> credentials,
               uint16_t port) {
        server_ = std::move(server);
        credentials_ = std::move(credentials);
        port_ = port;
        set_serving(false);
    }

    uint16_t port() const override { return port_; }

    void set_serving(bool is_serving) override {
        server_->GetHealthCheckService()->SetServingStatus(is_serving);
    }

    void attach_service(service::Service& service) override { calls_.attach_service(service); }

    void stop_accepting() override { calls_.refuse(); }

    bool wait_until_idle(uint32_t timeout_ms) override { return calls_.wait_until_idle(timeout_ms); }

    void stop(uint32_t timeout_ms) override {
        if (server_ == nullptr) {
            return;
        }
        std::call_once(stopped_, [&] {
            calls_.refuse();
            server_->GetHealthCheckService()->Shutdown();
            server_->Shutdown(
                gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(timeout_ms, GPR_TIMESPAN)));
            server_->Wait();
        });
    }

  private:
    Calls calls_;
    std::array<std::unique_ptr<grpc::Service>, 5> services_;
    std::shared_ptr<grpc::ServerCredentials> credentials_;  // each handshake asks them
    std::unique_ptr<grpc::Server> server_;
    uint16_t port_ = 0;
    std::once_flag stopped_;
};

std::string address_of(const GrpcServerOptions& options) {
    const bool is_ipv6 = options.host.find(':') != std::string::npos;
    return (is_ipv6 ? "[" + options.host + "]" : options.host) + ":" + std::to_string(options.port);
}

}  // namespace

Result<std::unique_ptr<GrpcServer>> GrpcServer::listen(const GrpcServerOptions& options,
                                                       CallDependencies dependencies) {
    // The library's own lines on standard error would stand between ours and break JSON; what matters is in
    // the result.
    gpr_set_log_function([](gpr_log_func_args*) {});
    google::protobuf::SetLogHandler(nullptr);
    // Process-wide switches of the library that take effect on builders made afterwards; safe to repeat.
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    int port = 0;
    const std::string address = address_of(options);
    const std::shared_ptr<grpc::ServerCredentials> credentials =
        options.tls != nullptr ? make_tls_credentials(*options.tls) : grpc::InsecureServerCredentials();
    builder.AddListeningPort(address, credentials, &port);
    builder.SetMaxReceiveMessageSize(options.message_bytes_max);
    builder.SetMaxSendMessageSize(
        -1);  // what was asked for is sent; how much a client takes is its own affair
    grpc::ResourceQuota memory("akidb");
    memory.Resize(std::max(options.memory_bytes_max, 2 * static_cast<size_t>(options.message_bytes_max)));
    builder.SetResourceQuota(memory);
    auto made = std::make_unique<Implementation>(dependencies);
    made->register_with(builder);
    // Otherwise two servers share one port in silence, each with half of the calls.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, options.connection_age_ms);
    std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
    if (server == nullptr || port == 0) {
        return Error(Code::kConflict, "the gRPC port cannot be opened on " + address).with_field("port");
    }
    made->begin(std::move(server), credentials, static_cast<uint16_t>(port));
    return std::unique_ptr<GrpcServer>(std::move(made));
}

}  // namespace akidb::rpc
