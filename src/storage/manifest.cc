#include "storage/manifest.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "model/limits.h"
#include "storage/durable_files.h"
#include "storage/formats.h"
#include "storage/layout.h"

namespace akidb::storage {
namespace {

constexpr std::string_view kMagic = "AKIMAN01";
// A manifest with remembered keys is of the second version, one of vectors that are not kept as floats of the
// third, one of vectors with names of the fourth; others are written as the first, which a server of before
// reads.
constexpr uint32_t kFormatVersion = 1;
constexpr uint32_t kFormatVersionWithKeys = 2;
constexpr uint32_t kFormatVersionWithStorage = 3;
constexpr uint32_t kFormatVersionWithVectors = 4;
constexpr uint32_t kFormatVersionNewest = kFormatVersionWithVectors;
constexpr size_t kNameBytesMax = 255;
constexpr size_t kFileEntryBytesMin = sizeof(uint32_t) + sizeof(uint64_t) + sizeof(uint32_t);

Error broken(std::string_view what) {
    return Error(Code::kDataLoss, "manifest: " + std::string(what));
}

/// A name becomes a path, so it may not leave the directory, nor be one that recovery deletes.
bool is_file_name(std::string_view name) {
    auto is_allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    };
    return !name.empty() && name.size() <= kNameBytesMax && name.front() != '.' &&
           std::all_of(name.begin(), name.end(), is_allowed) && !name.ends_with(io::kTemporarySuffix);
}

void put_file(ByteWriter& writer, const ManifestFile& file) {
    writer.put_string(file.name);
    writer.put(file.bytes);
    writer.put(file.crc);
}

ManifestFile get_file(ByteReader& reader) {
    ManifestFile file;
    file.name = reader.get_string();
    file.bytes = reader.get<uint64_t>();
    file.crc = reader.get<uint32_t>();
    return file;
}

void put_optional_file(ByteWriter& writer, const std::optional<ManifestFile>& file) {
    writer.put(static_cast<uint8_t>(file.has_value()));
    if (file) {
        put_file(writer, *file);
    }
}

std::optional<ManifestFile> get_optional_file(ByteReader& reader) {
    return reader.get<uint8_t>() == 0 ? std::nullopt : std::optional(get_file(reader));
}

bool get_rows(ByteReader& reader, std::vector<ManifestRows>& rows) {
    uint64_t count = reader.get<uint32_t>();
    if (count > reader.remaining() / (kFileEntryBytesMin + 2 * sizeof(uint64_t))) {
        return false;
    }
    rows.resize(count);
    for (ManifestRows& entry : rows) {
        entry.file = get_file(reader);
        entry.first_row = reader.get<uint64_t>();
        entry.row_count = reader.get<uint64_t>();
    }
    return true;
}

void put_vectors(ByteWriter& writer, const std::vector<ManifestVector>& vectors) {
    writer.put(static_cast<uint32_t>(vectors.size()));
    for (const ManifestVector& vector : vectors) {
        writer.put_string(vector.spec.name);
        writer.put(vector.spec.dimension);
        writer.put(static_cast<uint8_t>(vector.spec.metric));
        writer.put(static_cast<uint8_t>(vector.spec.storage));
        put_optional_file(writer, vector.graph);
    }
}

Result<void> get_vectors(ByteReader& reader, std::vector<ManifestVector>& vectors) {
    const auto count = reader.get<uint32_t>();
    if (count == 0 || count > model::kNamedVectorsMax) {
        return broken(std::to_string(count) + " vectors with names are not as many as there can be");
    }
    for (uint32_t i = 0; i < count; ++i) {
        ManifestVector& vector = vectors.emplace_back();
        vector.spec.name = reader.get_string();
        vector.spec.dimension = reader.get<uint32_t>();
        const auto metric = reader.get<uint8_t>();
        const auto storage = reader.get<uint8_t>();
        if (metric >= model::kMetricNames.size() || storage >= model::kVectorStorageNames.size()) {
            return broken("metric or storage of vector " + std::to_string(i) + " is not known");
        }
        vector.spec.metric = static_cast<model::Metric>(metric);
        vector.spec.storage = static_cast<model::VectorStorage>(storage);
        vector.graph = get_optional_file(reader);
        if (!model::validate_vector_name(vector.spec.name)) {
            return broken("the name of vector " + std::to_string(i) + " is not allowed");
        }
    }
    return {};
}

Result<void> check_dimension(uint32_t dimension) {
    return dimension > 0 && dimension <= model::kDimensionMax
               ? Result<void>()
               : broken("dimension " + std::to_string(dimension) + " is out of range");
}

Result<void> check_values(const Manifest& manifest) {
    if (manifest.dimension > 0 || manifest.vectors.empty()) {
        AKIDB_TRY(check_dimension(manifest.dimension));
    }
    for (const ManifestVector& vector : manifest.vectors) {
        AKIDB_TRY(check_dimension(vector.spec.dimension));
    }
    uint64_t next_row = 0;
    for (const ManifestRows& entry : manifest.rows) {
        bool counts_up =
            entry.row_count > 0 && entry.row_count <= std::numeric_limits<uint64_t>::max() - next_row;
        if (entry.first_row != next_row || !counts_up) {
            return broken("rows of " + entry.file.name + " do not follow row " + std::to_string(next_row));
        }
        next_row += entry.row_count;
    }
    bool are_names_good =
        std::all_of(manifest.rows.begin(), manifest.rows.end(),
                    [](const ManifestRows& entry) { return is_file_name(entry.file.name); }) &&
        (!manifest.graph || is_file_name(manifest.graph->name)) &&
        (!manifest.dead || is_file_name(manifest.dead->name)) &&
        (!manifest.keys || is_file_name(manifest.keys->name)) &&
        std::all_of(manifest.vectors.begin(), manifest.vectors.end(), [](const ManifestVector& vector) {
            return !vector.graph || is_file_name(vector.graph->name);
        });
    return are_names_good ? Result<void>() : broken("a file name is not allowed");
}

/// Versions in the directory, ascending.
Result<std::vector<uint64_t>> list_versions(io::FileSystem& files, const std::string& directory) {
    std::vector<uint64_t> versions;
    Result<std::vector<io::DirectoryEntry>> entries = files.list(directory);
    if (!entries) {
        if (entries.error().code() == Code::kNotFound) {
            return versions;
        }
        return std::move(entries).error();
    }
    for (const io::DirectoryEntry& entry : *entries) {
        if (std::optional<uint64_t> version = parse_manifest_name(entry.name)) {
            versions.push_back(*version);
        }
    }
    std::sort(versions.begin(), versions.end());
    return versions;
}

/// The first error, after every file was tried: one that stays must not keep the others.
Result<void> remove_all(io::FileSystem& files, const std::string& directory,
                        const std::vector<std::string>& names) {
    Result<void> outcome;
    for (const std::string& name : names) {
        Result<void> removed = files.remove(join_path(directory, name));
        if (outcome && !removed && removed.error().code() != Code::kNotFound) {
            outcome = std::move(removed);
        }
    }
    return outcome;
}

}  // namespace

