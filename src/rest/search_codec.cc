#include "rest/search_codec.h"

#include <array>
#include <limits>
#include <utility>

#include "base/printable.h"
#include "model/limits.h"
#include "rest/field_readers.h"

namespace akidb::rest {
namespace {

constexpr std::array<std::string_view, 16> kSearchNames{
    "vector", "top_k",    "offset",   "filter",   "score_threshold", "include",     "params", "explain",
    "id",     "positive", "negative", "group_by", "diversity",       "deadline_ms", "fusion", "using"};
constexpr std::array<std::string_view, 3> kFusionNames{"queries", "method", "k"};
constexpr std::array<std::string_view, 9> kFusedNames{
    "vector", "id", "positive", "negative", "top_k", "filter", "score_threshold", "params", "using"};
constexpr std::array<std::string_view, 1> kSearchBatchNames{"searches"};
constexpr std::array<std::string_view, 3> kParamNames{"ef", "exact", "recall_target"};
constexpr std::array<std::string_view, 2> kGroupByNames{"key", "size"};
constexpr std::array<std::string_view, 2> kDiversityNames{"weight", "candidates"};
constexpr std::array<std::string_view, 6> kScrollNames{"limit",   "cursor",   "filter",
                                                       "include", "order_by", "deadline_ms"};
constexpr std::array<std::string_view, 2> kOrderNames{"key", "direction"};
constexpr std::array<std::string_view, 2> kDirectionNames{"asc", "desc"};
constexpr std::array<std::string_view, 4> kFacetNames{"key", "filter", "limit", "deadline_ms"};

Result<uint32_t> read_uint32(JsonReader& reader, uint64_t min, uint64_t max) {
    AKIDB_TRY(const uint64_t number, reader.read_uint(min, max));
    return static_cast<uint32_t>(number);
}

Result<std::string> read_text(JsonReader& reader) {
    AKIDB_TRY(const std::string_view text, reader.read_string());
    return std::string(text);
}

Result<void> read_params(JsonReader& reader, model::SearchParams& params) {
    return reader.read_object(kParamNames, [&](size_t which) -> Result<void> {
        if (which == 0) {
            AKIDB_TRY(uint64_t ef, reader.read_uint(1, model::kEfMax));
            params.ef = static_cast<uint32_t>(ef);
            return {};
        }
        if (which == 1) {
            AKIDB_TRY(params.exact, reader.read_bool());
            return {};
        }
        AKIDB_TRY(params.recall_target, reader.read_double());
        return {};
    });
}

Result<void> read_score_threshold(JsonReader& reader, std::optional<float>& threshold) {
    AKIDB_TRY(double number, reader.read_double());
    if (!(number <= std::numeric_limits<float>::max() && number >= std::numeric_limits<float>::lowest())) {
        return reader.error("the number is not finite as a 32-bit float", "a finite 32-bit float");
    }
    threshold = static_cast<float>(number);
    return {};
}

Result<void> read_example(JsonReader& reader, std::vector<model::Example>& examples) {
    AKIDB_TRY(const JsonType type, reader.type());
    if (type == JsonType::kArray) {
        std::vector<float> vector;
        AKIDB_TRY(reader.read_floats(model::kDimensionMax, vector));
        examples.emplace_back(std::move(vector));
        return {};
    }
    AKIDB_TRY(model::DocumentId id, read_id(reader));
    examples.emplace_back(std::move(id));
    return {};
}

Result<std::vector<model::Example>> read_examples(JsonReader& reader) {
    std::vector<model::Example> examples;
    AKIDB_TRY(reader.read_array(model::kExamplesMax, [&](size_t) { return read_example(reader, examples); }));
    return examples;
}

Result<model::GroupBy> read_group_by(JsonReader& reader) {
    model::GroupBy group_by;
    AKIDB_TRY(reader.read_object(kGroupByNames, [&](size_t which) -> Result<void> {
        if (which == 0) {
            AKIDB_TRY(group_by.key, read_text(reader));
        } else {
            AKIDB_TRY(group_by.size, read_uint32(reader, 1, model::kGroupSizeMax));
        }
        return {};
    }));
    if (group_by.key.empty()) {
        return reader.error("the group has no key", R"({"key":"…","size":1})");
    }
    return group_by;
}

Result<model::Diversity> read_diversity(JsonReader& reader) {
    model::Diversity diversity;
    AKIDB_TRY(reader.read_object(kDiversityNames, [&](size_t which) -> Result<void> {
        if (which == 0) {
            AKIDB_TRY(diversity.weight, reader.read_double());
        } else {
            AKIDB_TRY(diversity.candidates, read_uint32(reader, 1, model::kDiversityCandidatesMax));
        }
        return {};
    }));
    return diversity;
}

enum class TargetKind : uint8_t { kVector, kId, kPositive };

Result<void> read_target(JsonReader& reader, TargetKind kind, std::vector<float>& vector,
                         model::Examples& examples) {
    if (kind == TargetKind::kVector) {
        return reader.read_floats(model::kDimensionMax, vector);
    }
    if (kind == TargetKind::kId) {
        AKIDB_TRY(model::DocumentId id, read_id(reader));
        examples.positive = {std::move(id)};
        examples.is_one_id = true;
        return {};
    }
    AKIDB_TRY(examples.positive, read_examples(reader));
    return {};
}

/// `targets`: how many of vector, id and positive (and fusion) there are.
Result<void> check_target(const std::vector<float>& vector, const model::Examples& examples, int targets) {
    if (targets > 1) {
        return invalid_argument("vector", "the search has more than one of vector, id, positive and fusion",
                                "one of them");
    }
    if (targets == 0 || (vector.empty() && examples.positive.empty())) {
        return targets == 0 || examples.is_empty()
                   ? missing("vector", "an array of numbers; or id, or positive")
                   : invalid_argument("negative", "there is nothing to be like", "with positive");
    }
    if (examples.is_one_id && !examples.negative.empty()) {
        return invalid_argument("negative", "negative goes with positive", R"("positive":[id] for "id":id)");
    }
    return {};
}

Result<model::FusedQuery> read_fused_query(JsonReader& reader) {
    model::FusedQuery query;
    int targets = 0;
    const std::string path = reader.path();
    AKIDB_TRY(reader.read_object(kFusedNames, [&](size_t which) -> Result<void> {
        if (which < 3) {
            ++targets;
            return read_target(reader, static_cast<TargetKind>(which), query.vector, query.examples);
        }
        if (which == 6) {
            return read_score_threshold(reader, query.score_threshold);
        }
        if (which == 7) {
            return read_params(reader, query.params);
        }
        if (which == 8) {
            AKIDB_TRY(query.vector_name, read_text(reader));
        } else if (which == 3) {
            AKIDB_TRY(query.examples.negative, read_examples(reader));
        } else if (which == 4) {
            AKIDB_TRY(query.top_k, read_uint32(reader, 1, model::kTopKMax));
        } else {
            AKIDB_TRY(query.filter, read_shared_filter(reader));
        }
        return {};
    }));
    if (Result<void> complete = check_target(query.vector, query.examples, targets); !complete) {
        return std::move(complete).error().with_field_prefix(path);
    }
    return query;
}

Result<model::Fusion> read_fusion(JsonReader& reader) {
    model::Fusion fusion;
    AKIDB_TRY(reader.read_object(kFusionNames, [&](size_t which) -> Result<void> {
        if (which == 0) {
            return reader.read_array(model::kFusedQueriesMax, [&](size_t) -> Result<void> {
                AKIDB_TRY(model::FusedQuery query, read_fused_query(reader));
                fusion.queries.push_back(std::move(query));
                return {};
            });
        }
        if (which == 1) {
            AKIDB_TRY(const std::string_view method, reader.read_string());
            return method == "rrf" ? Result<void>()
                                   : reader.error("unknown method \"" + printable(method) + "\"", "rrf");
        }
        AKIDB_TRY(fusion.k, read_uint32(reader, 0, model::kFusionConstantMax));
        return {};
    }));
    return fusion;
}

/// A search while it is read.
struct SearchBody {
    model::SearchRequest request;
    uint64_t received_us = 0;
    int targets = 0;
};

Result<void> read_search_member(JsonReader& reader, size_t which, SearchBody& body) {
    model::SearchRequest& request = body.request;
    switch (which) {
        case 0:
        case 8:
        case 9:
            ++body.targets;
            return read_target(reader,
                               which == 0   ? TargetKind::kVector
                               : which == 8 ? TargetKind::kId
                                            : TargetKind::kPositive,
                               request.vector, request.examples);
        case 1: {
            AKIDB_TRY(request.top_k, read_uint32(reader, 1, model::kTopKMax));
            return {};
        }
        case 2: {
            AKIDB_TRY(request.offset, read_uint32(reader, 0, model::kOffsetMax));
            return {};
        }
        case 3: {
            AKIDB_TRY(request.filter, read_shared_filter(reader));
            return {};
        }
        case 4:
            return read_score_threshold(reader, request.score_threshold);
        case 5: {
            AKIDB_TRY(request.include, read_include(reader));
            return {};
        }
        case 6:
            return read_params(reader, request.params);
        case 7: {
            AKIDB_TRY(request.explain, reader.read_bool());
            return {};
        }
        case 10: {
            AKIDB_TRY(request.examples.negative, read_examples(reader));
            return {};
        }
        case 11: {
            AKIDB_TRY(request.group_by, read_group_by(reader));
            return {};
        }
        case 12: {
            AKIDB_TRY(request.diversity, read_diversity(reader));
            return {};
        }
        case 13: {
            AKIDB_TRY(request.deadline_us, read_deadline(reader, body.received_us));
            return {};
        }
        case 15: {
            AKIDB_TRY(request.vector_name, read_text(reader));
            return {};
        }
        default: {
            ++body.targets;
            AKIDB_TRY(request.fusion, read_fusion(reader));
            return {};
        }
    }
}

Result<void> check_target(const SearchBody& body) {
    if (body.request.fusion && body.targets == 1 && body.request.examples.is_empty()) {
        return {};
    }
    return check_target(body.request.vector, body.request.examples, body.targets);
}

Result<model::ScrollOrder> read_order(JsonReader& reader) {
    model::ScrollOrder order;
    AKIDB_TRY(reader.read_object(kOrderNames, [&](size_t which) -> Result<void> {
        AKIDB_TRY(std::string text, read_text(reader));
        if (which == 0) {
            order.key = std::move(text);
        } else if (text != kDirectionNames[0] && text != kDirectionNames[1]) {
            return reader.error("unknown direction \"" + printable(text) + "\"", join_names(kDirectionNames));
        } else {
            order.descending = text == kDirectionNames[1];
        }
        return {};
    }));
    return order;
}

}  // namespace

Result<model::SearchRequest> read_search_body(std::string& body, uint64_t received_us) {
    SearchBody search{.request = {}, .received_us = received_us};
    JsonReader reader(body);
    AKIDB_TRY(reader.read_body(kSearchNames,
                               [&](size_t which) { return read_search_member(reader, which, search); }));
    AKIDB_TRY(check_target(search));
    return std::move(search.request);
}

Result<std::vector<model::SearchRequest>> read_search_batch_body(std::string& body, uint64_t received_us) {
    std::vector<model::SearchRequest> requests;
    JsonReader reader(body);
    const auto read_one = [&](size_t) -> Result<void> {
        SearchBody search{.request = {}, .received_us = received_us};
        const std::string path = reader.path();
        AKIDB_TRY(reader.read_object(
            kSearchNames, [&](size_t which) { return read_search_member(reader, which, search); }));
        if (Result<void> complete = check_target(search); !complete) {
            return std::move(complete).error().with_field_prefix(path);
        }
        requests.push_back(std::move(search.request));
        return {};
    };
    AKIDB_TRY(reader.read_body(
        kSearchBatchNames, [&](size_t) { return reader.read_array(model::kBatchSearchesMax, read_one); }));
    if (requests.empty()) {
        return missing("searches", "1.." + std::to_string(model::kBatchSearchesMax) + " searches");
    }
    return requests;
}

Result<model::ScrollRequest> read_scroll_body(std::string& body, uint64_t received_us) {
    model::ScrollRequest request;
    request.limit = model::kScrollLimitDefault;
    JsonReader reader(body);
    AKIDB_TRY(reader.read_body(kScrollNames, [&](size_t which) -> Result<void> {
        switch (which) {
            case 0: {
                AKIDB_TRY(request.limit, read_uint32(reader, 1, model::kScrollLimitMax));
                return {};
            }
            case 1: {
                AKIDB_TRY(const JsonType type, reader.type());
                if (type == JsonType::kNull) {
                    return reader.read_null();
                }
                AKIDB_TRY(const std::string_view text, reader.read_string());
                AKIDB_TRY(request.from, model::decode_cursor(text));
                return {};
            }
            case 2: {
                AKIDB_TRY(request.filter, read_shared_filter(reader));
                return {};
            }
            case 3: {
                AKIDB_TRY(request.include, read_include(reader));
                return {};
            }
            case 4: {
                AKIDB_TRY(request.order, read_order(reader));
                return {};
            }
            default: {
                AKIDB_TRY(request.deadline_us, read_deadline(reader, received_us));
                return {};
            }
        }
    }));
    return request;
}

Result<model::FacetRequest> read_facet_body(std::string& body, uint64_t received_us) {
    model::FacetRequest request;
    request.limit = model::kFacetLimitDefault;
    JsonReader reader(body);
    AKIDB_TRY(reader.read_body(kFacetNames, [&](size_t which) -> Result<void> {
        if (which == 0) {
            AKIDB_TRY(request.key, read_text(reader));
        } else if (which == 1) {
            AKIDB_TRY(request.filter, read_shared_filter(reader));
        } else if (which == 2) {
            AKIDB_TRY(request.limit, read_uint32(reader, 1, model::kFacetLimitMax));
        } else {
            AKIDB_TRY(request.deadline_us, read_deadline(reader, received_us));
        }
        return {};
    }));
    if (request.key.empty()) {
        return missing("key", "a metadata field");
    }
    return request;
}

}  // namespace akidb::rest
