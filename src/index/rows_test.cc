#include "index/rows.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

namespace akidb::index {
namespace {

using model::Metric;
using model::VectorStorage;

std::vector<float> encoded(Metric metric, std::span<const float> vector) {
    const auto dimension = static_cast<uint32_t>(vector.size());
    std::vector<float> row(row_stride(dimension, VectorStorage::kF32), -1.0f);
    encode_row({metric, dimension}, vector, std::as_writable_bytes(std::span(row)));
    return row;
}

float score_between(Metric metric, std::span<const float> query, std::span<const float> vector) {
    Rows rows({metric, static_cast<uint32_t>(vector.size())});
    const std::vector<float> row = encoded(metric, vector);
    rows.set_chunk(0, std::as_bytes(std::span(row)).data());
    std::vector<float> encoded_query_row(rows.query_size());
    encode_query(metric, query, encoded_query_row);
    return score_of(metric, rows.distance(encoded_query_row.data(), 0));
}

TEST(Rows, KeepTheVectorAsSentWithItsFactorsAndZeros) {
    const std::array<float, 3> vector{3, 0, 4};
    EXPECT_EQ(row_stride(3, VectorStorage::kF32), 16u);
    EXPECT_EQ(row_stride(14, VectorStorage::kF32), 16u);
    EXPECT_EQ(row_stride(15, VectorStorage::kF32), 32u);
    std::vector<float> expected(16, 0.0f);
    expected[0] = 3;
    expected[2] = 4;
    expected[3] = 0.2f;
    expected[4] = 25;
    EXPECT_EQ(encoded(Metric::kCosine, vector), expected);
    expected[3] = 1;
    EXPECT_EQ(encoded(Metric::kDot, vector), expected);
    expected[3] = 0;
    EXPECT_EQ(encoded(Metric::kL2, vector), expected);
}

TEST(Rows, ScoresAreCosineDotProductAndEuclideanDistance) {
    const std::array<float, 3> query{1, 2, 2};
    const std::array<float, 3> vector{6, 0, 8};
    EXPECT_FLOAT_EQ(score_between(Metric::kCosine, query, vector), 22.0f / 30.0f);
    EXPECT_FLOAT_EQ(score_between(Metric::kDot, query, vector), 22.0f);
    EXPECT_FLOAT_EQ(score_between(Metric::kL2, query, vector), std::sqrt(25.0f + 4.0f + 36.0f));
}

TEST(Rows, VectorsWithoutADirectionScoreZeroUnderCosine) {
    const std::array<float, 3> zero{0, 0, 0};
    const std::array<float, 3> vector{6, 0, 8};
    EXPECT_EQ(score_between(Metric::kCosine, zero, vector), 0.0f);
    EXPECT_EQ(score_between(Metric::kCosine, vector, zero), 0.0f);
}

TEST(Rows, OverflowIsFarAwayAndNeverNotANumber) {
    const float large = std::numeric_limits<float>::max();
    const std::array<float, 3> up{large, large, large};
    const std::array<float, 3> mixed{-large, large, -large};
    EXPECT_EQ(score_between(Metric::kL2, up, mixed), std::sqrt(large));
    EXPECT_FALSE(std::isnan(score_between(Metric::kDot, up, mixed)));
    EXPECT_FALSE(std::isnan(score_between(Metric::kCosine, up, mixed)));
    EXPECT_TRUE(std::isfinite(encoded(Metric::kDot, up)[4]));
}

TEST(Rows, ThresholdsSurviveTheWayFromScoreToDistanceAndBack) {
    for (const Metric metric : {Metric::kCosine, Metric::kDot, Metric::kL2}) {
        EXPECT_FLOAT_EQ(score_of(metric, distance_of(metric, 0.75f)), 0.75f);
    }
    EXPECT_LT(distance_of(Metric::kL2, -1.0f), 0.0f);
}

}  // namespace
}  // namespace akidb::index
