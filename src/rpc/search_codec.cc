#include "rpc/search_codec.h"

#include "model/limits.h"
#include "rpc/document_codec.h"
#include "rpc/filter_codec.h"
#include "rpc/message.h"
#include "rpc/value_codec.h"

namespace akidb::rpc {
namespace {

Result<void> read_params(const v1::SearchParams& from, model::SearchParams& to) {
    AKIDB_TRY(check_known(from));
    if (from.has_ef()) {
        to.ef = from.ef();
    }
    if (from.has_recall_target()) {
        to.recall_target = from.recall_target();
    }
    to.exact = from.exact();
    return {};
}

void write_explanation(const model::SearchExplanation& from, v1::Explanation& to) {
    to.set_plan(from.plan);
    to.set_estimated_matches(from.estimated_matches);
    to.set_estimated_cost_us(from.estimated_cost_us);
    to.set_actual_cost_us(from.actual_cost_us);
    to.set_distances(from.distances);
    to.set_candidates(from.candidates);
    to.set_abandoned(from.abandoned);
    to.set_ef(from.ef);
    if (from.estimated_recall) {
        to.set_estimated_recall(*from.estimated_recall);
    }
}

template <class Reply>
void write_matches(const model::SearchReply& reply, model::Include include, Reply& to) {
    to.mutable_matches()->Reserve(static_cast<int>(reply.matches.size()));
    for (const model::SearchMatch& match : reply.matches) {
        v1::SearchMatch& written = *to.add_matches();
        write_id(match.document.id, *written.mutable_id());
        written.set_score(match.score);
        if (include.vector) {
            write_floats(match.document.vector, *written.mutable_vector());
        }
        if (include.metadata) {
            const std::string& metadata = match.document.metadata;
            write_metadata(model::MetadataView(metadata.empty() ? model::empty_metadata() : metadata),
                           *written.mutable_metadata());
        }
    }
    if (reply.explanation) {
        write_explanation(*reply.explanation, *to.mutable_explain());
    }
}

}  // namespace

Result<model::SearchRequest> read_search(const v1::SearchRequest& request) {
    AKIDB_TRY(check_known(request));
    model::SearchRequest search;
    AKIDB_TRY(search.vector, read_vector(request.vector(), request.vector_bytes()));
    if (search.vector.empty()) {
        return invalid_argument("vector", "the field \"vector\" is missing", "an array of numbers");
    }
    if (request.has_top_k()) {
        search.top_k = request.top_k();
    }
    search.offset = request.offset();
    if (request.has_filter()) {
        AKIDB_TRY(model::Filter filter, read_filter(request.filter()));
        if (!filter.is_empty()) {
            search.filter = std::make_shared<const model::Filter>(std::move(filter));
        }
    }
    if (request.has_score_threshold()) {
        search.score_threshold = request.score_threshold();
    }
    AKIDB_TRY(check_known(request.include()));
    search.include = {.vector = request.include().vector(), .metadata = request.include().metadata()};
    if (request.has_params()) {
        AKIDB_TRY(read_params(request.params(), search.params));
    }
    search.explain = request.explain();
    return search;
}

Result<std::vector<model::SearchRequest>> read_searches(const v1::SearchBatchRequest& request) {
    AKIDB_TRY(check_known(request));
    if (static_cast<size_t>(request.searches_size()) > model::kBatchSearchesMax) {
        return invalid_argument("searches", "the list has too many items",
                                "at most " + std::to_string(model::kBatchSearchesMax) + " items");
    }
    std::vector<model::SearchRequest> searches;
    searches.reserve(static_cast<size_t>(request.searches_size()));
    for (int i = 0; i < request.searches_size(); ++i) {
        const v1::SearchRequest& one = request.searches(i);
        Result<model::SearchRequest> search =
            one.collection().empty() || one.collection() == request.collection()
                ? read_search(one)
                : invalid_argument("collection", "a batch searches one collection",
                                   "the collection of the batch, or nothing");
        if (!search) {
            return in_list(std::move(search).error(), "searches", static_cast<size_t>(i));
        }
        searches.push_back(std::move(search).value());
    }
    return searches;
}

void write_result(const model::SearchReply& reply, model::Include include, v1::SearchResponse& to) {
    write_matches(reply, include, to);
}

void write_result(const model::SearchReply& reply, model::Include include, v1::SearchResult& to) {
    write_matches(reply, include, to);
}

}  // namespace akidb::rpc
