#include <akidb/v1/documents.grpc.pb.h>

#include "rpc/call.h"
#include "rpc/document_codec.h"
#include "rpc/filter_codec.h"
#include "rpc/moment_codec.h"
#include "rpc/services.h"
#include "rpc/update_codec.h"
#include "service/write_key.h"

namespace akidb::rpc {
namespace {

/// Answers with `write(call, reply)` when the write is done.
template <class Write>
engine::WriteDone answering(std::shared_ptr<Call> call, Write write) {
    return [call = std::move(call), write = std::move(write)](const Result<engine::WriteReply>& done) {
        call->guarded([&]() -> Result<void> {
            if (!done) {
                return done.error();
            }
            if (done->is_replay) {
                call->head().tell_replay();
            }
            return write(*call, *done);
        });
    };
}

Result<void> answer_upsert(Call& call, const engine::WriteReply& done,
                           std::vector<model::DocumentId> ids_made) {
    if (done.is_replay) {
        service::restore_made_ids(ids_made, call.context().write_key->first_made_id, done.first_made_id);
    }
    OnArena<v1::UpsertResponse> reply;
    reply->set_upserted(done.count);
    reply->set_sequence(done.sequence);
    reply->set_durability(v1::DURABILITY_LOCAL);
    for (const model::DocumentId& id : ids_made) {
        write_id(id, *reply->add_ids());
    }
    return call.answer(*reply);
}

Result<void> answer_delete(Call& call, const engine::WriteReply& done) {
    OnArena<v1::DeleteResponse> reply;
    reply->set_deleted(done.count);
    reply->set_sequence(done.sequence);
    return call.answer(*reply);
}

Result<void> check_durability(v1::Durability durability) {
    if (durability == v1::DURABILITY_UNSPECIFIED || durability == v1::DURABILITY_LOCAL) {
        return {};
    }
    return invalid_argument("durability",
                            durability == v1::DURABILITY_OBJECT
                                ? "this collection has no object storage to acknowledge from"
                                : "unknown durability " + std::to_string(durability),
                            "local");
}

Result<void> upsert(const std::shared_ptr<Call>& call, service::Service& service) {
    AKIDB_TRY(call->head().take_write_key(call->message(), service.new_document_id()));
    OnArena<v1::UpsertRequest> message;
    AKIDB_TRY(call->parse(*message));
    call->drop_message();  // a batch may be 64 MiB: not twice in memory while it waits for the disk
    AKIDB_TRY(check_known(*message));
    AKIDB_TRY(check_durability(message->durability()));
    const std::optional<model::WriteKey>& key = call->context().write_key;
    uint64_t ids_made = 0;
    AKIDB_TRY(DocumentBatch batch, read_documents(message->documents(), [&] {
                  return key ? model::DocumentId(model::next_id(key->first_made_id, ids_made++))
                             : service.new_document_id();
              }));
    std::vector<model::DocumentId> ids;
    if (batch.some_ids_made) {
        for (const model::Document& document : batch.documents) {
            ids.push_back(document.id);
        }
    }
    service.upsert_documents(call->context(), message->collection(), std::move(batch.documents),
                             answering(call, [ids = std::move(ids)](Call& later, const auto& done) {
                                 return answer_upsert(later, done, ids);
                             }));
    return {};
}

Result<void> answer_update(Call& call, const engine::WriteReply& done) {
    OnArena<v1::UpdateResponse> reply;
    reply->set_updated(done.count);
    reply->set_sequence(done.sequence);
    return call.answer(*reply);
}

Result<void> update(const std::shared_ptr<Call>& call, service::Service& service) {
    AKIDB_TRY(call->head().take_write_key(call->message(), service.new_document_id()));
    OnArena<v1::UpdateRequest> message;
    AKIDB_TRY(call->parse(*message));
    call->drop_message();
    AKIDB_TRY(model::UpdateRequest request, read_update(*message));
    service.update_documents(call->context(), message->collection(), std::move(request),
                             answering(call, answer_update));
    return {};
}

Result<void> answer_get(Call& call, service::Service& service, const v1::GetRequest& request) {
    AKIDB_TRY(check_known(request));
    model::Include include{.vector = true, .metadata = true};
    if (request.has_include()) {
        AKIDB_TRY(include, read_include(request.include()));
    }
    AKIDB_TRY(const std::vector<model::DocumentId> ids, read_ids(request.ids()));
    AKIDB_TRY(const std::vector<model::Document> found,
              service.get_documents(call.context(), request.collection(), ids, include));
    OnArena<v1::GetResponse> reply;
    reply->mutable_documents()->Reserve(static_cast<int>(found.size()));
    for (const model::Document& document : found) {
        write_document(document, include, *reply->add_documents());
    }
    return call.answer(*reply);
}

Result<void> get(const std::shared_ptr<Call>& call, service::Service& service) {
    auto message = std::make_shared<OnArena<v1::GetRequest>>();
    AKIDB_TRY(call->parse(**message));
    if ((*message)->ids_size() <= 1) {
        return answer_get(*call, service, **message);
    }
    return Call::submit(call, [&service, message](const std::shared_ptr<Call>& later) {
        return answer_get(*later, service, **message);
    });
}

Result<void> delete_documents(const std::shared_ptr<Call>& call, service::Service& service) {
    AKIDB_TRY(call->head().take_write_key(call->message(), service.new_document_id()));
    OnArena<v1::DeleteRequest> message;
    AKIDB_TRY(call->parse(*message));
    AKIDB_TRY(Which which, read_which(*message));
    if (const auto* ids = std::get_if<std::vector<model::DocumentId>>(&which)) {
        service.delete_documents(call->context(), message->collection(), *ids,
                                 answering(call, answer_delete));
        return {};
    }
    auto filter = std::make_shared<const model::Filter>(std::get<model::Filter>(std::move(which)));
    return Call::submit(call,
                        [&service, filter, collection = std::string(message->collection())](
                            const std::shared_ptr<Call>& later) -> Result<void> {
                            AKIDB_TRY(const engine::WriteReply done,
                                      service.delete_matching(later->context(), collection, *filter));
                            if (done.is_replay) {
                                later->head().tell_replay();
                            }
                            return answer_delete(*later, done);
                        });
}

void write_held(const service::HeldCopies& held, v1::HeldBy& to) {
    for (const service::HeldBackup& backup : held.backups) {
        v1::HeldBackup& told = *to.add_backups();
        told.set_id(backup.id.to_string());
        write_moment(backup.created_ms, *told.mutable_created_at());
        if (backup.until_ms > 0) {
            write_moment(backup.until_ms, *told.mutable_until());
        }
    }
    to.set_archived_log(held.log_until_ms.has_value());
    if (held.log_until_ms.value_or(0) > 0) {
        write_moment(*held.log_until_ms, *to.mutable_archived_log_until());
    }
    to.set_error(held.error);
}

Result<void> erase(const std::shared_ptr<Call>& call, service::Service& service) {
    AKIDB_TRY(service::refuse_write_key(call->head().write_keys(),
                                        "an erase is not remembered: sent again, it purges again"));
    OnArena<v1::EraseRequest> message;
    AKIDB_TRY(call->parse(*message));
    AKIDB_TRY(const Which which, read_which(*message));
    const auto* ids = std::get_if<std::vector<model::DocumentId>>(&which);
    Result<service::EraseReceipt> receipt =
        ids != nullptr
            ? service.erase_documents(call->context(), message->collection(), *ids)
            : service.erase_matching(call->context(), message->collection(), std::get<model::Filter>(which));
    AKIDB_TRY(const service::EraseReceipt done, std::move(receipt));
    OnArena<v1::EraseResponse> reply;
    reply->set_copy_renewed(done.has_renewed_copy);
    reply->set_erased(done.files.erased);
    reply->set_sequence(done.files.sequence);
    for (const std::string& name : done.files.rewritten) {
        reply->add_rewritten(name);
    }
    for (const std::string& name : done.files.removed) {
        reply->add_removed(name);
    }
    write_moment(done.completed_at_ms, *reply->mutable_completed_at());
    write_held(done.held, *reply->mutable_held_by());
    return call->answer(*reply);
}

Result<void> count(const std::shared_ptr<Call>& call, service::Service& service) {
    OnArena<v1::CountRequest> message;
    AKIDB_TRY(call->parse(*message));
    AKIDB_TRY(check_known(*message));
    AKIDB_TRY(const std::shared_ptr<const model::Filter> filter, read_shared_filter(*message));
    const bool is_exact = !message->has_exact() || message->exact();
    AKIDB_TRY(const std::optional<uint64_t> deadline_us, read_deadline(*message, call->times()));
    AKIDB_TRY(const uint64_t documents, service.count_documents(call->context(), message->collection(),
                                                                filter.get(), is_exact, deadline_us));
    OnArena<v1::CountResponse> reply;
    reply->set_count(documents);
    return call->answer(*reply);
}

Result<void> scroll(const std::shared_ptr<Call>& call, service::Service& service) {
    OnArena<v1::ScrollRequest> message;
    AKIDB_TRY(call->parse(*message));
    AKIDB_TRY(const model::ScrollRequest request, read_scroll(*message, call->times()));
    AKIDB_TRY(const model::ScrollReply page, service.scroll(call->context(), message->collection(), request));
    OnArena<v1::ScrollResponse> reply;
    write_page(page, request.include, *reply);
    return call->answer(*reply);
}

Result<void> facet(const std::shared_ptr<Call>& call, service::Service& service) {
    OnArena<v1::FacetRequest> message;
    AKIDB_TRY(call->parse(*message));
    AKIDB_TRY(const model::FacetRequest request, read_facet(*message, call->times()));
    AKIDB_TRY(const model::FacetReply found, service.facet(call->context(), message->collection(), request));
    OnArena<v1::FacetResponse> reply;
    write_facets(found, *reply);
    return call->answer(*reply);
}

using Rpc = v1::DocumentService;
template <class Next>
using RawReads = Rpc::WithRawCallbackMethod_Get<Rpc::WithRawCallbackMethod_Count<
    Rpc::WithRawCallbackMethod_Scroll<Rpc::WithRawCallbackMethod_Facet<Next>>>>;
template <class Next>
using RawWrites = Rpc::WithRawCallbackMethod_Upsert<Rpc::WithRawCallbackMethod_Update<
    Rpc::WithRawCallbackMethod_Delete<Rpc::WithRawCallbackMethod_Erase<Next>>>>;
template <class Next>
using RawStreams = Rpc::WithRawCallbackMethod_Import<Rpc::WithRawCallbackMethod_Export<Next>>;
using Raw = RawReads<RawWrites<RawStreams<Rpc::Service>>>;

class DocumentService final : public Raw {
  public:
    explicit DocumentService(Calls& calls) : calls_(calls) {}

