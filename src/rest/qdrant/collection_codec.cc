#include "rest/qdrant/collection_codec.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/printable.h"
#include "model/limits.h"
#include "rest/field_readers.h"
#include "rest/qdrant/reading.h"

namespace akidb::rest::qdrant {
namespace {

constexpr std::array<std::string_view, 1> kCreateNames{"vectors"};
constexpr std::array<std::string_view, 12> kTuning{"shard_number",
                                                   "replication_factor",
                                                   "write_consistency_factor",
                                                   "on_disk_payload",
                                                   "hnsw_config",
                                                   "wal_config",
                                                   "optimizers_config",
                                                   "optimizer_config",
                                                   "quantization_config",
                                                   "strict_mode_config",
                                                   "timeout",
                                                   "metadata"};
constexpr std::array<std::string_view, 4> kCreateRefused{"sparse_vectors", "sharding_method", "init_from",
                                                         "params"};
constexpr std::array<std::string_view, 3> kVectorNames{"size", "distance", "datatype"};
constexpr std::array<std::string_view, 3> kVectorPassedOver{"hnsw_config", "quantization_config", "on_disk"};
constexpr std::array<std::string_view, 1> kVectorRefused{"multivector_config"};
constexpr std::array<std::string_view, 2> kDatatypes{"float32", "float16"};
constexpr std::array<std::string_view, 4> kDistances{"Cosine", "Dot", "Euclid", "Manhattan"};
constexpr std::array<std::string_view, 2> kIndexNames{"field_name", "field_schema"};
constexpr std::array<std::string_view, 1> kSchemaNames{"type"};
constexpr std::array<std::string_view, 11> kSchemaPassedOver{
    "is_tenant", "is_principal", "on_disk",       "lookup",        "range",          "enable_hnsw",
    "tokenizer", "lowercase",    "min_token_len", "max_token_len", "phrase_matching"};
constexpr std::array<std::string_view, 1> kAliasesNames{"actions"};
constexpr std::array<std::string_view, 3> kActionNames{"create_alias", "delete_alias", "rename_alias"};
constexpr std::array<std::string_view, 4> kAliasNames{"alias_name", "collection_name", "old_alias_name",
                                                      "new_alias_name"};

Result<model::Metric> read_distance(JsonReader& reader) {
    AKIDB_TRY(const std::string_view name, reader.read_string());
    if (name == kDistances[0]) {
        return model::Metric::kCosine;
    }
    if (name == kDistances[1]) {
        return model::Metric::kDot;
    }
    if (name == kDistances[2]) {
        return model::Metric::kL2;
    }
    return reader.error("distance \"" + printable(name) + "\" is not offered", "Cosine, Dot, Euclid");
}

Result<model::VectorStorage> read_datatype(JsonReader& reader) {
    AKIDB_TRY(const std::string_view name, reader.read_string());
    for (size_t i = 0; i < kDatatypes.size(); ++i) {
        if (name == kDatatypes.at(i)) {
            return static_cast<model::VectorStorage>(i);
        }
    }
    return reader.error(name == "uint8"
                            ? "datatype \"uint8\" is not offered: whole numbers from 0 to 255 are "
                              "kept exactly as float16, and all vectors in a byte a component by "
                              "the storage int8 of AkiDB's own API"
                            : "unknown datatype \"" + printable(name) + "\"",
                        join_names(kDatatypes));
}

std::string_view distance_of(model::Metric metric) {
    return kDistances.at(static_cast<size_t>(metric));
}

/// A vector's parameters while they are read.
struct VectorReading {
    model::VectorSpec vector{};
    bool has_distance = false;

