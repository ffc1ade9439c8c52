// Random filters on random metadata against an evaluator that is plainly right.
#include <gtest/gtest.h>

#include <array>

#include "model/filter_oracle_for_tests.h"
#include "model/filters_for_tests.h"

namespace akidb::model {
namespace {

using oracle::expected;

TEST(FilterProperty, AgreesWithTheNaiveEvaluatorBeforeAndAfterPrepare) {
    RandomTrees trees(11);
    RandomFilters filters(12);
    int matched = 0;
    constexpr int kRounds = 12'000;
    constexpr int kTreesPerFilter = 8;
    for (int round = 0; round < kRounds; ++round) {
        Filter plain = filters.filter(2);
        ASSERT_TRUE(validate(plain));
        for (int i = 0; i < kTreesPerFilter; ++i) {
            const oracle::Document document{trees.object(3), DocumentId(uint64_t{trees.below(40)}).encoded()};
            const std::string encoded = document.tree.encoded();
            const bool wanted = expected(plain, document);
            matched += wanted ? 1 : 0;
            ASSERT_EQ(matches(plain, MetadataView(encoded), document.id), wanted) << "round " << round;
            if (i == kTreesPerFilter / 2) {
                prepare(plain);
                ASSERT_EQ(matches(plain, MetadataView(encoded), document.id), wanted)
                    << "prepared, round " << round;
            }
        }
    }
    // Both answers must be common, else the test would show little.
    EXPECT_GT(matched, kRounds * kTreesPerFilter / 20);
    EXPECT_LT(matched, kRounds * kTreesPerFilter * 19 / 20);
}

TEST(FilterProperty, EveryKindOfConditionAgreesAndIsMetNowAndThen) {
    RandomTrees trees(14);
    RandomFilters filters(15);
    std::array<int, std::variant_size_v<FilterNode>> met{};
    for (int round = 0; round < 200'000; ++round) {
        Filter filter;
        filter.must.push_back(filters.node(1));
        const size_t kind = filter.must[0].index();
        const oracle::Document document{trees.object(3), DocumentId(uint64_t{trees.below(40)}).encoded()};
        const bool wanted = expected(filter, document);
        met.at(kind) += wanted ? 1 : 0;
        ASSERT_EQ(matches(filter, MetadataView(document.tree.encoded()), document.id), wanted)
            << "kind " << kind << ", round " << round;
    }
    for (size_t kind = 0; kind < met.size(); ++kind) {
        EXPECT_GT(met[kind], 20) << kind;
    }
}

TEST(FilterProperty, SingleConditionsAgreeOnEveryPairOfEdgeNumbers) {
    RandomTrees draw(13);
    for (int round = 0; round < 20'000; ++round) {
        const Tree stored = draw.any(0);
        const Tree tree{Tree::Members{{"a", stored}}};
        const double bound = draw.real();
        Filter filter;
        switch (draw.below(5)) {
            case 0:
                filter.must.emplace_back(RangeCondition{.key = "a", .gt = bound});
                break;
            case 1:
                filter.must.emplace_back(RangeCondition{.key = "a", .gte = bound});
                break;
            case 2:
                filter.must.emplace_back(RangeCondition{.key = "a", .lt = bound});
                break;
            case 3:
                filter.must.emplace_back(RangeCondition{.key = "a", .lte = bound});
                break;
            default:
                filter.must.emplace_back(MatchCondition{.key = "a", .any = {bound}});
                break;
        }
        ASSERT_EQ(matches(filter, MetadataView(tree.encoded()), ""),
                  expected(filter, oracle::Document{tree, ""}))
            << bound;
    }
}

}  // namespace
}  // namespace akidb::model
