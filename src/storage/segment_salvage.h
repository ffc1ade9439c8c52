// What is still provably whole in a damaged segment file. The checksums form a tree (footer, table, blocks):
// while footer and table hold, every good block is as good as ever, and a row is whole when all blocks that
// its bytes lie in are. When footer or table do not hold, nothing is proved and nothing is whole. For repair
// and for looking; searches never read a damaged file. Errors are those of reading: damage is the answer.
// Values and views are immutable; views live as long as the object.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "storage/segment.h"

namespace akidb::storage {

struct SegmentFault {
    uint64_t offset = 0;
    std::string what;
};

class SalvagedRows {
  public:
    /// Of the segment that `entry` names, with rows of this form.
    static Result<std::shared_ptr<const SalvagedRows>> open(io::FileSystem& files,
                                                            const std::string& directory,
                                                            const ManifestRows& entry, const RowForm& form);
    virtual ~SalvagedRows() = default;
    virtual uint64_t row_count() const = 0;
    virtual bool is_whole(uint64_t index) const = 0;
    /// Of a whole row.
    virtual RowRecord row(uint64_t index) const = 0;
    /// Empty when the id of the row is not whole.
    virtual std::string_view id_or_empty(uint64_t index) const = 0;
    virtual const std::vector<SegmentFault>& faults() const = 0;
};

/// Rows [begin, end).
struct RowRange {
    uint64_t begin = 0;
    uint64_t end = 0;
};
struct SalvagedDead {
    std::vector<DeadRow> dead;
    std::vector<RowRange> unknown;  // whether these rows are dead cannot be told; ascending
    std::vector<SegmentFault> faults;
};
Result<SalvagedDead> salvage_dead_segment(io::FileSystem& files, const std::string& directory,
                                          const ManifestFile& entry);

}  // namespace akidb::storage
