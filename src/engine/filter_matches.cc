#include "engine/filter_matches.h"

#include <algorithm>

namespace akidb::engine {
namespace {

// Bounds this near to one another need no better estimate: the plans' costs are not known better either.
constexpr uint64_t kTightShare = 8;
// Rows at the end that no index has yet (index::MetadataIndex leaves fewer to us).
constexpr uint64_t kTailRows = 64;
// A sample of 1,024 tells 1 % from 2 %; it ends as soon as 64 rows match, which is within an eighth or so.
constexpr uint32_t kSamplePasses = 4;
constexpr uint32_t kSampleRowsOfPass = 256;
constexpr uint32_t kSampleMatchesEnough = 64;
constexpr uint32_t kSampledShareMax =
    16;  // and takes no more than this part of the rows, beyond its first pass

constexpr size_t kBatchRows = 1024;

}  // namespace

FilterMatches::FilterMatches(const Snapshot& snapshot, const model::Filter& filter)
    : snapshot_(snapshot),
      filter_(filter),
      reads_ids_(model::reads_ids(filter)),
      view_(snapshot.generation->metadata.view()) {
    estimate();
}

void FilterMatches::estimate() {
    const uint32_t rows = snapshot_.rows;
    const index::MatchEstimate bounds = index::estimate_matches(*view_, filter_, rows);
    if (bounds.high - bounds.low <= bounds.high / kTightShare + kTailRows) {
        count_ = static_cast<double>(bounds.low + bounds.high) / 2;
        candidate_count_ = static_cast<double>(bounds.high);
        is_exact_ = true;
    } else if (bounds.high < rows || bounds.low > 0) {
        find();
    } else {
        count_ = sampled_share() * rows;
        candidate_count_ = rows;
    }
}

void FilterMatches::find() {
    if (is_found_) {
        return;
    }
    const uint32_t rows = snapshot_.rows;
    found_ = index::find_candidates(*view_, filter_, rows,
                                    [&](std::string_view id) { return snapshot_.find(id); });
    is_found_ = true;
    is_exact_ = uint64_t{found_.exact_below} + kTailRows >= rows;
    candidate_count_ = found_.rows ? static_cast<double>(found_.rows->count()) : rows;
    if (is_exact_) {
        count_ = candidate_count_;
    } else if (count_ == 0) {
        estimate_candidates();
    }
}

// Those among the candidates, from about a sample's worth of them.
void FilterMatches::estimate_candidates() {
    if (!found_.rows) {
        count_ = sampled_share() * snapshot_.rows;
        return;
    }
    const uint64_t step = found_.rows->count() / (kSamplePasses * kSampleRowsOfPass) + 1;
    uint64_t at = 0;
    uint64_t seen = 0;
    uint64_t passed = 0;
    found_.rows->for_each([&](uint32_t row) {
        if (at++ % step == 0 && row < snapshot_.rows) {
            ++seen;
            passed += row < found_.exact_below || matches(row) ? 1 : 0;
        }
        return true;
    });
    count_ =
        candidate_count_ * static_cast<double>(passed) / static_cast<double>(std::max<uint64_t>(seen, 1));
}

double FilterMatches::sampled_share() const {
    const uint32_t rows = snapshot_.rows;
    uint32_t seen = 0;
    uint32_t passed = 0;
    const uint32_t step = std::max(1u, rows / kSampleRowsOfPass);
    for (uint32_t pass = 0; pass < kSamplePasses && passed < kSampleMatchesEnough; ++pass) {
        if (uint64_t{seen} * kSampledShareMax > rows) {
            break;
        }
        // Passes lie between one another, so that each of them covers all rows evenly.
        for (uint64_t row = uint64_t{step} * pass / kSamplePasses; row < rows; row += step) {
            ++seen;
            passed += matches(static_cast<uint32_t>(row)) ? 1 : 0;
        }
    }
    return static_cast<double>(passed) / std::max(seen, 1u);
}

void FilterMatches::make_quick() {
    if (found_.rows) {
        found_.rows->make_quick();
    }
}

void FilterMatches::for_each_batch(uint32_t end, Order order,
                                   FunctionRef<bool(std::span<const uint32_t>)> take) {
    find();
    std::vector<uint32_t> batch;
    batch.reserve(kBatchRows);
    size_t offered = 0;
    bool goes_on = true;
    const auto offer = [&](uint32_t row) {
        if (row >= end) {
            return false;
        }
        if (order == Order::kCompareFirst || admits(row)) {
            batch.push_back(row);
        }
        if (++offered % kBatchRows == 0) {
            goes_on = take(batch);
            batch.clear();
        }
        return goes_on;
    };
    if (found_.rows) {
        found_.rows->for_each(offer);
    } else {
        for (uint32_t row = 0; row < end && goes_on; ++row) {
            offer(row);
        }
    }
    if (goes_on && !batch.empty()) {
        take(batch);
    }
}

}  // namespace akidb::engine
