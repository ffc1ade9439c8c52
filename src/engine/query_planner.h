// QueryPlanner: which way a search under a filter takes, by what each would cost in nanoseconds:
//   brute    compare with every match: candidates × scan
//   codes    the same by one-bit codes first, in the blocks of 32 rows that hold a match: blocks × scan, and
//   the few that are near exactly inline   walk the graph, keep what matches: a beam wide enough that matches
//   are in it two-hop  walk the matches, through the neighbours of neighbours that do not match
// A walk is told the share of matches near the query before it commits itself (index/filtered_search.h),
// because the share over all rows says nothing about whether they lie near the query or far from it. Sources:
// index design §3.7 rules 1–5; the constants were measured by bench/filter_bench. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "index/filtered_search.h"

namespace akidb::engine {

enum class Plan : uint8_t { kExact, kFlat, kGraph, kBrute, kInline, kTwoHop, kCodes };
/// As metrics and `explain` call it.
std::string_view name_of(Plan plan);

/// What is known about a query before it runs.
struct QueryShape {
    uint32_t rows = 0;  // that the snapshot sees, dead ones included
    uint32_t dimension = 0;
    uint32_t degree = 0;  // of the graph
    uint32_t wanted = 0;  // results
    uint32_t ef = 0;
    double matches = 0;        // expected
    double candidates = 0;     // rows that brute force must look at, matches among them
    double fresh_share = 0.5;  // of a visited row's neighbours, those not met before (walk_measure.h)
    bool is_exact = false;     // candidates all match: none must be evaluated
    bool has_codes = false;    // nearly all rows are known by code
};

class QueryPlanner {
  public:
    explicit QueryPlanner(const QueryShape& shape);

    /// Of comparing with every match, the cheaper way of the two.
    double brute_ns() const { return brute_ns_; }
    bool compares_by_codes() const { return by_codes_; }
    /// Whether it evaluates the filter before it compares: dear where most candidates are too far to
    /// matter, cheap where few match.
    bool evaluates_first() const { return evaluates_first_; }
    /// kBrute or kCodes, or the walk that would be taken if matches lay evenly.
    Plan plan() const { return plan_; }
    double estimated_ns() const { return estimated_ns_; }

    /// Near the query `local_share` of the rows match. kNone: comparing with every match is cheaper from here
    /// on.
    index::WalkChoice choose(double local_share) const;
    /// A plan that a bench insists on.
    index::WalkChoice forced(Plan plan, double local_share) const;

    /// The walk's share of what brute force would cost, in distances of the walk.
    double spend_max() const;
    /// A test of the filter, in distances of the walk.
    double test_weight() const;
    uint32_t probe_hops() const;

  private:
    double codes_ns() const;
    double near_candidates() const;
    double walk_ns(double width) const;
    double two_hop_ns(double width) const;
    double inline_width(double share) const;
    double two_hop_width(double local_share) const;

    const QueryShape shape_;
    double share_ = 0;
    double scan_ns_ = 0;
    double distance_ns_ = 0;
    double test_ns_ = 0;
    double brute_ns_ = 0;
    bool evaluates_first_ = false;
    bool by_codes_ = false;
    Plan plan_ = Plan::kBrute;
    double estimated_ns_ = 0;
};

}  // namespace akidb::engine
