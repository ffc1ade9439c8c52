// The arithmetic behind index_bench: exact truth, recall, and reading a curve.
#include <gmock/gmock.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <random>

#include "bench/curve.h"
#include "bench/index_report.h"
#include "bench/recall.h"
#include "bench/temporary_file.h"
#include "bench/truth.h"

namespace akidb::bench {
namespace {

using testing::ElementsAre;

std::vector<float> random_values(size_t count, uint32_t seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::vector<float> values(count);
    for (float& value : values) {
        value = normal(random);
    }
    return values;
}

std::vector<int32_t> nearest_by_sorting(Metric metric, const VectorFile& base, std::span<const float> query,
                                        size_t k) {
    std::vector<std::pair<double, int32_t>> all;
    for (size_t row = 0; row < base.rows(); ++row) {
        all.emplace_back(exact_distance(metric, query, base.row(row)), static_cast<int32_t>(row));
    }
    std::sort(all.begin(), all.end());
    std::vector<int32_t> rows;
    for (size_t i = 0; i < k; ++i) {
        rows.push_back(all[i].second);
    }
    return rows;
}

// Rows and queries on both sides of every block size (8 rows, 64 rows, 32 queries).
TEST(Truth, IsWhatSortingAllRowsGives) {
    for (const uint32_t rows : {12u, 63u, 64u, 65u, 135u}) {
        for (const uint32_t queries : {1u, 31u, 32u, 33u}) {
            constexpr uint32_t kDimension = 19;
            const TemporaryFile base_file(fbin(rows, kDimension, random_values(rows * kDimension, rows)));
            const TemporaryFile query_file(
                fbin(queries, kDimension, random_values(queries * kDimension, 1000 + queries)));
            const VectorFile base(base_file.path());
            const VectorFile asked(query_file.path());
            for (const Metric metric : {Metric::kCosine, Metric::kDot, Metric::kL2}) {
                const Truth truth = exact_truth(metric, base, asked, 10);
                ASSERT_EQ(truth.queries(), queries);
                for (size_t query = 0; query < queries; ++query) {
                    EXPECT_THAT(truth.of(query), testing::ElementsAreArray(
                                                     nearest_by_sorting(metric, base, asked.row(query), 10)));
                }
            }
        }
    }
}

TEST(Truth, ComesBackFromItsFileAndRefusesATornOne) {
    const TemporaryFile file("");
    write_truth(file.path(), {2, {5, 1, 7, 0}});
    const Truth truth = read_truth(file.path());
    EXPECT_EQ(truth.k, 2u);
    EXPECT_THAT(truth.of(0), ElementsAre(5, 1));
    EXPECT_THAT(truth.of(1), ElementsAre(7, 0));
    std::ofstream(file.path(), std::ios::app) << 'x';
    EXPECT_THROW(read_truth(file.path()), std::runtime_error);
}

TEST(Truth, RefusesMoreNeighboursThanRows) {
    const TemporaryFile file(fbin(3, 1, {1, 2, 3}));
    const VectorFile base(file.path());
    EXPECT_NO_THROW(exact_truth(Metric::kL2, base, base, 3));
    EXPECT_THROW(exact_truth(Metric::kL2, base, base, 4), std::runtime_error);
}

TEST(RecallJudge, CountsTheFirstKAndEqualsAndNoRowTwice) {
    // Distances from 0: row 0: 1, row 1: 4, rows 2 and 3: 9, row 4: 16.
    const TemporaryFile base_file(fbin(5, 1, {1, 2, 3, -3, 4}));
    const TemporaryFile query_file(fbin(1, 1, {0}));
    const VectorFile base(base_file.path());
    const VectorFile queries(query_file.path());
    const Truth truth{4, {0, 1, 2, 3}};
    const RecallJudge judge(Metric::kL2, base, queries, truth);
    const auto recall = [&](std::vector<uint32_t> found, size_t k) { return judge.recall(0, found, k); };
    EXPECT_EQ(recall({0, 1, 2}, 3), 1.0);
    EXPECT_EQ(recall({0, 1, 3}, 3), 1.0) << "row 3 is as near as row 2";
    EXPECT_EQ(recall({0, 0, 1}, 3), 2.0 / 3);
    EXPECT_EQ(recall({4, 0, 1}, 1), 0.0) << "only the first counts";
    EXPECT_EQ(recall({0, 1, 4}, 3), 2.0 / 3);
    EXPECT_EQ(recall({0}, 2), 0.5);
    EXPECT_EQ(recall({}, 2), 0.0);
}

TEST(RecallJudge, RefusesATruthOfAnotherSet) {
    const TemporaryFile file(fbin(2, 1, {1, 2}));
    const VectorFile vectors(file.path());
    EXPECT_THROW(RecallJudge(Metric::kL2, vectors, vectors, Truth{1, {0}}), std::runtime_error);
    EXPECT_THROW(RecallJudge(Metric::kL2, vectors, vectors, Truth{1, {0, 2}}), std::runtime_error);
}

TEST(Curve, FrontLeavesOutWhatAnotherPointBeats) {
    const auto front = pareto_front({{0.9, 100}, {0.8, 90}, {0.95, 50}, {0.95, 40}, {0.7, 200}});
    ASSERT_EQ(front.size(), 3u);
    EXPECT_EQ(front[0].qps, 200);
    EXPECT_EQ(front[1].qps, 100);
    EXPECT_EQ(front[2].qps, 50);
}

TEST(Curve, SpeedBetweenTwoPointsIsTheirGeometricMeanInTheMiddle) {
    const std::vector<CurvePoint> points{{0.90, 400}, {0.94, 100}, {0.92, 10}};
    EXPECT_NEAR(qps_at(points, 0.92)->qps, 200, 1e-6);
    EXPECT_NEAR(qps_at(points, 0.90)->qps, 400, 1e-6);
    EXPECT_NEAR(qps_at(points, 0.94)->qps, 100, 1e-6);
    EXPECT_FALSE(qps_at(points, 0.90)->is_leftmost);
}

TEST(Curve, NeverReachesBeyondItsPoints) {
    const std::vector<CurvePoint> points{{0.90, 400}, {0.94, 100}};
    EXPECT_EQ(qps_at(points, 0.89)->qps, 400);
    EXPECT_TRUE(qps_at(points, 0.89)->is_leftmost);
    EXPECT_FALSE(qps_at(points, 0.9401).has_value());
    EXPECT_FALSE(qps_at({}, 0.5).has_value());
}

TEST(Curve, MedianAndQuantiles) {
    EXPECT_EQ(median({}), 0);
    EXPECT_EQ(median({3, 1, 2}), 2);
    EXPECT_EQ(median({4, 1, 2, 3}), 2.5);
    EXPECT_EQ(quantile({}, 0.5), 0);
    EXPECT_EQ(quantile({5, 1, 4, 2, 3}, 0.5), 3);
    EXPECT_EQ(quantile({5, 1, 4, 2, 3}, 0.99), 5);
    EXPECT_EQ(quantile({5, 1, 4, 2, 3}, 0.2), 1);
    EXPECT_EQ(quantile({5, 1, 4, 2, 3}, 0.21), 2);
}

TEST(IndexReport, CsvGetsItsHeaderOnceAndAColumnForEachName) {
    const TemporaryFile file("");
    EngineReport report{.engine = "akidb", .codec = "f32", .layout = "plain"};
    report.points.push_back({.ef = 16, .recall10 = 0.5});
    append_csv(file.path(), report);
    append_csv(file.path(), report);
    std::ifstream read(file.path());
    std::vector<std::string> lines;
    for (std::string line; std::getline(read, line);) {
        lines.push_back(line);
    }
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_EQ(lines[0] + "\n", csv_header());
    EXPECT_EQ(lines[1], lines[2]);
    EXPECT_EQ(std::count(lines[1].begin(), lines[1].end(), ','),
              std::count(lines[0].begin(), lines[0].end(), ','));
    EXPECT_TRUE(lines[1].starts_with("akidb,f32,plain,16,0.0000,0.5000,")) << lines[1];
}

}  // namespace
}  // namespace akidb::bench
