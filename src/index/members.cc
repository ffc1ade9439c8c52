#include "index/members.h"

#include "base/assert.h"

namespace akidb::index {

Members::Members()
    : pages_(kBlocksMax * sizeof(std::atomic<uint32_t*>), Pages::Size::kSmall),
      // Zeroed memory is a null pointer; starting the lifetime of each one by hand would touch every page.
      blocks_(static_cast<std::atomic<uint32_t*>*>(pages_.data())) {
    static_assert(std::atomic<uint32_t*>::is_always_lock_free &&
                  sizeof(std::atomic<uint32_t*>) == sizeof(uint32_t*));
}

void Members::reserve(uint64_t more) {
    const uint64_t wanted = size() + more;
    AKIDB_ASSERT(wanted <= uint64_t{kBlocksMax} * kBlockRows);
    while (owned_.size() * kBlockRows < wanted) {
        owned_.push_back(std::make_unique_for_overwrite<uint32_t[]>(kBlockRows));
        blocks_[owned_.size() - 1].store(owned_.back().get(), std::memory_order_release);
        owned_bytes_.store(owned_.size() * kBlockRows * sizeof(uint32_t), std::memory_order_relaxed);
    }
}

void Members::add(uint32_t row) {
    const uint32_t ordinal = size_.load(std::memory_order_relaxed);
    AKIDB_ASSERT(ordinal < owned_.size() * kBlockRows);
    AKIDB_ASSERT(ordinal == 0 || row_of(ordinal - 1) < row);
    owned_[ordinal >> kBlockShift][ordinal & (kBlockRows - 1)] = row;
    size_.store(ordinal + 1, std::memory_order_release);
}

uint32_t Members::count_below(uint32_t row) const {
    uint32_t low = 0;
    uint32_t high = size();
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (row_of(middle) < row) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

}  // namespace akidb::index
