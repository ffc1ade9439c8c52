// What a sweep over ef says about speed at a given recall. Pure functions.
#pragma once

#include <optional>
#include <vector>

namespace akidb::bench {

struct CurvePoint {
    double recall = 0;
    double qps = 0;
};

/// The points that no other one beats in both, by rising recall and so by falling queries a second.
std::vector<CurvePoint> pareto_front(std::vector<CurvePoint> points);

struct Speed {
    double qps = 0;
    bool is_leftmost = false;  // even the fastest point has more recall than was asked for
};

/// Interpolated on the front: log of queries a second over recall, linear between two points; never beyond
/// them: below the first point its own speed, above the last one nothing.
std::optional<Speed> qps_at(const std::vector<CurvePoint>& points, double recall);

/// Of an even number the mean of the middle two; 0 of none.
double median(std::vector<double> values);
/// The smallest value that `share` (0–1] of the values do not exceed; 0 of none.
double quantile(std::vector<double> values, double share);

}  // namespace akidb::bench
