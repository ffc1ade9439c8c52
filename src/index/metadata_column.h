// Column: the values of one metadata field over one block of rows, sorted: each distinct value once, and
// after it the rows that hold it. A run of values is then a run of entries, so equality and ranges are both
// two binary searches and a copy. Every 4,096 entries the rows are kept as bits too (2 bytes an entry more):
// a wide run is a few ORs instead of a bit set per row. Immutable once made; thread-safe.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "index/bitmap.h"
#include "model/filter.h"

namespace akidb::index {

/// A number of any kind in the order of values: the double nearest to it, then how far it is above that.
/// Exact: rounding keeps order, and a 64-bit integer is at most 1,024 from its nearest double.
struct NumberKey {
    double nearest = 0;
    int32_t rest = 0;
    auto operator<=>(const NumberKey&) const = default;

    static NumberKey of(double value) { return {value, 0}; }
    static NumberKey of(int64_t value) {
        const auto nearest = static_cast<double>(value);
        return {nearest, rest_of(static_cast<uint64_t>(value), nearest)};
    }
    static NumberKey of(uint64_t value) {
        const auto nearest = static_cast<double>(value);
        return {nearest, rest_of(value, nearest)};
    }

  private:
    static int32_t rest_of(uint64_t value, double nearest) {
        constexpr double kEnd = 0x1p64;
        // Modulo 2^64, which the small difference does not notice; the conversions are of whole numbers
        // within range.
        const uint64_t whole = nearest < 0      ? static_cast<uint64_t>(static_cast<int64_t>(nearest))
                               : nearest < kEnd ? static_cast<uint64_t>(nearest)
                                                : 0;
        return static_cast<int32_t>(static_cast<int64_t>(value - whole));
    }
};

template <class Key>
class Column {
  public:
    struct Entry {
        Key key;
        uint16_t offset = 0;  // of the row within its chunk
        auto operator<=>(const Entry&) const = default;
    };
    struct Run {
        size_t begin = 0;
        size_t end = 0;
        size_t size() const { return end - begin; }
    };

    Column() = default;
    explicit Column(std::vector<Entry> entries) {
        std::sort(entries.begin(), entries.end());
        entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
        offsets_.reserve(entries.size());
        for (const Entry& entry : entries) {
            if (keys_.empty() || keys_.back() != entry.key) {
                keys_.push_back(entry.key);
                starts_.push_back(static_cast<uint32_t>(offsets_.size()));
            }
            offsets_.push_back(entry.offset);
        }
        starts_.push_back(static_cast<uint32_t>(offsets_.size()));
        keys_.shrink_to_fit();
        starts_.shrink_to_fit();
        for (size_t step = 0; (step + 1) * kStepEntries <= offsets_.size(); ++step) {
            ChunkRows::set_bits(steps_, step * ChunkRows::kWords,
                                std::span(offsets_).subspan(step * kStepEntries, kStepEntries));
        }
    }

    size_t size() const { return offsets_.size(); }
    Run all() const { return {0, offsets_.size()}; }
    Run equal_to(const Key& key) const {
        const auto found = std::lower_bound(keys_.begin(), keys_.end(), key);
        if (found == keys_.end() || *found != key) {
            return {};
        }
        const auto at = static_cast<size_t>(found - keys_.begin());
        return {starts_[at], starts_[at + 1]};
    }
    /// Keys for which `is_before` is false and `is_behind` is false; both must split the order of keys.
    template <class Before, class Behind>
    Run between(Before is_before, Behind is_behind) const {
        if (keys_.empty()) {
            return {};
        }
        const auto first = std::partition_point(keys_.begin(), keys_.end(), is_before);
        const auto last =
            std::partition_point(first, keys_.end(), [&](const Key& key) { return !is_behind(key); });
        return {starts_[static_cast<size_t>(first - keys_.begin())],
                starts_[static_cast<size_t>(last - keys_.begin())]};
    }
    void collect(Run run, ChunkRows& rows) const {
        const size_t first_step = (run.begin + kStepEntries - 1) / kStepEntries;
        const size_t end_step = run.end / kStepEntries;
        if (first_step >= end_step) {
            rows.add(std::span(offsets_).subspan(run.begin, run.size()));
            return;
        }
        for (size_t step = first_step; step < end_step; ++step) {
            rows.add_words(std::span(steps_).subspan(step * ChunkRows::kWords, ChunkRows::kWords));
        }
        rows.add(std::span(offsets_).subspan(run.begin, first_step * kStepEntries - run.begin));
        rows.add(std::span(offsets_).subspan(end_step * kStepEntries, run.end - end_step * kStepEntries));
    }
    uint64_t bytes() const {
        return keys_.size() * sizeof(Key) + starts_.size() * sizeof(uint32_t) +
               offsets_.size() * sizeof(uint16_t) + steps_.size() * sizeof(uint64_t);
    }

  private:
    static constexpr size_t kStepEntries = 4096;

    std::vector<Key> keys_;
    std::vector<uint32_t> starts_;  // of each key's rows in offsets_, and the end
    std::vector<uint16_t> offsets_;
    std::vector<uint64_t> steps_;  // kWords of bits for each kStepEntries entries
};

}  // namespace akidb::index
