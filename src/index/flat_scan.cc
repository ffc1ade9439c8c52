#include "index/flat_scan.h"

#include <algorithm>

namespace akidb::index {
namespace {

// Rows asked for ahead of the one being compared. Scattered rows need them all; a run of rows is followed by
// the hardware too, and asking does no harm.
constexpr size_t kPrefetchRows = 8;

void offer_row(const Rows& rows, const float* query, uint32_t ordinal, Accept accept, TopK& best) {
    const float distance = rows.distance(query, ordinal);
    if (distance <= best.bound() && accept(ordinal)) {
        best.offer({distance, ordinal});
    }
}

}  // namespace

void scan_range(const Rows& rows, const float* query, uint32_t begin, uint32_t end, Accept accept,
                TopK& best) {
    for (uint32_t ordinal = begin; ordinal < end; ++ordinal) {
        if (end - ordinal > kPrefetchRows) {
            rows.prefetch(ordinal + static_cast<uint32_t>(kPrefetchRows));
        }
        offer_row(rows, query, ordinal, accept, best);
    }
}

void scan_ordinals(const Rows& rows, const float* query, std::span<const uint32_t> ordinals, Accept accept,
                   TopK& best) {
    for (const uint32_t ordinal : ordinals.first(std::min(kPrefetchRows, ordinals.size()))) {
        rows.prefetch(ordinal);
    }
    for (size_t i = 0; i < ordinals.size(); ++i) {
        if (i + kPrefetchRows < ordinals.size()) {
            rows.prefetch(ordinals[i + kPrefetchRows]);
        }
        offer_row(rows, query, ordinals[i], accept, best);
    }
}

}  // namespace akidb::index
