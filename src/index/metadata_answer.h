// What the field indexes say about a filter: how many rows match, without touching them, and which. A
// condition that no index answers (its field has none, or values of another class are asked for) matches
// "perhaps all"; the same holds for rows beyond what a field's index reaches. So an answer is a set of
// candidates and the ordinal below which it is exact; from there on each candidate must be held against the
// filter itself. With that the result equals model::matches on every row that the reader sees, whatever is
// indexed. Ids are answered by the caller's map from an id to the one row of it that the reader sees; of
// other rows with that id, dead or to come, nothing is said. Pure over a view, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/function_ref.h"
#include "index/bitmap.h"
#include "index/metadata_index.h"
#include "model/filter.h"

namespace akidb::index {

struct MatchEstimate {
    uint64_t low = 0;
    uint64_t high = 0;
};
/// Bounds on the number of matches among the first `rows` rows, dead ones included: equal for simple
/// conditions on indexed fields, wider for combinations. Microseconds.
MatchEstimate estimate_matches(const MetadataIndexView& view, const model::Filter& filter, uint32_t rows);

struct Candidates {
    std::optional<Bitmap> rows;  // none: all
    uint32_t exact_below = 0;
};
/// The row of the document with this encoded id that the reader sees; `rows` or more when there is none.
using FindRow = FunctionRef<uint32_t(std::string_view id)>;
/// May hold ordinals from `rows` on, which mean nothing. About a nanosecond a candidate, and a look-up for
/// each id.
Candidates find_candidates(const MetadataIndexView& view, const model::Filter& filter, uint32_t rows,
                           FindRow find_row);

}  // namespace akidb::index
