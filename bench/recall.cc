#include "bench/recall.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>

namespace akidb::bench {
namespace {

constexpr double kTie = 1e-9;  // relative; f64 sums of the same vectors in another order differ by less

}  // namespace

RecallJudge::RecallJudge(Metric metric, const VectorFile& base, const VectorFile& queries, const Truth& truth)
    : metric_(metric), base_(base), queries_(queries), truth_(truth) {
    if (truth.queries() != queries.rows() || base.dimension() != queries.dimension()) {
        throw std::runtime_error("base, queries and truth differ in dimension or number of queries");
    }
    const bool is_within = std::all_of(truth.rows.begin(), truth.rows.end(), [&](int32_t row) {
        return row >= 0 && static_cast<size_t>(row) < base.rows();
    });
    if (!is_within) {
        throw std::runtime_error("the truth names rows that the base does not have");
    }
}

double RecallJudge::recall(size_t query, std::span<const uint32_t> found, size_t k) const {
    const auto nearest = truth_.of(query).first(k);
    const auto distance_to = [&](size_t row) {
        return exact_distance(metric_, queries_.row(query), base_.row(row));
    };
    const double last = distance_to(static_cast<size_t>(nearest.back()));
    std::set<uint32_t> right;
    for (const uint32_t row : found.first(std::min(k, found.size()))) {
        const bool is_listed =
            std::find(nearest.begin(), nearest.end(), static_cast<int32_t>(row)) != nearest.end();
        if (is_listed || distance_to(row) <= last + kTie * std::abs(last)) {
            right.insert(row);
        }
    }
    return static_cast<double>(right.size()) / static_cast<double>(k);
}

}  // namespace akidb::bench
