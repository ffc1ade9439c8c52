// CollectionSpec: what a collection is. All but its settings and its metadata indexes is fixed when it is
// created. Immutable value.
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
#include "model/storage_tier.h"

namespace akidb::model {

/// Score: cosine (−1…1) and dot: higher is better; l2: Euclidean distance, lower is better.
enum class Metric : uint8_t { kCosine = 0, kDot = 1, kL2 = 2 };
inline constexpr std::array<std::string_view, 3> kMetricNames{"cosine", "dot", "l2"};

std::string_view name_of(Metric metric);
std::optional<Metric> metric_from(std::string_view name);

/// What is kept of each component of a vector, in memory and in files (index/stored_vector.h says to the
/// bit).
enum class VectorStorage : uint8_t { kF32 = 0, kF16 = 1, kInt8 = 2 };
inline constexpr std::array<std::string_view, 3> kVectorStorageNames{"f32", "f16", "int8"};
std::string_view name_of(VectorStorage storage);
std::optional<VectorStorage> vector_storage_from(std::string_view name);

/// One vector of the documents. The name of the one that has none is empty.
struct VectorSpec {
    std::string name{};
    uint32_t dimension = 0;
    Metric metric = Metric::kCosine;
    VectorStorage storage = VectorStorage::kF32;
    bool operator==(const VectorSpec&) const = default;
};

/// Of the codes that walks through the graph go by; index/graph.h says what each costs.
enum class IndexLayout : uint8_t { kAuto = 0, kSplit = 1, kTurbo = 2 };
inline constexpr std::array<std::string_view, 3> kIndexLayoutNames{"auto", "split", "turbo"};
std::string_view name_of(IndexLayout layout);
std::optional<IndexLayout> index_layout_from(std::string_view name);

/// What is said of a collection in place of the server's settings. They change how fast answers come and how
/// near to the exact ones they are, never what is stored.
struct CollectionSettings {
    std::optional<uint32_t> ef{};           // of searches that name neither ef nor recall_target
    std::optional<double> recall_target{};  // the same; without it, ef alone decides where it is there
    std::optional<IndexLayout> layout{};
    bool operator==(const CollectionSettings&) const = default;
};
/// Ranges; fields "settings.ef"….
Result<void> validate(const CollectionSettings& settings);

/// A change in place, all or nothing. Of a setting, an inner none: the server's again.
struct CollectionChange {
    std::optional<std::optional<uint32_t>> ef{};
    std::optional<std::optional<double>> recall_target{};
    std::optional<std::optional<IndexLayout>> layout{};
    std::vector<MetadataField> metadata_indexes{};  // to be there, of that type
    std::vector<std::string> removed_metadata_indexes{};
    std::optional<StoragePolicy> policy{};  // by itself alone: it is kept elsewhere than the rest

    bool changes_spec() const {
        return ef || recall_target || layout || !metadata_indexes.empty() ||
               !removed_metadata_indexes.empty();
    }
    bool is_empty() const { return !changes_spec() && !policy; }
};

struct CollectionSpec {
    Uuid id;  // also the name of its directory: names never become paths
    std::string name;
    uint32_t dimension = 0;  // with metric and storage: of the vector without a name; 0: there is none
    Metric metric = Metric::kCosine;
    uint64_t created_at_ms = 0;
    std::vector<MetadataField> metadata_indexes{};
    CollectionSettings settings{};
    VectorStorage storage = VectorStorage::kF32;
    /// Those with names, in the order of their declaration. A document may lack some; the one without a name
    /// it always has.
    std::vector<VectorSpec> vectors{};
};

/// All of them, as they lie in rows and log records: the one without a name, where there is one, then the
/// others.
std::vector<VectorSpec> vectors_of(const CollectionSpec& spec);
uint32_t dimension_of_all(const CollectionSpec& spec);
/// Empty: the one without a name. kInvalidArgument on `field` for one that is not there.
Result<VectorSpec> find_vector(const CollectionSpec& spec, std::string_view name, std::string_view field);
/// The names, for messages.
std::string names_of(const std::vector<VectorSpec>& vectors);

/// The settings and the metadata indexes that the change makes of those of `spec`; what they are is checked.
/// kNotFound on field "metadata_indexes.KEY" for an index that is not there to be removed.
Result<void> apply(const CollectionChange& change, CollectionSpec& spec);

/// `[A-Za-z0-9._-]`, 1–128 bytes, no leading dot; else kInvalidArgument on field "name".
Result<void> validate_collection_name(std::string_view name);
/// 1–128 bytes of A-Z a-z 0-9 . _ -, as of collections, but that a dot may lead; on field "vectors".
Result<void> validate_vector_name(std::string_view name);
/// Name, dimension range, indexes; fields "name", "dimension", "metric", "storage", "vectors",
/// "vectors.NAME.dimension", "metadata_indexes".
Result<void> validate(const CollectionSpec& spec);

}  // namespace akidb::model
