#include "rest/qdrant/routes.h"

#include <algorithm>
#include <array>
#include <future>
#include <utility>
#include <vector>

#include "model/limits.h"
#include "rest/answering.h"
#include "rest/qdrant/collection_codec.h"
#include "rest/qdrant/point_codec.h"
#include "rest/qdrant/query_codec.h"

namespace akidb::rest::qdrant {
namespace {

constexpr std::array<std::string_view, 4> kParameters{"wait", "ordering", "timeout", "consistency"};

/// The answer around a result: result(write).
template <class WriteResult>
void answer(Call& call, WriteResult result) {
    JsonWriter writer;
    writer.begin_object().key("result");
    result(writer);
    writer.member("status", "ok").member("time", call.elapsed_ms() / 1e3).end_object();
    call.answer(std::move(writer));
}

void answer_true(Call& call, bool what = true) {
    answer(call, [&](JsonWriter& writer) { writer.value(what); });
}

// Every write is durable and visible when it is answered, whatever `wait` says.
void write_done(JsonWriter& writer, uint64_t sequence) {
    writer.begin_object().member("operation_id", sequence).member("status", "completed").end_object();
}

engine::WriteDone answering_update(std::shared_ptr<Call> call) {
    return answering(std::move(call), [](Call& later, const engine::WriteReply& reply) {
        answer(later, [&](JsonWriter& writer) { write_done(writer, reply.sequence); });
    });
}

// ---- collections -----------------------------------------------------------------------------------------

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

// ---- points ----------------------------------------------------------------------------------------------

Result<void> upsert(const std::shared_ptr<Call>& call, service::Service& service) {
    AKIDB_TRY(std::vector<model::Document> documents, read_upsert_body(call->body()));
    call->body() = std::string();
    service.upsert_documents(call->context(), call->collection(), std::move(documents),
                             answering_update(call));
    return {};
}

Result<void> update(const std::shared_ptr<Call>& call, service::Service& service,
                    Result<model::UpdateRequest> request) {
    AKIDB_TRY(model::UpdateRequest change, std::move(request));
    service.update_documents(call->context(), call->collection(), std::move(change), answering_update(call));
    return {};
}

Result<void> delete_points(const std::shared_ptr<Call>& call, service::Service& service) {
    AKIDB_TRY(const Selector selector, read_selector_body(call->body()));
    if (const auto* ids = std::get_if<std::vector<model::DocumentId>>(&selector)) {
        if (ids->empty()) {
            answer(*call, [](JsonWriter& writer) { write_done(writer, 0); });
            return {};
        }
        service.delete_documents(call->context(), call->collection(), *ids, answering_update(call));
        return {};
    }
    const auto& filter = *std::get_if<std::shared_ptr<const model::Filter>>(&selector);
    AKIDB_TRY(const engine::WriteReply reply,
              service.delete_matching(call->context(), call->collection(),
                                      filter == nullptr ? model::Filter{} : *filter));
    answer(*call, [&](JsonWriter& writer) { write_done(writer, reply.sequence); });
    return {};
}

/// One operation of a batch, waited for.
Result<engine::WriteReply> run(Call& call, service::Service& service, Operation operation) {
    std::promise<Result<engine::WriteReply>> promise;
    std::future<Result<engine::WriteReply>> reply = promise.get_future();
    const auto done = [&](Result<engine::WriteReply> outcome) { promise.set_value(std::move(outcome)); };
    if (auto* documents = std::get_if<std::vector<model::Document>>(&operation)) {
        service.upsert_documents(call.context(), call.collection(), std::move(*documents), done);
    } else if (auto* change = std::get_if<model::UpdateRequest>(&operation)) {
        service.update_documents(call.context(), call.collection(), std::move(*change), done);
    } else {
        const Selector& selector = *std::get_if<Selector>(&operation);
        if (const auto* ids = std::get_if<std::vector<model::DocumentId>>(&selector)) {
            service.delete_documents(call.context(), call.collection(), *ids, done);
        } else {
            const auto& filter = *std::get_if<std::shared_ptr<const model::Filter>>(&selector);
            return service.delete_matching(call.context(), call.collection(),
                                           filter == nullptr ? model::Filter{} : *filter);
        }
    }
    return reply.get();
}

Result<void> run_batch(Call& call, service::Service& service) {
    AKIDB_TRY(std::vector<Operation> operations, read_batch_body(call.body()));
    std::vector<uint64_t> sequences;
    for (Operation& operation : operations) {
        Result<engine::WriteReply> reply = run(call, service, std::move(operation));
        if (!reply) {
            return std::move(reply).error().with_field_prefix("operations[" +
                                                              std::to_string(sequences.size()) + "]");
        }
        sequences.push_back(reply->sequence);
    }
    answer(call, [&](JsonWriter& writer) {
        writer.begin_array();
        for (const uint64_t sequence : sequences) {
            write_done(writer, sequence);
        }
        writer.end_array();
    });
    return {};
}

Result<void> retrieve(Call& call, service::Service& service) {
    AKIDB_TRY(const Retrieval retrieval, read_retrieval_body(call.body()));
    std::vector<model::Document> found;
    if (!retrieval.ids.empty()) {
        AKIDB_TRY(found, service.get_documents(call.context(), call.collection(), retrieval.ids,
                                               retrieval.parts.include()));
    }
    answer(call, [&](JsonWriter& writer) {
        writer.begin_array();
        for (const model::Document& document : found) {
            write_point(writer, document, retrieval.parts);
        }
        writer.end_array();
    });
    return {};
}

Result<void> get_point(Call& call, service::Service& service) {
    Result<model::DocumentId> id = model::DocumentId::from_path(call.match().captured[1]);
    if (!id) {
        return std::move(id).error().with_field("id");
    }
    const PointParts parts{.vector = true, .payload = true};
    AKIDB_TRY(const auto found,
              service.get_documents(call.context(), call.collection(), {*id}, parts.include()));
    if (found.empty()) {
        return Error(Code::kNotFound, "Not found: Point with id " + id->to_string() + " does not exists!");
    }
    answer(call, [&](JsonWriter& writer) { write_point(writer, found[0], parts); });
    return {};
}

// ---- reads -----------------------------------------------------------------------------------------------

void write_page(JsonWriter& writer, const model::ScrollReply& reply, const PointParts& parts) {
    writer.begin_object().key("points").begin_array();
    for (const model::Document& document : reply.documents) {
        write_point(writer, document, parts);
    }
    writer.end_array().key("next_page_offset");
    if (reply.next && !reply.next->value) {
        write_id(writer, reply.next->id);
    } else {
        writer.null();
    }
    writer.end_object();
}

Result<void> scroll(Call& call, service::Service& service) {
    AKIDB_TRY(const Page page, read_scroll_body(call.body()));
    AKIDB_TRY(const model::ScrollReply reply,
              service.scroll(call.context(), call.collection(), page.request));
    answer(call, [&](JsonWriter& writer) { write_page(writer, reply, page.parts); });
    return {};
}

Result<void> count(Call& call, service::Service& service) {
    AKIDB_TRY(const Count body, read_count_body(call.body()));
    AKIDB_TRY(const uint64_t counted,
              service.count_documents(call.context(), call.collection(), body.filter.get(), body.is_exact));
    answer(call, [&](JsonWriter& writer) { writer.begin_object().member("count", counted).end_object(); });
    return {};
}

Result<void> facet(Call& call, service::Service& service) {
    AKIDB_TRY(const model::FacetRequest request, read_facet_body(call.body()));
    AKIDB_TRY(const model::FacetReply reply, service.facet(call.context(), call.collection(), request));
    answer(call, [&](JsonWriter& writer) {
        writer.begin_object().key("hits").begin_array();
        for (const model::FacetCount& hit : reply.counts) {
            writer.begin_object().key("value");
            write_value(writer, hit.value);
            writer.member("count", hit.count).end_object();
        }
        writer.end_array().end_object();
    });
    return {};
}

/// The points that a query finds, whichever kind it is.
Result<model::SearchReply> find(Call& call, service::Service& service, const Query& query) {
    if (const auto* search = std::get_if<model::SearchRequest>(&query.request)) {
        return service.search(call.context(), call.collection(), *search);
    }
    const auto& page = *std::get_if<model::ScrollRequest>(&query.request);
    AKIDB_TRY(model::ScrollReply reply, service.scroll(call.context(), call.collection(), page));
    model::SearchReply found;
    for (model::Document& document : reply.documents) {
        found.matches.push_back({.document = std::move(document), .score = 0});
    }
    return found;
}

void write_matches(JsonWriter& writer, const std::vector<model::SearchMatch>& matches,
                   const PointParts& parts) {
    writer.begin_array();
    for (const model::SearchMatch& match : matches) {
        write_match(writer, match, parts);
    }
    writer.end_array();
}

/// points/query wraps its points in an object, what it took the place of does not.
void write_found(JsonWriter& writer, const model::SearchReply& found, const Query& query, QueryForm form) {
    if (form != QueryForm::kQuery) {
        return write_matches(writer, found.matches, query.parts);
    }
    writer.begin_object().key("points");
    write_matches(writer, found.matches, query.parts);
    writer.end_object();
}

Result<void> query_one(Call& call, service::Service& service, QueryForm form) {
    AKIDB_TRY(const Query query, read_query_body(call.body(), form));
    AKIDB_TRY(const model::SearchReply found, find(call, service, query));
    answer(call, [&](JsonWriter& writer) { write_found(writer, found, query, form); });
    return {};
}

Result<void> query_batch(Call& call, service::Service& service, QueryForm form) {
    AKIDB_TRY(const std::vector<Query> queries, read_query_batch_body(call.body(), form));
    std::vector<model::SearchReply> found;
    for (const Query& query : queries) {
        Result<model::SearchReply> reply = find(call, service, query);
        if (!reply) {
            return std::move(reply).error().with_field_prefix("searches[" + std::to_string(found.size()) +
                                                              "]");
        }
        found.push_back(std::move(*reply));
    }
    answer(call, [&](JsonWriter& writer) {
        writer.begin_array();
        for (size_t i = 0; i < queries.size(); ++i) {
            write_found(writer, found[i], queries[i], form);
        }
        writer.end_array();
    });
    return {};
}

Result<void> query_groups(Call& call, service::Service& service, QueryForm form) {
    AKIDB_TRY(const Query query, read_query_groups_body(call.body(), form));
    AKIDB_TRY(const model::SearchReply found, find(call, service, query));
    answer(call, [&](JsonWriter& writer) {
        writer.begin_object().key("groups").begin_array();
        for (const model::SearchGroup& group : found.groups) {
            writer.begin_object().key("id");
            write_value(writer, group.value);
            writer.key("hits");
            write_matches(writer, group.matches, query.parts);
            writer.end_object();
        }
        writer.end_array().end_object();
    });
    return {};
}

Result<void> perform_read(Call& call, service::Service& service) {
    switch (call.match().route->id) {
        case RouteId::kQdrantScroll:
            return scroll(call, service);
        case RouteId::kQdrantCount:
            return count(call, service);
        case RouteId::kQdrantFacet:
            return facet(call, service);
        case RouteId::kQdrantQuery:
            return query_one(call, service, QueryForm::kQuery);
        case RouteId::kQdrantQueryBatch:
            return query_batch(call, service, QueryForm::kQuery);
        case RouteId::kQdrantQueryGroups:
            return query_groups(call, service, QueryForm::kQuery);
        case RouteId::kQdrantSearch:
            return query_one(call, service, QueryForm::kSearch);
        case RouteId::kQdrantSearchBatch:
            return query_batch(call, service, QueryForm::kSearch);
        case RouteId::kQdrantSearchGroups:
            return query_groups(call, service, QueryForm::kSearch);
        case RouteId::kQdrantRecommend:
            return query_one(call, service, QueryForm::kRecommend);
        case RouteId::kQdrantRecommendBatch:
            return query_batch(call, service, QueryForm::kRecommend);
        case RouteId::kQdrantRecommendGroups:
            return query_groups(call, service, QueryForm::kRecommend);
        case RouteId::kQdrantRetrieve:
            return retrieve(call, service);
        default:
            return get_point(call, service);
    }
}

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

}  // namespace

HttpResponse error_answer(const Error& error, std::string_view request_id) {
    HttpResponse response = rest::error_answer(error, request_id);
    std::string message = error.message();
    if (!error.field().empty()) {
        message.insert(0, error.field() + ": ");
    }
    if (!error.allowed().empty()) {
        message.append(" (allowed: ").append(error.allowed()).append(")");
    }
    JsonWriter writer;
    writer.begin_object().key("status").begin_object().member("error", message).end_object();
    writer.member("time", 0.0).end_object();
    response.body = std::move(writer).take();
    return response;
}

bool is_quick(RouteId route, size_t body_bytes) {
    switch (route) {
        case RouteId::kQdrantListCollections:
        case RouteId::kQdrantDescribe:
        case RouteId::kQdrantExists:
        case RouteId::kQdrantPoint:
            return true;
        case RouteId::kQdrantUpsert:
        case RouteId::kQdrantSetPayload:
        case RouteId::kQdrantOverwritePayload:
        case RouteId::kQdrantDeletePayload:
        case RouteId::kQdrantClearPayload:
        case RouteId::kQdrantVectors:
            return body_bytes <= service::Service::kQuickRequestBytesMax;
        default:
            return false;
    }
}

Result<void> perform(const std::shared_ptr<Call>& call, service::Service& service) {
    AKIDB_TRY(parse_query(call->request().query, kParameters));
    std::string& body = call->body();
    const RouteId route = call->match().route->id;
    switch (route) {
        case RouteId::kQdrantUpsert:
            return upsert(call, service);
        case RouteId::kQdrantDeletePoints:
            return delete_points(call, service);
        case RouteId::kQdrantSetPayload:
            return update(call, service, read_payload_body(body, PayloadOperation::kSet));
        case RouteId::kQdrantOverwritePayload:
            return update(call, service, read_payload_body(body, PayloadOperation::kOverwrite));
        case RouteId::kQdrantDeletePayload:
            return update(call, service, read_payload_body(body, PayloadOperation::kDelete));
        case RouteId::kQdrantClearPayload:
            return update(call, service, read_payload_body(body, PayloadOperation::kClear));
        case RouteId::kQdrantVectors:
            return update(call, service, read_vectors_body(body));
        case RouteId::kQdrantBatch:
            return run_batch(*call, service);
        default:
            return route >= RouteId::kQdrantRetrieve ? perform_read(*call, service)
                                                     : perform_on_collections(*call, service);
    }
}

}  // namespace akidb::rest::qdrant
