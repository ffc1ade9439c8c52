// Members: which rows have one of several vectors, in ascending order. A graph over such a vector counts the
// rows that have it from 0, so that the others cost it nothing: its ordinal i is row_of(i). One writer adds;
// readers look below what they know to be there. Four bytes a row that has the vector.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "index/pages.h"

namespace akidb::index {

class Members {
  public:
    Members();
    Members(const Members&) = delete;
    Members& operator=(const Members&) = delete;

    /// Room for `more` further ones, so that add cannot fail for want of it.
    void reserve(uint64_t more);
    /// After reserve. Greater than all before.
    void add(uint32_t row);

    uint32_t size() const { return size_.load(std::memory_order_acquire); }
    /// Of an ordinal below size().
    uint32_t row_of(uint32_t ordinal) const {
        const uint32_t* const block = blocks_[ordinal >> kBlockShift].load(std::memory_order_acquire);
        return block[ordinal & (kBlockRows - 1)];
    }
    /// How many are less than `row`: what a reader who sees rows below that may look at.
    uint32_t count_below(uint32_t row) const;
    size_t bytes() const { return owned_bytes_.load(std::memory_order_relaxed); }

  private:
    static constexpr uint32_t kBlockShift = 12;
    static constexpr uint32_t kBlockRows = 1u << kBlockShift;
    static constexpr uint32_t kBlocksMax = 1u << 16;

    std::vector<std::unique_ptr<uint32_t[]>> owned_;  // the writer's
    Pages pages_;                                     // of blocks_: only what is used of it costs memory
    std::atomic<uint32_t*>* blocks_;                  // kBlocksMax
    std::atomic<uint32_t> size_{0};
    std::atomic<size_t> owned_bytes_{0};
};

}  // namespace akidb::index
