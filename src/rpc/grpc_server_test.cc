#include "rpc/grpc_server.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

namespace akidb::rpc {
namespace {

// A call of a unary or half-closed streaming method with raw bytes, so that the tests need no generated code.
std::string call(uint16_t port, const std::string& method, const std::string& bytes, grpc::Status& status) {
    const auto channel =
        grpc::CreateChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials());
    grpc::GenericStub stub(channel);
    grpc::ClientContext context;
    context.set_deadline(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_seconds(20, GPR_TIMESPAN)));
    grpc::CompletionQueue queue;
    const auto stream = stub.PrepareCall(&context, method, &queue);
    void* tag = nullptr;
    bool ok = false;
    stream->StartCall(nullptr);
    queue.Next(&tag, &ok);
    const grpc::Slice slice(bytes);
    stream->WriteLast(grpc::ByteBuffer(&slice, 1), grpc::WriteOptions(), nullptr);
    queue.Next(&tag, &ok);
    grpc::ByteBuffer reply;
    stream->Read(&reply, nullptr);
    queue.Next(&tag, &ok);
    stream->Finish(&status, nullptr);
    bool finished = false;
    queue.Next(&tag, &finished);
    std::string text;
    std::vector<grpc::Slice> slices;
    if (ok && reply.Dump(&slices).ok()) {
        for (const grpc::Slice& part : slices) {
            text.append(reinterpret_cast<const char*>(part.begin()), part.size());
        }
    }
    queue.Shutdown();
    while (queue.Next(&tag, &ok)) {
    }
    return text;
}

// grpc.health.v1.HealthCheckResponse: field 1, varint: 1 is SERVING, 2 is NOT_SERVING.
const std::string kServing("\x08\x01");
const std::string kNotServing("\x08\x02");

class GrpcServerTest : public testing::Test {
  protected:
    std::unique_ptr<io::Clock> clock_ = io::make_system_clock();
    std::unique_ptr<io::Random> random_ = io::make_system_random();
    io::ThreadPool workers_{{.name = "workers"}};
    telemetry::Metrics metrics_;
    NullLogger logger_;
    service::MemoryBudget memory_{64 << 20, metrics_};
    CallDependencies dependencies_{workers_, *clock_, *random_, metrics_, logger_, memory_};
};

TEST_F(GrpcServerTest, AnswersNotServingUntilToldOtherwise) {
    const auto server = GrpcServer::listen({}, dependencies_);
    ASSERT_TRUE(server.has_value());
    grpc::Status status;
    EXPECT_EQ(call((*server)->port(), "/grpc.health.v1.Health/Check", "", status), kNotServing);
    EXPECT_TRUE(status.ok()) << status.error_message();
    (*server)->set_serving(true);
    EXPECT_EQ(call((*server)->port(), "/grpc.health.v1.Health/Check", "", status), kServing);
    (*server)->set_serving(false);
    EXPECT_EQ(call((*server)->port(), "/grpc.health.v1.Health/Check", "", status), kNotServing);
    (*server)->stop(1000);
}

TEST_F(GrpcServerTest, TellsUnknownServiceFromKnown) {
    const auto server = GrpcServer::listen({}, dependencies_);
    ASSERT_TRUE(server.has_value());
    grpc::Status status;
    call((*server)->port(), "/grpc.health.v1.Health/Check", std::string("\x0a\x04nope", 6), status);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
    call((*server)->port(), "/akidb.v1.Nothing/Here", "", status);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(GrpcServerTest, ListsItsServicesByReflection) {
    const auto server = GrpcServer::listen({}, dependencies_);
    ASSERT_TRUE(server.has_value());
    grpc::Status status;
    // ServerReflectionRequest{list_services: ""}: field 7, length 0.
    const std::string reply =
        call((*server)->port(), "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
             std::string("\x3a\x00", 2), status);
    for (const char* name : {"grpc.reflection.v1alpha.ServerReflection", "akidb.v1.CollectionService",
                             "akidb.v1.DocumentService", "akidb.v1.SearchService"}) {
        EXPECT_NE(reply.find(name), std::string::npos) << name << " " << status.error_message();
    }
}

TEST_F(GrpcServerTest, RefusesPortThatIsTaken) {
    const auto first = GrpcServer::listen({}, dependencies_);
    ASSERT_TRUE(first.has_value());
    GrpcServerOptions options;
    options.port = (*first)->port();
    const auto second = GrpcServer::listen(options, dependencies_);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code(), Code::kConflict);
    EXPECT_EQ(second.error().field(), "port");
}

TEST_F(GrpcServerTest, StopsTwiceWithoutHarm) {
    const auto server = GrpcServer::listen({}, dependencies_);
    ASSERT_TRUE(server.has_value());
    (*server)->stop(100);
    (*server)->stop(100);
}

}  // namespace
}  // namespace akidb::rpc
