// The formats of a backup's manifest: which of them this AkiDB reads, and which one has, told by its first
// bytes. docs/formats/backup.md has the rest. Thread-safe as the store is.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "base/uuid.h"
#include "objects/object_store.h"
#include "storage/formats.h"

namespace akidb::backup {

/// Those that are read; the oldest that says what is in it is written.
storage::FormatRange known_backup_formats();
/// nullopt when the bytes begin no manifest.
std::optional<uint32_t> backup_format_of(std::string_view bytes);
/// Of the backup with this id, whether the rest of it can be read or not. kNotFound; kDataLoss when it is
/// none.
Result<uint32_t> read_backup_format(objects::ObjectStore& store, const Uuid& id);

}  // namespace akidb::backup
