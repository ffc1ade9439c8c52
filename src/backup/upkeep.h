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
    uint64_t unreadable = 0;            // collections whose tenant's key is gone, which is no fault
    std::vector<std::string> faults{};  // sentences; each names a blob and the file that it is
};

/// With what is archived of the log from there on, if it is of a timeline: that nothing is missing; at kBytes
/// every piece is read. What is encrypted with a tenant's key that is gone is not looked at. An error means
/// that it could not be found out.
Result<VerifyReport> verify(Repository& repository, const BackupManifest& manifest, VerifyDepth depth);

/// How long a blob that no manifest names stays.
inline constexpr uint64_t kStrayMs = uint64_t{24} * 3600 * 1000;

struct Retention {
    uint64_t keep_last = 1;  // at least 1
    uint64_t keep_days = 0;  // and all younger than this
};

struct PruneReport {
    std::vector<Uuid> removed{};
    uint64_t kept = 0;
    uint64_t removed_blobs = 0;
    uint64_t waiting_blobs = 0;   // that no manifest names, not for a day yet
    uint64_t removed_pieces = 0;  // of the archived log, and copies of the catalog there
};

/// Removes manifests by the retention, the oldest first, then the blobs that they name and no kept one does,
/// and those that no manifest named for a day (kStrayMs): a backup that was cut short left them, the next one
/// may need them, and a removal that arrives late would take them from it; or a list does not show whose they
/// are. Then what of the archived log is older than the oldest kept backup of its timeline, and than a day: a
/// backup of before whose manifest arrives late is followed by it. Every manifest is read before anything is
/// removed; one that cannot be read, or one that a list does not show though another names it, ends it: its
/// blobs would be taken for nobody's. kConflict while a backup is being written, and when one there is of the
/// future.
Result<PruneReport> prune(Repository& repository, const io::Clock& clock, const Uuid& owner,
                          const Retention& retention);

}  // namespace akidb::backup
