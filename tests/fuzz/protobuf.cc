// Messages of gRPC: the first byte says which, the rest is parsed and read as a call would.
#include <akidb/v1/collections.pb.h>
#include <akidb/v1/documents.pb.h>
#include <akidb/v1/search.pb.h>
#include <google/protobuf/stubs/logging.h>
#include <grpcpp/support/byte_buffer.h>

#include <cstdint>

#include "rpc/document_codec.h"
#include "rpc/filter_codec.h"
#include "rpc/message.h"
#include "rpc/search_codec.h"
#include "rpc/update_codec.h"

namespace akidb::rpc {
namespace {

template <class Message, class Read>
void read(const grpc::ByteBuffer& bytes, Read codec) {
    OnArena<Message> message;
    if (parse_message(bytes, *message).has_value() && check_known(*message).has_value()) {
        static_cast<void>(codec(*message).has_value());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) {
        return 0;
    }
    google::protobuf::SetLogHandler(nullptr);  // as the server does
    const grpc::Slice slice(data + 1, size - 1);
    const grpc::ByteBuffer bytes(&slice, 1);
    switch (data[0] % 8) {
        case 0:
            read<v1::UpsertRequest>(bytes, [](const v1::UpsertRequest& request) {
                return read_documents(request.documents(), [] { return model::DocumentId(uint64_t{7}); });
            });
            break;
        case 1:
            read<v1::UpdateRequest>(bytes, [](const auto& request) { return read_update(request); });
            break;
        case 2:
            read<v1::DeleteRequest>(bytes, [](const auto& request) { return read_which(request); });
            break;
        case 3:
            read<v1::ScrollRequest>(bytes, [](const auto& request) { return read_scroll(request, {}); });
            break;
        case 4:
            read<v1::FacetRequest>(bytes, [](const auto& request) { return read_facet(request, {}); });
            break;
        case 5:
            read<v1::SearchBatchRequest>(bytes,
                                         [](const auto& request) { return read_searches(request, {}); });
            break;
        case 6:
            read<v1::Filter>(bytes, [](const auto& filter) { return read_filter(filter); });
            break;
        default:
            read<v1::SearchRequest>(bytes, [](const auto& request) { return read_search(request, {}); });
    }
    return 0;
}

}  // namespace akidb::rpc
