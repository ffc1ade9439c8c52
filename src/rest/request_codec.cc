#include "rest/request_codec.h"

#include <array>

#include "base/printable.h"
#include "model/limits.h"
#include "rest/field_readers.h"

namespace akidb::rest {
namespace {

constexpr std::array<std::string_view, 7> kCreateNames{"name",    "dimension", "metric", "metadata_indexes",
                                                       "storage", "policy",    "vectors"};
constexpr std::array<std::string_view, 3> kVectorNames{"dimension", "metric", "storage"};
// Only to say why they cannot be changed: those behind the third.
constexpr std::array<std::string_view, 8> kChangeNames{"settings",  "metadata_indexes", "policy",  "name",
                                                       "dimension", "metric",           "storage", "vectors"};
constexpr std::array<std::string_view, 3> kSettingNames{"ef", "recall_target", "layout"};
constexpr std::array<std::string_view, 1> kMetadataIndexNames{"type"};
constexpr std::array<std::string_view, 1> kAliasesNames{"actions"};
constexpr std::array<std::string_view, 3> kAliasActionNames{"create", "rename", "delete"};
constexpr std::array<std::string_view, 2> kGetNames{"ids", "include"};
constexpr std::array<std::string_view, 3> kCountNames{"filter", "exact", "deadline_ms"};

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

/// True when the value is null, which is then read.
Result<bool> take_null(JsonReader& reader) {
    AKIDB_TRY(const JsonType type, reader.type());
    if (type == JsonType::kNull) {
        AKIDB_TRY(reader.read_null());
    }
    return type == JsonType::kNull;
}

Result<void> read_setting(JsonReader& reader, size_t which, model::CollectionChange& change) {
    AKIDB_TRY(const bool is_null, take_null(reader));
    if (which == 0) {
        change.ef.emplace();
        if (!is_null) {
            AKIDB_TRY(const uint64_t ef, reader.read_uint(1, model::kEfMax));
            change.ef = static_cast<uint32_t>(ef);
        }
    } else if (which == 1) {
        change.recall_target.emplace();
        if (!is_null) {
            AKIDB_TRY(*change.recall_target, reader.read_double());
        }
    } else {
        change.layout.emplace();
        if (!is_null) {
            AKIDB_TRY(const std::string_view name, reader.read_string());
            const auto layout = model::index_layout_from(name);
            if (!layout) {
                return reader.error("unknown layout \"" + printable(name) + "\"",
                                    join_names(model::kIndexLayoutNames));
            }
            *change.layout = layout;
        }
    }
    return {};
}

Result<void> read_index_changes(JsonReader& reader, model::CollectionChange& change) {
    return reader.read_map([&](std::string_view name) -> Result<void> {
        std::string key(name);
        if (change.metadata_indexes.size() + change.removed_metadata_indexes.size() ==
            model::kMetadataIndexesMax) {
            return reader.error("too many fields", "at most " + std::to_string(model::kMetadataIndexesMax));
        }
        AKIDB_TRY(const bool is_null, take_null(reader));
        if (is_null) {
            change.removed_metadata_indexes.push_back(std::move(key));
            return {};
        }
        AKIDB_TRY(const model::MetadataIndexType type, read_index_type(reader));
        change.metadata_indexes.push_back({std::move(key), type});
        return {};
    });
}

/// `kind`: 0 create, 1 rename, 2 delete; a member of another kind is as unknown as any.
Result<void> read_alias_action(JsonReader& reader, size_t kind, service::AliasAction& action) {
    constexpr std::array<std::array<std::string_view, 2>, 2> kNames{
        {{"alias", "collection"}, {"alias", "to"}}};
    size_t members = 0;
    const auto read = [&](size_t which) -> Result<void> {
        ++members;
        AKIDB_TRY(const std::string_view text, reader.read_string());
        if (which == 0) {
            action.alias = text;
        } else {
            (kind == 0 ? action.collection : action.rename_to) = std::string(text);
        }
        return {};
    };
    const size_t wanted = kind == 2 ? 1 : 2;
    AKIDB_TRY(kind == 2 ? reader.read_object(std::span(kNames[0]).first(1), read)
                        : reader.read_object(kNames.at(kind), read));
    if (members != wanted) {
        return reader.error("a member is missing", kind == 2   ? R"({"alias":"…"})"
                                                   : kind == 0 ? R"({"alias":"…","collection":"…"})"
                                                               : R"({"alias":"…","to":"…"})");
    }
    return {};
}

/// `which`: 0 dimension, 1 metric, 2 storage.
Result<void> read_vector_member(JsonReader& reader, size_t which, model::VectorSpec& vector) {
    if (which == 0) {
        AKIDB_TRY(const uint64_t dimension, reader.read_uint(model::kDimensionMin, model::kDimensionMax));
        vector.dimension = static_cast<uint32_t>(dimension);
        return {};
    }
    AKIDB_TRY(const std::string_view text, reader.read_string());
    if (which == 1) {
        const std::optional<model::Metric> metric = model::metric_from(text);
        vector.metric = metric.value_or(vector.metric);
        return metric ? Result<void>()
                      : reader.error("unknown metric \"" + printable(text) + "\"",
                                     join_names(model::kMetricNames));
    }
    const std::optional<model::VectorStorage> storage = model::vector_storage_from(text);
    vector.storage = storage.value_or(vector.storage);
    return storage ? Result<void>()
                   : reader.error("unknown storage \"" + printable(text) + "\"",
                                  join_names(model::kVectorStorageNames));
}

std::string allowed_dimensions() {
    return std::to_string(model::kDimensionMin) + ".." + std::to_string(model::kDimensionMax);
}

Result<void> read_vectors(JsonReader& reader, std::vector<model::VectorSpec>& vectors) {
    return reader.read_map([&](std::string_view name) -> Result<void> {
        if (vectors.size() == model::kNamedVectorsMax) {
            return reader.error("too many vectors",
                                "at most " + std::to_string(model::kNamedVectorsMax) + " with names");
        }
        model::VectorSpec& vector = vectors.emplace_back();
        vector.name = name;
        const std::string path = reader.path();
        AKIDB_TRY(reader.read_object(
            kVectorNames, [&](size_t which) { return read_vector_member(reader, which, vector); }));
        return vector.dimension > 0 ? Result<void>() : missing(path + ".dimension", allowed_dimensions());
    });
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

namespace {

Result<model::StoragePolicy> read_policy(JsonReader& reader) {
    AKIDB_TRY(const std::string_view name, reader.read_string());
    const std::optional<model::StoragePolicy> policy = model::storage_policy_from(name);
    return policy ? Result<model::StoragePolicy>(*policy)
                  : reader.error("unknown policy \"" + printable(name) + "\"",
                                 join_names(model::kStoragePolicyNames));
}

}  // namespace

Result<service::CreateCollection> read_create_body(std::string& body) {
    service::CreateCollection request;
    bool has_name = false;
    model::VectorSpec unnamed;
    bool has_unnamed = false;
    JsonReader reader(body);
    AKIDB_TRY(reader.read_body(kCreateNames, [&](size_t which) -> Result<void> {
        if (which == 0) {
            AKIDB_TRY(std::string_view name, reader.read_string());
            request.name = name;
            has_name = true;
        } else if (which == 3) {
            return read_metadata_indexes(reader, request.metadata_indexes);
        } else if (which == 5) {
            AKIDB_TRY(request.policy, read_policy(reader));
        } else if (which == 6) {
            return read_vectors(reader, request.vectors);
        } else {
            has_unnamed = true;
            return read_vector_member(reader, which == 4 ? 2 : which - 1, unnamed);
        }
        return {};
    }));
    if (!has_name) {
        return missing("name", "1..128 letters, digits, '.', '_', '-'");
    }
    if (unnamed.dimension == 0 && (has_unnamed || request.vectors.empty())) {
        return missing("dimension", allowed_dimensions() + "; or vectors with names");
    }
    request.dimension = unnamed.dimension;
    request.metric = unnamed.metric;
    request.storage = unnamed.storage;
    return request;
}

Result<model::CollectionChange> read_change_body(std::string& body) {
    model::CollectionChange change;
    JsonReader reader(body);
    AKIDB_TRY(reader.read_body(kChangeNames, [&](size_t which) -> Result<void> {
        if (which == 0) {
            return reader.read_object(kSettingNames,
                                      [&](size_t setting) { return read_setting(reader, setting, change); });
        }
        if (which == 1) {
            return read_index_changes(reader, change);
        }
        if (which == 2) {
            AKIDB_TRY(change.policy, read_policy(reader));
            return {};
        }
        return reader.error(
            "the " + std::string(kChangeNames.at(which)) +
                " of a collection is what it was created with: create another one, import into "
                "it, and let an alias change hands",
            "settings, metadata_indexes, policy");
    }));
    return change;
}

Result<std::vector<service::AliasAction>> read_aliases_body(std::string& body) {
    std::vector<service::AliasAction> actions;
    JsonReader reader(body);
    const auto read_one = [&](size_t) -> Result<void> {
        service::AliasAction& action = actions.emplace_back();
        size_t kinds = 0;
        AKIDB_TRY(reader.read_object(kAliasActionNames, [&](size_t kind) {
            ++kinds;
            return read_alias_action(reader, kind, action);
        }));
        return kinds == 1 ? Result<void>()
                          : reader.error("an action does one thing", join_names(kAliasActionNames));
    };
    AKIDB_TRY(reader.read_body(kAliasesNames,
                               [&](size_t) { return reader.read_array(model::kAliasActionsMax, read_one); }));
    if (actions.empty()) {
        return missing("actions", "1.." + std::to_string(model::kAliasActionsMax) + " actions");
    }
    return actions;
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

Result<CountBody> read_count_body(std::string& body, uint64_t received_us) {
    CountBody request;
    JsonReader reader(body);
    AKIDB_TRY(reader.read_body(kCountNames, [&](size_t which) -> Result<void> {
        if (which == 0) {
            AKIDB_TRY(request.filter, read_shared_filter(reader));
        } else if (which == 1) {
            AKIDB_TRY(request.is_exact, reader.read_bool());
        } else {
            AKIDB_TRY(request.deadline_us, read_deadline(reader, received_us));
        }
        return {};
    }));
    return request;
}

}  // namespace akidb::rest
