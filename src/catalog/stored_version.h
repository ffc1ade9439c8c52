// Which version a catalog file has, told by its bytes: what the header of the SQLite file says, or the last
// transaction in its write-ahead log that changed it. For whoever must not open the file, since a new binary
// would migrate it and any would write to it. ("Database File Format", sqlite.org, sections 1.3 and 4.)
// Pure, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace akidb::catalog {

inline constexpr size_t kFileHeadBytes = 100;
inline constexpr int64_t kApplicationId = 0x414b4442;  // "AKDB", as in the first migration

/// What this AkiDB makes of any it opens, and the newest that it reads.
int64_t newest_version();
/// `head`: the first bytes of the file, kFileHeadBytes where it has so many; `wal`: the whole write-ahead
/// log, which may be empty. nullopt: there is no catalog yet. kDataLoss when it is no SQLite database,
/// kConflict when it is that of another program.
Result<std::optional<int64_t>> stored_version(std::string_view head, std::string_view wal);

}  // namespace akidb::catalog
