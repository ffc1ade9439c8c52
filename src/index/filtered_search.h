// FilteredSearch: what a walk under a filter is asked for, and what it cost. The walk begins as any walk
// does, filter or not, for a few hops (the probe). Then it knows how many of the rows near the query match,
// which the share over all rows does not tell, and asks how to go on: *inline* (visit every row, keep
// matches), *two-hop* (visit matches only, reached through the neighbours of neighbours that do not match:
// ACORN-1, Patel et al. 2024) or not at all. A walk that has spent what comparing with all matches would cost
// gives up. Plain values.
#pragma once

#include <cstdint>

#include "base/function_ref.h"
#include "index/flat_scan.h"

namespace akidb::index {

enum class WalkKind : uint8_t { kInline, kTwoHop, kNone };

struct WalkChoice {
    WalkKind kind = WalkKind::kNone;
    uint32_t width = 0;  // of the beam
};

struct FilteredSearch {
    uint32_t ef = 0;   // width of the beam during the probe
    uint32_t end = 0;  // rows from here on are not there
    Accept matches;    // the filter alone: what is walked
    Accept accept;     // of the matches, those that may be returned
    /// Told the share of rows near the query that may be returned.
    FunctionRef<WalkChoice(double local_share)> choose;
    double spend_max = 0;    // in distances
    double test_weight = 0;  // what asking `matches` once costs, in distances
    uint32_t probe_hops = 0;
    uint32_t held_wanted = 0;  // `held` is counted no further
};

struct FilteredCost {
    uint32_t distances = 0;
    uint32_t tests = 0;
    uint32_t hops = 0;
    WalkKind kind = WalkKind::kNone;
    bool is_abandoned = false;
    /// Rows in the final beam that may be returned: with fewer than the answer wants, rows outside it are
    /// nearer than some in it.
    uint32_t held = 0;
};

}  // namespace akidb::index
