// Exact answers in a file, so that a benchmark need not compute them each time. `.ibin`: u32 queries, u32 k,
// then queries × k i32 row numbers, little-endian, nearest first: the format of the big-ann benchmarks.
// Candidates are found in f32, blocked over queries and rows, and ordered in f64 from the vectors as they lie
// in the file; equal ones by row. Throws std::runtime_error with the file's name. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bench/brute_force.h"
#include "bench/vector_file.h"

namespace akidb::bench {

struct Truth {
    size_t k = 0;
    std::vector<int32_t> rows;  // queries × k

    size_t queries() const { return k == 0 ? 0 : rows.size() / k; }
    std::span<const int32_t> of(size_t query) const { return std::span(rows).subspan(query * k, k); }
};

/// `k` must not exceed the base's rows.
Truth exact_truth(Metric metric, const VectorFile& base, const VectorFile& queries, size_t k);
/// Smaller is nearer, in f64: 1 − cosine, −dot, squared Euclidean distance.
double exact_distance(Metric metric, std::span<const float> query, std::span<const float> row);

Truth read_truth(const std::string& path);
void write_truth(const std::string& path, const Truth& truth);

/// Median over queries of the local intrinsic dimension by the maximum-likelihood estimate over the k nearest
/// (Amsaleg et al. 2015): how hard the set is for any index. In Euclidean distance; cosine: of unit vectors.
double median_intrinsic_dimension(Metric metric, const VectorFile& base, const VectorFile& queries,
                                  const Truth& truth);

}  // namespace akidb::bench
