// What a data directory was before a start changed its formats: before-upgrade-<catalog version>-<time> in
// it, with the catalog, the collections' files and the marker FORMATS. Files of collections are never written
// again once they were closed, so they are there by a second name, which takes no space until the server
// replaces them; where the file system has none, they are copied. One is kept, and for so many days.
// docs/upgrade.md tells how to go back with it. Not thread-safe; the caller holds the lock of the data
// directory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/clock.h"
#include "io/file_system.h"
#include "offline/data_formats.h"

namespace akidb::offline {

struct UpgradePreparation {
    std::vector<std::string> changes;  // empty: this start changes no format
    std::string copy;                  // what was kept, a path; empty: nothing
    uint64_t copied_bytes = 0;         // of it, those that take space at once
    uint64_t linked_bytes = 0;
};

/// To be called before anything in the directory is opened. `keep_days` of 0: nothing is kept. Says what the
/// start will change, keeps the copy first, and notes the formats. An error leaves everything as it was:
/// kConflict when a newer AkiDB wrote there, kDiskFull, and others with what to do about them.
Result<UpgradePreparation> prepare_upgrade(io::FileSystem& files, const io::Clock& clock,
                                           const DataPlace& place, uint64_t keep_days);

/// Of names in the data directory: those of such copies, the oldest first.
Result<std::vector<std::string>> list_upgrade_copies(io::FileSystem& files, const std::string& data);
/// Removes those older than so many days, by their names; answers which. A clock that went back keeps them.
Result<std::vector<std::string>> remove_old_upgrade_copies(io::FileSystem& files, const io::Clock& clock,
                                                           const std::string& data, uint64_t keep_days);

}  // namespace akidb::offline
