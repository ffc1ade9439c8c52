#include "bench/two_samples.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace akidb::bench {
namespace {

TEST(TwoSamples, AgreesWithWhatIsWorkedOutByHand) {
    // U = 4.5; three pairs share a rank, so the variance is 25/12 · (11 - 18/90); the means differ by 2, each
    // with an error of √0.5.
    const std::vector<double> a{1, 2, 3, 4, 5};
    const std::vector<double> b{3, 4, 5, 6, 7};
    EXPECT_NEAR(mann_whitney(a, b).statistic, -1.6865, 1e-4);
    EXPECT_NEAR(mann_whitney(a, b).p, 0.0917, 1e-4);
    EXPECT_NEAR(welch_t(a, b).statistic, -2.0, 1e-9);
    EXPECT_NEAR(mann_whitney(b, a).statistic, 1.6865, 1e-4);
}

TEST(TwoSamples, SeesADifferenceAndNoneWhereThereIsNone) {
    std::mt19937 random(5);
    std::normal_distribution<double> normal(50, 10);
    int alarms = 0;
    for (int round = 0; round < 100; ++round) {
        std::vector<double> a(500);
        std::vector<double> b(500);
        std::vector<double> slower(500);
        for (size_t i = 0; i < a.size(); ++i) {
            a[i] = normal(random);
            b[i] = normal(random);
            slower[i] = normal(random) + 4;
        }
        alarms += mann_whitney(a, b).p < 0.01 ? 1 : 0;
        alarms += welch_t(a, b).p < 0.01 ? 1 : 0;
        EXPECT_LT(mann_whitney(a, slower).p, 0.01);
        EXPECT_LT(welch_t(a, slower).p, 0.01);
    }
    EXPECT_LE(alarms, 8) << "of 200, where 2 are to be expected";
}

TEST(TwoSamples, EqualValuesAreNoDifference) {
    const std::vector<double> same(10, 3.0);
    EXPECT_EQ(mann_whitney(same, same).p, 1);
    EXPECT_EQ(welch_t(same, same).p, 1);
}

}  // namespace
}  // namespace akidb::bench
