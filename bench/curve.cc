#include "bench/curve.h"

#include <algorithm>
#include <cmath>

namespace akidb::bench {

std::vector<CurvePoint> pareto_front(std::vector<CurvePoint> points) {
    std::sort(points.begin(), points.end(), [](const CurvePoint& left, const CurvePoint& right) {
        return left.recall != right.recall ? left.recall > right.recall : left.qps > right.qps;
    });
    std::vector<CurvePoint> front;
    for (const CurvePoint& point : points) {
        if (front.empty() || point.qps > front.back().qps) {
            front.push_back(point);
        }
    }
    std::reverse(front.begin(), front.end());
    return front;
}

std::optional<Speed> qps_at(const std::vector<CurvePoint>& points, double recall) {
    const std::vector<CurvePoint> front = pareto_front(points);
    if (front.empty() || recall > front.back().recall) {
        return std::nullopt;
    }
    const auto above = std::find_if(front.begin(), front.end(),
                                    [&](const CurvePoint& point) { return point.recall >= recall; });
    if (above == front.begin()) {
        return Speed{above->qps, above->recall > recall};
    }
    const auto below = above - 1;
    const double share = (recall - below->recall) / (above->recall - below->recall);
    return Speed{std::exp(std::log(below->qps) * (1 - share) + std::log(above->qps) * share), false};
}

double median(std::vector<double> values) {
    if (values.empty()) {
        return 0;
    }
    std::sort(values.begin(), values.end());
    const size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double quantile(std::vector<double> values, double share) {
    if (values.empty()) {
        return 0;
    }
    const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(values.size())));
    const auto at =
        values.begin() + static_cast<std::ptrdiff_t>(std::clamp<size_t>(rank, 1, values.size()) - 1);
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

}  // namespace akidb::bench
