#include "rest/qdrant/query_codec.h"

#include <array>
#include <utility>

#include "base/printable.h"
#include "model/limits.h"
#include "rest/field_readers.h"
#include "rest/qdrant/reading.h"
#include "rest/qdrant/scroll_codec.h"

namespace akidb::rest::qdrant {
namespace {

// The first ten are of all forms.
constexpr std::array<std::string_view, 16> kQueryNames{
    "filter",      "params",   "limit",    "offset",     "score_threshold", "with_payload",
    "with_vector", "using",    "group_by", "group_size", "query",           "vector",
    "positive",    "negative", "strategy", "prefetch"};
constexpr std::array<std::string_view, 2> kQueryPassedOver{"shard_key", "timeout"};
constexpr std::array<std::string_view, 2> kQueryRefused{"lookup_from", "with_lookup"};
constexpr std::array<std::string_view, 6> kPrefetchNames{"query",           "filter", "limit",
                                                         "score_threshold", "params", "using"};
constexpr std::array<std::string_view, 2> kPrefetchRefused{"prefetch", "lookup_from"};
constexpr std::array<std::string_view, 6> kKindNames{"nearest",  "recommend", "mmr",
                                                     "order_by", "fusion",    "rrf"};
constexpr std::array<std::string_view, 6> kKindRefused{"discover",           "context", "formula", "sample",
                                                       "relevance_feedback", "text"};
constexpr std::array<std::string_view, 2> kNamedVectorNames{"name", "vector"};
constexpr std::array<std::string_view, 1> kRrfNames{"k"};
constexpr std::array<std::string_view, 1> kRrfRefused{"weights"};
constexpr uint32_t kRrfDefault = 2;  // theirs, which counts ranks from 0
constexpr std::array<std::string_view, 2> kMmrNames{"diversity", "candidates_limit"};
constexpr std::array<std::string_view, 3> kRecommendNames{"positive", "negative", "strategy"};
constexpr std::array<std::string_view, 1> kBatchNames{"searches"};
constexpr std::string_view kAverage = "average_vector";

/// A query while it is read.
struct Reading {
    model::SearchRequest search;
    std::optional<model::ScrollOrder> order;
    std::string group_by;
    uint32_t group_size = 3;
    PointParts parts{};
    bool has_target = false;
    std::vector<model::FusedQuery> prefetch{};
    std::optional<uint32_t> rrf_k{};
};

Result<model::Example> read_example(JsonReader& reader) {
    AKIDB_TRY(const JsonType type, reader.type());
    if (type == JsonType::kNumber || type == JsonType::kString) {
        AKIDB_TRY(model::DocumentId id, read_id(reader));
        return model::Example(std::move(id));
    }
    AKIDB_TRY(std::vector<float> vector, read_vector(reader));
    return model::Example(std::move(vector));
}

Result<std::vector<model::Example>> read_examples(JsonReader& reader) {
    std::vector<model::Example> examples;
    AKIDB_TRY(read_one_or_list(reader, model::kExamplesMax, [&]() -> Result<void> {
        AKIDB_TRY(model::Example example, read_example(reader));
        examples.push_back(std::move(example));
        return {};
    }));
    return examples;
}

/// An id or a vector.
Result<void> read_nearest(JsonReader& reader, Reading& reading) {
    reading.has_target = true;
    AKIDB_TRY(model::Example example, read_example(reader));
    if (auto* vector = std::get_if<std::vector<float>>(&example)) {
        reading.search.vector = std::move(*vector);
        return {};
    }
    reading.search.examples.positive = {std::move(example)};
    reading.search.examples.is_one_id = true;
    return {};
}

Result<void> read_strategy(JsonReader& reader) {
    AKIDB_TRY(const std::string_view strategy, reader.read_string());
    return strategy == kAverage ? Result<void>()
                                : reader.error("strategy \"" + printable(strategy) + "\" is not offered",
                                               std::string(kAverage));
}

Result<void> read_recommend(JsonReader& reader, Reading& reading) {
    reading.has_target = true;
    return read_object(reader, {kRecommendNames}, [&](size_t which) -> Result<void> {
        if (which == 2) {
            return read_strategy(reader);
        }
        auto& examples = reading.search.examples;
        AKIDB_TRY((which == 0 ? examples.positive : examples.negative), read_examples(reader));
        return {};
    });
}

Result<void> read_mmr(JsonReader& reader, Reading& reading) {
    model::Diversity& diversity = reading.search.diversity.emplace();
    return read_object(reader, {kMmrNames}, [&](size_t which) -> Result<void> {
        if (which == 0) {
            AKIDB_TRY(diversity.weight, reader.read_double());
        } else {
            AKIDB_TRY(diversity.candidates, read_uint32(reader, 1, model::kDiversityCandidatesMax));
        }
        return {};
    });
}

Result<void> read_fusion(JsonReader& reader, Reading& reading) {
    AKIDB_TRY(const std::string_view method, reader.read_string());
    reading.rrf_k = kRrfDefault;
    return method == "rrf" ? Result<void>()
                           : reader.error("fusion \"" + printable(method) + "\" is not offered", "rrf");
}

Result<void> read_rrf(JsonReader& reader, Reading& reading) {
    reading.rrf_k = kRrfDefault;
    return read_object(reader, {.read = kRrfNames, .refused = kRrfRefused}, [&](size_t) -> Result<void> {
        AKIDB_TRY(reading.rrf_k, read_uint32(reader, 1, model::kFusionConstantMax));
        return {};
    });
}

Result<void> read_kind(JsonReader& reader, Reading& reading) {
    AKIDB_TRY(const JsonType type, reader.type());
    if (type != JsonType::kObject) {
        return read_nearest(reader, reading);
    }
    return read_object(reader, {.read = kKindNames, .refused = kKindRefused},
                       [&](size_t which) -> Result<void> {
                           switch (which) {
                               case 0:
                                   return read_nearest(reader, reading);
                               case 1:
                                   return read_recommend(reader, reading);
                               case 2:
                                   return read_mmr(reader, reading);
                               case 4:
                                   return read_fusion(reader, reading);
                               case 5:
                                   return read_rrf(reader, reading);
                               default: {
                                   AKIDB_TRY(reading.order, read_order(reader));
                                   return {};
                               }
                           }
                       });
}

Result<void> read_using(JsonReader& reader, Reading& reading) {
    AKIDB_TRY(const std::string_view name, reader.read_string());
    reading.search.vector_name = name;
    return {};
}

/// Of a search in the old form: an array, or a named one.
Result<void> read_search_vector(JsonReader& reader, Reading& reading) {
    AKIDB_TRY(const JsonType type, reader.type());
    if (type != JsonType::kObject) {
        return read_nearest(reader, reading);
    }
    return read_object(reader, {kNamedVectorNames}, [&](size_t which) {
        return which == 0 ? read_using(reader, reading) : read_nearest(reader, reading);
    });
}

Result<void> read_prefetch(JsonReader& reader, Reading& reading) {
    constexpr uint32_t kLimit = 10;
    Reading one;
    one.search.top_k = kLimit;
    AKIDB_TRY(read_object(
        reader, {.read = kPrefetchNames, .refused = kPrefetchRefused}, [&](size_t which) -> Result<void> {
            switch (which) {
                case 0:
                    return read_kind(reader, one);
                case 1: {
                    AKIDB_TRY(one.search.filter, read_shared_filter(reader, FilterDialect::kQdrant));
                    return {};
                }
                case 2: {
                    AKIDB_TRY(one.search.top_k, read_uint32(reader, 1, model::kTopKMax));
                    return {};
                }
                case 3: {
                    AKIDB_TRY(const double threshold, reader.read_double());
                    one.search.score_threshold = static_cast<float>(threshold);
                    return {};
                }
                case 4:
                    return read_search_params(reader, one.search.params);
                default:
                    return read_using(reader, one);
            }
        }));
    if (!one.has_target || one.search.diversity || one.order || one.rrf_k) {
        return reader.error("a prefetch is a query by likeness", "a vector, an id, nearest, or recommend");
    }
    reading.prefetch.push_back({.vector_name = std::move(one.search.vector_name),
                                .vector = std::move(one.search.vector),
                                .examples = std::move(one.search.examples),
                                .top_k = one.search.top_k,
                                .filter = std::move(one.search.filter),
                                .score_threshold = one.search.score_threshold,
                                .params = one.search.params});
    return {};
}

Result<void> read_shared_member(JsonReader& reader, size_t which, Reading& reading) {
    model::SearchRequest& search = reading.search;
    switch (which) {
        case 0: {
            AKIDB_TRY(search.filter, read_shared_filter(reader, FilterDialect::kQdrant));
            return {};
        }
        case 1:
            return read_search_params(reader, search.params);
        case 2: {
            AKIDB_TRY(search.top_k, read_uint32(reader, 1, model::kTopKMax));
            return {};
        }
        case 3: {
            AKIDB_TRY(search.offset, read_uint32(reader, 0, model::kOffsetMax));
            return {};
        }
        case 4: {
            AKIDB_TRY(const double threshold, reader.read_double());
            search.score_threshold = static_cast<float>(threshold);
            return {};
        }
        case 5:
            return read_with_payload(reader, reading.parts);
        case 6:
            return read_with_vector(reader, reading.parts);
        case 7:
            return read_using(reader, reading);
        case 8: {
            AKIDB_TRY(const std::string_view key, reader.read_string());
            reading.group_by = key;
            return {};
        }
        default: {
            AKIDB_TRY(reading.group_size, read_uint32(reader, 1, model::kGroupSizeMax));
            return {};
        }
    }
}

Result<void> read_query_member(JsonReader& reader, size_t which, QueryForm form, Reading& reading) {
    constexpr size_t kShared = 10;
    if (which < kShared) {
        return read_shared_member(reader, which, reading);
    }
    const bool fits = (which == 10 || which == 15) == (form == QueryForm::kQuery) &&
                      (which == 11) == (form == QueryForm::kSearch);
    if (!fits) {
        return reader.error("the field belongs to another request", form == QueryForm::kQuery ? "query"
                                                                    : form == QueryForm::kSearch
                                                                        ? "vector"
                                                                        : "positive, negative");
    }
    if (which == 10) {
        return read_kind(reader, reading);
    }
    if (which == 11) {
        return read_search_vector(reader, reading);
    }
    if (which == 14) {
        return read_strategy(reader);
    }
    if (which == 15) {
        return read_one_or_list(reader, model::kFusedQueriesMax,
                                [&] { return read_prefetch(reader, reading); });
    }
    reading.has_target = true;
    auto& examples = reading.search.examples;
    AKIDB_TRY((which == 12 ? examples.positive : examples.negative), read_examples(reader));
    return {};
}

/// The answers of what was prefetched, as one. Their ranks begin with 0, ours with 1.
Result<void> fuse(Reading& reading) {
    if (reading.rrf_k.has_value() == reading.prefetch.empty()) {
        return reading.rrf_k
                   ? invalid_argument("prefetch", "there is nothing to fuse", "queries to be fused")
                   : invalid_argument("prefetch", "what is prefetched can be fused, and nothing else yet",
                                      R"("query":{"fusion":"rrf"})");
    }
    if (!reading.rrf_k) {
        return {};
    }
    reading.search.vector_name.clear();  // each query says its own
    reading.search.fusion = model::Fusion{.queries = std::move(reading.prefetch), .k = *reading.rrf_k - 1};
    reading.has_target = true;
    return {};
}

Result<Query> query_of(Reading reading) {
    AKIDB_TRY(fuse(reading));
    Query query{.request = {}, .parts = std::move(reading.parts)};
    reading.search.include = query.parts.include();
    if (!reading.group_by.empty()) {
        reading.search.group_by = model::GroupBy{.key = reading.group_by, .size = reading.group_size};
    }
    if (reading.has_target && reading.order) {
        return invalid_argument("query.order_by", "what is ordered by a field is not ordered by likeness",
                                "order_by alone");
    }
    if (reading.has_target) {
        query.request = std::move(reading.search);
        return query;
    }
    if (reading.search.diversity || reading.search.group_by) {
        return invalid_argument("query", "there is nothing to be like", "a vector, an id, or recommend");
    }
    // Without a target the points come in order; a page is cut from the front.
    model::ScrollRequest page;
    page.limit = reading.search.top_k;
    page.filter = std::move(reading.search.filter);
    page.order = std::move(reading.order);
    page.include = query.parts.include();
    if (reading.search.offset > 0) {
        return invalid_argument("offset", "without a query, pages are those of points/scroll", "0");
    }
    query.request = std::move(page);
    return query;
}

Names query_names() {
    return {kQueryNames, kQueryPassedOver, kQueryRefused};
}

Result<Reading> read_reading(std::string& body, QueryForm form) {
    Reading reading;
    JsonReader reader(body);
    AKIDB_TRY(read_body(reader, query_names(),
                        [&](size_t which) { return read_query_member(reader, which, form, reading); }));
    return reading;
}

}  // namespace

Result<Query> read_query_body(std::string& body, QueryForm form) {
    AKIDB_TRY(Reading reading, read_reading(body, form));
    if (!reading.group_by.empty()) {
        return invalid_argument("group_by", "groups have a route of their own", "POST …/points/query/groups");
    }
    return query_of(std::move(reading));
}

Result<Query> read_query_groups_body(std::string& body, QueryForm form) {
    AKIDB_TRY(Reading reading, read_reading(body, form));
    if (reading.group_by.empty()) {
        return missing("group_by", "a payload field");
    }
    return query_of(std::move(reading));
}

Result<std::vector<Query>> read_query_batch_body(std::string& body, QueryForm form) {
    std::vector<Query> queries;
    uint64_t documents = 0;
    JsonReader reader(body);
    const auto read_one = [&](size_t) -> Result<void> {
        Reading reading;
        AKIDB_TRY(read_object(reader, query_names(),
                              [&](size_t which) { return read_query_member(reader, which, form, reading); }));
        if (!reading.group_by.empty()) {
            return reader.error("groups have a route of their own", "POST …/query/groups");
        }
        documents += uint64_t{reading.search.top_k} + reading.search.offset;
        if (documents > model::kTopKMax) {
            return reader.error("the queries ask for too many points",
                                "at most " + std::to_string(model::kTopKMax) + " in all");
        }
        AKIDB_TRY(Query query, query_of(std::move(reading)));
        queries.push_back(std::move(query));
        return {};
    };
    AKIDB_TRY(read_body(reader, {kBatchNames},
                        [&](size_t) { return reader.read_array(model::kBatchSearchesMax, read_one); }));
    if (queries.empty()) {
        return missing("searches", "1.." + std::to_string(model::kBatchSearchesMax) + " queries");
    }
    return queries;
}

}  // namespace akidb::rest::qdrant
