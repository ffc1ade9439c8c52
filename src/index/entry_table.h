// EntryTable: where walks begin: 256 to 512 rows spread evenly over the graph, with their one-bit codes side
// by side, so that the few nearest to a query are found in a microsecond. Spread entries cover clustered
// data, where hierarchies would help (index design §3.1), and need nothing stored. When there are 512, every
// second is dropped: a new table takes over, the old ones stay for readers that hold them (16 blocks each, a
// table for each doubling). One writer, any readers.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "index/row_codes.h"
#include "index/top_k.h"

namespace akidb::index {

class EntryTable {
  public:
    explicit EntryTable(const RowCodes& codes) : codes_(codes) {}

    /// The writer: rows [0, count) are in the graph. Before it publishes that.
    void grow(uint32_t count);
    /// The `wanted` rows below `count` that are nearest to the query, into `nearest`; how many there are.
    /// count > 0 rows were grown to.
    static constexpr uint32_t kNearestMax = 16;
    uint32_t find(const CodedQuery& query, uint32_t count, uint32_t wanted,
                  std::array<Candidate, kNearestMax>& nearest) const;

  private:
    static constexpr uint32_t kRowsMax = 512;
    struct Table {
        Table(const RowCodes& codes, uint32_t every) : step(every), blocks(kRowsMax, codes) {}
        uint32_t step;
        std::atomic<uint32_t> count{0};
        ScanBlocks blocks;
    };

    const RowCodes& codes_;
    std::vector<std::unique_ptr<Table>> tables_;  // the writer's
    std::atomic<const Table*> current_{nullptr};
};

}  // namespace akidb::index
