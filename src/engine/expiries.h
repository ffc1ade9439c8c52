// Expiries: which rows of a row store expire, soonest first, for those who ask how many have and for the
// sweep that deletes them. A row that died before its time stays until that comes. Rows are 16 bytes each.
// Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/function_ref.h"
#include "base/mutex.h"
#include "model/expiry.h"

namespace akidb::engine {

class Expiries {
  public:
    void add(uint64_t expires_at_ms, uint32_t row);

    /// The soonest that was ever added: before it no reader need look at the time. It does not move when rows
    /// are forgotten, because readers may still hold a snapshot from before they died.
    uint64_t first_ms() const { return first_ms_.load(std::memory_order_acquire); }
    /// The soonest that is known still.
    uint64_t next_ms() const { return next_ms_.load(std::memory_order_acquire); }
    /// How often rows were forgotten: when it has not moved, each_due told all.
    uint64_t forgotten() const { return forgotten_.load(std::memory_order_acquire); }
    /// Rows whose time has come, in no order, until the visitor returns false. It is called under the lock.
    void each_due(uint64_t now_ms, FunctionRef<bool(uint32_t row)> visit) const;
    /// Forgets those that `is_done`, soonest first, up to one that is not.
    void forget_due(uint64_t now_ms, FunctionRef<bool(uint32_t row)> is_done);

  private:
    using Expiry = std::pair<uint64_t, uint32_t>;  // when, row

    mutable Mutex mutex_;
    std::vector<Expiry> heap_ AKIDB_GUARDED_BY(mutex_);  // the soonest in front
    std::atomic<uint64_t> first_ms_{model::kNeverMs};
    std::atomic<uint64_t> next_ms_{model::kNeverMs};
    std::atomic<uint64_t> forgotten_{0};
};

}  // namespace akidb::engine
