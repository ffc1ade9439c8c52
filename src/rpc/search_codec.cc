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
}

void write_matches(const std::vector<model::SearchMatch>& matches, model::Include include,
                   google::protobuf::RepeatedPtrField<v1::SearchMatch>& to) {
    to.Reserve(static_cast<int>(matches.size()));
    for (const model::SearchMatch& match : matches) {
        v1::SearchMatch& written = *to.Add();
        write_id(match.document.id, *written.mutable_id());
        written.set_score(match.score);
        if (include.vector) {
            write_floats(match.document.vector, *written.mutable_vector());
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
void write_reply(const model::SearchReply& reply, model::Include include, Reply& to) {
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

/// Vector, id or examples.
Result<void> read_target(const v1::SearchRequest& from, model::SearchRequest& to) {
    AKIDB_TRY(to.vector, read_vector(from.vector(), from.vector_bytes()));
    const int targets =
        (to.vector.empty() ? 0 : 1) + (from.has_id() ? 1 : 0) + (from.positive().empty() ? 0 : 1);
    if (targets > 1) {
        return invalid_argument("vector", "the search has more than one of vector, id and positive",
                                "one of the three");
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

Result<void> read_deadline(const v1::SearchRequest& from, const SearchTimes& times,
                           model::SearchRequest& to) {
    to.deadline_us = times.deadline_us;
    if (!from.has_deadline_ms()) {
        return {};
    }
    if (from.deadline_ms() < 1 || from.deadline_ms() > model::kDeadlineMsMax) {
        return invalid_argument("deadline_ms", "the number is out of range",
                                "1.." + std::to_string(model::kDeadlineMsMax));
    }
    const uint64_t asked_us = times.received_us + uint64_t{from.deadline_ms()} * 1'000;
    to.deadline_us = to.deadline_us ? std::min(*to.deadline_us, asked_us) : asked_us;
    return {};
}

}  // namespace

Result<model::SearchRequest> read_search(const v1::SearchRequest& request, const SearchTimes& times) {
    AKIDB_TRY(check_known(request));
    model::SearchRequest search;
    AKIDB_TRY(read_target(request, search));
    if (request.has_top_k()) {
        search.top_k = request.top_k();
    }
    search.offset = request.offset();
    AKIDB_TRY(search.filter, read_shared_filter(request));
    if (request.has_score_threshold()) {
        search.score_threshold = request.score_threshold();
    }
    AKIDB_TRY(check_known(request.include()));
    search.include = {.vector = request.include().vector(), .metadata = request.include().metadata()};
    if (request.has_params()) {
        AKIDB_TRY(read_params(request.params(), search.params));
    }
    search.explain = request.explain();
    AKIDB_TRY(read_composition(request, search));
    AKIDB_TRY(read_deadline(request, times, search));
    return search;
}

Result<std::vector<model::SearchRequest>> read_searches(const v1::SearchBatchRequest& request,
                                                        const SearchTimes& times) {
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

void write_result(const model::SearchReply& reply, model::Include include, v1::SearchResponse& to) {
    write_reply(reply, include, to);
}

void write_result(const model::SearchReply& reply, model::Include include, v1::SearchResult& to) {
    write_reply(reply, include, to);
}

}  // namespace akidb::rpc
