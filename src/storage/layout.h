// Layout: every file name under a collection's directory, made and parsed here only.
//   MANIFEST-<version>            the commit point (manifest.h)
//   log/<first sequence>.log      the write-ahead log (log_format.h)
//   seg/<first row>-<rows>-<version>.rows   immutable documents (segment.h)
//   seg/<version>.graph           neighbour lists of rows [0, n)
//   seg/<version>-<i>.graph       the same of the i-th vector that has a name
//   seg/<version>.dead            tombstones at the covered sequence
//   seg/<version>.keys            keys of writes, remembered at the covered sequence
//   lost/<version>/               what the repair that made that manifest set aside (docs/repair.md)
// Numbers are 20-digit decimals, so names sort as numbers do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace akidb::storage {

/// In the data directory, beside LOCK: takes up space until deletes need it (disk_space.h).
inline constexpr std::string_view kBallastName = "BALLAST";
inline constexpr std::string_view kLogDirectory = "log";
inline constexpr std::string_view kSegmentDirectory = "seg";
inline constexpr std::string_view kLostDirectory = "lost";

std::string manifest_name(uint64_t version);
std::optional<uint64_t> parse_manifest_name(std::string_view name);
std::string log_name(uint64_t first_sequence);
std::optional<uint64_t> parse_log_name(std::string_view name);
std::string rows_name(uint64_t first_row, uint64_t row_count, uint64_t version);
std::string graph_name(uint64_t version);
/// Of a vector that has a name, `index` among those.
std::string graph_name(uint64_t version, size_t index);
std::string dead_name(uint64_t version);
std::string keys_name(uint64_t version);
/// Whether a collection can have a file of this name, relative to its directory; those that a repair set
/// aside and temporary ones are none.
bool is_collection_file(std::string_view name);
/// Within kLostDirectory.
std::string lost_name(uint64_t version);

}  // namespace akidb::storage
