// IdOrder: the rows of a generation in the order of their ids, so that a scroll finds its page by a binary
// search. Made when somebody scrolls for the first time (a second for a few million rows) and extended when
// many rows have come since; four bytes a row from then on. Rows beyond it are few: the reader sorts them.
// Thread-safe: one makes, others wait for it.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "engine/row_store.h"

namespace akidb::engine {

/// As model::DocumentId orders, by encodings: numbers, UUIDs, texts.
bool is_id_before(std::string_view a, std::string_view b);

class IdOrder {
  public:
    explicit IdOrder(const RowStore& rows) : rows_(rows) {}

    /// Rows [0, size) sorted by id; of one id, the older row first. All but the last few of `rows`.
    std::shared_ptr<const std::vector<uint32_t>> sorted(uint32_t rows) const AKIDB_EXCLUDES(mutex_);
    /// These rows in the same order.
    void sort(std::vector<uint32_t>& rows) const;

  private:
    const RowStore& rows_;
    mutable Mutex mutex_;
    mutable std::shared_ptr<const std::vector<uint32_t>> sorted_ AKIDB_GUARDED_BY(mutex_);
};

}  // namespace akidb::engine
