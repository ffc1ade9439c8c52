#include "rest/request_codec.h"

#include <array>
#include <limits>

#include "base/printable.h"
#include "model/limits.h"
#include "rest/filter_codec.h"
#include "rest/metadata_codec.h"

namespace akidb::rest {
namespace {

constexpr std::array<std::string_view, 4> kCreateNames{"name", "dimension", "metric", "metadata_indexes"};
constexpr std::array<std::string_view, 1> kMetadataIndexNames{"type"};
constexpr std::array<std::string_view, 1> kUpsertNames{"documents"};
constexpr std::array<std::string_view, 3> kDocumentNames{"id", "vector", "metadata"};
constexpr std::array<std::string_view, 2> kGetNames{"ids", "include"};
constexpr std::array<std::string_view, 2> kDeleteNames{"ids", "filter"};
constexpr std::array<std::string_view, 1> kCountNames{"filter"};
constexpr std::array<std::string_view, 8> kSearchNames{"vector",          "top_k",   "offset", "filter",
                                                       "score_threshold", "include", "params", "explain"};
constexpr std::array<std::string_view, 1> kSearchBatchNames{"searches"};
constexpr std::array<std::string_view, 3> kParamNames{"ef", "exact", "recall_target"};
constexpr std::array<std::string_view, 2> kIncludeNames{"vector", "metadata"};

Result<model::DocumentId> read_id(JsonReader& reader) {
    constexpr std::string_view kAllowed =
        "a whole number of 0..18446744073709551615 or a string of 1..255 bytes";
    AKIDB_TRY(JsonType type, reader.type());
    if (type == JsonType::kNumber) {
        AKIDB_TRY(uint64_t number, reader.read_uint(0, std::numeric_limits<uint64_t>::max()));
        return model::DocumentId(number);
    }
    if (type != JsonType::kString) {
        return reader.error("an id is a whole number or a string", std::string(kAllowed));
    }
    AKIDB_TRY(std::string_view text, reader.read_string());
    Result<model::DocumentId> id = model::DocumentId::from_text(text);
    if (!id) {
        return reader.error(id.error().message(),
                            id.error().allowed().empty() ? std::string(kAllowed) : id.error().allowed());
    }
    return id;
}

Result<std::vector<model::DocumentId>> read_ids(JsonReader& reader) {
    std::vector<model::DocumentId> ids;
    AKIDB_TRY(reader.read_array(model::kBatchDocumentsMax, [&](size_t) -> Result<void> {
        AKIDB_TRY(model::DocumentId id, read_id(reader));
        ids.push_back(std::move(id));
        return {};
    }));
    if (ids.empty()) {
        return reader.error("the list is empty", "1.." + std::to_string(model::kBatchDocumentsMax) + " ids");
    }
    return ids;
}

Result<model::Include> read_include(JsonReader& reader) {
    model::Include include;
    AKIDB_TRY(reader.read_array(8, [&](size_t) -> Result<void> {
        AKIDB_TRY(std::string_view part, reader.read_string());
        if (part != kIncludeNames[0] && part != kIncludeNames[1]) {
            return reader.error("unknown part \"" + printable(part) + "\"", join_names(kIncludeNames));
        }
        (part == kIncludeNames[0] ? include.vector : include.metadata) = true;
        return {};
    }));
    return include;
}

Error missing(std::string_view field, std::string allowed) {
    return invalid_argument(std::string(field), "the field \"" + std::string(field) + "\" is missing",
                            std::move(allowed));
}

/// `size_hint`: documents of one batch have vectors of one size, so the first one tells how much the others
/// need.
Result<model::Document> read_document(JsonReader& reader, size_t size_hint, bool& has_id) {
    model::Document document;
    bool has_vector = false;
    has_id = false;
    AKIDB_TRY(reader.read_object(kDocumentNames, [&](size_t which) -> Result<void> {
        if (which == 0) {
            AKIDB_TRY(document.id, read_id(reader));
            has_id = true;
            return {};
        }
        if (which == 1) {
            has_vector = true;
            document.vector.reserve(size_hint);
            return reader.read_floats(model::kDimensionMax, document.vector);
        }
        AKIDB_TRY(document.metadata, read_metadata(reader));
        return {};
    }));
    if (!has_vector) {
        return reader.error("the field \"vector\" is missing", "an array of numbers");
    }
    return document;
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

Result<void> read_score_threshold(JsonReader& reader, model::SearchRequest& request) {
    AKIDB_TRY(double number, reader.read_double());
    if (!(number <= std::numeric_limits<float>::max() && number >= std::numeric_limits<float>::lowest())) {
        return reader.error("the number is not finite as a 32-bit float", "a finite 32-bit float");
    }
    request.score_threshold = static_cast<float>(number);
    return {};
}

Result<model::MetadataIndexType> read_index_type(JsonReader& reader) {
    AKIDB_TRY(std::string_view name, reader.read_string());
    Result<model::MetadataIndexType> type = model::metadata_index_type_from(name);
    if (!type) {
        return reader.error(type.error().message() + " (\"" + printable(name) + "\")",
                            type.error().allowed());
    }
    return type;
}

Result<void> read_metadata_indexes(JsonReader& reader, std::vector<model::MetadataField>& fields) {
    return reader.read_map([&](std::string_view key) -> Result<void> {
        model::MetadataField field{.key = std::string(key)};
        if (fields.size() == model::kMetadataIndexesMax) {
            return reader.error("too many fields are indexed",
                                "at most " + std::to_string(model::kMetadataIndexesMax) + " fields");
        }
        AKIDB_TRY(field.type, read_index_type(reader));
        fields.push_back(std::move(field));
        return {};
    });
}

Result<void> read_search_member(JsonReader& reader, size_t which, model::SearchRequest& request) {
    switch (which) {
        case 0:
            return reader.read_floats(model::kDimensionMax, request.vector);
        case 1: {
            AKIDB_TRY(uint64_t top_k, reader.read_uint(1, model::kTopKMax));
            request.top_k = static_cast<uint32_t>(top_k);
            return {};
        }
        case 2: {
            AKIDB_TRY(uint64_t offset, reader.read_uint(0, model::kOffsetMax));
            request.offset = static_cast<uint32_t>(offset);
            return {};
        }
        case 3: {
            AKIDB_TRY(model::Filter filter, read_filter(reader));
            request.filter =
                filter.is_empty() ? nullptr : std::make_shared<const model::Filter>(std::move(filter));
            return {};
        }
        case 4:
            return read_score_threshold(reader, request);
        case 5: {
            AKIDB_TRY(request.include, read_include(reader));
            return {};
        }
        case 6:
            return read_params(reader, request.params);
        default: {
            AKIDB_TRY(request.explain, reader.read_bool());
            return {};
        }
    }
}

Result<void> has_vector(const model::SearchRequest& request) {
    if (!request.vector.empty()) {
        return {};
    }
    return missing("vector", "an array of numbers");
}

}  // namespace

Result<model::MetadataIndexType> read_metadata_index_body(std::string& body) {
    std::optional<model::MetadataIndexType> type;
    JsonReader reader(body);
    AKIDB_TRY(reader.read_body(kMetadataIndexNames, [&](size_t) -> Result<void> {
        AKIDB_TRY(type, read_index_type(reader));
        return {};
    }));
    if (!type) {
        return missing("type", join_names(model::kMetadataIndexTypeNames));
    }
    return *type;
}

Result<service::CreateCollection> read_create_body(std::string& body) {
    service::CreateCollection request;
    bool has_name = false;
    bool has_dimension = false;
    JsonReader reader(body);
    AKIDB_TRY(reader.read_body(kCreateNames, [&](size_t which) -> Result<void> {
        if (which == 0) {
            AKIDB_TRY(std::string_view name, reader.read_string());
            request.name = name;
            has_name = true;
        } else if (which == 1) {
            AKIDB_TRY(uint64_t dimension, reader.read_uint(model::kDimensionMin, model::kDimensionMax));
            request.dimension = static_cast<uint32_t>(dimension);
            has_dimension = true;
        } else if (which == 3) {
            return read_metadata_indexes(reader, request.metadata_indexes);
        } else {
            AKIDB_TRY(std::string_view text, reader.read_string());
            std::optional<model::Metric> metric = model::metric_from(text);
            if (!metric) {
                return reader.error("unknown metric \"" + printable(text) + "\"",
                                    join_names(model::kMetricNames));
            }
            request.metric = *metric;
        }
        return {};
    }));
    if (!has_name) {
        return missing("name", "1..128 letters, digits, '.', '_', '-'");
    }
    if (!has_dimension) {
        return missing("dimension",
                       std::to_string(model::kDimensionMin) + ".." + std::to_string(model::kDimensionMax));
    }
    return request;
}

Result<UpsertBody> read_upsert_body(std::string& body, const std::function<model::DocumentId()>& make_id) {
    UpsertBody request;
    JsonReader reader(body);
    AKIDB_TRY(reader.read_body(kUpsertNames, [&](size_t) -> Result<void> {
        return reader.read_array(model::kBatchDocumentsMax, [&](size_t index) -> Result<void> {
            bool has_id = false;
            size_t size_hint = index == 0 ? 0 : request.documents.front().vector.size();
            AKIDB_TRY(model::Document document, read_document(reader, size_hint, has_id));
            if (!has_id) {
                document.id = make_id();
                request.some_ids_made = true;
            }
            request.documents.push_back(std::move(document));
            return {};
        });
    }));
    if (request.documents.empty()) {
        return invalid_argument("documents", "there are no documents",
                                "1.." + std::to_string(model::kBatchDocumentsMax) + " documents");
    }
    return request;
}

Result<GetBody> read_get_body(std::string& body) {
    GetBody request;
    JsonReader reader(body);
    AKIDB_TRY(reader.read_body(kGetNames, [&](size_t which) -> Result<void> {
        if (which == 0) {
            AKIDB_TRY(request.ids, read_ids(reader));
        } else {
            AKIDB_TRY(request.include, read_include(reader));
        }
        return {};
    }));
    if (request.ids.empty()) {
        return missing("ids", "1.." + std::to_string(model::kBatchDocumentsMax) + " ids");
    }
    return request;
}

Result<DeleteBody> read_delete_body(std::string& body) {
    DeleteBody request;
    size_t given = 0;
    JsonReader reader(body);
    AKIDB_TRY(reader.read_body(kDeleteNames, [&](size_t which) -> Result<void> {
        ++given;
        if (which == 0) {
            AKIDB_TRY(request.which, read_ids(reader));
        } else {
            AKIDB_TRY(request.which, read_filter(reader));
        }
        return {};
    }));
    if (given != 1) {
        return invalid_argument(given == 0 ? "ids" : "filter", "exactly one of ids and filter is needed",
                                R"({"ids":[…]} or {"filter":{…}}; {"filter":{}} deletes all documents)");
    }
    return request;
}

Result<std::shared_ptr<const model::Filter>> read_count_body(std::string& body) {
    std::shared_ptr<const model::Filter> filter;
    JsonReader reader(body);
    AKIDB_TRY(reader.read_body(kCountNames, [&](size_t) -> Result<void> {
        AKIDB_TRY(model::Filter parsed, read_filter(reader));
        filter = std::make_shared<const model::Filter>(std::move(parsed));
        return {};
    }));
    return filter;
}

Result<model::SearchRequest> read_search_body(std::string& body) {
    model::SearchRequest request;
    JsonReader reader(body);
    AKIDB_TRY(reader.read_body(kSearchNames,
                               [&](size_t which) { return read_search_member(reader, which, request); }));
    AKIDB_TRY(has_vector(request));
    return request;
}

Result<std::vector<model::SearchRequest>> read_search_batch_body(std::string& body) {
    std::vector<model::SearchRequest> requests;
    JsonReader reader(body);
    const auto read_one = [&](size_t) -> Result<void> {
        model::SearchRequest& request = requests.emplace_back();
        const std::string path = reader.path();
        AKIDB_TRY(reader.read_object(
            kSearchNames, [&](size_t which) { return read_search_member(reader, which, request); }));
        if (Result<void> complete = has_vector(request); !complete) {
            return std::move(complete).error().with_field_prefix(path);
        }
        return {};
    };
    AKIDB_TRY(reader.read_body(
        kSearchBatchNames, [&](size_t) { return reader.read_array(model::kBatchSearchesMax, read_one); }));
    if (requests.empty()) {
        return missing("searches", "1.." + std::to_string(model::kBatchSearchesMax) + " searches");
    }
    return requests;
}

}  // namespace akidb::rest
