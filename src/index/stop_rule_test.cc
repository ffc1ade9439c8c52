#include "index/stop_rule.h"

#include <gtest/gtest.h>

#include <limits>

#include "index/beam.h"
#include "index/calibration.h"
#include "index/test_data.h"

namespace akidb::index {
namespace {

using testing::DataSet;
using testing::kAcceptAll;
using testing::kNeverCancelled;

constexpr float kFar = std::numeric_limits<float>::infinity();
constexpr auto kOnlyEven = [](uint32_t row) { return row % 2 == 0; };

/// A walk that visits what it is told to.
struct Visits {
    void visit(float distance, uint32_t row) {
        rule.met({distance, row});
        rule.visited(beam, 8, [] { return 0.25f; });
    }
    /// What a newcomer must be nearer than.
    float bound() const { return beam.worst(); }

    StopRule rule;
    Beam beam{};
};

TEST(StopRule, AsksForAMultipleOfTheKthAcceptedRow) {
    TopK nearest(1);
    Visits walk{StopRule(1'000, 40, 10, 0.5f, kOnlyEven, nearest)};  // r² = (40 / 10)^0.5 = 2
    walk.beam.reset(40);
    for (uint32_t row = 0; row < 19; ++row) {
        walk.visit(static_cast<float>(row), row);
        EXPECT_EQ(walk.bound(), kFar) << "half of 40 is 20";
    }
    walk.visit(40, 40);
    EXPECT_FLOAT_EQ(walk.bound(), 36.25f);
    walk.visit(1, 19);
    EXPECT_FLOAT_EQ(walk.bound(), 36.25f) << "it is not accepted";
    walk.visit(30, 20);
    EXPECT_FLOAT_EQ(walk.bound(), 36.25f) << "it changes nothing";
    walk.visit(0.5f, 22);
    EXPECT_FLOAT_EQ(walk.bound(), 32.25f);
    for (uint32_t row = 0; row < 100; ++row) {
        if (walk.bound() > 5) {
            walk.beam.insert({5, row});
        }
    }
    EXPECT_EQ(walk.beam.size(), 68u) << "2 · 40 − 2 · 10 to visit and 8 more";
    uint32_t visits = 0;
    while (walk.beam.visit_next() != Beam::kNone) {
        ++visits;
    }
    EXPECT_EQ(visits, 60u);
}

TEST(StopRule, LeavesNarrowBeamsAndGraphsThatNobodyMeasuredAlone) {
    TopK nearest(1);
    for (const StopRule& rule : {StopRule(1'000, 20, 10, 0.5f, kAcceptAll, nearest),
                                 StopRule(1'000, 40, 10, 0, kAcceptAll, nearest)}) {
        Visits walk{rule};
        walk.beam.reset(20);
        for (uint32_t row = 0; row < 40; ++row) {
            walk.visit(1, row);
        }
        EXPECT_EQ(walk.bound(), kFar);
    }
}

TEST(Beam, LetsGoOfWhatIsBeyondItsBound) {
    Beam beam;
    beam.reset(4);
    for (uint32_t row = 0; row < 4; ++row) {
        beam.insert({static_cast<float>(row), row});
    }
    EXPECT_EQ(beam.visit_next(), 0u);
    EXPECT_EQ(beam.worst(), 3);
    beam.set_bound(1.5f);
    EXPECT_EQ(beam.size(), 2u);
    EXPECT_EQ(beam.worst(), 1.5f) << "there is room, for near ones";
    beam.set_bound(2);
    EXPECT_EQ(beam.worst(), 1.5f) << "it never rises";
    beam.insert({0.5f, 9});
    EXPECT_EQ(beam.visit_next(), 9u);
    EXPECT_EQ(beam.visit_next(), 1u);
    EXPECT_EQ(beam.visit_next(), Beam::kNone);
    beam.set_bound(-1);
    EXPECT_EQ(beam.size(), 0u);
    EXPECT_EQ(beam.peek_next(), Beam::kNone);
    beam.reset(4);
    EXPECT_EQ(beam.worst(), kFar);
}

struct Effort {
    double recall = 0;
    double visits = 0;
};

/// Of searches for the 10 nearest accepted rows.
Effort effort_of(const Graph& graph, const DataSet& data, const std::vector<testing::Vector>& queries,
                 uint32_t ef, Accept accept) {
    constexpr size_t kTop = 10;
    Effort effort;
    SearchScratch scratch;
    TopK best(kTop);
    for (const testing::Vector& vector : queries) {
        const testing::Vector query = data.query(vector);
        std::vector<Candidate> exact = data.nearest(query, data.count());
        std::erase_if(exact, [&](const Candidate& row) { return !accept(row.ordinal); });
        effort.visits += graph.search(query.data(), ef, kRowsMax, accept, scratch, best).hops;
        for (const Candidate& found : best.take_sorted()) {
            effort.recall += found.distance <= exact[kTop - 1].distance ? 1 : 0;
        }
    }
    const auto count = static_cast<double>(queries.size());
    return {effort.recall / (count * kTop), effort.visits / count};
}

/// Near a dense middle and far from it: how hard a query is varies, as it does with words. Each vector is
/// scaled by a factor of its own.
struct UnevenSet {
    explicit UnevenSet(model::Metric metric) : data(metric, make(queries)) {}

    static std::vector<testing::Vector> make(std::vector<testing::Vector>& queries) {
        constexpr uint32_t kRows = 8'000;
        std::vector<testing::Vector> rows = testing::gaussian_clusters(kRows + 200, 32, 1'000, 5, 0.8f);
        for (size_t i = 0; i < rows.size(); ++i) {
            const float share = static_cast<float>(i % 97) / 97;
            for (size_t d = 0; d < rows[i].size(); ++d) {
                rows[i][d] = rows[i][d] * (d % 4 == 0 ? 1 : share) + (d == 0 ? 3 : 0);
            }
        }
        queries.assign(rows.begin() + kRows, rows.end());
        rows.resize(kRows);
        return rows;
    }

    std::vector<testing::Vector> queries;
    DataSet data;
};

// What it is for: of as many visits, more found.
TEST(StopRule, FindsMoreOfAsManyVisits) {
    for (const model::Metric metric : {model::Metric::kCosine, model::Metric::kL2}) {
        const UnevenSet set(metric);
        for (const Layout layout : {Layout::kTurbo, Layout::kSplit}) {
            Graph graph(set.data.rows(), {.layout = layout, .bits = 4});
            SearchScratch scratch;
            graph.link(set.data.count(), kNeverCancelled, scratch);
            measure_recall(graph, set.data.rows(), set.data.count(), kAcceptAll, kNeverCancelled, scratch);
            ASSERT_GT(graph.growth(), 0.02f);
            ASSERT_LT(graph.growth(), 0.5f);
            const Effort adaptive = effort_of(graph, set.data, set.queries, 40, kAcceptAll);
            graph.set_growth(0);
            const auto as_many = static_cast<uint32_t>(adaptive.visits + 1);
            const Effort fixed = effort_of(graph, set.data, set.queries, as_many, kAcceptAll);
            EXPECT_GT(adaptive.recall, fixed.recall)
                << adaptive.visits << " and " << fixed.visits << " visits";
        }
    }
}

// Rows that were deleted lie among the nearest, and must not end a walk.
TEST(StopRule, GoesOnBehindDeletedRows) {
    const UnevenSet set(model::Metric::kL2);
    Graph graph(set.data.rows(), {});
    SearchScratch scratch;
    graph.link(set.data.count(), kNeverCancelled, scratch);
    measure_recall(graph, set.data.rows(), set.data.count(), kAcceptAll, kNeverCancelled, scratch);
    EXPECT_GE(effort_of(graph, set.data, set.queries, 160, kOnlyEven).recall, 0.97);
}

// Where ten rows are far nearer than what codes tell apart, the margin keeps the walk going among them.
TEST(StopRule, TellsNearCopiesApart) {
    std::vector<testing::Vector> vectors = testing::gaussian_clusters(4'000, 32, 50, 8, 0.6f);
    for (uint32_t i = 0; i < 60; ++i) {
        testing::Vector copy = vectors[7];
        copy[i % 32] += 1e-3f * static_cast<float>(1 + i);
        vectors.push_back(std::move(copy));
    }
    const DataSet data(model::Metric::kL2, vectors);
    Graph graph(data.rows(), {});
    SearchScratch scratch;
    graph.link(data.count(), kNeverCancelled, scratch);
    const Effort fixed = effort_of(graph, data, {vectors[7]}, 64, kAcceptAll);
    measure_recall(graph, data.rows(), data.count(), kAcceptAll, kNeverCancelled, scratch);
    EXPECT_GE(effort_of(graph, data, {vectors[7]}, 64, kAcceptAll).recall, fixed.recall);
}

TEST(StopRule, HasNoMeasureForDotAndAmongCopies) {
    const auto vectors = testing::gaussian_clusters(1'500, 16, 20, 6);
    const DataSet dot(model::Metric::kDot, vectors);
    const DataSet copies(model::Metric::kL2, std::vector<testing::Vector>(1'500, vectors.front()));
    for (const DataSet* const data : {&dot, &copies}) {
        Graph graph(data->rows(), {});
        SearchScratch scratch;
        graph.link(data->count(), kNeverCancelled, scratch);
        measure_recall(graph, data->rows(), data->count(), kAcceptAll, kNeverCancelled, scratch);
        EXPECT_EQ(graph.growth(), 0);
    }
}

}  // namespace
}  // namespace akidb::index
