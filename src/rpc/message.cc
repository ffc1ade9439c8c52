#include "rpc/message.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/unknown_field_set.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <limits>
#include <vector>

#include "model/limits.h"

namespace akidb::rpc {
namespace {

// A level of metadata is an object, a member and a value, one of a filter a condition and a filter; twice as
// many as are allowed, so that what is too deep is refused by those who can say where.
constexpr int kNestedMessagesMax = 2 * 3 * static_cast<int>(model::kMetadataDepthMax);

}  // namespace

Result<void> parse_message(const grpc::ByteBuffer& bytes, google::protobuf::Message& message) {
    grpc::ByteBuffer shared = bytes;  // refers to the same slices: the reader wants one that it may change
    if (shared.Length() == 0) {       // a buffer without slices is none to the reader
        return {};
    }
    grpc::ProtoBufferReader reader(&shared);
    google::protobuf::io::CodedInputStream stream(&reader);
    stream.SetRecursionLimit(kNestedMessagesMax);
    stream.SetTotalBytesLimit(std::numeric_limits<int>::max());
    if (!reader.status().ok() || !message.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage()) {
        return invalid_argument("",
                                "the bytes are not a message " + message.GetDescriptor()->full_name() +
                                    ", or nested too deep, or a text in it is not UTF-8",
                                "the messages of akidb.v1 as its reflection tells them");
    }
    return {};
}

Result<void> write_message(const google::protobuf::Message& message, grpc::ByteBuffer& bytes) {
    const size_t size = message.ByteSizeLong();
    if (size > static_cast<size_t>(std::numeric_limits<int>::max())) {
        return Error(Code::kPayloadTooLarge, "the answer is " + std::to_string(size) + " bytes large")
            .with_allowed("answers below 2 GiB: ask for fewer documents, or for less of them");
    }
    bool owned = false;
    const grpc::Status written =
        grpc::GenericSerialize<grpc::ProtoBufferWriter, google::protobuf::Message>(message, &bytes, &owned);
    return written.ok() ? Result<void>() : Error(Code::kInternal, "the answer could not be written");
}

Result<void> check_known(const google::protobuf::Message& message) {
    const google::protobuf::UnknownFieldSet& unknown = message.GetReflection()->GetUnknownFields(message);
    if (unknown.empty()) [[likely]] {
        return {};
    }
    return invalid_argument("",
                            "the message " + message.GetDescriptor()->name() + " has a field " +
                                std::to_string(unknown.field(0).number()) + " that this server does not know",
                            "the fields of akidb.v1 as its reflection tells them");
}

void add_bytes(Digester& digester, const grpc::ByteBuffer& bytes) {
    std::vector<grpc::Slice> slices;
    if (bytes.Dump(&slices).ok()) {
        for (const grpc::Slice& slice : slices) {
            digester.add({reinterpret_cast<const char*>(slice.begin()), slice.size()});
        }
    }
}

}  // namespace akidb::rpc