FormatRange known_manifest_formats() {
    return {kFormatVersion, kFormatVersionNewest};
}

std::string encode_manifest(const Manifest& manifest) {
    std::string out;
    ByteWriter writer(out);
    writer.put_bytes(kMagic);
    const bool has_vectors = !manifest.vectors.empty();
    const bool has_storage = has_vectors || manifest.storage != model::VectorStorage::kF32;
    writer.put(has_vectors     ? kFormatVersionWithVectors
               : has_storage   ? kFormatVersionWithStorage
               : manifest.keys ? kFormatVersionWithKeys
                               : kFormatVersion);
    writer.put(manifest.dimension);
    writer.put_bytes(as_text(std::as_bytes(std::span(manifest.collection.bytes))));
    writer.put(manifest.version);
    writer.put(manifest.covered_sequence);
    writer.put(static_cast<uint8_t>(manifest.metric));
    if (has_storage) {
        writer.put(static_cast<uint8_t>(manifest.storage));
    }
    writer.put(static_cast<uint32_t>(manifest.rows.size()));
    for (const ManifestRows& entry : manifest.rows) {
        put_file(writer, entry.file);
        writer.put(entry.first_row);
        writer.put(entry.row_count);
    }
    put_optional_file(writer, manifest.graph);
    put_optional_file(writer, manifest.dead);
    if (has_storage) {
        put_optional_file(writer, manifest.keys);
    } else if (manifest.keys) {
        put_file(writer, *manifest.keys);
    }
    if (has_vectors) {
        put_vectors(writer, manifest.vectors);
    }
    writer.put(crc32c(out));
    return out;
}

