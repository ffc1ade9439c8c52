// How backups of this server are reached and locked, by its settings. Thread-safe.
#pragma once

#include <string>

#include "backup/target.h"
#include "settings/settings.h"

namespace akidb::server {

/// s3.*, and what the environment says of credentials.
backup::S3Access s3_access(const settings::Effective& effective);
/// Always the same for a data directory of this machine: whoever holds its lock is alone with it, so that
/// what a crash left locked elsewhere is his own.
Uuid lock_owner_of(const std::string& data);

}  // namespace akidb::server
