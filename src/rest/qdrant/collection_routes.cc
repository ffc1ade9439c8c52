#include "rest/qdrant/collection_routes.h"

#include <string>
#include <vector>

#include "rest/qdrant/answer.h"
#include "rest/qdrant/collection_codec.h"

namespace akidb::rest::qdrant {
namespace {

Result<void> list_collections(Call& call, service::Service& service) {
    AKIDB_TRY(const auto list, service.list_collections(call.context()));
    answer(call, [&](JsonWriter& writer) {
        writer.begin_object().key("collections").begin_array();
        for (const service::CollectionDescription& one : list) {
            writer.begin_object().member("name", one.spec.name).end_object();
        }
        writer.end_array().end_object();
    });
    return {};
}

Result<void> describe_collection(Call& call, service::Service& service) {
    AKIDB_TRY(const auto found, service.describe_collection(call.context(), call.collection()));
    answer(call, [&](JsonWriter& writer) { write_collection(writer, found); });
    return {};
}

Result<void> create_collection(Call& call, service::Service& service) {
    AKIDB_TRY(service::CreateCollection request, read_create_body(call.body()));
    request.name = call.collection();
    AKIDB_TRY(service.create_collection(call.context(), request));
    answer_true(call);
    return {};
}

Result<void> update_collection(Call& call, service::Service& service) {
    AKIDB_TRY(read_update_body(call.body()));
    AKIDB_TRY(service.describe_collection(call.context(), call.collection()));
    answer_true(call);
    return {};
}

Result<void> delete_collection(Call& call, service::Service& service) {
    const Result<void> deleted = service.delete_collection(call.context(), call.collection());
    if (!deleted && deleted.error().code() != Code::kNotFound) {
        return deleted.error();
    }
    answer_true(call, deleted.has_value());
    return {};
}

Result<void> tell_existence(Call& call, service::Service& service) {
    const auto found = service.describe_collection(call.context(), call.collection());
    if (!found && found.error().code() != Code::kNotFound) {
        return found.error();
    }
    answer(call, [&](JsonWriter& writer) {
        writer.begin_object().member("exists", found.has_value()).end_object();
    });
    return {};
}

Result<void> put_index(Call& call, service::Service& service) {
    AKIDB_TRY(const model::MetadataField field, read_index_body(call.body()));
    AKIDB_TRY(service.put_metadata_index(call.context(), call.collection(), field));
    answer(call, [](JsonWriter& writer) { write_done(writer, 0); });
    return {};
}

Result<void> delete_index(Call& call, service::Service& service) {
    const Result<void> deleted =
        service.delete_metadata_index(call.context(), call.collection(), call.match().captured[1]);
    if (!deleted && deleted.error().field() != "field") {
        return deleted.error();
    }
    answer(call, [](JsonWriter& writer) { write_done(writer, 0); });
    return {};
}

Result<void> change_aliases(Call& call, service::Service& service) {
    AKIDB_TRY(const std::vector<service::AliasAction> actions, read_aliases_body(call.body()));
    AKIDB_TRY(service.change_aliases(call.context(), actions));
    answer_true(call);
    return {};
}

Result<void> list_aliases(Call& call, service::Service& service, bool of_one) {
    std::string name;
    if (of_one) {
        AKIDB_TRY(const auto found, service.describe_collection(call.context(), call.collection()));
        name = found.spec.name;
    }
    AKIDB_TRY(const std::vector<service::Alias> aliases, service.list_aliases(call.context()));
    answer(call, [&](JsonWriter& writer) {
        writer.begin_object().key("aliases").begin_array();
        for (const service::Alias& one : aliases) {
            if (!of_one || one.collection == name) {
                writer.begin_object()
                    .member("alias_name", one.alias)
                    .member("collection_name", one.collection)
                    .end_object();
            }
        }
        writer.end_array().end_object();
    });
    return {};
}

}  // namespace

Result<void> perform_on_collections(Call& call, service::Service& service) {
    switch (call.match().route->id) {
        case RouteId::kQdrantListCollections:
            return list_collections(call, service);
        case RouteId::kQdrantDescribe:
            return describe_collection(call, service);
        case RouteId::kQdrantCreate:
            return create_collection(call, service);
        case RouteId::kQdrantUpdate:
            return update_collection(call, service);
        case RouteId::kQdrantDelete:
            return delete_collection(call, service);
        case RouteId::kQdrantExists:
            return tell_existence(call, service);
        case RouteId::kQdrantPutIndex:
            return put_index(call, service);
        case RouteId::kQdrantDeleteIndex:
            return delete_index(call, service);
        case RouteId::kQdrantChangeAliases:
            return change_aliases(call, service);
        default:
            return list_aliases(call, service, call.match().route->id == RouteId::kQdrantCollectionAliases);
    }
}

}  // namespace akidb::rest::qdrant
