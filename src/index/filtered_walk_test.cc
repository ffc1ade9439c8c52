#include <gtest/gtest.h>

#include <limits>

#include "index/graph.h"
#include "index/test_data.h"

namespace akidb::index {
namespace {

using testing::DataSet;
using testing::kAcceptAll;
using testing::Vector;

constexpr size_t kTop = 10;
constexpr uint32_t kWalkedRows = 4'000;

class FilteredWalkTest : public ::testing::Test {
  protected:
    FilteredWalkTest() {
        graph_.link(
            kWalkedRows, [] { return false; }, scratch_);
    }

    struct Asked {
        uint32_t modulus = 1;  // every how manieth row matches
        WalkChoice choice;
        double spend_max = std::numeric_limits<double>::infinity();
    };
    FilteredCost search(const Vector& query, const Asked& asked, TopK& best) {
        auto matches = [&](uint32_t row) { return row % asked.modulus == 0; };
        auto choose = [&](double local_share) {
            local_share_ = local_share;
            return asked.choice;
        };
        return graph_.search_filtered(query.data(),
                                      {.ef = 64,
                                       .end = kWalkedRows,
                                       .matches = matches,
                                       .accept = kAcceptAll,
                                       .choose = choose,
                                       .spend_max = asked.spend_max,
                                       .probe_hops = 16,
                                       .held_wanted = kTop},
                                      scratch_, best);
    }
    double recall(const Asked& asked) {
        size_t hits = 0;
        constexpr size_t kAskedQueries = 50;
        for (size_t i = 0; i < kAskedQueries; ++i) {
            const Vector query = data_.query(vectors_[kWalkedRows + i]);
            std::vector<Candidate> nearest = data_.nearest(query, kWalkedRows);
            std::erase_if(nearest, [&](const Candidate& row) { return row.ordinal % asked.modulus != 0; });
            TopK best(kTop);
            const FilteredCost cost = search(query, asked, best);
            EXPECT_EQ(cost.kind, asked.choice.kind);
            EXPECT_FALSE(cost.is_abandoned);
            EXPECT_EQ(cost.held, kTop);
            for (const Candidate& found : best.take_sorted()) {
                EXPECT_EQ(found.ordinal % asked.modulus, 0u);
                hits += found.distance <= nearest[kTop - 1].distance ? 1 : 0;
            }
        }
        return static_cast<double>(hits) / static_cast<double>(kTop * kAskedQueries);
    }

    std::vector<Vector> vectors_ = testing::gaussian_clusters(kWalkedRows + 50, 32, 40, 5);
    DataSet data_{model::Metric::kL2, {vectors_.begin(), vectors_.begin() + kWalkedRows}};
    Graph graph_{data_.rows(), {}};
    SearchScratch scratch_;
    double local_share_ = -1;
};

TEST_F(FilteredWalkTest, BothWalksFindTheNearestMatches) {
    EXPECT_GE(recall({.modulus = 1, .choice = {WalkKind::kInline, 100}}), 0.98);
    EXPECT_GE(recall({.modulus = 4, .choice = {WalkKind::kInline, 300}}), 0.98);
    EXPECT_GE(recall({.modulus = 1, .choice = {WalkKind::kTwoHop, 100}}), 0.98);
    EXPECT_GE(recall({.modulus = 4, .choice = {WalkKind::kTwoHop, 100}}), 0.98);
    EXPECT_GE(recall({.modulus = 20, .choice = {WalkKind::kTwoHop, 100}}), 0.95);
}

TEST_F(FilteredWalkTest, TellsTheShareOfMatchesNearTheQuery) {
    TopK best(kTop);
    search(data_.query(vectors_[kWalkedRows]), {.modulus = 1}, best);
    EXPECT_EQ(local_share_, 1);
    search(data_.query(vectors_[kWalkedRows]), {.modulus = 4}, best);
    EXPECT_NEAR(local_share_, 0.25, 0.2);
    search(data_.query(vectors_[kWalkedRows]), {.modulus = kWalkedRows}, best);
    EXPECT_LE(local_share_, 1.0 / 64);
}

TEST_F(FilteredWalkTest, StopsWhereItIsToldTo) {
    const Vector query = data_.query(vectors_[kWalkedRows]);
    TopK best(kTop);
    EXPECT_TRUE(search(query, {.modulus = 4}, best).is_abandoned) << "the choice is to go no further";
    for (const WalkKind kind : {WalkKind::kInline, WalkKind::kTwoHop}) {
        const FilteredCost whole = search(query, {.modulus = 4, .choice = {kind, 200}}, best);
        EXPECT_FALSE(whole.is_abandoned);
        const double half = whole.distances / 2.0;
        const FilteredCost cut =
            search(query, {.modulus = 4, .choice = {kind, 200}, .spend_max = half}, best);
        EXPECT_TRUE(cut.is_abandoned);
        EXPECT_LT(cut.distances, half + 200) << "at most a step beyond what may be spent";
    }
}

TEST_F(FilteredWalkTest, AWalkThatHoldsTooFewSaysSo) {
    TopK best(kTop);
    const FilteredCost cost =
        search(data_.query(vectors_[kWalkedRows]), {.modulus = 250, .choice = {WalkKind::kInline, 64}}, best);
    EXPECT_LT(cost.held, kTop);
}

TEST(FilteredWalk, OfNothingCostsNothing) {
    const DataSet data(model::Metric::kL2, testing::line(10, 1));
    const Graph graph(data.rows(), {});
    SearchScratch scratch;
    TopK best(kTop);
    const FilteredCost cost = graph.search_filtered(data.query(Vector(16)).data(),
                                                    {.ef = 10,
                                                     .end = 10,
                                                     .matches = kAcceptAll,
                                                     .accept = kAcceptAll,
                                                     .choose =
                                                         [](double) {
                                                             return WalkChoice{WalkKind::kInline, 10};
                                                         }},
                                                    scratch, best);
    EXPECT_EQ(cost.distances, 0u);
    EXPECT_EQ(best.size(), 0u);
}

}  // namespace
}  // namespace akidb::index
