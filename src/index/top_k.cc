#include "index/top_k.h"

#include <algorithm>
#include <utility>

namespace akidb::index {

void TopK::reset(size_t k) {
    k_ = k;
    // With no room at all nothing may enter.
    bound_ = k == 0 ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::infinity();
    heap_.clear();
}

bool TopK::offer(Candidate candidate) {
    // Written so that a distance that is not a number never enters: it would break the order of the heap.
    if (!(candidate.distance <= bound_) || k_ == 0) {
        return false;
    }
    if (is_full()) {
        if (!(candidate < heap_.front())) {
            return false;
        }
        std::pop_heap(heap_.begin(), heap_.end());
        heap_.back() = candidate;
    } else {
        heap_.push_back(candidate);
    }
    std::push_heap(heap_.begin(), heap_.end());
    if (is_full()) {
        bound_ = heap_.front().distance;
    }
    return true;
}

std::vector<Candidate> TopK::take_sorted() {
    std::sort_heap(heap_.begin(), heap_.end());
    std::vector<Candidate> sorted = std::move(heap_);
    reset(k_);
    return sorted;
}

}  // namespace akidb::index
