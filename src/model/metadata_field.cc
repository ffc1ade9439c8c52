#include "model/metadata_field.h"

#include <algorithm>

#include "model/limits.h"
#include "model/metadata.h"

namespace akidb::model {
namespace {

constexpr std::array<std::string_view, 2> kTypesToCome{"geo", "text"};

std::string allowed_types() {
    std::string names;
    for (const std::string_view name : kMetadataIndexTypeNames) {
        names.append(names.empty() ? "" : ", ").append(name);
    }
    return names;
}

}  // namespace

std::string_view name_of(MetadataIndexType type) {
    return kMetadataIndexTypeNames.at(static_cast<size_t>(type));
}

Result<MetadataIndexType> metadata_index_type_from(std::string_view name) {
    const auto* found = std::find(kMetadataIndexTypeNames.begin(), kMetadataIndexTypeNames.end(), name);
    if (found != kMetadataIndexTypeNames.end()) {
        return static_cast<MetadataIndexType>(found - kMetadataIndexTypeNames.begin());
    }
    const bool is_to_come = std::find(kTypesToCome.begin(), kTypesToCome.end(), name) != kTypesToCome.end();
    return invalid_argument(
        "", is_to_come ? "indexes of type " + std::string(name) + " are not there yet" : "unknown index type",
        allowed_types());
}

Result<void> validate(const std::vector<MetadataField>& fields) {
    const std::string field = "metadata_indexes";
    if (fields.size() > kMetadataIndexesMax) {
        return invalid_argument(field, std::to_string(fields.size()) + " fields are indexed",
                                "at most " + std::to_string(kMetadataIndexesMax) + " fields");
    }
    for (size_t i = 0; i < fields.size(); ++i) {
        const std::string& key = fields[i].key;
        if (key.empty() || key.size() > kFilterKeyBytesMax) {
            return invalid_argument(
                field,
                key.empty() ? "the name of the field is empty"
                            : "the name of a field is " + std::to_string(key.size()) + " bytes long",
                "1.." + std::to_string(kFilterKeyBytesMax) + " bytes");
        }
        const auto earlier = fields.begin() + static_cast<ptrdiff_t>(i);
        if (std::any_of(fields.begin(), earlier,
                        [&](const MetadataField& one) { return is_same_path(one.key, key); })) {
            return invalid_argument(field, "the field \"" + key.substr(0, 64) + "\" is there twice",
                                    "each field once");
        }
    }
    return {};
}

}  // namespace akidb::model
