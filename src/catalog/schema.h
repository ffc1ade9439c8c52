// Schema of the catalog, version by version. A file carries its version in `user_version` and our mark in
// `application_id`; each migration is one transaction, so a crash leaves a whole version. Migrations are only
// ever added: one that was released is never changed. Thread-compatible.
#pragma once

#include "base/result.h"
#include "catalog/sqlite.h"

namespace akidb::catalog {

/// kConflict for a newer version or a database of another program, which is left untouched; kDataLoss when
/// `quick_check` finds damage. Afterwards the file is in WAL mode and of the newest version.
Result<void> check_and_migrate(Connection& connection);

}  // namespace akidb::catalog
