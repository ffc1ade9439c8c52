// RecallJudge: the share of the true nearest rows that a search found. A row as near as the k-th true one, by
// f64 arithmetic on the vectors as the files have them, counts even where the truth lists another of the same
// distance; a row returned twice counts once. Thread-compatible; keeps references to what it is given.
#pragma once

#include <cstdint>
#include <span>

#include "bench/brute_force.h"
#include "bench/truth.h"
#include "bench/vector_file.h"

namespace akidb::bench {

class RecallJudge {
  public:
    /// Throws when truth, base and queries do not belong together.
    RecallJudge(Metric metric, const VectorFile& base, const VectorFile& queries, const Truth& truth);

    size_t k_max() const { return truth_.k; }
    /// Of the first k rows of `found` (fewer when it has fewer), against the first k of the truth, k ≤
    /// k_max().
    double recall(size_t query, std::span<const uint32_t> found, size_t k) const;

  private:
    Metric metric_;
    const VectorFile& base_;
    const VectorFile& queries_;
    const Truth& truth_;
};

}  // namespace akidb::bench