    bool is_whole() const { return vector.dimension > 0 && has_distance; }
};

/// `which`: of kVectorNames.
Result<void> read_vector_member(JsonReader& reader, size_t which, VectorReading& reading) {
    if (which == 1) {
        AKIDB_TRY(reading.vector.metric, read_distance(reader));
        reading.has_distance = true;
    } else if (which == 2) {
        AKIDB_TRY(reading.vector.storage, read_datatype(reader));
    } else {
        AKIDB_TRY(const uint64_t size, reader.read_uint(model::kDimensionMin, model::kDimensionMax));
        reading.vector.dimension = static_cast<uint32_t>(size);
    }
    return {};
}

Error no_vector(const JsonReader& reader) {
    return reader.error("a vector needs size and distance",
                        R"({"size":…,"distance":"Cosine"}, or such by the names of vectors)");
}

/// One whose parameters stand by its name.
Result<void> read_named_vector(JsonReader& reader, std::string name, service::CreateCollection& request) {
    VectorReading reading;
    AKIDB_TRY(read_object(reader, {kVectorNames, kVectorPassedOver, kVectorRefused},
                          [&](size_t which) { return read_vector_member(reader, which, reading); }));
    if (!reading.is_whole()) {
        return no_vector(reader);
    }
    if (name.empty()) {
        request.dimension = reading.vector.dimension;
        request.metric = reading.vector.metric;
        request.storage = reading.vector.storage;
    } else {
        reading.vector.name = std::move(name);
        request.vectors.push_back(std::move(reading.vector));
    }
    return {};
}

/// Parameters of one vector, or an object of such: what is an object and no tuning is a vector with a name.
Result<void> read_vectors(JsonReader& reader, service::CreateCollection& request) {
    VectorReading unnamed;
    AKIDB_TRY(reader.read_map([&](std::string_view key) -> Result<void> {
        AKIDB_TRY(const JsonType type, reader.type());
        const auto is_in = [&](std::span<const std::string_view> names) {
            return std::find(names.begin(), names.end(), key) != names.end();
        };
        if (type == JsonType::kNull || is_in(kVectorPassedOver)) {
            return {};
        }
        if (type == JsonType::kObject && !is_in(kVectorRefused)) {
            if (request.vectors.size() == model::kNamedVectorsMax) {
                return reader.error("too many vectors",
                                    "at most " + std::to_string(model::kNamedVectorsMax) + " with names");
            }
            return read_named_vector(reader, std::string(key), request);
        }
        if (!is_in(kVectorNames)) {
            return reader.error("\"" + printable(key) + "\" is not offered", "size, distance, datatype");
        }
        const auto which = std::find(kVectorNames.begin(), kVectorNames.end(), key) - kVectorNames.begin();
        return read_vector_member(reader, static_cast<size_t>(which), unnamed);
    }));
    const bool says_one = unnamed.vector.dimension > 0 || unnamed.has_distance;
    if (says_one ? !unnamed.is_whole() || !request.vectors.empty() || request.dimension > 0
                 : request.vectors.empty() && request.dimension == 0) {
        return no_vector(reader);
    }
    if (says_one) {
        request.dimension = unnamed.vector.dimension;
        request.metric = unnamed.vector.metric;
        request.storage = unnamed.vector.storage;
    }
    return {};
}

Result<void> read_action(JsonReader& reader, size_t kind, service::AliasAction& action) {
    std::array<std::string, kAliasNames.size()> texts;
    AKIDB_TRY(read_object(reader, {kAliasNames}, [&](size_t which) -> Result<void> {
        AKIDB_TRY(const std::string_view text, reader.read_string());
        texts.at(which) = text;
        return {};
    }));
    action.alias = kind == 2 ? texts[2] : texts[0];
    if (kind == 0) {
        action.collection = texts[1];
    } else if (kind == 2) {
        action.rename_to = texts[3];
    }
    const bool is_whole =
        !action.alias.empty() && (kind != 0 || !texts[1].empty()) && (kind != 2 || !texts[3].empty());
    return is_whole ? Result<void>() : reader.error("a name is missing", join_names(kAliasNames));
}

std::string_view status_of(const service::CollectionDescription& collection) {
    if (collection.condition == service::Condition::kAsleep) {
        return "green";  // whoever asks is served
    }
    if (collection.condition != service::Condition::kServing || collection.stats.is_poisoned) {
        return "red";
    }
    return collection.stats.jobs.empty() ? "green" : "yellow";
}

void write_vector(JsonWriter& writer, const model::VectorSpec& vector) {
    writer.begin_object().member("size", vector.dimension).member("distance", distance_of(vector.metric));
    if (vector.storage == model::VectorStorage::kF16) {  // Qdrant has no word for int8
        writer.member("datatype", kDatatypes[1]);
    }
    writer.end_object();
}

void write_config(JsonWriter& writer, const service::CollectionDescription& collection) {
    writer.key("config").begin_object().key("params").begin_object().key("vectors");
    const std::vector<model::VectorSpec> vectors = model::vectors_of(collection.spec);
    if (collection.spec.vectors.empty()) {
        write_vector(writer, vectors.front());
    } else {
        writer.begin_object();
        for (const model::VectorSpec& vector : vectors) {
            write_vector(writer.key(vector.name), vector);
        }
        writer.end_object();
    }
    writer.member("shard_number", 1U)
        .member("replication_factor", 1U)
        .member("write_consistency_factor", 1U)
        .member("on_disk_payload", false)
        .end_object();
    writer.key("hnsw_config")
        .begin_object()
        .member("m", 32U)
        .member("ef_construct", 128U)
        .member("full_scan_threshold", 10'000U)
        .member("max_indexing_threads", 1U)
        .member("on_disk", false)
        .end_object();
    writer.key("optimizer_config")
        .begin_object()
        .member("deleted_threshold", 0.2)
        .member("vacuum_min_vector_number", 1'024U)
        .member("default_segment_number", 1U)
        .member("flush_interval_sec", 0U)
        .end_object();
    writer.key("wal_config")
        .begin_object()
        .member("wal_capacity_mb", 64U)
        .member("wal_segments_ahead", 0U)
        .end_object();
    writer.key("quantization_config").null().end_object();
}

}  // namespace

Result<service::CreateCollection> read_create_body(std::string& body) {
    service::CreateCollection request;
    JsonReader reader(body);
    AKIDB_TRY(read_body(reader, {kCreateNames, kTuning, kCreateRefused},
                        [&](size_t) { return read_vectors(reader, request); }));
    if (request.dimension == 0 && request.vectors.empty()) {
        return missing("vectors", R"({"size":…,"distance":"Cosine"})");
    }
    return request;
}

Result<void> read_update_body(std::string& body) {
    JsonReader reader(body);
    return reader.read_body_map([&](std::string_view key) -> Result<void> {
        AKIDB_TRY(const JsonType type, reader.type());
        if (type == JsonType::kNull || key == "timeout") {
            return {};
        }
        return reader.error(
            "\"" + printable(key) +
                "\" of a collection cannot be changed in this dialect: AkiDB "
                "tunes its graphs itself",
            "PATCH /api/v1/collections/{collection} with settings (ef, recall_target, layout)");
    });
}

Result<model::MetadataField> read_index_body(std::string& body) {
    model::MetadataField field;
    std::optional<model::MetadataIndexType> type;
    JsonReader reader(body);
    const auto read_type = [&]() -> Result<void> {
        AKIDB_TRY(const std::string_view name, reader.read_string());
        Result<model::MetadataIndexType> known = model::metadata_index_type_from(name);
        if (!known) {
            return reader.error(known.error().message() + " (\"" + printable(name) + "\")",
                                known.error().allowed());
        }
        type = *known;
        return {};
    };
    AKIDB_TRY(read_body(reader, {kIndexNames}, [&](size_t which) -> Result<void> {
        if (which == 0) {
            AKIDB_TRY(const std::string_view key, reader.read_string());
            field.key = key;
            return {};
        }
        AKIDB_TRY(const JsonType found, reader.type());
        return found == JsonType::kObject ? read_object(reader, {kSchemaNames, kSchemaPassedOver},
                                                        [&](size_t) { return read_type(); })
                                          : read_type();
    }));
    if (field.key.empty() || !type) {
        return missing(field.key.empty() ? "field_name" : "field_schema",
                       field.key.empty() ? "a payload field" : join_names(model::kMetadataIndexTypeNames));
    }
    field.type = *type;
    return field;
}

Result<std::vector<service::AliasAction>> read_aliases_body(std::string& body) {
    std::vector<service::AliasAction> actions;
    JsonReader reader(body);
    const auto read_one = [&](size_t) -> Result<void> {
        return read_object(reader, {kActionNames},
                           [&](size_t kind) { return read_action(reader, kind, actions.emplace_back()); });
    };
    AKIDB_TRY(read_body(reader, {kAliasesNames},
                        [&](size_t) { return reader.read_array(model::kAliasActionsMax, read_one); }));
    return actions;
}

void write_collection(JsonWriter& writer, const service::CollectionDescription& collection) {
    const engine::CollectionStats& stats = collection.stats;
    writer.begin_object()
        .member("status", status_of(collection))
        .member("optimizer_status", "ok")
        .member("points_count", stats.documents)
        .member("indexed_vectors_count", stats.linked_rows)
        .member("segments_count", std::max<uint64_t>(stats.segment_files, 1));
    write_config(writer, collection);
    writer.key("payload_schema").begin_object();
    for (const engine::MetadataIndexState& index : stats.metadata_indexes) {
        writer.key(index.field.key)
            .begin_object()
            .member("data_type", model::name_of(index.field.type))
            .member("points", std::min(index.indexed_rows, stats.documents))
            .end_object();
    }
    writer.end_object().end_object();
}

}  // namespace akidb::rest::qdrant
