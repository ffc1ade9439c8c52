#include "engine/query_planner.h"

#include <gtest/gtest.h>

#include <cmath>

namespace akidb::engine {
namespace {

QueryShape indexed(uint32_t rows, double share) {
    return {.rows = rows,
            .dimension = 100,
            .degree = 32,
            .wanted = 26,
            .ef = 256,
            .matches = share * rows,
            .candidates = share * rows,
            .is_exact = true};
}

TEST(QueryPlanner, FewMatchesAreComparedOneByOneAndManyAreWalked) {
    EXPECT_EQ(QueryPlanner(indexed(300'000, 0.0001)).plan(), Plan::kBrute);
    EXPECT_EQ(QueryPlanner(indexed(300'000, 0.01)).plan(), Plan::kBrute);
    EXPECT_EQ(QueryPlanner(indexed(300'000, 0.8)).plan(), Plan::kInline);
    EXPECT_EQ(QueryPlanner(indexed(10'000'000, 0.01)).plan(), Plan::kTwoHop);
}

TEST(QueryPlanner, ManyMatchesOfLongVectorsAreComparedByCodes) {
    QueryShape shape = indexed(60'000, 0.1);
    shape.dimension = 768;
    EXPECT_FALSE(QueryPlanner(shape).compares_by_codes()) << "there are none";
    const double without = QueryPlanner(shape).brute_ns();
    shape.has_codes = true;
    const QueryPlanner planner(shape);
    EXPECT_TRUE(planner.compares_by_codes());
    EXPECT_EQ(planner.plan(), Plan::kCodes);
    EXPECT_LT(planner.brute_ns(), without * 0.8);
    shape.matches = shape.candidates = 100;
    EXPECT_EQ(QueryPlanner(shape).plan(), Plan::kBrute) << "a block for each match";
    shape.dimension = 32;
    shape.matches = shape.candidates = 6'000;
    EXPECT_FALSE(QueryPlanner(shape).compares_by_codes()) << "short vectors: codes leave most in doubt";
}

TEST(QueryPlanner, NoPlanCostsMuchMoreThanBruteForce) {
    for (double share = 1e-5; share <= 1; share *= 1.5) {
        const QueryPlanner planner(indexed(300'000, share));
        EXPECT_LE(planner.estimated_ns(), planner.brute_ns() * 1.5) << share;
        EXPECT_GT(planner.estimated_ns(), 0) << share;
    }
}

TEST(QueryPlanner, MatchesNearTheQueryAreWalkedInlineAndFarOnesAreNot) {
    const QueryPlanner planner(indexed(300'000, 0.1));
    EXPECT_EQ(planner.choose(0.9).kind, index::WalkKind::kInline);
    EXPECT_EQ(planner.choose(0).kind, index::WalkKind::kNone);
    const index::WalkChoice near = planner.choose(1);
    const index::WalkChoice sparse = planner.forced(Plan::kInline, 0.1);
    EXPECT_GT(sparse.width, near.width) << "fewer of the rows near the query match: a wider beam";
    EXPECT_GE(sparse.width * 0.1, 26) << "the beam holds what is wanted";
}

TEST(QueryPlanner, WithoutAnIndexTheFilterIsPartOfThePrice) {
    QueryShape shape = indexed(300'000, 0.01);
    const QueryPlanner with(shape);
    shape.candidates = shape.rows;
    shape.is_exact = false;
    const QueryPlanner without(shape);
    EXPECT_GT(without.brute_ns(), 5 * with.brute_ns());
    EXPECT_GT(without.test_weight(), with.test_weight());
}

TEST(QueryPlanner, EvaluatesFirstWhereFewMatchAndVectorsAreLong) {
    QueryShape shape = indexed(300'000, 0.0001);
    shape.is_exact = false;
    shape.candidates = shape.rows;
    shape.dimension = 768;
    EXPECT_TRUE(QueryPlanner(shape).evaluates_first());
    shape.matches = 0.5 * shape.rows;
    shape.dimension = 16;
    EXPECT_FALSE(QueryPlanner(shape).evaluates_first());
}

TEST(QueryPlanner, StandsEmptyAndFullCollections) {
    for (const double matches : {0.0, 1.0, 10.0}) {
        QueryShape shape = indexed(10, 0);
        shape.matches = matches;
        shape.candidates = matches;
        const QueryPlanner planner(shape);
        EXPECT_TRUE(std::isfinite(planner.estimated_ns()));
        for (const double local : {0.0, 0.5, 1.0}) {
            EXPECT_GE(planner.forced(Plan::kInline, local).width, 1u);
            EXPECT_GE(planner.forced(Plan::kTwoHop, local).width, 1u);
        }
    }
}

TEST(QueryPlanner, NamesEveryPlan) {
    EXPECT_EQ(name_of(Plan::kExact), "exact");
    EXPECT_EQ(name_of(Plan::kTwoHop), "two_hop");
}

}  // namespace
}  // namespace akidb::engine
