// Inner products of a block of base rows with a panel of queries: the hot loop of truth.cc. A source of its
// own because it is compiled with -O3 -march=native; it includes no library header, so that no inline
// function of one is compiled with instructions the rest of the program does without. Pure.
#pragma once

#include <cstddef>

namespace akidb::bench {

inline constexpr size_t kPanelQueries = 32;

/// `panel` holds kPanelQueries queries transposed: component × query. `scores` receives row × query.
void score_rows(const float* rows, size_t row_count, const float* panel, size_t dimension, float* scores);

}  // namespace akidb::bench
