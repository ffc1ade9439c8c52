#include "rest/qdrant/query_routes.h"

#include <utility>
#include <vector>

#include "rest/answer_codec.h"
#include "rest/qdrant/answer.h"
#include "rest/qdrant/point_codec.h"
#include "rest/qdrant/query_codec.h"
#include "rest/qdrant/scroll_codec.h"

namespace akidb::rest::qdrant {
namespace {

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

}  // namespace

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

}  // namespace akidb::rest::qdrant
