#include <gtest/gtest.h>

#include <cmath>

#include "model/filter.h"
#include "model/limits.h"

namespace akidb::model {
namespace {

MatchCondition match(std::string key, std::vector<MatchValue> any) {
    return {.key = std::move(key), .any = std::move(any)};
}

/// `depth` filters within each other, the innermost with one condition.
Filter nested(uint32_t depth) {
    Filter filter;
    filter.must.emplace_back(match("a", {true}));
    for (uint32_t level = 1; level < depth; ++level) {
        auto inner = std::make_unique<Filter>(std::move(filter));
        filter = Filter();
        filter.should.emplace_back(std::move(inner));
    }
    return filter;
}

Filter with_nodes(size_t count) {
    Filter filter;
    for (size_t i = 0; i < count; ++i) {
        filter.must_not.emplace_back(match("a", {}));
    }
    return filter;
}

std::string field_at_fault(const Filter& filter) {
    const Result<void> checked = validate(filter);
    if (checked) {
        return "none";
    }
    EXPECT_EQ(checked.error().code(), Code::kInvalidArgument);
    EXPECT_FALSE(checked.error().allowed().empty());
    return checked.error().field();
}

std::string of_node(FilterNode node) {
    Filter filter;
    filter.must.emplace_back(match("ok", {}));
    filter.must.emplace_back(std::move(node));
    return field_at_fault(filter);
}

TEST(FilterValidation, AcceptsAnEmptyFilterAndAnEmptyList) {
    EXPECT_EQ(field_at_fault(Filter()), "none");
    EXPECT_EQ(of_node(match("a", {})), "none");
    EXPECT_EQ(of_node(std::make_unique<Filter>()), "none");
}

TEST(FilterValidation, NamesThePlaceInANestedFilter) {
    auto inner = std::make_unique<Filter>();
    inner->must.emplace_back(match("a", {true}));
    inner->must_not.emplace_back(RangeCondition{.key = "a"});
    Filter filter;
    filter.should.emplace_back(match("a", {true}));
    filter.should.emplace_back(match("b", {true}));
    filter.should.emplace_back(std::move(inner));
    EXPECT_EQ(field_at_fault(filter), "filter.should[2].must_not[0].range");
}

TEST(FilterValidation, DepthEndsAtItsLimit) {
    EXPECT_EQ(field_at_fault(nested(kFilterDepthMax - 1)), "none");
    EXPECT_EQ(field_at_fault(nested(kFilterDepthMax)), "none");
    EXPECT_EQ(field_at_fault(nested(kFilterDepthMax + 1)).substr(0, 16), "filter.should[0]");
    EXPECT_EQ(validate(nested(kFilterDepthMax + 1)).error().allowed(), "a depth of at most 32");
}

TEST(FilterValidation, NodesEndAtTheirLimitWhereverTheyStand) {
    EXPECT_EQ(field_at_fault(with_nodes(kFilterNodesMax - 1)), "none");
    EXPECT_EQ(field_at_fault(with_nodes(kFilterNodesMax)), "none");
    EXPECT_EQ(field_at_fault(with_nodes(kFilterNodesMax + 1)), "filter.must_not[512]");
    Filter spread = with_nodes(kFilterNodesMax - 1);
    spread.must.emplace_back(std::make_unique<Filter>(with_nodes(1)));
    EXPECT_EQ(field_at_fault(spread), "filter.must_not[510]");
}

TEST(FilterValidation, KeysHaveBothEnds) {
    EXPECT_EQ(of_node(match("", {true})), "filter.must[1].key");
    EXPECT_EQ(of_node(RangeCondition{.key = "", .gt = 1}), "filter.must[1].key");
    EXPECT_EQ(of_node(match(std::string(kFilterKeyBytesMax - 1, 'a'), {true})), "none");
    EXPECT_EQ(of_node(match(std::string(kFilterKeyBytesMax, 'a'), {true})), "none");
    EXPECT_EQ(of_node(match(std::string(kFilterKeyBytesMax + 1, 'a'), {true})), "filter.must[1].key");
}

TEST(FilterValidation, ListsAndStringsEndAtTheirLimits) {
    const auto list_of = [](size_t size) { return std::vector<MatchValue>(size, MatchValue(true)); };
    EXPECT_EQ(of_node(match("a", list_of(kFilterListItemsMax - 1))), "none");
    EXPECT_EQ(of_node(match("a", list_of(kFilterListItemsMax))), "none");
    EXPECT_EQ(of_node(match("a", list_of(kFilterListItemsMax + 1))), "filter.must[1].match");
    const auto string_of = [](size_t size) { return std::vector<MatchValue>{true, std::string(size, 'x')}; };
    EXPECT_EQ(of_node(match("a", string_of(kFilterStringBytesMax - 1))), "none");
    EXPECT_EQ(of_node(match("a", string_of(kFilterStringBytesMax))), "none");
    EXPECT_EQ(of_node(match("a", string_of(kFilterStringBytesMax + 1))), "filter.must[1].match");
}

TEST(FilterValidation, RefusesNumbersThatAreNone) {
    EXPECT_EQ(of_node(match("a", {std::nan("")})), "filter.must[1].match");
    EXPECT_EQ(of_node(match("a", {HUGE_VAL})), "filter.must[1].match");
    EXPECT_EQ(of_node(RangeCondition{.key = "a"}), "filter.must[1].range");
    EXPECT_EQ(of_node(RangeCondition{.key = "a", .gt = 1, .lte = std::nan("")}), "filter.must[1].range");
    EXPECT_EQ(of_node(RangeCondition{.key = "a", .lt = HUGE_VAL}), "none");
}

TEST(FilterValidation, RefusesAMissingGroup) {
    EXPECT_EQ(of_node(std::shared_ptr<Filter>()), "filter.must[1]");
}

}  // namespace
}  // namespace akidb::model
