// NeighbourLists: the memory of the graph, `degree` u32 a row. Builders write while readers read: every slot
// goes through a relaxed std::atomic_ref, so that a reader sees a mix of old and new neighbours but never a
// value that was not stored (index design §2.1).
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>

#include "index/record_array.h"

namespace akidb::index {

class NeighbourLists {
  public:
    explicit NeighbourLists(uint32_t degree) : degree_(degree), records_(degree * sizeof(uint32_t)) {}

    uint32_t degree() const { return degree_; }
    /// Makes room for lists of rows [0, end); their slots are undefined until stored.
    void reserve(uint32_t end) { records_.reserve(end); }
    const uint32_t* list(uint32_t ordinal) const { return slots(ordinal); }
    void prefetch(uint32_t ordinal) const { records_.prefetch(ordinal, kDegreeMax / kSlotsPerLine); }
    uint32_t load(uint32_t ordinal, uint32_t slot) const { return load(list(ordinal) + slot); }
    static uint32_t load(const uint32_t* slot) {
        return std::atomic_ref<uint32_t>(*const_cast<uint32_t*>(slot)).load(std::memory_order_relaxed);
    }
    /// The builder.
    void store(uint32_t ordinal, uint32_t slot, uint32_t neighbour) {
        std::atomic_ref<uint32_t>(slots(ordinal)[slot]).store(neighbour, std::memory_order_relaxed);
    }
    /// Before there are readers: a list as a file has it, `degree` u32 at any alignment.
    void set_list(uint32_t ordinal, const char* list) {
        std::memcpy(slots(ordinal), list, degree_ * sizeof(uint32_t));
    }
    /// The same for lists [0, end) in one place, where they stay until own() (record_array.h).
    void lend(const uint32_t* lists, uint32_t end) {
        records_.lend(reinterpret_cast<const uint8_t*>(lists), end);
    }
    bool own(FunctionRef<bool()> cancelled) { return records_.own(cancelled); }
    size_t bytes() const { return records_.bytes(); }

    static constexpr uint32_t kDegreeMax = 64;

  private:
    static constexpr uint32_t kSlotsPerLine = 16;

    uint32_t* slots(uint32_t ordinal) const { return reinterpret_cast<uint32_t*>(records_.at(ordinal)); }

    uint32_t degree_;
    RecordArray records_;
};

}  // namespace akidb::index