Result<Manifest> decode_manifest(std::string_view bytes) {
    const std::string_view whole = bytes;
    if (bytes.size() < kMagic.size() + 2 * sizeof(uint32_t) || !bytes.starts_with(kMagic)) {
        return broken("the first bytes are not those of a manifest");
    }
    ByteReader crc_reader(bytes.substr(bytes.size() - sizeof(uint32_t)));
    bytes.remove_suffix(sizeof(uint32_t));
    if (crc_reader.get<uint32_t>() != crc32c(bytes)) {
        return broken("the checksum does not hold");
    }
    ByteReader reader(bytes.substr(kMagic.size()));
    const uint32_t format = reader.get<uint32_t>();
    if (!known_manifest_formats().has(format)) {
        return broken("format " + std::to_string(format) + " is not known to this version, which reads " +
                      std::to_string(kFormatVersion) + " to " + std::to_string(kFormatVersionNewest));
    }
    Manifest manifest;
    manifest.dimension = reader.get<uint32_t>();
    std::string_view uuid = reader.get_bytes(manifest.collection.bytes.size());
    std::copy(uuid.begin(), uuid.end(), manifest.collection.bytes.begin());
    manifest.version = reader.get<uint64_t>();
    manifest.covered_sequence = reader.get<uint64_t>();
    uint8_t metric = reader.get<uint8_t>();
    if (metric >= model::kMetricNames.size()) {
        return broken("metric " + std::to_string(metric) + " is not known");
    }
    manifest.metric = static_cast<model::Metric>(metric);
    if (format >= kFormatVersionWithStorage) {
        const uint8_t storage = reader.get<uint8_t>();
        if (storage >= model::kVectorStorageNames.size()) {
            return broken("storage " + std::to_string(storage) + " is not known");
        }
        manifest.storage = static_cast<model::VectorStorage>(storage);
    }
    if (!get_rows(reader, manifest.rows)) {
        return broken("it names more files than it can hold");
    }
    manifest.graph = get_optional_file(reader);
    manifest.dead = get_optional_file(reader);
    if (format == kFormatVersionWithKeys) {
        manifest.keys = get_file(reader);
    } else if (format >= kFormatVersionWithStorage) {
        manifest.keys = get_optional_file(reader);
    }
    if (format == kFormatVersionWithVectors) {
        AKIDB_TRY(get_vectors(reader, manifest.vectors));
    }
    if (!reader.finished() || encode_manifest(manifest) != whole) {
        return broken("its length does not fit its content");
    }
    AKIDB_TRY(check_values(manifest));
    return manifest;
}

Result<void> write_manifest(io::FileSystem& files, const std::string& directory, const Manifest& manifest) {
    std::string bytes = encode_manifest(manifest);
    // A manifest that no start could read must never replace one that can be read.
    if (Result<Manifest> readable = decode_manifest(bytes); !readable || bytes.size() > kManifestBytesMax) {
        return Error(Code::kInternal, "refused to write a manifest that could not be read back" +
                                          (readable ? std::string() : ": " + readable.error().message()));
    }
    AKIDB_TRY(std::vector<uint64_t> versions, list_versions(files, directory));
    if (!versions.empty() && versions.back() >= manifest.version) {
        return Error(Code::kInternal, "manifest version " + std::to_string(manifest.version) +
                                          " does not follow " + std::to_string(versions.back()) + " in " +
                                          directory);
    }
    AKIDB_TRY(io::write_file_atomically(files, directory, manifest_name(manifest.version), bytes));
    for (uint64_t version : versions) {
        remove_best_effort(files, join_path(directory, manifest_name(version)));
    }
    return {};
}

