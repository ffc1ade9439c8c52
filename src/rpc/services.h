// The services of akidb.v1 (proto/akidb/v1), by gRPC's callback API: each method reads its message, calls one
// service function and answers. They take messages as bytes, so that size, deadline and cancellation are
// looked at before anything is parsed, and a message that cannot be parsed is answered in our words.
// Thread-safe.
#pragma once

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/service_type.h>

#include <memory>

#include "rpc/calls.h"

namespace akidb::rpc {

std::unique_ptr<grpc::Service> make_collection_service(Calls& calls);
std::unique_ptr<grpc::Service> make_document_service(Calls& calls);
std::unique_ptr<grpc::Service> make_search_service(Calls& calls);
std::unique_ptr<grpc::Service> make_access_service(Calls& calls);
std::unique_ptr<grpc::Service> make_tier_service(Calls& calls);

/// DocumentService.Import; the reactor belongs to gRPC.
grpc::ServerReadReactor<grpc::ByteBuffer>* start_import(Calls& calls, grpc::CallbackServerContext& context,
                                                        grpc::ByteBuffer& reply);

/// DocumentService.Export; the reactor belongs to gRPC.
grpc::ServerWriteReactor<grpc::ByteBuffer>* start_export(Calls& calls, grpc::CallbackServerContext& context,
                                                         const grpc::ByteBuffer& request);

}  // namespace akidb::rpc
