// NeighbourLists: the memory of the graph, `degree` u32 a row in blocks whose addresses never change. One
// builder writes while readers read: every slot goes through a relaxed std::atomic_ref, so that a reader sees
// a mix of old and new neighbours but never a value that was not stored (index design §2.1). The builder
// calls `reserve` for a row before it publishes the row's ordinal with release; that publication orders the
// block's address too.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "index/pages.h"
#include "index/rows.h"

namespace akidb::index {

class NeighbourLists {
  public:
    explicit NeighbourLists(uint32_t degree);

    uint32_t degree() const { return degree_; }
    /// The builder: makes room for the row's list; its slots are undefined until stored.
    void reserve(uint32_t ordinal);
    const uint32_t* list(uint32_t ordinal) const { return slots(ordinal); }
    void prefetch(uint32_t ordinal) const {
        const uint32_t* const list = slots(ordinal);
        for (uint32_t offset = 0; offset < degree_; offset += kSlotsPerLine) {
            __builtin_prefetch(list + offset);
        }
    }
    uint32_t load(uint32_t ordinal, uint32_t slot) const { return load(list(ordinal) + slot); }
    static uint32_t load(const uint32_t* slot) {
        return std::atomic_ref<uint32_t>(*const_cast<uint32_t*>(slot)).load(std::memory_order_relaxed);
    }
    /// The builder.
    void store(uint32_t ordinal, uint32_t slot, uint32_t neighbour) {
        std::atomic_ref<uint32_t>(slots(ordinal)[slot]).store(neighbour, std::memory_order_relaxed);
    }

  private:
    static constexpr uint32_t kSlotsPerLine = 16;
    static constexpr uint32_t kBlockShift = 14;  // 2 MiB at degree 32: a large page
    static constexpr uint32_t kRowsPerBlock = 1u << kBlockShift;
    static constexpr uint32_t kBlocksMax = kRowsMax / kRowsPerBlock + 1;

    uint32_t* slots(uint32_t ordinal) const {
        uint32_t* const block = table_[ordinal >> kBlockShift].load(std::memory_order_acquire);
        return block + static_cast<size_t>(ordinal & (kRowsPerBlock - 1)) * degree_;
    }

    uint32_t degree_;
    std::vector<Pages> blocks_;  // the builder's
    std::unique_ptr<std::atomic<uint32_t*>[]> table_;
};

}  // namespace akidb::index
