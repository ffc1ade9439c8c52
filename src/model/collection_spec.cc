#include "model/collection_spec.h"

#include <algorithm>
#include <numeric>

#include "base/printable.h"
#include "model/limits.h"

namespace akidb::model {
namespace {

bool is_name_character(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

Result<void> validate(const VectorSpec& vector) {
    if (vector.dimension < kDimensionMin || vector.dimension > kDimensionMax) {
        return invalid_argument("dimension", "the dimension is " + std::to_string(vector.dimension),
                                std::to_string(kDimensionMin) + ".." + std::to_string(kDimensionMax));
    }
    if (static_cast<size_t>(vector.metric) >= kMetricNames.size()) {
        return invalid_argument("metric", "unknown metric", "cosine, dot, l2");
    }
    if (static_cast<size_t>(vector.storage) >= kVectorStorageNames.size()) {
        return invalid_argument("storage", "unknown storage", "f32, f16, int8");
    }
    return {};
}

std::string allowed_names() {
    return "1.." + std::to_string(kCollectionNameBytesMax) +
           " characters of A-Z a-z 0-9 . _ - and no leading dot";
}

}  // namespace

std::string_view name_of(Metric metric) {
    return kMetricNames[static_cast<size_t>(metric)];
}

std::optional<Metric> metric_from(std::string_view name) {
    const auto* found = std::find(kMetricNames.begin(), kMetricNames.end(), name);
    if (found == kMetricNames.end()) {
        return std::nullopt;
    }
    return static_cast<Metric>(found - kMetricNames.begin());
}

std::string_view name_of(VectorStorage storage) {
    return kVectorStorageNames[static_cast<size_t>(storage)];
}

std::optional<VectorStorage> vector_storage_from(std::string_view name) {
    const auto* found = std::find(kVectorStorageNames.begin(), kVectorStorageNames.end(), name);
    if (found == kVectorStorageNames.end()) {
        return std::nullopt;
    }
    return static_cast<VectorStorage>(found - kVectorStorageNames.begin());
}

std::string_view name_of(IndexLayout layout) {
    return kIndexLayoutNames[static_cast<size_t>(layout)];
}

std::optional<IndexLayout> index_layout_from(std::string_view name) {
    const auto* found = std::find(kIndexLayoutNames.begin(), kIndexLayoutNames.end(), name);
    if (found == kIndexLayoutNames.end()) {
        return std::nullopt;
    }
    return static_cast<IndexLayout>(found - kIndexLayoutNames.begin());
}

Result<void> validate(const CollectionSettings& settings) {
    if (settings.ef && (*settings.ef < 1 || *settings.ef > kEfMax)) {
        return invalid_argument("settings.ef", "out of range", "1.." + std::to_string(kEfMax));
    }
    if (const auto& target = settings.recall_target;
        target && !(*target >= kRecallTargetMin && *target <= kRecallTargetMax)) {
        return invalid_argument("settings.recall_target", "out of range", "0.80..0.999");
    }
    return {};
}

Result<void> apply(const CollectionChange& change, CollectionSpec& spec) {
    CollectionSettings& settings = spec.settings;
    settings.ef = change.ef.value_or(settings.ef);
    settings.recall_target = change.recall_target.value_or(settings.recall_target);
    settings.layout = change.layout.value_or(settings.layout);
    AKIDB_TRY(validate(settings));
    std::vector<MetadataField>& fields = spec.metadata_indexes;
    for (const std::string& key : change.removed_metadata_indexes) {
        if (std::erase_if(fields, [&](const MetadataField& field) { return field.key == key; }) == 0) {
            return Error(Code::kNotFound, "there is no metadata index on this field")
                .with_field("metadata_indexes." + key);
        }
    }
    for (const MetadataField& field : change.metadata_indexes) {
        const auto known = std::find_if(fields.begin(), fields.end(),
                                        [&](const MetadataField& one) { return one.key == field.key; });
        if (known != fields.end()) {
            *known = field;
        } else {
            fields.push_back(field);
        }
    }
    return validate(fields);
}

Result<void> validate_collection_name(std::string_view name) {
    if (name.empty()) {
        return invalid_argument("name", "a collection needs a name", allowed_names());
    }
    if (name.size() > kCollectionNameBytesMax) {
        return invalid_argument("name", "the name is " + std::to_string(name.size()) + " bytes long",
                                allowed_names());
    }
    if (name.front() == '.') {
        return invalid_argument("name", "the name begins with a dot", allowed_names());
    }
    const auto* wrong = std::find_if_not(name.begin(), name.end(), is_name_character);
    if (wrong != name.end()) {
        return invalid_argument(
            "name", "the character at byte " + std::to_string(wrong - name.begin()) + " is not allowed",
            allowed_names());
    }
    return {};
}

Result<void> validate_vector_name(std::string_view name) {
    const bool is_good = !name.empty() && name.size() <= kVectorNameBytesMax &&
                         std::all_of(name.begin(), name.end(), &is_name_character);
    return is_good ? Result<void>()
                   : invalid_argument(
                         "vectors", "\"" + printable(name) + "\" is no name of a vector",
                         "1.." + std::to_string(kVectorNameBytesMax) + " characters of A-Z a-z 0-9 . _ -");
}

std::vector<VectorSpec> vectors_of(const CollectionSpec& spec) {
    std::vector<VectorSpec> all;
    if (spec.dimension > 0) {
        all.push_back({.dimension = spec.dimension, .metric = spec.metric, .storage = spec.storage});
    }
    all.insert(all.end(), spec.vectors.begin(), spec.vectors.end());
    return all;
}

uint32_t dimension_of_all(const CollectionSpec& spec) {
    return std::accumulate(spec.vectors.begin(), spec.vectors.end(), spec.dimension,
                           [](uint32_t sum, const VectorSpec& vector) { return sum + vector.dimension; });
}

std::string names_of(const std::vector<VectorSpec>& vectors) {
    std::string names;
    for (const VectorSpec& vector : vectors) {
        names += (names.empty() ? "" : ", ") + vector.name;
    }
    return names;
}

Result<VectorSpec> find_vector(const CollectionSpec& spec, std::string_view name, std::string_view field) {
    if (name.empty() && spec.dimension > 0) {
        return VectorSpec{.dimension = spec.dimension, .metric = spec.metric, .storage = spec.storage};
    }
    const auto found = std::find_if(spec.vectors.begin(), spec.vectors.end(),
                                    [&](const VectorSpec& vector) { return vector.name == name; });
    if (!name.empty() && found != spec.vectors.end()) {
        return *found;
    }
    std::string allowed = spec.dimension == 0    ? "one of "
                          : spec.vectors.empty() ? "no name"
                                                 : "no name, or one of ";
    allowed += names_of(spec.vectors);
    return invalid_argument(std::string(field),
                            name.empty() ? "all vectors of the collection have names, so one must be said"
                                         : "the collection has no vector named \"" + printable(name) + "\"",
                            std::move(allowed));
}

Result<void> validate(const CollectionSpec& spec) {
    AKIDB_TRY(validate_collection_name(spec.name));
    if (spec.dimension > 0 || spec.vectors.empty()) {
        AKIDB_TRY(validate(
            VectorSpec{.dimension = spec.dimension, .metric = spec.metric, .storage = spec.storage}));
    }
    if (spec.vectors.size() > kNamedVectorsMax) {
        return invalid_argument("vectors", std::to_string(spec.vectors.size()) + " vectors",
                                "at most " + std::to_string(kNamedVectorsMax) + " with names");
    }
    for (size_t i = 0; i < spec.vectors.size(); ++i) {
        const VectorSpec& vector = spec.vectors[i];
        AKIDB_TRY(validate_vector_name(vector.name));
        if (std::any_of(spec.vectors.begin(), spec.vectors.begin() + static_cast<std::ptrdiff_t>(i),
                        [&](const VectorSpec& other) { return other.name == vector.name; })) {
            return invalid_argument("vectors." + vector.name, "the name is there twice", "each name once");
        }
        if (Result<void> valid = validate(vector); !valid) {
            return std::move(valid).error().with_field_prefix("vectors." + vector.name);
        }
    }
    return validate(spec.metadata_indexes);
}

}  // namespace akidb::model
