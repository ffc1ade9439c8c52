#include "model/collection_spec.h"

#include <algorithm>

#include "model/limits.h"

namespace akidb::model {
namespace {

bool is_name_character(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
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

Result<void> validate(const CollectionSpec& spec) {
    AKIDB_TRY(validate_collection_name(spec.name));
    if (spec.dimension < kDimensionMin || spec.dimension > kDimensionMax) {
        return invalid_argument("dimension", "the dimension is " + std::to_string(spec.dimension),
                                std::to_string(kDimensionMin) + ".." + std::to_string(kDimensionMax));
    }
    if (static_cast<size_t>(spec.metric) >= kMetricNames.size()) {
        return invalid_argument("metric", "unknown metric", "cosine, dot, l2");
    }
    return validate(spec.metadata_indexes);
}

}  // namespace akidb::model
