// TopK: the k nearest candidates seen so far, as a bounded max-heap. Equal distances are ordered by ordinal
// here (cheap and deterministic); the engine orders final answers by document id. Thread-compatible; reuse it
// to avoid allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace akidb::index {

struct Candidate {
    float distance = 0;
    uint32_t ordinal = 0;
    auto operator<=>(const Candidate&) const = default;
};

class TopK {
  public:
    explicit TopK(size_t k) { reset(k); }
    void reset(size_t k);
    /// The distance a newcomer must not exceed to enter; +infinity while not full.
    float bound() const { return bound_; }
    bool is_full() const { return heap_.size() == k_; }
    size_t size() const { return heap_.size(); }
    size_t capacity() const { return k_; }
    /// True when the candidate was kept.
    bool offer(Candidate candidate);
    /// Nearest first; empties the heap.
    std::vector<Candidate> take_sorted();

  private:
    size_t k_ = 0;
    float bound_ = std::numeric_limits<float>::infinity();
    std::vector<Candidate> heap_;
};

}  // namespace akidb::index
