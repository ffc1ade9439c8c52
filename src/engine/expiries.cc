#include "engine/expiries.h"

#include <algorithm>
#include <functional>

namespace akidb::engine {

void Expiries::add(uint64_t expires_at_ms, uint32_t row) {
    MutexLock lock(mutex_);
    heap_.emplace_back(expires_at_ms, row);
    std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
    next_ms_.store(heap_.front().first, std::memory_order_release);
    first_ms_.store(std::min(first_ms_.load(std::memory_order_relaxed), expires_at_ms),
                    std::memory_order_release);
}

void Expiries::each_due(uint64_t now_ms, FunctionRef<bool(uint32_t row)> visit) const {
    MutexLock lock(mutex_);
    // What lies below a place in the heap is due no sooner than it.
    std::vector<size_t> open{0};
    while (!open.empty()) {
        const size_t at = open.back();
        open.pop_back();
        if (at >= heap_.size() || heap_[at].first > now_ms) {
            continue;
        }
        if (!visit(heap_[at].second)) {
            return;
        }
        open.push_back(2 * at + 1);
        open.push_back(2 * at + 2);
    }
}

void Expiries::forget_due(uint64_t now_ms, FunctionRef<bool(uint32_t row)> is_done) {
    MutexLock lock(mutex_);
    while (!heap_.empty() && heap_.front().first <= now_ms && is_done(heap_.front().second)) {
        std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
        heap_.pop_back();
        forgotten_.fetch_add(1, std::memory_order_acq_rel);
    }
    next_ms_.store(heap_.empty() ? model::kNeverMs : heap_.front().first, std::memory_order_release);
}

}  // namespace akidb::engine
