#include "rest/collection_routes.h"

#include <utility>
#include <vector>

#include "rest/answer_codec.h"
#include "rest/request_codec.h"

namespace akidb::rest {

Result<void> create_collection(Call& call, service::Service& service) {
    AKIDB_TRY(service::CreateCollection request, read_create_body(call.body()));
    AKIDB_TRY(service::CollectionDescription made, service.create_collection(call.context(), request));
    JsonWriter writer;
    open_collection(writer, made);
    call.answer(std::move(writer.end_object()), 201);
    return {};
}

Result<void> list_collections(Call& call, service::Service& service) {
    AKIDB_TRY(std::vector<service::CollectionDescription> list, service.list_collections(call.context()));
    JsonWriter writer;
    writer.begin_object().key("collections").begin_array();
    for (const service::CollectionDescription& collection : list) {
        write_description(writer, collection);
    }
    call.answer(std::move(writer.end_array().end_object()));
    return {};
}

Result<void> describe_collection(Call& call, service::Service& service) {
    AKIDB_TRY(service::CollectionDescription found,
              service.describe_collection(call.context(), call.collection()));
    JsonWriter writer;
    write_description(writer, found);
    call.answer(std::move(writer));
    return {};
}

Result<void> change_collection(Call& call, service::Service& service) {
    AKIDB_TRY(const model::CollectionChange change, read_change_body(call.body()));
    AKIDB_TRY(const service::CollectionDescription changed,
              service.change_collection(call.context(), call.collection(), change));
    JsonWriter writer;
    write_description(writer, changed);
    call.answer(std::move(writer));
    return {};
}

Result<void> delete_collection(Call& call, service::Service& service) {
    AKIDB_TRY(service.delete_collection(call.context(), call.collection()));
    JsonWriter writer;
    writer.begin_object().member("deleted", true).end_object();
    call.answer(std::move(writer));
    return {};
}

Result<void> put_metadata_index(Call& call, service::Service& service) {
    AKIDB_TRY(const model::MetadataIndexType type, read_metadata_index_body(call.body()));
    const model::MetadataField field{call.match().captured[1], type};
    AKIDB_TRY(service.put_metadata_index(call.context(), call.collection(), field));
    JsonWriter writer;
    writer.begin_object().member("field", field.key).member("type", model::name_of(type)).end_object();
    call.answer(std::move(writer));
    return {};
}

Result<void> delete_metadata_index(Call& call, service::Service& service) {
    AKIDB_TRY(service.delete_metadata_index(call.context(), call.collection(), call.match().captured[1]));
    JsonWriter writer;
    writer.begin_object().member("deleted", true).end_object();
    call.answer(std::move(writer));
    return {};
}

Result<void> optimize(Call& call, service::Service& service) {
    AKIDB_TRY(const engine::RewriteReport report, service.optimize(call.context(), call.collection()));
    JsonWriter writer;
    writer.begin_object().member("dropped_rows", report.dropped_rows).member("took_ms", call.elapsed_ms());
    call.answer(std::move(writer.end_object()));
    return {};
}

Result<void> list_aliases(Call& call, service::Service& service) {
    AKIDB_TRY(const std::vector<service::Alias> aliases, service.list_aliases(call.context()));
    JsonWriter writer;
    writer.begin_object().key("aliases").begin_array();
    for (const service::Alias& one : aliases) {
        writer.begin_object().member("alias", one.alias).member("collection", one.collection).end_object();
    }
    call.answer(std::move(writer.end_array().end_object()));
    return {};
}

Result<void> change_aliases(Call& call, service::Service& service) {
    AKIDB_TRY(const std::vector<service::AliasAction> actions, read_aliases_body(call.body()));
    AKIDB_TRY(service.change_aliases(call.context(), actions));
    return list_aliases(call, service);
}

}  // namespace akidb::rest
