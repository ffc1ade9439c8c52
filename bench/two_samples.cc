#include "bench/two_samples.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace akidb::bench {
namespace {

TestResult result_of(double statistic) {
    return {.statistic = statistic, .p = std::erfc(std::abs(statistic) / std::sqrt(2.0))};
}

double mean_of(std::span<const double> values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// Of the mean, squared.
double error_of(std::span<const double> values, double mean) {
    double sum = 0;
    for (const double value : values) {
        sum += (value - mean) * (value - mean);
    }
    const auto count = static_cast<double>(values.size());
    return sum / (count - 1) / count;
}

}  // namespace

TestResult mann_whitney(std::span<const double> a, std::span<const double> b) {
    struct Value {
        double value;
        bool is_of_a;
    };
    std::vector<Value> all;
    for (const double value : a) {
        all.push_back({value, true});
    }
    for (const double value : b) {
        all.push_back({value, false});
    }
    std::sort(all.begin(), all.end(), [](const Value& x, const Value& y) { return x.value < y.value; });
    double ranks_of_a = 0;
    double ties = 0;
    for (size_t begin = 0; begin < all.size();) {
        size_t end = begin;
        while (end < all.size() && all[end].value == all[begin].value) {
            ++end;
        }
        // Equal values share the mean of their ranks, which count from 1.
        const double rank = static_cast<double>(begin + end + 1) / 2;
        for (size_t i = begin; i < end; ++i) {
            ranks_of_a += all[i].is_of_a ? rank : 0;
        }
        const auto count = static_cast<double>(end - begin);
        ties += count * count * count - count;
        begin = end;
    }
    const auto m = static_cast<double>(a.size());
    const auto n = static_cast<double>(b.size());
    const double u = ranks_of_a - m * (m + 1) / 2;
    const double variance = m * n / 12 * (m + n + 1 - ties / ((m + n) * (m + n - 1)));
    return variance > 0 ? result_of((u - m * n / 2) / std::sqrt(variance)) : TestResult{};
}

TestResult welch_t(std::span<const double> a, std::span<const double> b) {
    const double mean_a = mean_of(a);
    const double mean_b = mean_of(b);
    const double error = std::sqrt(error_of(a, mean_a) + error_of(b, mean_b));
    return error > 0 ? result_of((mean_a - mean_b) / error) : TestResult{};
}

}  // namespace akidb::bench
