// assess: in which state the files of a collection are, judged by the same readers as the server's start, and
// what could be kept of those that are damaged. Used by inspect (which tells) and repair (which acts). Reads
// only. kDataLoss when not even the manifest can be read: then nothing says which files count, and only a
// backup helps. Mappings of the segments live as long as the Assessment. Thread-safe: no state.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file_system.h"
#include "model/collection_spec.h"
#include "offline/log_history.h"
#include "storage/manifest.h"
#include "storage/segment.h"
#include "storage/segment_salvage.h"

namespace akidb::offline {

struct RowsFile {
    storage::ManifestRows entry;
    std::shared_ptr<const storage::RowsSegment> whole;       // null when damaged
    std::shared_ptr<const storage::SalvagedRows> remaining;  // null when whole
};

struct Assessment {
    storage::Manifest manifest;  // of version 0 when there is none yet, and then perhaps without a dimension
    storage::RowForm form;
    std::vector<std::string> damage;  // one line each: file, offset, what; empty when all is whole
    std::vector<RowsFile> rows;
    storage::SalvagedDead dead;
    bool dead_is_damaged = false;
    bool graph_is_damaged = false;
    std::vector<storage::RememberedKey> keys;  // of the file that the manifest names; none when it is damaged
    bool keys_are_damaged = false;
    bool log_is_damaged = false;
    uint64_t log_records = 0;  // after the manifest; of a whole log
    uint64_t torn_bytes = 0;
    LogHistory history;                  // of a damaged log
    std::vector<std::string> set_aside;  // files that the manifest names and an interrupted repair moved

    bool is_whole() const { return damage.empty(); }
    uint64_t row_count() const {
        return rows.empty() ? 0 : rows.back().entry.first_row + rows.back().entry.row_count;
    }
};

/// `stride` 0: as the first segment says. `spec`: what the manifest must agree with, if known.
Result<Assessment> assess(io::FileSystem& files, const std::string& directory,
                          const model::CollectionSpec* spec, uint32_t stride);

}  // namespace akidb::offline
