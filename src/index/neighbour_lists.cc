#include "index/neighbour_lists.h"

#include "base/assert.h"

namespace akidb::index {

NeighbourLists::NeighbourLists(uint32_t degree)
    : degree_(degree), table_(std::make_unique<std::atomic<uint32_t*>[]>(kBlocksMax)) {}

void NeighbourLists::reserve(uint32_t ordinal) {
    AKIDB_ASSERT(ordinal < kRowsMax);
    const uint32_t block = ordinal >> kBlockShift;
    while (blocks_.size() <= block) {
        // The first block alone stays in small pages, so that a small graph costs what it uses.
        const auto size = blocks_.empty() ? Pages::Size::kSmall : Pages::Size::kLarge;
        blocks_.emplace_back(size_t{kRowsPerBlock} * degree_ * sizeof(uint32_t), size);
        table_[blocks_.size() - 1].store(static_cast<uint32_t*>(blocks_.back().data()),
                                         std::memory_order_release);
    }
}

}  // namespace akidb::index
