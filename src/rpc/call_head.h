// CallHead: one call, as far as unary calls and streams are alike: its request id, its deadline, its metric,
// and how its errors leave the process (docs/grpc.md): as the status that the table of codes names, with
//   akidb-code      the code as REST names it, which tells apart what is RESOURCE_EXHAUSTED to gRPC
//   akidb-field     the field at fault, as a path
//   akidb-allowed   what would have been accepted
//   retry-after     seconds after which a retry can help
// in the trailing metadata; bytes outside of printable ASCII, and %, stand there as %XX.
// Counted as in flight until end() was called. Thread-compatible: one thread at a time holds it.
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/grpcpp.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/document_id.h"
#include "rpc/calls.h"
#include "service/context.h"

namespace akidb::rpc {

class CallHead {
  public:
    /// `context` is used until end() returns.
    CallHead(Calls& calls, MethodId method, grpc::CallbackServerContext& context);

    Calls& calls() { return calls_; }
    const service::RequestContext& context() const { return context_; }
    double elapsed_ms() const {
        return static_cast<double>(calls_.given().clock.monotonic_us() - began_us_) / 1e3;
    }
    /// Both by the clock of the server (monotonic); none when the call has no deadline.
    uint64_t began_us() const { return began_us_; }
    std::optional<uint64_t> deadline_us() const { return deadline_us_; }
    /// Each idempotency-key that was sent.
    std::vector<std::string> write_keys() const;
    /// The key of a write (docs/idempotency.md), when one was sent: its fingerprint covers the method and the
    /// very bytes of the message. `part` tells the writes of one call apart. Hashing 64 MiB takes some 70 ms.
    Result<void> take_write_key(const grpc::ByteBuffer& message, const model::DocumentId& first_made_id,
                                std::string_view part = {});
    /// The answer says that it is the one of an earlier call.
    void tell_replay();
    /// What is known of the call, for the audit log; as long as the head lives.
    service::Asking asking(std::string_view what) const;
    /// The proof of work that a login is asked for, beside its error.
    void tell_challenge(const std::string& json);

    /// Who calls, and whether he may: before the message is parsed; of a stream again with each. Also what
    /// AccessControl says.
    Result<void> authorize(const service::Service& service);

    /// kDeadlineExceeded or kCancelled when nobody waits for the answer any more.
    Result<void> check_wanted() const;
    /// The size of a message against the limit of the method, and room in the memory budget for what is made
    /// of it: kPayloadTooLarge, kRateLimited. The room is given back by end().
    Result<void> admit(size_t message_bytes);

    /// From begin_wait() to end_wait() the call has no thread: a span of its own when it is traced.
    void begin_wait() {
        if (context_.trace() != nullptr) {
            waits_.emplace(context_.trace(), "wait");
        }
    }
    void end_wait() { waits_.reset(); }

    /// The collection that the message names, for the log of requests and the trace.
    void note_collection(const google::protobuf::Message& message);

    /// Once: the status to finish the call with; `error` null = well. Not to be used afterwards.
    grpc::Status end(const Error* error);
    void log_fault(const Error& error) const;
    /// What an exception becomes.
    Error log_exception(std::string_view what) const;

  private:
    std::vector<std::string> metadata_of(const std::string& name) const;
    void end_trace(int code);

    Calls& calls_;
    MethodId method_;
    grpc::CallbackServerContext& wire_;
    service::RequestContext context_;
    std::optional<tracing::Step> waits_;
    std::string collection_;  // only while requests are logged, or traced
    uint64_t began_us_;
    std::optional<uint64_t> deadline_us_;
    std::optional<service::MemoryBudget::Share> memory_;  // until the end
};

}  // namespace akidb::rpc
