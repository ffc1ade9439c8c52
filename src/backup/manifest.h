// BackupManifest: what one backup holds: of each collection the files at one sequence number, and the
// catalog, each by name, size and the SHA-256 that names its blob. Written last and create-only, so whatever
// has one is complete. docs/formats/backup.md has the bytes. Whatever is read from a manifest was checked:
// names of files are those that a collection can have, so they can be paths.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "model/collection_spec.h"

namespace akidb::backup {

inline constexpr uint64_t kBackupManifestBytesMax = 16 << 20;  // a single put
inline constexpr size_t kBackupTextBytesMax = 4096;            // of each name and reason in it

struct BackupFile {
    std::string name;           // relative to the directory of the collection
    uint64_t bytes = 0;         // of the file
    uint64_t stored_bytes = 0;  // of the blob; zeros follow in the file
    std::string sha256{};       // of the blob, hex
    std::string key{};  // id of the tenant's key that the blob is encrypted with; empty: that of the place
};

struct BackedUpCollection {
    Uuid id;
    Uuid tenant;
    std::string name;
    uint32_t dimension = 0;
    model::Metric metric = model::Metric::kCosine;
    uint64_t sequence = 0;
    uint64_t documents = 0;
    uint64_t documents_hash = 0;  // engine/audit.h
    std::vector<BackupFile> files{};
};

/// A collection that was not in service when its turn came.
struct LeftOut {
    std::string name;
    std::string reason;
};

struct BackupManifest {
    Uuid id;        // of version 7: ids sort by time
    Uuid previous;  // the newest complete one when this began; zeros: none
    uint64_t created_ms = 0;
    std::string version;      // of the server
    Uuid timeline{};          // whose archived log goes on from here (archive.h); zeros: none does
    uint64_t pinned_ms = 0;   // of a timeline: no write in it was stamped later
    uint64_t sent_bytes = 0;  // of blobs that were not there yet
    BackupFile catalog;
    std::vector<BackedUpCollection> collections{};
    std::vector<LeftOut> left_out{};

    /// Whether a file of it has a key of its own.
    bool has_tenant_keys() const;
    /// Of all blobs, each as often as it is named.
    uint64_t stored_bytes() const;
    uint64_t documents() const;
};

std::string encode_backup_manifest(const BackupManifest& manifest);
/// kDataLoss for anything that encode_backup_manifest does not write.
Result<BackupManifest> decode_backup_manifest(std::string_view bytes);

}  // namespace akidb::backup
