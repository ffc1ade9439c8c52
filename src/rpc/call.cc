#include "rpc/call.h"

namespace akidb::rpc {
namespace {

class Reactor final : public grpc::ServerUnaryReactor {
  public:
    void OnDone() override { delete this; }
};

}  // namespace

grpc::ServerUnaryReactor* Call::start(Calls& calls, UnaryWire wire, Plan plan) {
    auto* reactor = new Reactor;  // deletes itself when gRPC is done with it
    auto call = std::make_shared<Call>(calls, plan.method, wire, *reactor);
    call->guarded([&]() -> Result<void> {
        const size_t bytes = wire.request->Length();
        AKIDB_TRY(call->head_.admit(bytes));
        AKIDB_TRY(call->head_.check_wanted());
        AKIDB_TRY(service::Service * service, calls.find_service());
        AKIDB_TRY(call->head_.authorize(*service));
        // Which collection it names is not read yet: while any is asleep, no call may wait here for it to
        // open.
        if (plan.where == Where::kHere && bytes <= service::Service::kQuickRequestBytesMax &&
            !service->has_sleepers()) {
            return plan.perform(call, *service);
        }
        return submit(call, [service, perform = plan.perform](const std::shared_ptr<Call>& later) {
            return perform(later, *service);
        });
    });
    return reactor;
}

Call::~Call() {
    fail(Error(Code::kUnavailable, "the server is stopping").with_retry_after(1));
}

Result<void> Call::answer(const google::protobuf::Message& reply) {
    if (reactor_ == nullptr) {
        return {};
    }
    AKIDB_TRY(write_message(reply, *wire_.reply));
    grpc::Status status = head_.end(nullptr);
    std::exchange(reactor_, nullptr)->Finish(std::move(status));
    return {};
}

void Call::fail(const Error& error) {
    if (reactor_ != nullptr) {
        grpc::Status status = head_.end(&error);
        std::exchange(reactor_, nullptr)->Finish(std::move(status));
    }
}

}  // namespace akidb::rpc
