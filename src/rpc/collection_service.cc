#include <akidb/v1/collections.grpc.pb.h>

#include "base/printable.h"
#include "model/limits.h"
#include "rpc/call.h"
#include "rpc/moment_codec.h"
#include "rpc/services.h"
#include "rpc/tier_codec.h"
#include "rpc/vector_params.h"

namespace akidb::rpc {
namespace {

// The values of the contract follow those of the model by one, as its first stands for none.
Result<model::MetadataIndexType> read_type(v1::MetadataIndexType from) {
    if (from == v1::METADATA_INDEX_TYPE_UNSPECIFIED) {
        return invalid_argument("type", "the field \"type\" is missing",
                                join_names(model::kMetadataIndexTypeNames));
    }
    const auto value = static_cast<size_t>(from) - 1;
    if (from < 0 || value >= model::kMetadataIndexTypeNames.size()) {
        return invalid_argument("type", "unknown index type " + std::to_string(from),
                                join_names(model::kMetadataIndexTypeNames));
    }
    return static_cast<model::MetadataIndexType>(value);
}

v1::MetadataIndexType written(model::MetadataIndexType type) {
    return static_cast<v1::MetadataIndexType>(static_cast<int>(type) + 1);
}

void write_indexes(const service::CollectionDescription& from, v1::Collection& to) {
    if (from.condition != service::Condition::kServing) {
        for (const model::MetadataField& field : from.spec.metadata_indexes) {
            v1::MetadataIndex& index = *to.add_metadata_indexes();
            index.set_field(field.key);
            index.set_type(written(field.type));
        }
        return;
    }
    for (const engine::MetadataIndexState& state : from.stats.metadata_indexes) {
        v1::MetadataIndex& index = *to.add_metadata_indexes();
        index.set_field(state.field.key);
        index.set_type(written(state.field.type));
        index.set_ready(state.is_ready);
        index.set_indexed_rows(state.indexed_rows);
        index.set_bytes(state.bytes);
    }
}

void write_settings(const model::CollectionSettings& from, v1::CollectionSettings& to) {
    if (from.ef) {
        to.set_ef(*from.ef);
    }
    if (from.recall_target) {
        to.set_recall_target(*from.recall_target);
    }
    if (from.layout) {
        to.set_layout(static_cast<v1::IndexLayout>(static_cast<int>(*from.layout) + 1));
    }
}

void write_collection(const service::CollectionDescription& from, v1::Collection& to) {
    to.set_id(from.spec.id.to_string());
    to.set_name(from.spec.name);
    if (from.spec.dimension > 0) {
        to.set_dimension(from.spec.dimension);
        to.set_metric(static_cast<v1::Metric>(static_cast<int>(from.spec.metric) + 1));
        to.set_storage(static_cast<v1::VectorStorage>(static_cast<int>(from.spec.storage) + 1));
    }
    write_vectors(from, to);
    to.set_count(from.stats.documents);
    write_moment(from.spec.created_at_ms, *to.mutable_created_at());
    to.set_condition(static_cast<v1::CollectionCondition>(static_cast<int>(from.condition) + 1));
    to.set_reason(from.reason);
    const engine::CollectionStats& stats = from.stats;
    to.set_rows(stats.rows);
    to.set_linked_rows(stats.linked_rows);
    to.set_head_rows(stats.head_rows);
    to.set_sequence(stats.last_sequence);
    to.set_covered_sequence(stats.covered_sequence);
    to.set_log_bytes(stats.log_bytes);
    to.set_segment_files(stats.segment_files);
    to.set_log_poisoned(stats.is_poisoned);
    if (stats.scrubbed_at_ms > 0) {
        write_moment(stats.scrubbed_at_ms, *to.mutable_scrubbed_at());
    }
    for (const engine::JobState& state : stats.jobs) {
        v1::Job& job = *to.add_jobs();
        job.set_kind(state.kind.data(), state.kind.size());
        job.set_done(state.done);
        job.set_total(state.total);
        if (state.seconds_left) {
            job.set_seconds_left(*state.seconds_left);
        }
    }
    write_indexes(from, to);
    write_settings(from.spec.settings, *to.mutable_settings());
    write_tier(from.tier, to);
    for (const engine::UnindexedField& field : stats.unindexed_fields) {
        v1::UnindexedField& written_field = *to.add_unindexed_fields();
        written_field.set_field(field.wanted.key);
        written_field.set_type(written(field.wanted.type));
        written_field.set_reads(field.reads);
        written_field.set_evaluated(field.evaluated);
        written_field.set_seconds(field.seconds);
    }
}

/// The message of a call, held to the fields that we know.
template <class Message>
Result<void> read(Call& call, Message& message) {
    AKIDB_TRY(call.parse(message));
    return check_known(message);
}

Result<std::vector<model::MetadataField>> read_indexes(
    const google::protobuf::RepeatedPtrField<v1::MetadataIndex>& from) {
    if (static_cast<size_t>(from.size()) > model::kMetadataIndexesMax) {
        return invalid_argument("metadata_indexes", "too many fields are indexed",
                                "at most " + std::to_string(model::kMetadataIndexesMax) + " fields");
    }
    std::vector<model::MetadataField> fields;
    for (const v1::MetadataIndex& index : from) {
        const std::string place = "metadata_indexes." + printable(index.field());
        AKIDB_TRY(check_known(index));
        Result<model::MetadataIndexType> type = read_type(index.type());
        if (!type) {
            return std::move(type).error().with_field(place);
        }
        fields.push_back({index.field(), *type});
    }
    return fields;
}

Result<void> read_settings(const v1::ChangeCollectionRequest& from, model::CollectionChange& to) {
    AKIDB_TRY(check_known(from.settings()));
    for (const std::string& name : from.unset()) {
        if (name == "ef") {
            to.ef.emplace();
        } else if (name == "recall_target") {
            to.recall_target.emplace();
        } else if (name == "layout") {
            to.layout.emplace();
        } else {
            return invalid_argument("unset", "unknown setting \"" + printable(name) + "\"",
                                    "ef, recall_target, layout");
        }
    }
    if (from.settings().has_ef()) {
        to.ef = from.settings().ef();
    }
    if (from.settings().has_recall_target()) {
        to.recall_target = from.settings().recall_target();
    }
    if (from.settings().has_layout()) {
        const int layout = static_cast<int>(from.settings().layout()) - 1;
        if (layout < 0 || static_cast<size_t>(layout) >= model::kIndexLayoutNames.size()) {
            return invalid_argument("settings.layout", "unknown layout",
                                    join_names(model::kIndexLayoutNames));
        }
        to.layout = static_cast<model::IndexLayout>(layout);
    }
    return {};
}

Result<void> change(const std::shared_ptr<Call>& call, service::Service& service) {
    OnArena<v1::ChangeCollectionRequest> message;
    AKIDB_TRY(read(*call, *message));
    model::CollectionChange wanted;
    AKIDB_TRY(read_settings(*message, wanted));
    AKIDB_TRY(wanted.metadata_indexes, read_indexes(message->metadata_indexes()));
    if (static_cast<size_t>(message->removed_metadata_indexes_size()) > model::kMetadataIndexesMax) {
        return invalid_argument("removed_metadata_indexes", "too many fields",
                                "at most " + std::to_string(model::kMetadataIndexesMax));
    }
    wanted.removed_metadata_indexes.assign(message->removed_metadata_indexes().begin(),
                                           message->removed_metadata_indexes().end());
    if (message->has_policy()) {
        AKIDB_TRY(wanted.policy,
                  read_choice<model::StoragePolicy>("policy", message->policy(), model::kStoragePolicyNames));
    }
    AKIDB_TRY(const service::CollectionDescription changed,
              service.change_collection(call->context(), message->collection(), wanted));
    OnArena<v1::Collection> reply;
    write_collection(changed, *reply);
    return call->answer(*reply);
}

Result<void> create(const std::shared_ptr<Call>& call, service::Service& service) {
    OnArena<v1::CreateCollectionRequest> message;
    AKIDB_TRY(read(*call, *message));
    service::CreateCollection request{.name = message->name()};
    AKIDB_TRY(read_vectors(*message, request));
    AKIDB_TRY(request.policy, read_policy(message->policy()));
    AKIDB_TRY(request.metadata_indexes, read_indexes(message->metadata_indexes()));
    AKIDB_TRY(const service::CollectionDescription made, service.create_collection(call->context(), request));
    OnArena<v1::Collection> reply;
    write_collection(made, *reply);
    return call->answer(*reply);
}

Result<void> list(const std::shared_ptr<Call>& call, service::Service& service) {
    OnArena<v1::ListCollectionsRequest> message;
    AKIDB_TRY(read(*call, *message));
    AKIDB_TRY(const std::vector<service::CollectionDescription> found,
              service.list_collections(call->context()));
    OnArena<v1::ListCollectionsResponse> reply;
    for (const service::CollectionDescription& collection : found) {
        write_collection(collection, *reply->add_collections());
    }
    return call->answer(*reply);
}

Result<void> describe(const std::shared_ptr<Call>& call, service::Service& service) {
    OnArena<v1::DescribeCollectionRequest> message;
    AKIDB_TRY(read(*call, *message));
    AKIDB_TRY(const service::CollectionDescription found,
              service.describe_collection(call->context(), message->collection()));
    OnArena<v1::Collection> reply;
    write_collection(found, *reply);
    return call->answer(*reply);
}

Result<void> delete_collection(const std::shared_ptr<Call>& call, service::Service& service) {
    OnArena<v1::DeleteCollectionRequest> message;
    AKIDB_TRY(read(*call, *message));
    AKIDB_TRY(service.delete_collection(call->context(), message->collection()));
    OnArena<v1::DeleteCollectionResponse> reply;
    reply->set_deleted(true);
    return call->answer(*reply);
}

Result<void> put_index(const std::shared_ptr<Call>& call, service::Service& service) {
    OnArena<v1::PutMetadataIndexRequest> message;
    AKIDB_TRY(read(*call, *message));
    AKIDB_TRY(const model::MetadataIndexType type, read_type(message->type()));
    AKIDB_TRY(service.put_metadata_index(call->context(), message->collection(), {message->field(), type}));
    OnArena<v1::MetadataIndex> reply;
    reply->set_field(message->field());
    reply->set_type(message->type());
    return call->answer(*reply);
}

Result<void> delete_index(const std::shared_ptr<Call>& call, service::Service& service) {
    OnArena<v1::DeleteMetadataIndexRequest> message;
    AKIDB_TRY(read(*call, *message));
    AKIDB_TRY(service.delete_metadata_index(call->context(), message->collection(), message->field()));
    OnArena<v1::DeleteMetadataIndexResponse> reply;
    reply->set_deleted(true);
    return call->answer(*reply);
}

Result<void> optimize(const std::shared_ptr<Call>& call, service::Service& service) {
    OnArena<v1::OptimizeRequest> message;
    AKIDB_TRY(read(*call, *message));
    AKIDB_TRY(const engine::RewriteReport report, service.optimize(call->context(), message->collection()));
    OnArena<v1::OptimizeResponse> reply;
    reply->set_dropped_rows(report.dropped_rows);
    reply->set_took_ms(call->elapsed_ms());
    return call->answer(*reply);
}

Result<void> answer_aliases(Call& call, service::Service& service) {
    AKIDB_TRY(const std::vector<service::Alias> aliases, service.list_aliases(call.context()));
    OnArena<v1::ListAliasesResponse> reply;
    for (const service::Alias& one : aliases) {
        v1::Alias& alias = *reply->add_aliases();
        alias.set_alias(one.alias);
        alias.set_collection(one.collection);
    }
    return call.answer(*reply);
}

Result<void> list_aliases(const std::shared_ptr<Call>& call, service::Service& service) {
    OnArena<v1::ListAliasesRequest> message;
    AKIDB_TRY(read(*call, *message));
    return answer_aliases(*call, service);
}

Result<service::AliasAction> read_action(const v1::AliasAction& from) {
    AKIDB_TRY(check_known(from));
    switch (from.action_case()) {
        case v1::AliasAction::kCreate:
            AKIDB_TRY(check_known(from.create()));
            return service::AliasAction{.alias = from.create().alias(),
                                        .collection = from.create().collection()};
        case v1::AliasAction::kRename:
            AKIDB_TRY(check_known(from.rename()));
            return service::AliasAction{.alias = from.rename().alias(), .rename_to = from.rename().to()};
        case v1::AliasAction::kDelete:
            AKIDB_TRY(check_known(from.delete_()));
            return service::AliasAction{.alias = from.delete_().alias()};
        case v1::AliasAction::ACTION_NOT_SET:
            break;
    }
    return invalid_argument("", "an action does one thing", "create, rename, delete");
}

Result<void> change_aliases(const std::shared_ptr<Call>& call, service::Service& service) {
    OnArena<v1::ChangeAliasesRequest> message;
    AKIDB_TRY(read(*call, *message));
    if (static_cast<size_t>(message->actions_size()) > model::kAliasActionsMax) {
        return invalid_argument("actions", "the list has too many items",
                                "at most " + std::to_string(model::kAliasActionsMax) + " items");
    }
    std::vector<service::AliasAction> actions;
    for (int i = 0; i < message->actions_size(); ++i) {
        Result<service::AliasAction> action = read_action(message->actions(i));
        if (!action) {
            return in_list(std::move(action).error(), "actions", static_cast<size_t>(i));
        }
        actions.push_back(std::move(action).value());
    }
    AKIDB_TRY(service.change_aliases(call->context(), actions));
    return answer_aliases(*call, service);
}

using Rpc = v1::CollectionService;
template <class Next>
using RawCollections =
    Rpc::WithRawCallbackMethod_Create<Rpc::WithRawCallbackMethod_List<Rpc::WithRawCallbackMethod_Describe<
        Rpc::WithRawCallbackMethod_Change<Rpc::WithRawCallbackMethod_Delete<Next>>>>>;
template <class Next>
using RawSettings = Rpc::WithRawCallbackMethod_PutMetadataIndex<
    Rpc::WithRawCallbackMethod_DeleteMetadataIndex<Rpc::WithRawCallbackMethod_Optimize<
        Rpc::WithRawCallbackMethod_ListAliases<Rpc::WithRawCallbackMethod_ChangeAliases<Next>>>>>;
using Raw = RawCollections<RawSettings<Rpc::Service>>;

class CollectionService final : public Raw {
  public:
    explicit CollectionService(Calls& calls) : calls_(calls) {}

