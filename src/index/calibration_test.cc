#include "index/calibration.h"

#include <gtest/gtest.h>

#include "index/test_data.h"

namespace akidb::index {
namespace {

using testing::DataSet;
using testing::kAcceptAll;
using testing::kNeverCancelled;

TEST(RecallCurve, InterpolatesAndNeverFalls) {
    const RecallCurve curve(5'000, {{10, 0.8}, {20, 0.9}, {40, 0.85}, {80, 0.98}});
    EXPECT_EQ(curve.ef_for(0.5), 10u);
    EXPECT_EQ(curve.ef_for(0.8), 10u);
    EXPECT_EQ(curve.ef_for(0.85), 15u);
    EXPECT_EQ(curve.ef_for(0.94), 60u);
    EXPECT_EQ(curve.ef_for(0.98), 80u);
    EXPECT_EQ(curve.ef_for(0.99), 160u) << "beyond what was measured";
    EXPECT_DOUBLE_EQ(curve.recall_at(5), 0.8);
    EXPECT_DOUBLE_EQ(curve.recall_at(15), 0.85);
    EXPECT_DOUBLE_EQ(curve.recall_at(30), 0.9);
    EXPECT_DOUBLE_EQ(curve.recall_at(500), 0.98);
    EXPECT_EQ(RecallCurve().ef_for(0.9), 0u);
}

// What the curve promises for rows of the graph holds for queries that were never in it.
TEST(Calibration, PredictsTheRecallOfQueriesItDidNotSee) {
    auto vectors = testing::gaussian_clusters(6'300, 48, 40, 21, 0.6f);
    const std::vector<testing::Vector> queries(vectors.end() - 300, vectors.end());
    vectors.resize(6'000);
    for (const model::Metric metric : {model::Metric::kCosine, model::Metric::kL2}) {
        const DataSet data(metric, vectors);
        Graph graph(data.rows(), {});
        SearchScratch scratch;
        graph.link(data.count(), kNeverCancelled, scratch);
        const RecallCurve curve =
            measure_recall(graph, data.rows(), data.count(), kAcceptAll, kNeverCancelled, scratch);
        ASSERT_FALSE(curve.is_empty());
        for (const double target : {0.9, 0.95, 0.99}) {
            const uint32_t ef = curve.ef_for(target);
            size_t hits = 0;
            TopK best(10);
            for (const testing::Vector& vector : queries) {
                const testing::Vector query = data.query(vector);
                const auto exact = data.nearest(query, 10);
                graph.search(query.data(), ef, kRowsMax, kAcceptAll, scratch, best);
                for (const Candidate& found : best.take_sorted()) {
                    hits += found.distance <= exact.back().distance ? 1 : 0;
                }
            }
            EXPECT_GE(static_cast<double>(hits) / 3'000.0, target - 0.02) << "ef " << ef;
        }
    }
}

TEST(Calibration, HasNothingToSayOfFewRowsOrWhenCancelled) {
    const DataSet data(model::Metric::kL2, testing::gaussian_clusters(2'000, 16, 20, 6));
    Graph graph(data.rows(), {});
    SearchScratch scratch;
    graph.link(data.count(), kNeverCancelled, scratch);
    EXPECT_TRUE(measure_recall(graph, data.rows(), 999, kAcceptAll, kNeverCancelled, scratch).is_empty());
    EXPECT_TRUE(measure_recall(
                    graph, data.rows(), 2'000, kAcceptAll, [] { return true; }, scratch)
                    .is_empty());
    EXPECT_TRUE(measure_recall(
                    graph, data.rows(), 2'000, [](uint32_t) { return false; }, kNeverCancelled, scratch)
                    .is_empty());
    EXPECT_EQ(measure_recall(graph, data.rows(), 2'000, kAcceptAll, kNeverCancelled, scratch).rows(), 2'000u);
}

}  // namespace
}  // namespace akidb::index
