// FilterMatches: the rows of one snapshot that a filter selects: first how many, from what the metadata
// indexes say and from a sample where they say nothing; then which, as a bitmap of candidates that are held
// against their metadata only where no index answered. One query's; thread-compatible.
#pragma once

#include <cstdint>
#include <vector>

#include "base/function_ref.h"
#include "engine/snapshot.h"
#include "index/metadata_answer.h"
#include "model/filter.h"

namespace akidb::engine {

class FilterMatches {
  public:
    /// Both must outlive it.
    FilterMatches(const Snapshot& snapshot, const model::Filter& filter);

    /// Estimates; rows that died are counted as if they lived.
    double count() const { return count_; }
    double candidate_count() const { return candidate_count_; }
    /// Whether candidates match without a look at their metadata (but for the last few rows, perhaps).
    bool is_exact() const { return is_exact_; }

    /// Makes the bitmap, after which has() is cheap. About a nanosecond a candidate.
    void find();
    /// Whether the filter matches the row, alive or not.
    bool has(uint32_t row) const {
        return is_candidate(row) && ((is_found_ && row < found_.exact_below) || matches(row));
    }
    /// Of a row that find() left as a candidate: anything is, before it.
    bool is_candidate(uint32_t row) const { return !found_.rows || found_.rows->contains(row); }
    /// Documents whose metadata were read so far.
    uint64_t evaluated() const { return evaluated_; }
    /// After find(): has() takes one step, for walks.
    void make_quick();

    enum class Order { kEvaluateFirst, kCompareFirst };
    /// The matches below `end` that the snapshot sees, in batches, ascending; those of kCompareFirst have yet
    /// to pass admits(). `take` may get none: it is asked every thousand candidates or so, and false ends it.
    void for_each_batch(uint32_t end, Order order, FunctionRef<bool(std::span<const uint32_t>)> take);
    /// Of a candidate: seen by the snapshot, and matches.
    bool admits(uint32_t row) const {
        return snapshot_.sees(row) && (row < found_.exact_below || matches(row));
    }

  private:
    bool matches(uint32_t row) const {
        ++evaluated_;
        const RowStore& rows = snapshot_.generation->rows;
        return model::matches(filter_, model::MetadataView(rows.metadata(row)),
                              reads_ids_ ? rows.id(row) : std::string_view());
    }
    void estimate();
    void estimate_candidates();
    double sampled_share() const;

    const Snapshot& snapshot_;
    const model::Filter& filter_;
    const bool reads_ids_;  // else they are left out of the cache
    const std::shared_ptr<const index::MetadataIndexView> view_;
    index::Candidates found_;
    bool is_found_ = false;
    bool is_exact_ = false;
    double count_ = 0;
    double candidate_count_ = 0;
    mutable uint64_t evaluated_ = 0;
};

}  // namespace akidb::engine
