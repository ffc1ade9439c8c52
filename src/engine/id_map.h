// IdMap: from a document id to its newest row. An open-addressing table of (hash, row) beside the RowStore
// that holds the ids themselves: 8 bytes a slot, at most half full, no allocation per id. Entries are never
// removed: a deleted id leads to a dead row, which the reader's snapshot refuses. The hash is keyed, so that
// chosen ids cannot all collide. Thread-safe: a mutex held for a handful of probes.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "engine/row_store.h"
#include "index/pages.h"

namespace akidb::engine {

class IdMap {
  public:
    IdMap(const RowStore& rows, uint64_t key) : rows_(rows), key_(key) {}

    /// The newest row of the id, dead or alive, published or not; kNoRow when there never was one.
    uint32_t find(std::string_view id) const AKIDB_EXCLUDES(mutex_);
    /// Points the id of `row` to it; returns the row it pointed to before, or kNoRow.
    uint32_t insert(uint32_t row) AKIDB_EXCLUDES(mutex_);
    /// The same for rows [0, end) one after the other, into an empty map; while nobody else uses it.
    void fill(uint32_t end) AKIDB_EXCLUDES(mutex_);
    void reserve(uint64_t ids) AKIDB_EXCLUDES(mutex_);
    uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

  private:
    struct Slot {
        uint32_t hash = 0;
        uint32_t row = kNoRow;
    };
    using Slots = std::vector<Slot, index::LargeAllocator<Slot>>;

    uint64_t hash_of(std::string_view id) const;
    uint32_t put(uint32_t hash, std::string_view id, uint32_t row) AKIDB_REQUIRES(mutex_);
    void grow(uint64_t slots) AKIDB_REQUIRES(mutex_);

    const RowStore& rows_;
    const uint64_t key_;
    mutable Mutex mutex_;
    Slots slots_ AKIDB_GUARDED_BY(mutex_);
    uint64_t used_ AKIDB_GUARDED_BY(mutex_) = 0;
    std::atomic<uint64_t> bytes_{0};
};

}  // namespace akidb::engine
