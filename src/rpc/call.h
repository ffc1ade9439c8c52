// Call: one unary call on its way from its message to its answer. An answer is owed: whoever drops the last
// reference without one answers UNAVAILABLE (a queued job that the executor dropped when it stopped).
// guarded() runs a part of the work: whatever goes wrong in it becomes the answer. No thread waits with a
// call that waits. Work that is not wanted any more (deadline, cancelled) is not begun: neither at the start
// nor when a worker gets to it; what has begun is finished. Thread-compatible: one thread at a time holds it.
#pragma once

#include <exception>
#include <memory>
#include <utility>

#include "rpc/call_head.h"
#include "rpc/deadline.h"
#include "rpc/message.h"

namespace akidb::rpc {

/// What gRPC hands over with a unary call.
struct UnaryWire {
    grpc::CallbackServerContext* context;
    const grpc::ByteBuffer* request;
    grpc::ByteBuffer* reply;
};

/// kHere: unless the message is large.
enum class Where : uint8_t { kHere, kWorker };

class Call {
  public:
    using Perform = Result<void> (*)(const std::shared_ptr<Call>& call, service::Service& service);
    struct Plan {
        MethodId method;
        Where where;
        Perform perform;
    };

    /// The reactor belongs to gRPC.
    static grpc::ServerUnaryReactor* start(Calls& calls, UnaryWire wire, Plan plan);

    Call(Calls& calls, MethodId method, UnaryWire wire, grpc::ServerUnaryReactor& reactor)
        : head_(calls, method, *wire.context), wire_(wire), reactor_(&reactor) {}
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    ~Call();

    CallHead& head() { return head_; }
    const CallHead& head() const { return head_; }
    const service::RequestContext& context() const { return head_.context(); }
    double elapsed_ms() const { return head_.elapsed_ms(); }
    RequestTimes times() const {
        return {.received_us = head_.began_us(), .deadline_us = head_.deadline_us()};
    }
    const grpc::ByteBuffer& message() const { return *wire_.request; }
    /// As parse_message says.
    Result<void> parse(google::protobuf::Message& message) {
        const tracing::Step step(context().trace(), "parse");
        AKIDB_TRY(parse_message(*wire_.request, message));
        head_.note_collection(message);
        return {};
    }
    /// Gives its memory back before the answer.
    void drop_message() { const_cast<grpc::ByteBuffer*>(wire_.request)->Clear(); }

    /// The first answer counts: an exception may come after it.
    Result<void> answer(const google::protobuf::Message& reply);
    void fail(const Error& error);

    template <class Act>
    void guarded(Act act) {
        try {
            if (Result<void> done = act(); !done) {
                head_.log_fault(done.error());
                fail(done.error());
            }
        } catch (const std::exception& fault) {
            fail(head_.log_exception(fault.what()));
        }
    }

    /// The job alone keeps the call, so that a dropped job answers.
    template <class Act>
    static Result<void> submit(const std::shared_ptr<Call>& call, Act act) {
        call->head_.begin_wait();
        const bool is_taken =
            call->head_.calls().given().workers.submit("rpc", [call, act = std::move(act)](std::stop_token) {
                call->head_.end_wait();
                call->guarded([&]() -> Result<void> {
                    AKIDB_TRY(call->head_.check_wanted());
                    return act(call);
                });
            });
        if (!is_taken) {
            return Error(Code::kRateLimited, "too many requests are waiting").with_retry_after(1);
        }
        return {};
    }

  private:
    CallHead head_;
    UnaryWire wire_;
    grpc::ServerUnaryReactor* reactor_;  // null once answered: gRPC may have taken everything down then
};

}  // namespace akidb::rpc
