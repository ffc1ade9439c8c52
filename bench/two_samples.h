// Two samples of times: do they come from one distribution? Mann and Whitney's test (1947) asks whether one
// tends to be larger, by ranks, so outliers weigh nothing; Welch's t test (1947) whether the means differ.
// Both two-sided, by the normal distribution, which samples of some dozens are enough for. Pure, thread-safe.
#pragma once

#include <span>

namespace akidb::bench {

struct TestResult {
    double statistic = 0;  // of the standard normal distribution, if there is no difference
    double p = 1;          // how often chance alone would give one as large
};

/// At least two values each.
TestResult mann_whitney(std::span<const double> a, std::span<const double> b);
TestResult welch_t(std::span<const double> a, std::span<const double> b);

}  // namespace akidb::bench
