// Beam: the `width` nearest rows a walk has met, nearest first, each marked when its neighbours were visited.
// A sorted array: insertion moves at most a few cache lines, and the next row to visit is found in order.
// Marks: which rows a walk has met. Both are reused by their thread. Thread-compatible.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "index/top_k.h"

namespace akidb::index {

class Beam {
  public:
    static constexpr uint32_t kNone = 0xffffffffu;

    void reset(uint32_t width) { reset(width, width); }
    /// Of the `width` rows kept only the `visited_max` nearest are visited.
    void reset(uint32_t width, uint32_t visited_max) {
        entries_.resize(width);
        limit_ = visited_max;
        bound_ = std::numeric_limits<float>::infinity();
        size_ = 0;
        next_ = 0;
    }
    /// Keeps at most the `width` nearest from now on.
    void set_width(uint32_t width) {
        entries_.resize(width);
        limit_ = width;
        size_ = std::min(size_, entries_.size());
        next_ = std::min(next_, size_);
    }
    /// What a newcomer must be nearer than.
    float worst() const { return size_ < entries_.size() ? bound_ : entries_.back().distance; }
    /// Keeps and visits more from now on.
    void widen(uint32_t width, uint32_t visited_max) {
        entries_.resize(width);
        limit_ = visited_max;
    }
    /// Lets go of rows farther than `most`, and of newcomers; it never rises.
    void set_bound(float most) {
        bound_ = std::min(bound_, most);
        while (size_ > 0 && entries_[size_ - 1].distance > bound_) {
            --size_;
        }
        next_ = std::min(next_, size_);
    }
    /// A row nearer than worst(), met for the first time. Equal distances keep the order of arrival: an
    /// endless crowd of copies cannot push itself through the beam.
    void insert(Candidate candidate) {
        // Halving without a branch: where a newcomer goes cannot be predicted.
        Candidate* const begin = entries_.data();
        Candidate* place = begin;
        for (size_t left = size_; left > 0;) {
            const size_t half = (left + 1) / 2;
            place += place[half - 1].distance <= candidate.distance ? half : 0;
            left -= half;
        }
        size_ = std::min(size_ + 1, entries_.size());
        std::memmove(place + 1, place, static_cast<size_t>(begin + size_ - 1 - place) * sizeof(Candidate));
        *place = candidate;
        next_ = std::min(next_, static_cast<size_t>(place - begin));
    }
    /// The nearest row not visited yet, marking it visited; kNone at the end.
    uint32_t visit_next() {
        skip_visited();
        if (next_ >= end()) {
            return kNone;
        }
        const uint32_t ordinal = entries_[next_].ordinal & ~kFlags;
        entries_[next_].ordinal |= kVisited;
        return ordinal;
    }
    /// The row visit_next would give; kNone at the end.
    uint32_t peek_next() {
        skip_visited();
        return next_ >= end() ? kNone : entries_[next_].ordinal & ~kFlags;
    }
    /// Calls ask(row) for those of the `wanted` nearest rows not visited yet for which it was not called
    /// before.
    template <class Ask>
    void ask_ahead(uint32_t wanted, Ask ask) {
        skip_visited();
        for (size_t i = next_; i < end() && wanted > 0; ++i) {
            uint32_t& ordinal = entries_[i].ordinal;
            if ((ordinal & kVisited) != 0) {
                continue;
            }
            --wanted;
            if ((ordinal & kAsked) == 0) {
                ask(ordinal);
                ordinal |= kAsked;
            }
        }
    }
    /// Like visit_next, but gives the nearest row that was asked for, if one of the `among` nearest was.
    uint32_t visit_asked(uint32_t among) {
        skip_visited();
        if (next_ >= end()) {
            return kNone;
        }
        size_t chosen = next_;
        for (size_t i = next_; i < end() && among > 0; ++i) {
            if ((entries_[i].ordinal & kVisited) != 0) {
                continue;
            }
            --among;
            if ((entries_[i].ordinal & kAsked) != 0) {
                chosen = i;
                break;
            }
        }
        const uint32_t ordinal = entries_[chosen].ordinal & ~kFlags;
        entries_[chosen].ordinal |= kVisited;
        return ordinal;
    }
    size_t size() const { return size_; }
    bool was_visited(size_t i) const { return (entries_[i].ordinal & kVisited) != 0; }
    /// Valid when the walk is over.
    Candidate at(size_t i) const { return {entries_[i].distance, entries_[i].ordinal & ~kFlags}; }

  private:
    static constexpr uint32_t kVisited = 0x80000000u;  // ordinals stay below 2^28
    static constexpr uint32_t kAsked = 0x40000000u;
    static constexpr uint32_t kFlags = kVisited | kAsked;

    void skip_visited() {
        while (next_ < end() && (entries_[next_].ordinal & kVisited) != 0) {
            ++next_;
        }
    }

    size_t end() const { return size_ < limit_ ? size_ : limit_; }

    std::vector<Candidate> entries_;
    float bound_ = std::numeric_limits<float>::infinity();
    size_t limit_ = 0;
    size_t size_ = 0;
    size_t next_ = 0;  // everything before it was visited
};

class Marks {
  public:
    /// Forgets all marks and makes room for `count` rows.
    void reset(uint32_t count) {
        for (const uint32_t word : touched_) {
            words_[word] = 0;
        }
        touched_.clear();
        if (const size_t words = count / 64 + size_t{1}; words_.size() < words) {
            words_.resize(words, 0);
        }
    }
    bool is_set(uint32_t ordinal) const { return (words_[ordinal / 64] >> (ordinal % 64) & 1) != 0; }
    void set(uint32_t ordinal) {
        uint64_t& word = words_[ordinal / 64];
        if (word == 0) {
            touched_.push_back(ordinal / 64);
        }
        word |= uint64_t{1} << (ordinal % 64);
    }

  private:
    // A bit a row: asked at random for each neighbour of each row visited, they stay in the nearest cache.
    // (An epoch of 16 bits a row, which needs no undoing, took a third of a wide walk in misses.)
    std::vector<uint64_t> words_;
    std::vector<uint32_t> touched_;  // not zero
};

}  // namespace akidb::index
