// DataFormats: which format every file of a data directory has, and the catalog, and what this AkiDB makes of
// them. Read from the first bytes of each file alone: nothing is opened, locked or changed, so a server may
// be running there; what goes meanwhile is passed over. And the marker FORMATS in the data directory, in
// which a start notes the formats that it writes, so that the next one need not look at every file. Not
// thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "io/file_system.h"
#include "storage/formats.h"

namespace akidb::offline {

struct DataPlace {
    std::string data;     // the data directory
    std::string catalog;  // the catalog's file
};

struct DataFormats {
    std::optional<int64_t> catalog{};                                    // nullopt: there is none yet
    std::map<std::pair<storage::FileKind, uint32_t>, uint64_t> files{};  // how many have which format
    uint64_t collections = 0;
    uint64_t bytes = 0;                  // of all these files
    std::vector<std::string> newer{};    // what this AkiDB does not read, a sentence each
    std::vector<std::string> damaged{};  // files that do not begin as they should, by path

    /// The oldest format of a kind that is there.
    std::optional<uint32_t> oldest(storage::FileKind kind) const;
};

/// kDataLoss or kConflict for a catalog that is none.
Result<DataFormats> survey_formats(io::FileSystem& files, const DataPlace& place);
/// Of the catalog alone.
Result<std::optional<int64_t>> catalog_version(io::FileSystem& files, const std::string& catalog);

inline constexpr const char* kFormatsName = "FORMATS";
/// What the marker should say when this AkiDB has started there.
std::string formats_marker();
/// Empty when there is none.
Result<std::string> read_formats_marker(io::FileSystem& files, const std::string& data);
/// kConflict when the marker is that of a newer AkiDB, whose log this one would not read.
Result<void> check_formats_marker(std::string_view marker, const std::string& data);

/// What a start of this AkiDB changes in the formats of a data directory, a sentence each; empty: nothing.
/// `marker`: what read_formats_marker gave.
std::vector<std::string> changes_by_a_start(const DataFormats& found, std::string_view marker);

}  // namespace akidb::offline