    grpc::ServerUnaryReactor* Upsert(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* reply) override {
        return Call::start(calls_, {context, request, reply}, {MethodId::kUpsert, Where::kHere, upsert});
    }
    grpc::ServerUnaryReactor* Get(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                  grpc::ByteBuffer* reply) override {
        return Call::start(calls_, {context, request, reply}, {MethodId::kGet, Where::kHere, get});
    }
    grpc::ServerUnaryReactor* Delete(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* reply) override {
        return Call::start(calls_, {context, request, reply},
                           {MethodId::kDelete, Where::kHere, delete_documents});
    }
    grpc::ServerUnaryReactor* Erase(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                    grpc::ByteBuffer* reply) override {
        return Call::start(calls_, {context, request, reply}, {MethodId::kErase, Where::kWorker, erase});
    }
    grpc::ServerUnaryReactor* Count(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                    grpc::ByteBuffer* reply) override {
        return Call::start(calls_, {context, request, reply}, {MethodId::kCount, Where::kWorker, count});
    }
    grpc::ServerUnaryReactor* Update(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* reply) override {
        return Call::start(calls_, {context, request, reply}, {MethodId::kUpdate, Where::kHere, update});
    }
    grpc::ServerUnaryReactor* Scroll(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* reply) override {
        return Call::start(calls_, {context, request, reply}, {MethodId::kScroll, Where::kWorker, scroll});
    }
    grpc::ServerUnaryReactor* Facet(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                    grpc::ByteBuffer* reply) override {
        return Call::start(calls_, {context, request, reply}, {MethodId::kFacet, Where::kWorker, facet});
    }
    grpc::ServerWriteReactor<grpc::ByteBuffer>* Export(grpc::CallbackServerContext* context,
                                                       const grpc::ByteBuffer* request) override {
        return start_export(calls_, *context, *request);
    }
    grpc::ServerReadReactor<grpc::ByteBuffer>* Import(grpc::CallbackServerContext* context,
                                                      grpc::ByteBuffer* reply) override {
        return start_import(calls_, *context, *reply);
    }

  private:
    Calls& calls_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_document_service(Calls& calls) {
    return std::make_unique<DocumentService>(calls);
}

}  // namespace akidb::rpc
