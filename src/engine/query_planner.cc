#include "engine/query_planner.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/assert.h"

namespace akidb::engine {
namespace {

// Nanoseconds on the machine that bench/README.md describes, vectors in 32-bit floats; only their ratios
// choose. A row compared in ascending order, the next ones asked for ahead; more the fewer of all rows it is
// one of, because then each lies on a page of its own. And a row compared in the order of a walk.
constexpr double kScanNs = 11;
constexpr double kScanNsPerDimension = 0.14;
constexpr double kScatterNs = 45;
constexpr double kWalkNs = 52;
constexpr double kWalkNsPerDimension = 0.36;
// A block of 32 rows scanned by one-bit codes. Of its matches those that their codes leave in doubt are
// compared by eight-bit ones, a larger share of them the fewer the dimensions; and in the end a row exactly.
constexpr double kBlockNs = 90;
constexpr double kBlockNsPerDimension = 0.3;
constexpr double kDoubtDimensions = 60;
constexpr double kDoubtNs = 115;
constexpr double kNearRowNs = 100;
// One row's filter: from a bitmap, and on its metadata (a search for the key, and in a walk's order cache
// misses).
constexpr double kBitmapTestNs = 3;
constexpr double kEvaluateNs = 120;
constexpr double kWalkEvaluateNs = 300;
// Making and reading the bitmap, a match.
constexpr double kBitmapNs = 1.5;

// A walk visits about as many rows as its beam is wide. A two-hop walk compares this many times as many rows,
// for it fills up what does not match; it finds them one list at a time.
constexpr double kTwoHopFresh = 2.5;
constexpr double kListNs = 150;
constexpr uint32_t kProbeHops = 32;
constexpr double kWorthTrying = 1.6;

// An inline beam holds this many matches for each result wanted, lest the last results lie beyond its edge.
constexpr double kHeldPerWanted = 2;
constexpr double kWidthMax = 4096;
// Below this share of the global one, the matches near the query are the edge of a region elsewhere, and a
// two-hop walk must search along that edge: the wider, the smaller the region.
constexpr double kFarShare = 0.5;
constexpr double kFarWidth = 0.7;  // of the beam, over ef, were the share 1
constexpr double kFarExponent = 1.5;

}  // namespace

std::string_view name_of(Plan plan) {
    constexpr std::array<std::string_view, 7> kNames{"exact",  "flat",    "graph", "brute",
                                                     "inline", "two_hop", "codes"};
    return kNames.at(static_cast<size_t>(plan));
}

QueryPlanner::QueryPlanner(const QueryShape& shape)
    : shape_(shape),
      share_(std::clamp(shape.matches / std::max<double>(shape.rows, 1), 0.0, 1.0)),
      scan_ns_(kScanNs + kScanNsPerDimension * shape.dimension + kScatterNs * (1 - share_)),
      distance_ns_(kWalkNs + kWalkNsPerDimension * shape.dimension),
      test_ns_(shape.is_exact ? kBitmapTestNs : kWalkEvaluateNs) {
    const double candidates = std::max(shape.candidates, 1.0);
    const double matches = std::clamp(shape.matches, 1.0, candidates);
    const double base_ns = kBitmapNs * candidates;
    if (shape.is_exact) {
        brute_ns_ = base_ns + candidates * scan_ns_;
    } else {
        const double compare_first = candidates * scan_ns_ + near_candidates() * kEvaluateNs;
        const double evaluate_first = candidates * kEvaluateNs + matches * scan_ns_;
        evaluates_first_ = evaluate_first < compare_first;
        brute_ns_ = base_ns + std::min(compare_first, evaluate_first);
    }
    if (shape.has_codes && base_ns + codes_ns() < brute_ns_) {
        by_codes_ = true;
        evaluates_first_ = false;
        brute_ns_ = base_ns + codes_ns();
        plan_ = Plan::kCodes;
    }
    // The cheapest that a walk can be. Where it would hardly win, it is not tried.
    const double nearest_ns = walk_ns(inline_width(1));
    if (brute_ns_ <= nearest_ns * kWorthTrying) {
        estimated_ns_ = brute_ns_;
        return;
    }
    const double inline_ns = walk_ns(inline_width(share_));
    const double hops_ns = two_hop_ns(two_hop_width(share_));
    plan_ = inline_ns <= hops_ns ? Plan::kInline : Plan::kTwoHop;
    estimated_ns_ = std::min({inline_ns, hops_ns, brute_ns_ + walk_ns(kProbeHops)});
}

/// Comparing first, those near enough are looked at closely: all until `wanted` matches are found, and then
/// as many as enter a list of the best in random order.
double QueryPlanner::near_candidates() const {
    const double candidates = std::max(shape_.candidates, 1.0);
    const double matches = std::clamp(shape_.matches, 1.0, candidates);
    const double wanted = std::max<double>(shape_.wanted, 1);
    const double near = wanted * (1 + std::log(std::max(1.0, matches / wanted))) * candidates / matches;
    return std::min(candidates, near);
}

/// Were candidates spread evenly.
double QueryPlanner::codes_ns() const {
    constexpr double kBlockRows = 32;
    const double rows = std::max<double>(shape_.rows, 1);
    const double candidates = std::clamp(shape_.candidates, 1.0, rows);
    const double blocks = rows / kBlockRows * (1 - std::pow(1 - candidates / rows, kBlockRows));
    return blocks * (kBlockNs + kBlockNsPerDimension * shape_.dimension) +
           candidates * std::min(1.0, kDoubtDimensions / shape_.dimension) * kDoubtNs +
           near_candidates() * (kNearRowNs + scan_ns_ + (shape_.is_exact ? 0 : kEvaluateNs));
}

double QueryPlanner::walk_ns(double width) const {
    return width * shape_.degree * shape_.fresh_share * distance_ns_;
}

double QueryPlanner::two_hop_ns(double width) const {
    // Where half of a row matches, no other list is looked through; else until a row's worth is found. Where
    // a test is dear, the worst is assumed.
    const double lists_max = shape_.degree / 2.0;
    const double lists = !shape_.is_exact ? lists_max
                         : share_ >= 0.5  ? 0
                                          : std::min(lists_max, 1 / std::max(share_, 1e-6));
    return width * (shape_.degree * shape_.fresh_share * kTwoHopFresh * distance_ns_ + lists * kListNs +
                    (1 + lists) * shape_.degree * test_ns_);
}

double QueryPlanner::inline_width(double share) const {
    const double safe = std::max(share, 1e-6);
    return std::max(shape_.ef / std::sqrt(safe), kHeldPerWanted * shape_.wanted / safe);
}

double QueryPlanner::two_hop_width(double local_share) const {
    if (local_share >= kFarShare * share_) {
        return shape_.ef;
    }
    return shape_.ef * std::max(1.0, kFarWidth / std::pow(std::max(share_, 1e-6), kFarExponent));
}

index::WalkChoice QueryPlanner::choose(double local_share) const {
    const double inline_wide = inline_width(local_share);
    const double hops_wide = two_hop_width(local_share);
    const double inline_ns = inline_wide <= kWidthMax ? walk_ns(inline_wide) : brute_ns_ * 2;
    const double hops_ns = hops_wide <= kWidthMax ? two_hop_ns(hops_wide) : brute_ns_ * 2;
    if (brute_ns_ <= std::min(inline_ns, hops_ns)) {
        return {};
    }
    return inline_ns <= hops_ns ? forced(Plan::kInline, local_share) : forced(Plan::kTwoHop, local_share);
}

index::WalkChoice QueryPlanner::forced(Plan plan, double local_share) const {
    AKIDB_ASSERT(plan == Plan::kInline || plan == Plan::kTwoHop);
    const double width = plan == Plan::kInline ? inline_width(local_share) : two_hop_width(local_share);
    return {plan == Plan::kInline ? index::WalkKind::kInline : index::WalkKind::kTwoHop,
            static_cast<uint32_t>(std::clamp(width, 1.0, kWidthMax))};
}

double QueryPlanner::spend_max() const {
    return brute_ns_ / distance_ns_;
}

double QueryPlanner::test_weight() const {
    return test_ns_ / distance_ns_;
}

uint32_t QueryPlanner::probe_hops() const {
    return kProbeHops;
}

}  // namespace akidb::engine
