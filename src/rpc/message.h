// Reading a message of a client, whatever it is. Strict, as the JSON of REST is: a field that this server
// does not know is refused, because its sender meant something by it. Error fields are paths as in REST
// ("documents[3].vector"): built from the inside out, each level puts its own name in front.
// Pure, thread-safe.
#pragma once

#include <google/protobuf/arena.h>
#include <google/protobuf/message.h>
#include <grpcpp/support/byte_buffer.h>

#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/result.h"

namespace akidb::rpc {

/// kInvalidArgument without a field when the bytes are no such message.
Result<void> parse_message(const grpc::ByteBuffer& bytes, google::protobuf::Message& message);
/// kPayloadTooLarge when it is beyond what gRPC can carry.
Result<void> write_message(const google::protobuf::Message& message, grpc::ByteBuffer& bytes);
void add_bytes(Digester& digester, const grpc::ByteBuffer& bytes);

/// A message and the memory of all it holds, given back at once.
template <class Message>
class OnArena {
  public:
    OnArena() : arena_(options()), message_(google::protobuf::Arena::CreateMessage<Message>(&arena_)) {}
    Message& operator*() { return *message_; }
    Message* operator->() { return message_; }
    const Message* operator->() const { return message_; }

  private:
    static google::protobuf::ArenaOptions options() {
        google::protobuf::ArenaOptions options;
        options.start_block_size = 4 << 10;
        options.max_block_size = 256 << 10;
        return options;
    }

    google::protobuf::Arena arena_;
    Message* message_;
};

/// For each message that a codec reads, not for those within it.
Result<void> check_known(const google::protobuf::Message& message);

/// The error of an item of a list.
inline Error in_list(Error error, std::string_view list, size_t index) {
    return std::move(error).with_field_prefix(std::string(list) + "[" + std::to_string(index) + "]");
}

}  // namespace akidb::rpc
