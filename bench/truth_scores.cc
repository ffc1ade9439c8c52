#include "bench/truth_scores.h"

#include <cstddef>

namespace akidb::bench {
namespace {

constexpr size_t kLanes = 16;
constexpr size_t kVectors = kPanelQueries / kLanes;
// With 8 rows × 2 vectors the sums fill half of the 32 registers of AVX-512, and each load serves several of
// them.
constexpr size_t kRowsAtOnce = 8;

// A vector type of GCC and clang; on narrower processors the compiler splits it.
using Lanes = float __attribute__((vector_size(kLanes * sizeof(float)), aligned(4), may_alias));

template <size_t kRows>
void score_block(const float* rows, const float* panel, size_t dimension, float* scores) {
    Lanes sums[kRows][kVectors] = {};
    for (size_t component = 0; component < dimension; ++component) {
        const auto* const queries = reinterpret_cast<const Lanes*>(panel + component * kPanelQueries);
        for (size_t row = 0; row < kRows; ++row) {
            const float value = rows[row * dimension + component];
            for (size_t vector = 0; vector < kVectors; ++vector) {
                sums[row][vector] += queries[vector] * value;
            }
        }
    }
    auto* const out = reinterpret_cast<Lanes*>(scores);
    for (size_t row = 0; row < kRows; ++row) {
        for (size_t vector = 0; vector < kVectors; ++vector) {
            out[row * kVectors + vector] = sums[row][vector];
        }
    }
}

}  // namespace

void score_rows(const float* rows, size_t row_count, const float* panel, size_t dimension, float* scores) {
    size_t row = 0;
    for (; row + kRowsAtOnce <= row_count; row += kRowsAtOnce) {
        score_block<kRowsAtOnce>(rows + row * dimension, panel, dimension, scores + row * kPanelQueries);
    }
    for (; row < row_count; ++row) {
        score_block<1>(rows + row * dimension, panel, dimension, scores + row * kPanelQueries);
    }
}

}  // namespace akidb::bench
