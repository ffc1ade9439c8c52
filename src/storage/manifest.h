// Manifest: the commit point of a collection's files: which segment files hold it, and up to which sequence.
// Whatever a manifest does not name does not exist. Written atomically under a new version number; the old
// one is removed after. docs/formats/manifest.md has a worked hex example.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file_system.h"
#include "model/collection_spec.h"

namespace akidb::storage {

inline constexpr uint64_t kManifestBytesMax = 16 << 20;

struct ManifestFile {
    std::string name;  // within seg/
    uint64_t bytes = 0;
    uint32_t crc = 0;  // in the file's footer; ties the entry to the very file
};

struct ManifestRows {
    ManifestFile file;
    uint64_t first_row = 0;
    uint64_t row_count = 0;
};

/// A vector that has a name.
struct ManifestVector {
    model::VectorSpec spec;
    std::optional<ManifestFile> graph{};  // counts the rows that have it
};

struct Manifest {
    uint64_t version = 0;
    Uuid collection;
    uint32_t dimension = 0;  // with metric and storage: of the vector without a name; 0: there is none
    model::Metric metric = model::Metric::kCosine;
    model::VectorStorage storage = model::VectorStorage::kF32;
    uint64_t covered_sequence = 0;   // every effect up to here is in the files; the log serves the rest
    std::vector<ManifestRows> rows;  // ascending, without gaps, from row 0
    std::optional<ManifestFile> graph;
    std::optional<ManifestFile> dead;
    std::optional<ManifestFile> keys;  // remembered up to the covered sequence
    std::vector<ManifestVector> vectors{};
};

/// Those that rows hold, the one without a name first.
std::vector<model::VectorSpec> vectors_of(const Manifest& manifest);
/// Of all of them together.
uint32_t dimension_of_all(const Manifest& manifest);
/// Whether the manifest's vectors are those of the collection.
bool has_vectors_of(const Manifest& manifest, const model::CollectionSpec& spec);
void take_vectors_of(const model::CollectionSpec& spec, Manifest& manifest);

/// Of all segment files that it names, ascending.
std::vector<std::string> segment_names(const Manifest& manifest);

std::string encode_manifest(const Manifest& manifest);
/// kDataLoss for anything that encode_manifest does not write.
Result<Manifest> decode_manifest(std::string_view bytes);

/// Durable at return (rule R1); then removes older manifests (best effort; the next write tries again).
Result<void> write_manifest(io::FileSystem& files, const std::string& directory, const Manifest& manifest);
/// The newest; nullopt when the directory has none (a new collection). A newest that does not decode is
/// kDataLoss: an older one would lose acknowledged writes in silence.
Result<std::optional<Manifest>> read_manifest(io::FileSystem& files, const std::string& directory);
/// Deletes files of seg/ that neither `manifest` nor `in_the_making` names, temp files, and older manifests:
/// half-made things of a crash, and what was replaced.
Result<void> remove_strays(io::FileSystem& files, const std::string& directory, const Manifest& manifest,
                           const std::vector<std::string>& in_the_making = {});

}  // namespace akidb::storage
