#include "rpc/search_codec.h"

#include <algorithm>

#include "model/limits.h"
#include "rpc/document_codec.h"
#include "rpc/filter_codec.h"
#include "rpc/message.h"
#include "rpc/moment_codec.h"
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
    to.set_round_trips(from.round_trips);
    to.set_fetched_bytes(from.fetched_bytes);
}

void write_matches(const std::vector<model::SearchMatch>& matches, const model::Include& include,
                   google::protobuf::RepeatedPtrField<v1::SearchMatch>& to) {
    to.Reserve(static_cast<int>(matches.size()));
    for (const model::SearchMatch& match : matches) {
        v1::SearchMatch& written = *to.Add();
        write_id(match.document.id, *written.mutable_id());
        written.set_score(match.score);
        if (include.has_any_vector()) {
            write_floats(match.document.vector, *written.mutable_vector());
            write_named_vectors(match.document.vectors, *written.mutable_vectors());
        }
        if (include.metadata) {
            const std::string& metadata = match.document.metadata;
            write_metadata(model::MetadataView(metadata.empty() ? model::empty_metadata() : metadata),
                           *written.mutable_metadata());
            if (match.document.expires_at_ms > 0) {
                write_moment(match.document.expires_at_ms, *written.mutable_expires_at());
            }
        }
    }
}

template <class Reply>
void write_reply(const model::SearchReply& reply, const model::Include& include, Reply& to) {
    write_matches(reply.matches, include, *to.mutable_matches());
    for (const model::SearchGroup& group : reply.groups) {
        v1::SearchGroup& written = *to.add_groups();
        write_value(group.value, *written.mutable_value());
        write_matches(group.matches, include, *written.mutable_matches());
    }
    to.set_partial(reply.partial);
    if (reply.explanation) {
        write_explanation(*reply.explanation, *to.mutable_explain());
    }
}

Result<model::Example> read_example(const v1::Example& from) {
    AKIDB_TRY(check_known(from));
    if (from.has_vector()) {
        AKIDB_TRY(check_known(from.vector()));
        Result<std::vector<float>> vector = read_vector(from.vector().values(), {});
        if (!vector) {
            return std::move(vector).error().with_field("");
        }
        return model::Example(std::move(vector).value());
    }
    Result<model::DocumentId> id = read_id(from.id());
    if (!id) {
        return std::move(id).error().with_field("");
    }
    return model::Example(std::move(id).value());
}

Result<std::vector<model::Example>> read_examples(const google::protobuf::RepeatedPtrField<v1::Example>& from,
                                                  std::string_view name) {
    if (static_cast<size_t>(from.size()) > model::kExamplesMax) {
        return invalid_argument(std::string(name), "the list has too many items",
                                "at most " + std::to_string(model::kExamplesMax) + " items");
    }
    std::vector<model::Example> examples;
    examples.reserve(static_cast<size_t>(from.size()));
    for (int i = 0; i < from.size(); ++i) {
        Result<model::Example> example = read_example(from[i]);
        if (!example) {
            return in_list(std::move(example).error(), name, static_cast<size_t>(i));
        }
        examples.push_back(std::move(example).value());
    }
    return examples;
}

/// Vector, id or examples, of a search or a query of a fusion.
template <class From, class To>
Result<void> read_target(const From& from, To& to) {
    to.vector_name = from.using_();
    AKIDB_TRY(to.vector, read_vector(from.vector(), from.vector_bytes()));
    const int targets =
        (to.vector.empty() ? 0 : 1) + (from.has_id() ? 1 : 0) + (from.positive().empty() ? 0 : 1);
    if (targets > 1) {
        return invalid_argument("vector", "the search has more than one of vector, id, positive and fusion",
                                "one of them");
    }
    if (targets == 0) {
        return invalid_argument("vector", "the field \"vector\" is missing",
                                "an array of numbers; or id, or positive");
    }
    if (from.has_id()) {
        Result<model::DocumentId> id = read_id(from.id());
        if (!id) {
            return std::move(id).error().with_field("id");
        }
        if (!from.negative().empty()) {
            return invalid_argument("negative", "negative goes with positive", "positive in place of id");
        }
        to.examples.positive = {std::move(id).value()};
        to.examples.is_one_id = true;
        return {};
    }
    AKIDB_TRY(to.examples.positive, read_examples(from.positive(), "positive"));
    AKIDB_TRY(to.examples.negative, read_examples(from.negative(), "negative"));
    return {};
}

