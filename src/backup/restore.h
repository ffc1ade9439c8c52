// restore: makes a data directory from a backup, whole, or with one collection of it under any name; as of
// the backup, or as of a point after it, to which the archived log is replayed (point.h).
// Everything is written beside it, in DATA.restoring-<id>, and verified by its SHA-256 while it is; then one
// rename makes it the data directory. An error leaves neither of the two, a crash at most the first, which no
// start takes for data. Not thread-safe: one restore is a process, or a step of one.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "backup/point.h"
#include "backup/repository.h"
#include "io/file_system.h"

namespace akidb::backup {

struct RestoreRequest {
    Uuid backup;
    std::string data;          // must not be there; its parent must be
    std::string collection{};  // name or id; empty: all, with users, keys and tenants
    std::string as{};          // its new name; empty: as it was
    /// Not before the backup (choose_base).
    std::optional<RestorePoint> point{};
    std::stop_token stop{};  // ends it with kUnavailable
    /// Asked with the directory that is whole, before it gets its name; its error ends the restore.
    std::function<Result<void>(const std::string& directory)> hand_over{};
};

struct RestoredCollection {
    std::string name;
    uint64_t sequence = 0;
};

struct RestoreReport {
    uint64_t collections = 0;
    uint64_t documents = 0;  // in the backup
    uint64_t bytes = 0;
    /// Those that cannot be restored, for their tenant's key is gone; to a point also those that the backup
    /// has not.
    std::vector<LeftOut> left_out{};
    // To a point:
    Uuid timeline{};
    uint64_t replayed_writes = 0;
    std::vector<RestoredCollection> reached{};
};

/// kAlreadyExists when `data` is there; kNotFound for a backup or collection that is not; kDataLoss names the
/// blob that is damaged, kNotFound the one that is missing; kDiskFull. What of the archived log is missing or
/// damaged is named as well. kPermissionDenied for one collection whose tenant's key is gone; restored whole
/// it is left out, of the catalog, too.
Result<RestoreReport> restore(io::FileSystem& files, Repository& repository, const RestoreRequest& request);

/// Where restore writes the catalog, in the data directory: the default of the setting database.path.
inline constexpr const char* kRestoredCatalog = "akidb.db";

}  // namespace akidb::backup
