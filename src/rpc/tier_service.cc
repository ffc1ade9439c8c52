#include <akidb/v1/tiers.grpc.pb.h>

#include "base/printable.h"
#include "rpc/call.h"
#include "rpc/moment_codec.h"
#include "rpc/services.h"
#include "rpc/tier_codec.h"

namespace akidb::rpc {
namespace {

// The values of the contract follow those of the model by one, as its first stands for none.
template <class To, class From>
To written(From value) {
    return static_cast<To>(static_cast<int>(value) + 1);
}

/// The message of a call, held to the fields that we know.
template <class Message>
Result<void> read(Call& call, Message& message) {
    AKIDB_TRY(call.parse(message));
    return check_known(message);
}

Result<void> answer_tier(Call& call, const service::CollectionTier& tier) {
    OnArena<v1::CollectionTier> reply;
    write_tier(tier, *reply);
    reply->set_moving(tier.is_moving);
    reply->set_bytes(tier.bytes);
    reply->set_has_copy(tier.has_copy);
    reply->set_copied(tier.is_copied);
    reply->set_error(tier.error);
    return call.answer(*reply);
}

Result<void> describe(const std::shared_ptr<Call>& call, service::Service& service) {
    OnArena<v1::DescribeTierRequest> message;
    AKIDB_TRY(read(*call, *message));
    AKIDB_TRY(const auto tier, service.describe_tier(call->context(), message->collection()));
    return answer_tier(*call, tier);
}

Result<void> move(const std::shared_ptr<Call>& call, service::Service& service) {
    OnArena<v1::MoveCollectionRequest> message;
    AKIDB_TRY(read(*call, *message));
    const int action = static_cast<int>(message->action()) - 1;
    if (action < 0 || static_cast<size_t>(action) >= model::kTierActionNames.size()) {
        return invalid_argument("action", action < 0 ? "the field \"action\" is missing" : "unknown action",
                                join_names(model::kTierActionNames));
    }
    AKIDB_TRY(const auto tier, service.move_collection(call->context(), message->collection(),
                                                       static_cast<model::TierAction>(action)));
    return answer_tier(*call, tier);
}

Result<void> describe_server(const std::shared_ptr<Call>& call, service::Service& service) {
    OnArena<v1::DescribeServerTiersRequest> message;
    AKIDB_TRY(read(*call, *message));
    AKIDB_TRY(const service::TiersState state, service.describe_tiers());
    OnArena<v1::ServerTiers> reply;
    reply->set_to(state.place);
    reply->set_hot(state.hot);
    reply->set_warm(state.warm);
    reply->set_cold(state.cold);
    reply->set_cached_bytes(state.cached_bytes);
    reply->set_cache_limit_bytes(state.cache_bytes);
    reply->set_uploads_pending(state.pending);
    reply->set_uploads_pending_bytes(state.pending_bytes);
    if (state.oldest_pending_ms > 0) {
        write_moment(state.oldest_pending_ms, *reply->mutable_oldest_upload_at());
    }
    reply->set_dead_letters(state.dead);
    reply->set_breaker(written<v1::BreakerState>(state.breaker));
    return call->answer(*reply);
}

Result<void> list_dead_letters(const std::shared_ptr<Call>& call, service::Service& service) {
    OnArena<v1::ListDeadLettersRequest> message;
    AKIDB_TRY(read(*call, *message));
    AKIDB_TRY(const std::vector<service::DeadLetter> letters, service.list_dead_letters());
    OnArena<v1::ListDeadLettersResponse> reply;
    for (const service::DeadLetter& from : letters) {
        v1::DeadLetter& to = *reply->add_dead_letters();
        to.set_id(from.id);
        to.set_kind(written<v1::DeadLetterKind>(from.kind));
        to.set_collection(from.name.empty() ? from.collection.to_string() : from.name);
        to.set_bytes(from.bytes);
        to.set_tries(from.tries);
        to.set_error(from.error);
        write_moment(from.queued_at_ms, *to.mutable_queued_at());
    }
    return call->answer(*reply);
}

Result<void> retry_dead_letters(const std::shared_ptr<Call>& call, service::Service& service) {
    OnArena<v1::RetryDeadLettersRequest> message;
    AKIDB_TRY(read(*call, *message));
    uint64_t retried = 1;
    if (message->has_id()) {
        AKIDB_TRY(service.retry_dead_letter(call->context(), message->id()));
    } else {
        AKIDB_TRY(retried, service.retry_dead_letters(call->context()));
    }
    OnArena<v1::RetryDeadLettersResponse> reply;
    reply->set_retried(retried);
    return call->answer(*reply);
}

Result<void> drop_dead_letter(const std::shared_ptr<Call>& call, service::Service& service) {
    OnArena<v1::DropDeadLetterRequest> message;
    AKIDB_TRY(read(*call, *message));
    AKIDB_TRY(service.drop_dead_letter(call->context(), message->id()));
    OnArena<v1::DropDeadLetterResponse> reply;
    reply->set_dropped(true);
    return call->answer(*reply);
}

Result<void> reset_breaker(const std::shared_ptr<Call>& call, service::Service& service) {
    OnArena<v1::ResetBreakerRequest> message;
    AKIDB_TRY(read(*call, *message));
    AKIDB_TRY(service.reset_breaker(call->context()));
    OnArena<v1::ResetBreakerResponse> reply;
    reply->set_reset(true);
    return call->answer(*reply);
}

using Rpc = v1::TierService;
using Raw = Rpc::WithRawCallbackMethod_Describe<Rpc::WithRawCallbackMethod_Move<
    Rpc::WithRawCallbackMethod_DescribeServer<Rpc::WithRawCallbackMethod_ListDeadLetters<
        Rpc::WithRawCallbackMethod_RetryDeadLetters<Rpc::WithRawCallbackMethod_DropDeadLetter<
            Rpc::WithRawCallbackMethod_ResetBreaker<Rpc::Service>>>>>>>;

class TierService final : public Raw {
  public:
    explicit TierService(Calls& calls) : calls_(calls) {}

