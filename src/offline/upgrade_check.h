// upgrade --check: which formats a data directory has, and what a start of this AkiDB would make of them: a
// verb like those of verbs.h, which changes nothing; a server may be running there. Not thread-safe.
#pragma once

#include <string>

#include "offline/verbs.h"

namespace akidb::offline {

struct UpgradeCheckRequest {
    std::string data;
    std::string catalog;
    uint64_t keep_days = 0;  // the server's upgrade.copy_days
    std::string backups{};   // a place of backups to look at as well; may be empty
    std::string key_file{};  // theirs
    bool json = false;
};

/// kIo when a newer AkiDB wrote there, or something cannot be read; kUsage without such a directory.
ExitCode check_upgrade(const backup::TargetDoors& doors, const backup::S3Access& s3,
                       const UpgradeCheckRequest& request, Print print);

}  // namespace akidb::offline
