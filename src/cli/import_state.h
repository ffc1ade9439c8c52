// ImportState: how far an import got, in a small JSON file beside the work, rewritten (by rename) after each
// acknowledgement. Losing it costs sending rows again, which stores nothing twice, so it is not synced.
// `next_row` counts only an unbroken beginning of acknowledged rows. Pure but for load and save.
// Thread-compatible.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/result.h"

namespace akidb::cli {

struct ImportState {
    std::string collection_id;  // a collection made anew under the same name starts from row 0
    std::string vectors;
    uint64_t rows = 0;
    uint64_t next_row = 0;
    std::string run{};  // a UUID: batches are named after it, so that one sent twice is applied once

    bool is_same_import(const ImportState& other) const {
        return collection_id == other.collection_id && vectors == other.vectors && rows == other.rows;
    }
};

/// Nothing when there is no file; kInvalidArgument when it is no state file.
Result<std::optional<ImportState>> load_import_state(const std::string& path);
Result<void> save_import_state(const std::string& path, const ImportState& state);

/// Batches are acknowledged in any order; the unbroken beginning is what a later run may skip.
class AcknowledgedRows {
  public:
    explicit AcknowledgedRows(uint64_t first_row) : next_row_(first_row) {}
    /// True when next_row() moved.
    bool add(uint64_t first_row, uint64_t count);
    uint64_t next_row() const { return next_row_; }

  private:
    uint64_t next_row_;
    std::map<uint64_t, uint64_t> later_;
};

}  // namespace akidb::cli