Result<std::optional<Manifest>> read_manifest(io::FileSystem& files, const std::string& directory) {
    AKIDB_TRY(std::vector<uint64_t> versions, list_versions(files, directory));
    if (versions.empty()) {
        return std::optional<Manifest>();
    }
    std::string path = join_path(directory, manifest_name(versions.back()));
    AKIDB_TRY(std::string bytes, io::read_whole_file(files, path, kManifestBytesMax));
    Result<Manifest> manifest = decode_manifest(bytes);
    if (!manifest) {
        return std::move(manifest).error().with_context(path + " at offset 0");
    }
    if (manifest->version != versions.back()) {
        return damage(path, 0, "its version is not that of its name");
    }
    return std::optional(std::move(manifest).value());
}

std::vector<std::string> segment_names(const Manifest& manifest) {
    std::vector<std::string> names;
    for (const ManifestRows& entry : manifest.rows) {
        names.push_back(entry.file.name);
    }
    for (const std::optional<ManifestFile>& file : {manifest.graph, manifest.dead, manifest.keys}) {
        if (file) {
            names.push_back(file->name);
        }
    }
    for (const ManifestVector& vector : manifest.vectors) {
        if (vector.graph) {
            names.push_back(vector.graph->name);
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::vector<model::VectorSpec> vectors_of(const Manifest& manifest) {
    std::vector<model::VectorSpec> all;
    if (manifest.dimension > 0) {
        all.push_back(
            {.dimension = manifest.dimension, .metric = manifest.metric, .storage = manifest.storage});
    }
    for (const ManifestVector& vector : manifest.vectors) {
        all.push_back(vector.spec);
    }
    return all;
}

uint32_t dimension_of_all(const Manifest& manifest) {
    uint32_t sum = manifest.dimension;
    for (const ManifestVector& vector : manifest.vectors) {
        sum += vector.spec.dimension;
    }
    return sum;
}

bool has_vectors_of(const Manifest& manifest, const model::CollectionSpec& spec) {
    return vectors_of(manifest) == model::vectors_of(spec);
}

void take_vectors_of(const model::CollectionSpec& spec, Manifest& manifest) {
    manifest.dimension = spec.dimension;
    manifest.metric = spec.metric;
    manifest.storage = spec.storage;
    for (const model::VectorSpec& vector : spec.vectors) {
        manifest.vectors.push_back({vector});
    }
}

Result<void> remove_strays(io::FileSystem& files, const std::string& directory, const Manifest& manifest,
                           const std::vector<std::string>& in_the_making) {
    std::vector<std::string> named = segment_names(manifest);
    named.insert(named.end(), in_the_making.begin(), in_the_making.end());
    std::sort(named.begin(), named.end());
    std::vector<std::string> unnamed_segments;
    const std::string segments = join_path(directory, kSegmentDirectory);
    Result<std::vector<io::DirectoryEntry>> entries = files.list(segments);
    if (!entries && entries.error().code() != Code::kNotFound) {
        return std::move(entries).error();
    }
    for (const io::DirectoryEntry& entry : entries ? *entries : std::vector<io::DirectoryEntry>()) {
        if (!entry.is_directory && !std::binary_search(named.begin(), named.end(), entry.name)) {
            unnamed_segments.push_back(entry.name);
        }
    }
    std::vector<std::string> others;
    AKIDB_TRY(std::vector<io::DirectoryEntry> own, files.list(directory));
    for (const io::DirectoryEntry& entry : own) {
        std::optional<uint64_t> version = parse_manifest_name(entry.name);
        bool is_older = version && *version < manifest.version;
        if (!entry.is_directory && (is_older || entry.name.ends_with(io::kTemporarySuffix))) {
            others.push_back(entry.name);
        }
    }
    Result<void> segments_removed = remove_all(files, segments, unnamed_segments);
    Result<void> others_removed = remove_all(files, directory, others);
    return segments_removed ? others_removed : segments_removed;
}

}  // namespace akidb::storage
