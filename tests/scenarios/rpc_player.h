// RpcPlayer: plays requests that are written for REST over gRPC: the method that the table of src/rpc names
// for the route, with the same members in its message, and the answer as REST would give it: status, code,
// field and members. Thread-compatible.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "json_messages.h"

namespace akidb::scenarios {

struct Request {
    std::string method;
    std::string path;  // with its query
    std::string body;
    std::string write_key;  // empty: none
};
struct Answer {
    int status = 0;  // of HTTP
    std::string code;
    std::string field;
    std::string message;
    bool is_replay = false;
    OrderedJson body;
};

class RpcPlayer {
  public:
    explicit RpcPlayer(const std::string& address);
    /// Throws NotExpressible when protobuf has no such request.
    Answer play(const Request& request);

  private:
    std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace akidb::scenarios
