// Exact search by comparing the query with rows one after another: the head, small collections, filtered
// leftovers and `exact`. Cost: about 10 ns a row at 100 dimensions from cache, memory bandwidth beyond.
// `accept` (alive, visible, matches the filter) is asked only about rows near enough to enter. Thread-safe
// over published rows.
#pragma once

#include <cstdint>
#include <span>

#include "base/function_ref.h"
#include "index/rows.h"
#include "index/top_k.h"

namespace akidb::index {

using Accept = FunctionRef<bool(uint32_t ordinal)>;

/// Rows [begin, end). `query` is encoded.
void scan_range(const Rows& rows, const float* query, uint32_t begin, uint32_t end, Accept accept,
                TopK& best);
/// Just these rows, ascending.
void scan_ordinals(const Rows& rows, const float* query, std::span<const uint32_t> ordinals, Accept accept,
                   TopK& best);

}  // namespace akidb::index
