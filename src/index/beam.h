// Beam: the `width` nearest rows a walk has met, nearest first, each marked when its neighbours were visited.
// A sorted array: insertion moves at most a few cache lines, and the next row to visit is found in order.
// Marks: which rows a walk has met. Both are reused by their thread. Thread-compatible.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "index/top_k.h"

namespace akidb::index {

class Beam {
  public:
    static constexpr uint32_t kNone = 0xffffffffu;

    void reset(uint32_t width) {
        entries_.resize(width);
        size_ = 0;
        next_ = 0;
    }
    /// Keeps at most the `width` nearest from now on.
    void set_width(uint32_t width) {
        entries_.resize(width);
        size_ = std::min(size_, entries_.size());
        next_ = std::min(next_, size_);
    }
    /// What a newcomer must be nearer than.
    float worst() const {
        return size_ < entries_.size() ? std::numeric_limits<float>::infinity() : entries_.back().distance;
    }
    /// A row nearer than worst(), met for the first time. Equal distances keep the order of arrival: an
    /// endless crowd of copies cannot push itself through the beam.
    void insert(Candidate candidate) {
        const auto begin = entries_.begin();
        const auto place = std::upper_bound(
            begin, begin + static_cast<ptrdiff_t>(size_), candidate.distance,
            [](float distance, const Candidate& entry) { return distance < entry.distance; });
        size_ = std::min(size_ + 1, entries_.size());
        std::copy_backward(place, begin + static_cast<ptrdiff_t>(size_) - 1,
                           begin + static_cast<ptrdiff_t>(size_));
        *place = candidate;
        next_ = std::min(next_, static_cast<size_t>(place - begin));
    }
    /// The nearest row not visited yet, marking it visited; kNone at the end.
    uint32_t visit_next() {
        skip_visited();
        if (next_ == size_) {
            return kNone;
        }
        const uint32_t ordinal = entries_[next_].ordinal;
        entries_[next_].ordinal |= kVisited;
        return ordinal;
    }
    /// The row visit_next would give; kNone at the end.
    uint32_t peek_next() {
        skip_visited();
        return next_ == size_ ? kNone : entries_[next_].ordinal;
    }
    size_t size() const { return size_; }
    /// Valid when the walk is over.
    Candidate at(size_t i) const { return {entries_[i].distance, entries_[i].ordinal & ~kVisited}; }

  private:
    static constexpr uint32_t kVisited = 0x80000000u;  // ordinals stay below 2^28

    void skip_visited() {
        while (next_ < size_ && (entries_[next_].ordinal & kVisited) != 0) {
            ++next_;
        }
    }

    std::vector<Candidate> entries_;
    size_t size_ = 0;
    size_t next_ = 0;  // everything before it was visited
};

class Marks {
  public:
    /// Forgets all marks and makes room for `count` rows.
    void reset(uint32_t count) {
        if (marks_.size() < count) {
            marks_.resize(count, 0);
        }
        if (++epoch_ == 0) {
            std::fill(marks_.begin(), marks_.end(), uint16_t{0});
            epoch_ = 1;
        }
    }
    bool is_set(uint32_t ordinal) const { return marks_[ordinal] == epoch_; }
    void set(uint32_t ordinal) { marks_[ordinal] = epoch_; }

  private:
    std::vector<uint16_t> marks_;  // small, to stay in cache
    uint16_t epoch_ = 0;
};

}  // namespace akidb::index
