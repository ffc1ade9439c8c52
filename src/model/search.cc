#include "model/search.h"

#include <cmath>
#include <string_view>
#include <utility>

#include "model/limits.h"

namespace akidb::model {
namespace {

Error out_of_range(std::string field, uint32_t given, uint32_t lowest, uint32_t highest) {
    std::string message = field + " is " + std::to_string(given);
    return invalid_argument(std::move(field), std::move(message),
                            std::to_string(lowest) + ".." + std::to_string(highest));
}

Result<void> validate_examples(const Examples& examples, const VectorSpec& spec) {
    if (examples.positive.empty()) {
        return invalid_argument("positive", "there is nothing to be like",
                                "1.." + std::to_string(kExamplesMax) + " ids or vectors");
    }
    if (examples.positive.size() + examples.negative.size() > kExamplesMax) {
        return invalid_argument("negative", "too many examples",
                                "at most " + std::to_string(kExamplesMax) + " ids or vectors in all");
    }
    for (const auto& [list, name] :
         {std::pair{&examples.positive, "positive"}, std::pair{&examples.negative, "negative"}}) {
        for (size_t i = 0; i < list->size(); ++i) {
            const auto* vector = std::get_if<std::vector<float>>(&(*list)[i]);
            if (vector == nullptr) {
                continue;
            }
            if (const Result<void> valid = validate_vector(spec, *vector); !valid) {
                return invalid_argument(std::string(name) + "[" + std::to_string(i) + "]",
                                        valid.error().message(), valid.error().allowed());
            }
        }
    }
    return {};
}

Result<void> validate_group_by(const SearchRequest& request) {
    const GroupBy& group_by = *request.group_by;
    if (group_by.key.empty() || group_by.key.size() > kFilterKeyBytesMax) {
        return invalid_argument("group_by.key", "not a path of metadata",
                                "1.." + std::to_string(kFilterKeyBytesMax) + " bytes");
    }
    if (group_by.size < 1 || group_by.size > kGroupSizeMax) {
        return out_of_range("group_by.size", group_by.size, 1, kGroupSizeMax);
    }
    if (request.top_k > kGroupsMax) {
        return out_of_range("top_k", request.top_k, 1, kGroupsMax);
    }
    if (uint64_t{request.top_k} * group_by.size > kTopKMax) {
        return invalid_argument("group_by.size",
                                std::to_string(request.top_k) + " groups of " + std::to_string(group_by.size),
                                "top_k · group_by.size of at most " + std::to_string(kTopKMax));
    }
    if (request.offset > 0 || request.diversity) {
        return invalid_argument(request.offset > 0 ? "offset" : "diversity",
                                "groups have neither pages nor diversity", "without group_by");
    }
    return {};
}

Result<void> validate_diversity(const SearchRequest& request) {
    const Diversity& diversity = *request.diversity;
    if (!(diversity.weight >= 0 && diversity.weight <= 1)) {
        return invalid_argument("diversity.weight", "out of range", "0..1");
    }
    const uint32_t wanted = request.top_k + request.offset;
    if (wanted > kDiversityCandidatesMax) {
        return invalid_argument("top_k", "diversity compares each with each",
                                "offset + top_k of at most " + std::to_string(kDiversityCandidatesMax));
    }
    if (diversity.candidates != 0 &&
        (diversity.candidates < wanted || diversity.candidates > kDiversityCandidatesMax)) {
        return out_of_range("diversity.candidates", diversity.candidates, wanted, kDiversityCandidatesMax);
    }
    return {};
}

Result<void> validate_target(const std::vector<float>& vector, const Examples& examples,
                             const CollectionSpec& collection, std::string_view name) {
    AKIDB_TRY(const VectorSpec spec, find_vector(collection, name, "using"));
    if (examples.is_empty()) {
        return validate_vector(spec, vector);
    }
    return vector.empty()
               ? validate_examples(examples, spec)
               : invalid_argument("vector", "the search has a vector and examples", "one of the two");
}

Result<void> validate_params(const SearchParams& params) {
    if (const auto& target = params.recall_target;
        target && !(*target >= kRecallTargetMin && *target <= kRecallTargetMax)) {
        return invalid_argument("params.recall_target", "out of range", "0.80..0.999");
    }
    if (params.ef && (*params.ef < 1 || *params.ef > kEfMax)) {
        return out_of_range("params.ef", *params.ef, 1, kEfMax);
    }
    return {};
}

Result<void> validate_threshold(const std::optional<float>& threshold) {
    return !threshold || std::isfinite(*threshold)
               ? Result<void>()
               : invalid_argument("score_threshold", "the threshold is not a finite number",
                                  "a finite number");
}

Result<void> validate_fused(const FusedQuery& query, const CollectionSpec& spec) {
    if (query.top_k > kTopKMax) {
        return out_of_range("top_k", query.top_k, 1, kTopKMax);
    }
    AKIDB_TRY(validate_params(query.params));
    AKIDB_TRY(validate_threshold(query.score_threshold));
    AKIDB_TRY(validate_target(query.vector, query.examples, spec, query.vector_name));
    return query.filter == nullptr ? Result<void>() : validate(*query.filter);
}

Result<void> validate_fusion(const SearchRequest& request, const CollectionSpec& spec) {
    const Fusion& fusion = *request.fusion;
    if (fusion.queries.empty() || fusion.queries.size() > kFusedQueriesMax) {
        return invalid_argument("fusion.queries", std::to_string(fusion.queries.size()) + " queries",
                                "1.." + std::to_string(kFusedQueriesMax));
    }
    if (fusion.k > kFusionConstantMax) {
        return out_of_range("fusion.k", fusion.k, 0, kFusionConstantMax);
    }
    const std::pair<bool, const char*> kOthers[] = {{!request.vector.empty(), "vector"},
                                                    {!request.examples.is_empty(), "positive"},
                                                    {!request.vector_name.empty(), "using"},
                                                    {request.group_by.has_value(), "group_by"},
                                                    {request.diversity.has_value(), "diversity"},
                                                    {request.score_threshold.has_value(), "score_threshold"},
                                                    {request.explain, "explain"}};
    for (const auto& [is_there, name] : kOthers) {
        if (is_there) {
            return invalid_argument(name, "a fusion has no " + std::string(name) + " beside it",
                                    "fusion with top_k, offset, filter, include and deadline_ms");
        }
    }
    uint64_t documents = 0;
    for (size_t i = 0; i < fusion.queries.size(); ++i) {
        const std::string place = "fusion.queries[" + std::to_string(i) + "]";
        if (Result<void> valid = validate_fused(fusion.queries[i], spec); !valid) {
            return std::move(valid).error().with_field_prefix(place);
        }
        documents += fusion.queries[i].top_k;
        if (documents > kTopKMax) {
            return invalid_argument(place + ".top_k", "the queries ask for too many documents",
                                    "at most " + std::to_string(kTopKMax) + " in all");
        }
    }
    return {};
}

}  // namespace

Result<void> validate(const SearchRequest& request, const CollectionSpec& spec) {
    if (request.top_k < 1 || request.top_k > kTopKMax) {
        return out_of_range("top_k", request.top_k, 1, kTopKMax);
    }
    if (request.offset > kOffsetMax) {
        return out_of_range("offset", request.offset, 0, kOffsetMax);
    }
    if (request.offset + request.top_k > kTopKMax) {
        return invalid_argument("offset",
                                "offset + top_k is " + std::to_string(request.offset + request.top_k),
                                "offset + top_k of at most " + std::to_string(kTopKMax));
    }
    AKIDB_TRY(validate_params(request.params));
    AKIDB_TRY(validate_threshold(request.score_threshold));
    AKIDB_TRY(validate(request.include, spec));
    if (request.group_by) {
        AKIDB_TRY(validate_group_by(request));
    }
    if (request.diversity) {
        AKIDB_TRY(validate_diversity(request));
    }
    if (request.fusion) {
        AKIDB_TRY(validate_fusion(request, spec));
    } else {
        AKIDB_TRY(validate_target(request.vector, request.examples, spec, request.vector_name));
    }
    return request.filter == nullptr || request.is_filter_checked ? Result<void>()
                                                                  : validate(*request.filter);
}

}  // namespace akidb::model
