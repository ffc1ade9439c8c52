#include "rest/document_routes.h"

#include <array>
#include <utility>
#include <vector>

#include "base/printable.h"
#include "rest/answer_codec.h"
#include "rest/answering.h"
#include "rest/write_key.h"
#include "service/write_key.h"

namespace akidb::rest {
namespace {

constexpr std::array<std::string_view, 1> kUpsertParameters{"durability"};
constexpr std::array<std::string_view, 1> kIdParameters{"id_type"};

Result<void> take_write_key(Call& call, service::Service& service) {
    AKIDB_TRY(auto key, read_write_key(call.request(), call.match(), service.new_document_id()));
    call.set_write_key(std::move(key));
    return {};
}

void answer_write(Call& call, std::string_view verb, const engine::WriteReply& reply) {
    call.set_replay(reply.is_replay);
    JsonWriter writer;
    writer.begin_object().member(verb, reply.count).member("sequence", reply.sequence).end_object();
    call.answer(std::move(writer));
}

void answer_upsert(Call& call, const engine::WriteReply& reply, std::vector<model::DocumentId> ids_made) {
    call.set_replay(reply.is_replay);
    if (reply.is_replay) {
        service::restore_made_ids(ids_made, call.context().write_key->first_made_id, reply.first_made_id);
    }
    JsonWriter writer;
    writer.begin_object().member("upserted", reply.count).member("sequence", reply.sequence);
    writer.member("durability", "local");
    if (!ids_made.empty()) {
        writer.key("ids").begin_array();
        for (const model::DocumentId& id : ids_made) {
            write_id(writer, id);
        }
        writer.end_array();
    }
    call.answer(std::move(writer.end_object()));
}

/// Digits are a number, unless ?id_type=text says that they are a text.
Result<std::vector<model::DocumentId>> id_in_path(Call& call) {
    AKIDB_TRY(const auto parameters, parse_query(call.request().query, kIdParameters));
    bool is_text = false;
    for (const auto& [name, value] : parameters) {
        if (value != "text" && value != "number") {
            return invalid_argument(name, "unknown type \"" + printable(value) + "\"", "text, number");
        }
        is_text = value == "text";
    }
    const std::string& segment = call.match().captured[1];
    Result<model::DocumentId> id =
        is_text ? model::DocumentId::from_text(segment) : model::DocumentId::from_path(segment);
    if (!id) {
        return std::move(id).error().with_field("id");
    }
    return std::vector<model::DocumentId>{std::move(id).value()};
}

void answer_delete(Call& call, const engine::WriteReply& reply) {
    answer_write(call, "deleted", reply);
}

void answer_update(Call& call, const engine::WriteReply& reply) {
    answer_write(call, "updated", reply);
}

}  // namespace

Result<void> upsert_documents(const std::shared_ptr<Call>& call, service::Service& service) {
    AKIDB_TRY(auto parameters, parse_query(call->request().query, kUpsertParameters));
    for (const auto& [name, value] : parameters) {
        if (value == "object") {
            return invalid_argument(name, "this collection has no object storage to acknowledge from",
                                    "local");
        }
        if (value != "local") {
            return invalid_argument(name, "unknown durability \"" + printable(value) + "\"", "local");
        }
    }
    AKIDB_TRY(take_write_key(*call, service));
    const std::optional<model::WriteKey>& key = call->context().write_key;
    uint64_t ids_made = 0;
    const auto make_id = [&] {
        return key ? model::DocumentId(model::next_id(key->first_made_id, ids_made++))
                   : service.new_document_id();
    };
    AKIDB_TRY(UpsertBody body, call->timed("parse", [&] { return read_upsert_body(call->body(), make_id); }));
    call->body() = std::string();  // a batch may be 64 MiB: not twice in memory while it waits for the disk
    std::vector<model::DocumentId> ids;
    if (body.some_ids_made) {
        for (const model::Document& document : body.documents) {
            ids.push_back(document.id);
        }
    }
    service.upsert_documents(
        call->context(), call->collection(), std::move(body.documents),
        answering(call, [ids = std::move(ids)](Call& later, const engine::WriteReply& reply) {
            answer_upsert(later, reply, ids);
        }));
    return {};
}

Result<void> update_documents(const std::shared_ptr<Call>& call, service::Service& service) {
    AKIDB_TRY(take_write_key(*call, service));
    AKIDB_TRY(model::UpdateRequest request, read_update_body(call->body()));
    call->body() = std::string();
    service.update_documents(call->context(), call->collection(), std::move(request),
                             answering(call, answer_update));
    return {};
}

Result<void> get_documents(Call& call, service::Service& service) {
    AKIDB_TRY(GetBody body, read_get_body(call.body()));
    AKIDB_TRY(std::vector<model::Document> found,
              service.get_documents(call.context(), call.collection(), body.ids, body.include));
    JsonWriter writer;
    writer.begin_object().key("documents").begin_array();
    for (const model::Document& document : found) {
        open_document(writer, document, body.include);
        writer.member("version", document.version).end_object();
    }
    call.answer(std::move(writer.end_array().end_object()));
    return {};
}

Result<void> get_document(Call& call, service::Service& service) {
    constexpr model::Include kAll{.vector = true, .metadata = true};
    AKIDB_TRY(std::vector<model::DocumentId> ids, id_in_path(call));
    AKIDB_TRY(std::vector<model::Document> found,
              service.get_documents(call.context(), call.collection(), ids, kAll));
    if (found.empty()) {
        return Error(Code::kNotFound, "there is no document \"" + printable(ids[0].to_string()) + "\"")
            .with_field("id");
    }
    JsonWriter writer;
    open_document(writer, found[0], kAll);
    call.answer(std::move(writer.member("version", found[0].version).end_object()));
    return {};
}

Result<void> delete_document(const std::shared_ptr<Call>& call, service::Service& service) {
    AKIDB_TRY(take_write_key(*call, service));
    AKIDB_TRY(std::vector<model::DocumentId> ids, id_in_path(*call));
    service.delete_documents(call->context(), call->collection(), ids, answering(call, answer_delete));
    return {};
}

Result<void> delete_documents(const std::shared_ptr<Call>& call, service::Service& service,
                              const DeleteBody& body) {
    AKIDB_TRY(take_write_key(*call, service));
    if (const auto* ids = std::get_if<std::vector<model::DocumentId>>(&body.which)) {
        service.delete_documents(call->context(), call->collection(), *ids, answering(call, answer_delete));
        return {};
    }
    AKIDB_TRY(engine::WriteReply reply, service.delete_matching(call->context(), call->collection(),
                                                                std::get<model::Filter>(body.which)));
    answer_delete(*call, reply);
    return {};
}

Result<void> erase_documents(Call& call, service::Service& service) {
    AKIDB_TRY(service::refuse_write_key(call.request().idempotency_keys,
                                        "an erase is not remembered: sent again, it purges again"));
    AKIDB_TRY(DeleteBody body, read_delete_body(call.body()));
    const auto* ids = std::get_if<std::vector<model::DocumentId>>(&body.which);
    Result<service::EraseReceipt> receipt =
        ids != nullptr
            ? service.erase_documents(call.context(), call.collection(), *ids)
            : service.erase_matching(call.context(), call.collection(), std::get<model::Filter>(body.which));
    AKIDB_TRY(const service::EraseReceipt done, std::move(receipt));
    call.answer(HttpResponse{.body = write_erase_receipt(done)});
    return {};
}

}  // namespace akidb::rest
