// Exact nearest neighbours, computed here and by nothing of the server: the truth that recall is measured
// against. A plain loop over all rows with its own arithmetic (8 partial sums in f32, norms in f64), so that
// a fault in the server's kernels cannot hide in the reference. Pure functions; use every core unless told
// otherwise.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "bench/vector_file.h"

namespace akidb::bench {

enum class Metric { kCosine, kDot, kL2 };
/// Throws std::runtime_error on another name.
Metric metric_from(std::string_view name);

/// Larger is nearer for every metric (l2: the negated squared distance).
float similarity(Metric metric, std::span<const float> left, std::span<const float> right);

struct Neighbour {
    float similarity = 0;
    uint32_t row = 0;
};

/// The k nearest rows of `base` for each row of `queries`, nearest first.
std::vector<std::vector<Neighbour>> exact_neighbours(Metric metric, const VectorFile& base,
                                                     const VectorFile& queries, size_t k);

/// The share of the true k that `returned` holds. A returned row that is exactly as near as the k-th true one
/// (within 1e-6) counts: which of two equals comes first is nobody's fault. A row returned twice counts once.
double recall_of(const std::vector<Neighbour>& truth, const std::vector<Neighbour>& returned);

}  // namespace akidb::bench