Result<model::FusedQuery> read_fused_query(const v1::FusedQuery& from) {
    AKIDB_TRY(check_known(from));
    model::FusedQuery query;
    AKIDB_TRY(read_target(from, query));
    if (from.has_top_k()) {
        query.top_k = from.top_k();
        if (query.top_k == 0) {
            return invalid_argument("top_k", "the number is out of range",
                                    "1.." + std::to_string(model::kTopKMax));
        }
    }
    AKIDB_TRY(query.filter, read_shared_filter(from));
    if (from.has_score_threshold()) {
        query.score_threshold = from.score_threshold();
    }
    if (from.has_params()) {
        AKIDB_TRY(read_params(from.params(), query.params));
    }
    return query;
}

Result<model::Fusion> read_fusion(const v1::Fusion& from) {
    AKIDB_TRY(check_known(from));
    if (!v1::FusionMethod_IsValid(from.method())) {
        return invalid_argument("fusion.method", "unknown method " + std::to_string(from.method()), "rrf");
    }
    model::Fusion fusion;
    if (from.has_k()) {
        fusion.k = from.k();
    }
    if (static_cast<size_t>(from.queries_size()) > model::kFusedQueriesMax) {
        return invalid_argument("fusion.queries", "the list has too many items",
                                "at most " + std::to_string(model::kFusedQueriesMax) + " items");
    }
    for (int i = 0; i < from.queries_size(); ++i) {
        Result<model::FusedQuery> query = read_fused_query(from.queries(i));
        if (!query) {
            return in_list(std::move(query).error(), "fusion.queries", static_cast<size_t>(i));
        }
        fusion.queries.push_back(std::move(query).value());
    }
    return fusion;
}

/// What the search goes by.
Result<void> read_goal(const v1::SearchRequest& from, model::SearchRequest& to) {
    if (!from.has_fusion()) {
        return read_target(from, to);
    }
    if (!from.vector().empty() || !from.vector_bytes().empty() || from.has_id() || !from.positive().empty() ||
        !from.negative().empty()) {
        return invalid_argument("vector", "the search has more than one of vector, id, positive and fusion",
                                "one of them");
    }
    to.vector_name = from.using_();  // refused beside a fusion, by its name
    AKIDB_TRY(to.fusion, read_fusion(from.fusion()));
    return {};
}

Result<void> read_composition(const v1::SearchRequest& from, model::SearchRequest& to) {
    if (from.has_group_by()) {
        AKIDB_TRY(check_known(from.group_by()));
        if (from.group_by().key().empty()) {
            return invalid_argument("group_by", "the group has no key", "a key, and a size");
        }
        to.group_by = model::GroupBy{.key = from.group_by().key()};
        if (from.group_by().has_size()) {
            to.group_by->size = from.group_by().size();
        }
    }
    if (from.has_diversity()) {
        AKIDB_TRY(check_known(from.diversity()));
        to.diversity.emplace();
        if (from.diversity().has_weight()) {
            to.diversity->weight = from.diversity().weight();
        }
        if (from.diversity().has_candidates()) {
            if (from.diversity().candidates() == 0) {
                return invalid_argument("diversity.candidates", "the number is out of range",
                                        "1.." + std::to_string(model::kDiversityCandidatesMax));
            }
            to.diversity->candidates = from.diversity().candidates();
        }
    }
    return {};
}

}  // namespace

Result<model::SearchRequest> read_search(const v1::SearchRequest& request, const RequestTimes& times) {
    AKIDB_TRY(check_known(request));
    model::SearchRequest search;
    AKIDB_TRY(read_goal(request, search));
    if (request.has_top_k()) {
        search.top_k = request.top_k();
    }
    search.offset = request.offset();
    AKIDB_TRY(search.filter, read_shared_filter(request));
    if (request.has_score_threshold()) {
        search.score_threshold = request.score_threshold();
    }
    AKIDB_TRY(search.include, read_include(request.include()));
    if (request.has_params()) {
        AKIDB_TRY(read_params(request.params(), search.params));
    }
    search.explain = request.explain();
    AKIDB_TRY(read_composition(request, search));
    AKIDB_TRY(search.deadline_us, read_deadline(request, times));
    return search;
}

Result<std::vector<model::SearchRequest>> read_searches(const v1::SearchBatchRequest& request,
                                                        const RequestTimes& times) {
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
                ? read_search(one, times)
                : invalid_argument("collection", "a batch searches one collection",
                                   "the collection of the batch, or nothing");
        if (!search) {
            return in_list(std::move(search).error(), "searches", static_cast<size_t>(i));
        }
        searches.push_back(std::move(search).value());
    }
    return searches;
}

void write_result(const model::SearchReply& reply, const model::Include& include, v1::SearchResponse& to) {
    write_reply(reply, include, to);
}

void write_result(const model::SearchReply& reply, const model::Include& include, v1::SearchResult& to) {
    write_reply(reply, include, to);
}

}  // namespace akidb::rpc