    grpc::ServerUnaryReactor* Create(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* reply) override {
        return start({context, request, reply}, MethodId::kCreateCollection, create);
    }
    grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                   grpc::ByteBuffer* reply) override {
        return start({context, request, reply}, MethodId::kListCollections, list);
    }
    grpc::ServerUnaryReactor* Describe(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* reply) override {
        return start({context, request, reply}, MethodId::kDescribeCollection, describe);
    }
    grpc::ServerUnaryReactor* Change(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* reply) override {
        return start({context, request, reply}, MethodId::kChangeCollection, change);
    }
    grpc::ServerUnaryReactor* Delete(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* reply) override {
        return start({context, request, reply}, MethodId::kDeleteCollection, delete_collection);
    }
    grpc::ServerUnaryReactor* PutMetadataIndex(grpc::CallbackServerContext* context,
                                               const grpc::ByteBuffer* request,
                                               grpc::ByteBuffer* reply) override {
        return start({context, request, reply}, MethodId::kPutMetadataIndex, put_index);
    }
    grpc::ServerUnaryReactor* DeleteMetadataIndex(grpc::CallbackServerContext* context,
                                                  const grpc::ByteBuffer* request,
                                                  grpc::ByteBuffer* reply) override {
        return start({context, request, reply}, MethodId::kDeleteMetadataIndex, delete_index);
    }
    grpc::ServerUnaryReactor* Optimize(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* reply) override {
        return start({context, request, reply}, MethodId::kOptimize, optimize);
    }
    grpc::ServerUnaryReactor* ListAliases(grpc::CallbackServerContext* context,
                                          const grpc::ByteBuffer* request, grpc::ByteBuffer* reply) override {
        return start({context, request, reply}, MethodId::kListAliases, list_aliases);
    }
    grpc::ServerUnaryReactor* ChangeAliases(grpc::CallbackServerContext* context,
                                            const grpc::ByteBuffer* request,
                                            grpc::ByteBuffer* reply) override {
        return start({context, request, reply}, MethodId::kChangeAliases, change_aliases);
    }

  private:
    /// All of them may wait for the catalog or for statistics.
    grpc::ServerUnaryReactor* start(UnaryWire wire, MethodId method, Call::Perform perform) {
        return Call::start(calls_, wire, {method, Where::kWorker, perform});
    }

    Calls& calls_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_collection_service(Calls& calls) {
    return std::make_unique<CollectionService>(calls);
}

}  // namespace akidb::rpc