    grpc::ServerUnaryReactor* Describe(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* reply) override {
        return start({context, request, reply}, MethodId::kDescribeTier, describe);
    }
    grpc::ServerUnaryReactor* Move(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                   grpc::ByteBuffer* reply) override {
        return start({context, request, reply}, MethodId::kMoveCollection, move);
    }
    grpc::ServerUnaryReactor* DescribeServer(grpc::CallbackServerContext* context,
                                             const grpc::ByteBuffer* request,
                                             grpc::ByteBuffer* reply) override {
        return start({context, request, reply}, MethodId::kDescribeServerTiers, describe_server);
    }
    grpc::ServerUnaryReactor* ListDeadLetters(grpc::CallbackServerContext* context,
                                              const grpc::ByteBuffer* request,
                                              grpc::ByteBuffer* reply) override {
        return start({context, request, reply}, MethodId::kListDeadLetters, list_dead_letters);
    }
    grpc::ServerUnaryReactor* RetryDeadLetters(grpc::CallbackServerContext* context,
                                               const grpc::ByteBuffer* request,
                                               grpc::ByteBuffer* reply) override {
        return start({context, request, reply}, MethodId::kRetryDeadLetters, retry_dead_letters);
    }
    grpc::ServerUnaryReactor* DropDeadLetter(grpc::CallbackServerContext* context,
                                             const grpc::ByteBuffer* request,
                                             grpc::ByteBuffer* reply) override {
        return start({context, request, reply}, MethodId::kDropDeadLetter, drop_dead_letter);
    }
    grpc::ServerUnaryReactor* ResetBreaker(grpc::CallbackServerContext* context,
                                           const grpc::ByteBuffer* request,
                                           grpc::ByteBuffer* reply) override {
        return start({context, request, reply}, MethodId::kResetBreaker, reset_breaker);
    }

  private:
    /// All of them wait for the catalog or the object store.
    grpc::ServerUnaryReactor* start(UnaryWire wire, MethodId method, Call::Perform perform) {
        return Call::start(calls_, wire, {method, Where::kWorker, perform});
    }

    Calls& calls_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_tier_service(Calls& calls) {
    return std::make_unique<TierService>(calls);
}

}  // namespace akidb::rpc
