// What keeps backups worth having: looking whether they are whole, and letting go of old ones. Not
// thread-safe.
#pragma once

#include <string>
#include <vector>

#include "backup/repository.h"

namespace akidb::backup {

/// kSizes: every blob is there and as large as it should be. kBytes: every blob is read and hashed. What a
/// restore would say is for who can open collections (level 3).
enum class VerifyDepth : uint8_t { kSizes, kBytes };

struct VerifyReport {
    uint64_t blobs = 0;
    uint64_t pieces = 0;                // of the archived log
    uint64_t bytes = 0;                 // of blobs
    std::vector<std::string> faults{};  // sentences; each names a blob and the file that it is
};

/// With what is archived of the log from there on, if it is of a timeline: that nothing is missing; at kBytes
/// every piece is read. An error means that it could not be found out.
Result<VerifyReport> verify(Repository& repository, const BackupManifest& manifest, VerifyDepth depth);

struct Retention {
    uint64_t keep_last = 1;  // at least 1
    uint64_t keep_days = 0;  // and all younger than this
};

struct PruneReport {
    std::vector<Uuid> removed{};
    uint64_t kept = 0;
    uint64_t removed_blobs = 0;
    uint64_t removed_pieces = 0;  // of the archived log, and copies of the catalog there
};

/// Removes manifests by the retention, the oldest first, then the blobs that no kept manifest names, then
/// what of the archived log is older than the oldest kept backup of its timeline. Every manifest is read
/// before anything is removed; one that cannot be read, or one that a list does not show though another names
/// it, ends it: its blobs would be taken for nobody's. kConflict while a backup is being written.
Result<PruneReport> prune(Repository& repository, const io::Clock& clock, const Uuid& owner,
                          const Retention& retention);

}  // namespace akidb::backup
