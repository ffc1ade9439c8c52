#include "model/filter.h"

#include <gtest/gtest.h>

#include <limits>

#include "model/limits.h"
#include "model/tree_for_tests.h"

namespace akidb::model {
namespace {

using Members = Tree::Members;
using Items = Tree::Items;

constexpr int64_t kExactEnd = int64_t{1} << 53;
constexpr int64_t kIntHighest = std::numeric_limits<int64_t>::max();
constexpr uint64_t kUintHighest = std::numeric_limits<uint64_t>::max();

MatchCondition match(std::string key, std::vector<MatchValue> any) {
    return {.key = std::move(key), .any = std::move(any)};
}
MatchCondition except(std::string key, std::vector<MatchValue> any) {
    return {.key = std::move(key), .any = std::move(any), .negated = true};
}
std::string text(const char* value) {
    return value;
}

bool meets(const Tree& metadata, FilterNode node) {
    Filter filter;
    filter.must.push_back(std::move(node));
    return matches(filter, MetadataView(metadata.encoded()), "");
}

/// Whether {"a": stored} meets "a equals wanted", without and with a sorted list.
bool equal(Tree stored, MatchValue wanted) {
    const std::string metadata = Tree{Members{{"a", std::move(stored)}}}.encoded();
    Filter filter;
    filter.must.emplace_back(match("a", {std::move(wanted)}));
    const bool walked = matches(filter, MetadataView(metadata), "");
    auto& list = std::get<MatchCondition>(filter.must[0]).any;
    for (int i = 0; i < 20; ++i) {
        list.emplace_back(text("filler") + std::to_string(i));
    }
    prepare(filter);
    EXPECT_TRUE(std::get<MatchCondition>(filter.must[0]).sorted);
    EXPECT_EQ(matches(filter, MetadataView(metadata), ""), walked);
    return walked;
}

bool within(Tree stored, RangeCondition range) {
    range.key = "a";
    return meets(Tree{Members{{"a", std::move(stored)}}}, range);
}

TEST(Filter, EmptyMatchesEverything) {
    EXPECT_TRUE(Filter().is_empty());
    EXPECT_TRUE(matches(Filter(), MetadataView(empty_metadata()), ""));
    EXPECT_TRUE(meets(Tree{Members{}}, std::make_unique<Filter>()));
}

TEST(Filter, MustShouldAndMustNotWorkTogether) {
    const std::string metadata = Tree{Members{{"a", {int64_t{1}}}, {"b", {text("x")}}}}.encoded();
    const MetadataView view(metadata);
    const auto yes = [] { return match("a", {int64_t{1}}); };
    const auto no = [] { return match("a", {int64_t{2}}); };
    const auto all_of = [&](bool must, int should, bool must_not) {
        Filter filter;
        filter.must.emplace_back(must ? yes() : no());
        if (should >= 0) {
            filter.should.emplace_back(no());
            filter.should.emplace_back(should == 1 ? yes() : no());
        }
        filter.must_not.emplace_back(must_not ? yes() : no());
        return matches(filter, view, "");
    };
    EXPECT_TRUE(all_of(true, -1, false));
    EXPECT_TRUE(all_of(true, 1, false));
    EXPECT_FALSE(all_of(true, 0, false));
    EXPECT_FALSE(all_of(false, 1, false));
    EXPECT_FALSE(all_of(true, 1, true));
}

TEST(Filter, ShouldAloneNeedsOne) {
    const std::string metadata = Tree{Members{{"a", {int64_t{1}}}}}.encoded();
    Filter filter;
    filter.should.emplace_back(match("a", {int64_t{2}}));
    EXPECT_FALSE(matches(filter, MetadataView(metadata), ""));
    filter.should.emplace_back(match("a", {int64_t{1}}));
    EXPECT_TRUE(matches(filter, MetadataView(metadata), ""));
}

TEST(Filter, NestsInEveryPlace) {
    const Tree metadata{Members{{"a", {int64_t{1}}}}};
    auto absent = std::make_unique<Filter>();
    absent->must_not.emplace_back(match("a", {int64_t{1}}));
    auto twice = std::make_unique<Filter>();
    twice->must_not.emplace_back(std::move(absent));
    EXPECT_TRUE(meets(metadata, std::move(twice)));
}

TEST(Match, TypesNeverMeetAcrossTheirBorders) {
    EXPECT_TRUE(equal({true}, true));
    EXPECT_TRUE(equal({false}, false));
    EXPECT_FALSE(equal({true}, false));
    EXPECT_FALSE(equal({true}, int64_t{1}));
    EXPECT_FALSE(equal({int64_t{1}}, true));
    EXPECT_FALSE(equal({false}, 0.0));
    EXPECT_FALSE(equal({0.0}, false));
    EXPECT_FALSE(equal({text("1")}, int64_t{1}));
    EXPECT_FALSE(equal({int64_t{1}}, text("1")));
    EXPECT_FALSE(equal({text("true")}, true));
    EXPECT_FALSE(equal({}, false));
    EXPECT_FALSE(equal({}, int64_t{0}));
    EXPECT_FALSE(equal({}, text("")));
    EXPECT_TRUE(equal({text("")}, text("")));
    EXPECT_FALSE(equal({text("a")}, text("A")));
    EXPECT_FALSE(equal({Members{}}, text("")));
}

TEST(Match, NumbersOfAllTypesCompareByValue) {
    EXPECT_TRUE(equal({int64_t{1}}, 1.0));
    EXPECT_TRUE(equal({1.0}, int64_t{1}));
    EXPECT_TRUE(equal({1.0}, uint64_t{1}));
    EXPECT_TRUE(equal({int64_t{1}}, uint64_t{1}));
    EXPECT_FALSE(equal({int64_t{-1}}, kUintHighest));
    EXPECT_FALSE(equal({int64_t{1}}, 1.5));
    EXPECT_FALSE(equal({int64_t{-1}}, -1.5));
    EXPECT_TRUE(equal({int64_t{0}}, -0.0));
    EXPECT_TRUE(equal({0.0}, -0.0));
    EXPECT_FALSE(equal({int64_t{0}}, std::numeric_limits<double>::denorm_min()));
}

TEST(Match, IntegersAreNotRoundedToDoubles) {
    EXPECT_TRUE(equal({kExactEnd}, 0x1p53));
    EXPECT_FALSE(equal({kExactEnd + 1}, 0x1p53));
    EXPECT_FALSE(equal({0x1p53}, kExactEnd + 1));
    EXPECT_FALSE(equal({-kExactEnd - 1}, -0x1p53));
    EXPECT_FALSE(equal({kIntHighest}, 0x1p63));
    EXPECT_TRUE(equal({std::numeric_limits<int64_t>::min()}, -0x1p63));
    EXPECT_TRUE(equal({uint64_t{1} << 63}, 0x1p63));
    EXPECT_FALSE(equal({kUintHighest}, 0x1p64));
    EXPECT_TRUE(equal({kUintHighest}, kUintHighest));
    EXPECT_FALSE(equal({kUintHighest}, -1.0));
}

TEST(Match, AnyValueOfAnArrayIsEnough) {
    const Tree metadata{Members{{"tags", {Items{{text("x")}, {int64_t{2}}, {}}}}, {"none", {Items{}}}}};
    EXPECT_TRUE(meets(metadata, match("tags", {int64_t{2}})));
    EXPECT_TRUE(meets(metadata, match("tags", {text("q"), text("x")})));
    EXPECT_FALSE(meets(metadata, match("tags", {text("q")})));
    EXPECT_FALSE(meets(metadata, match("tags", {})));
    EXPECT_FALSE(meets(metadata, match("none", {text("x")})));
    EXPECT_FALSE(meets(metadata, match("absent", {text("x")})));
}

TEST(Match, ExceptNeedsSomeValueAndNoneOfTheList) {
    const Tree metadata{Members{{"tags", {Items{{text("x")}, {text("y")}}}},
                                {"null", {}},
                                {"empty", {Items{}}},
                                {"object", {Members{{"k", {true}}}}}}};
    EXPECT_TRUE(meets(metadata, except("tags", {text("z")})));
    EXPECT_FALSE(meets(metadata, except("tags", {text("y")})));
    EXPECT_TRUE(meets(metadata, except("tags", {})));
    EXPECT_TRUE(meets(metadata, except("tags", {int64_t{1}})));
    for (const char* key : {"null", "empty", "object", "absent", "tags.k"}) {
        EXPECT_FALSE(meets(metadata, except(key, {text("z")}))) << key;
    }
}

TEST(Range, EachBoundIncludesOrExcludesItsValue) {
    EXPECT_FALSE(within({int64_t{5}}, {.gt = 5}));
    EXPECT_TRUE(within({int64_t{5}}, {.gte = 5}));
    EXPECT_FALSE(within({int64_t{5}}, {.lt = 5}));
    EXPECT_TRUE(within({int64_t{5}}, {.lte = 5}));
    EXPECT_TRUE(within({5.5}, {.gt = 5, .lt = 6}));
    EXPECT_FALSE(within({6.5}, {.gt = 5, .lt = 6}));
    EXPECT_TRUE(within({int64_t{-3}}, {.gt = -3.5, .lte = -3}));
    EXPECT_TRUE(within({kUintHighest}, {.lt = 0x1p64}));
    EXPECT_TRUE(within({kExactEnd + 1}, {.gt = 0x1p53}));
    EXPECT_FALSE(within({kExactEnd + 1}, {.lte = 0x1p53}));
    EXPECT_TRUE(within({int64_t{1}}, {.lt = std::numeric_limits<double>::infinity()}));
    EXPECT_TRUE(within({int64_t{1}}, {.gt = -std::numeric_limits<double>::infinity()}));
}

TEST(Range, OneNumberOfAnArrayMustMeetAllBounds) {
    EXPECT_TRUE(within({Items{{int64_t{1}}, {int64_t{5}}}}, {.gt = 4, .lt = 6}));
    EXPECT_FALSE(within({Items{{int64_t{1}}, {int64_t{9}}}}, {.gt = 4, .lt = 6}));
}

TEST(Range, WhatIsNoNumberIsNeverWithin) {
    EXPECT_FALSE(within({text("5")}, {.gte = 0}));
    EXPECT_FALSE(within({true}, {.gte = 0}));
    EXPECT_FALSE(within({}, {.gte = 0}));
    EXPECT_FALSE(within({Members{}}, {.gte = 0}));
}

TEST(Prepare, SortsLongListsOnlyAndInNestedFilters) {
    auto inner = std::make_unique<Filter>();
    std::vector<MatchValue> many;
    for (int64_t i = kFilterListItemsMax; i > 0; --i) {
        many.emplace_back(i * 2);
    }
    inner->must_not.emplace_back(match("a", many));
    Filter filter;
    filter.should.emplace_back(std::move(inner));
    filter.must.emplace_back(match("a", {int64_t{7}, int64_t{4}}));
    prepare(filter);
    EXPECT_FALSE(std::get<MatchCondition>(filter.must[0]).sorted);
    EXPECT_TRUE(validate(filter));
    EXPECT_TRUE(matches(filter, MetadataView(Tree{Members{{"a", {int64_t{7}}}}}.encoded()), ""));
    EXPECT_FALSE(matches(filter, MetadataView(Tree{Members{{"a", {int64_t{4}}}}}.encoded()), ""));
}

TEST(Filter, RangesOfTimesMeetTextsThatAreTimes) {
    const auto meets = [](const char* stored, TimeRangeCondition range) {
        range.key = "a";
        Filter filter;
        filter.must.emplace_back(range);
        EXPECT_TRUE(validate(filter));
        return matches(filter, MetadataView(Tree{Tree::Members{{"a", {std::string(stored)}}}}.encoded()), "");
    };
    constexpr int64_t kSecond = 1'000'000;
    for (const int64_t off : {-1, 0, 1}) {
        const int64_t bound = kSecond + off;
        EXPECT_EQ(meets("1970-01-01T00:00:01Z", {.gt = bound}), off < 0) << off;
        EXPECT_EQ(meets("1970-01-01T00:00:01Z", {.gte = bound}), off <= 0) << off;
        EXPECT_EQ(meets("1970-01-01T00:00:01Z", {.lt = bound}), off > 0) << off;
        EXPECT_EQ(meets("1970-01-01T00:00:01Z", {.lte = bound}), off >= 0) << off;
    }
    EXPECT_FALSE(meets("yesterday", {.gt = 0}));
    Filter unbounded;
    unbounded.must.emplace_back(TimeRangeCondition{.key = "a"});
    EXPECT_EQ(validate(unbounded).error().field(), "filter.must[0].range");
}

}  // namespace
}  // namespace akidb::model
