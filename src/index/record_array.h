// RecordArray: records of one size in zeroed blocks whose addresses never change, so that one writer can
// append while readers read. Blocks are 2 to 32 MiB in large pages, which make scattered reads 1.1 to 1.7
// times faster (measured, bench/memory_bench). `reserve` is the writer's, before it publishes an ordinal with
// release; that publication orders the block's address too. at() is any reader's, below a published count.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/function_ref.h"
#include "index/pages.h"

namespace akidb::index {

/// A word that readers may meet while it changes: they see it old or new.
inline void store_relaxed(uint8_t* at, uint32_t word) {
    std::atomic_ref<uint32_t>(*reinterpret_cast<uint32_t*>(at)).store(word, std::memory_order_relaxed);
}
inline void store_relaxed(uint8_t* at, float value) {
    std::atomic_ref<float>(*reinterpret_cast<float*>(at)).store(value, std::memory_order_relaxed);
}

class RecordArray {
  public:
    explicit RecordArray(size_t record_bytes);

    size_t record_bytes() const { return record_bytes_; }
    /// Room for records [0, end), none of them lent.
    void reserve(uint32_t end);
    /// Of an empty array: records [0, end) lie at `data`, which is read only, until own().
    void lend(const uint8_t* data, uint32_t end);
    /// Copies what is lent, block by block; readers go on meanwhile. False when `cancelled` said so between
    /// two; called again it goes on. A reader that began before it ended may still read what was lent.
    bool own(FunctionRef<bool()> cancelled);
    uint8_t* at(uint32_t ordinal) const {
        uint8_t* const block = table_[ordinal >> shift_].load(std::memory_order_acquire);
        return block + static_cast<size_t>(ordinal & mask_) * record_bytes_;
    }
    /// Asks for the cache lines of a record, at most `lines_max` of them.
    void prefetch(uint32_t ordinal, size_t lines_max) const {
        constexpr size_t kLine = 64;
        const uint8_t* const record = at(ordinal);
        const size_t bytes = record_bytes_ < lines_max * kLine ? record_bytes_ : lines_max * kLine;
        for (size_t offset = 0; offset < bytes; offset += kLine) {
            __builtin_prefetch(record + offset);
        }
    }
    /// Memory of the records reserved so far, in large pages; what is behind them is not touched.
    size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

  private:
    size_t record_bytes_;
    uint32_t shift_;  // of the number of records in a block
    uint32_t mask_;
    std::vector<Pages> blocks_;  // the writer's
    Pages table_pages_;          // only what is used of it costs memory
    std::atomic<uint8_t*>* table_;
    std::atomic<size_t> bytes_{0};
    uint32_t lent_ = 0;  // records
};

}  // namespace akidb::index
