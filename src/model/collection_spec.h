// CollectionSpec: what a collection is. All but its metadata indexes is fixed when it is created. Immutable
// value.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "model/metadata_field.h"

namespace akidb::model {

/// Score: cosine (−1…1) and dot: higher is better; l2: Euclidean distance, lower is better.
enum class Metric : uint8_t { kCosine = 0, kDot = 1, kL2 = 2 };
inline constexpr std::array<std::string_view, 3> kMetricNames{"cosine", "dot", "l2"};

std::string_view name_of(Metric metric);
std::optional<Metric> metric_from(std::string_view name);

struct CollectionSpec {
    Uuid id;  // also the name of its directory: names never become paths
    std::string name;
    uint32_t dimension = 0;
    Metric metric = Metric::kCosine;
    uint64_t created_at_ms = 0;
    std::vector<MetadataField> metadata_indexes{};
};

/// `[A-Za-z0-9._-]`, 1–128 bytes, no leading dot; else kInvalidArgument on field "name".
Result<void> validate_collection_name(std::string_view name);
/// Name, dimension range, indexes; fields "name", "dimension", "metric", "metadata_indexes".
Result<void> validate(const CollectionSpec& spec);

}  // namespace akidb::model
