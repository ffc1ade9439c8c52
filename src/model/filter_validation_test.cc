#include <gtest/gtest.h>

#include <cmath>

#include "model/document_id.h"
#include "model/filter.h"
#include "model/limits.h"

namespace akidb::model {
namespace {

MatchCondition match_of(std::string key, std::vector<MatchValue> any) {
    return {.key = std::move(key), .any = std::move(any)};
}

/// `depth` filters within each other, the innermost with one condition.
Filter nested(uint32_t depth) {
    Filter filter;
    filter.must.emplace_back(match_of("a", {true}));
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
        filter.must_not.emplace_back(match_of("a", {}));
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
    filter.must.emplace_back(match_of("ok", {}));
    filter.must.emplace_back(std::move(node));
    return field_at_fault(filter);
}

TEST(FilterValidation, AcceptsAnEmptyFilterAndAnEmptyList) {
    EXPECT_EQ(field_at_fault(Filter()), "none");
    EXPECT_EQ(of_node(match_of("a", {})), "none");
    EXPECT_EQ(of_node(std::make_unique<Filter>()), "none");
}

TEST(FilterValidation, NamesThePlaceInANestedFilter) {
    auto inner = std::make_unique<Filter>();
    inner->must.emplace_back(match_of("a", {true}));
    inner->must_not.emplace_back(RangeCondition{.key = "a"});
    Filter filter;
    filter.should.emplace_back(match_of("a", {true}));
    filter.should.emplace_back(match_of("b", {true}));
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
    EXPECT_EQ(of_node(match_of("", {true})), "filter.must[1].key");
    EXPECT_EQ(of_node(RangeCondition{.key = "", .gt = 1}), "filter.must[1].key");
    EXPECT_EQ(of_node(match_of(std::string(kFilterKeyBytesMax - 1, 'a'), {true})), "none");
    EXPECT_EQ(of_node(match_of(std::string(kFilterKeyBytesMax, 'a'), {true})), "none");
    EXPECT_EQ(of_node(match_of(std::string(kFilterKeyBytesMax + 1, 'a'), {true})), "filter.must[1].key");
}

TEST(FilterValidation, ListsAndStringsEndAtTheirLimits) {
    const auto list_of = [](size_t size) { return std::vector<MatchValue>(size, MatchValue(true)); };
    EXPECT_EQ(of_node(match_of("a", list_of(kFilterListItemsMax - 1))), "none");
    EXPECT_EQ(of_node(match_of("a", list_of(kFilterListItemsMax))), "none");
    EXPECT_EQ(of_node(match_of("a", list_of(kFilterListItemsMax + 1))), "filter.must[1].match");
    const auto string_of = [](size_t size) { return std::vector<MatchValue>{true, std::string(size, 'x')}; };
    EXPECT_EQ(of_node(match_of("a", string_of(kFilterStringBytesMax - 1))), "none");
    EXPECT_EQ(of_node(match_of("a", string_of(kFilterStringBytesMax))), "none");
    EXPECT_EQ(of_node(match_of("a", string_of(kFilterStringBytesMax + 1))), "filter.must[1].match");
}

TEST(FilterValidation, RefusesNumbersThatAreNone) {
    EXPECT_EQ(of_node(match_of("a", {std::nan("")})), "filter.must[1].match");
    EXPECT_EQ(of_node(match_of("a", {HUGE_VAL})), "filter.must[1].match");
    EXPECT_EQ(of_node(RangeCondition{.key = "a"}), "filter.must[1].range");
    EXPECT_EQ(of_node(RangeCondition{.key = "a", .gt = 1, .lte = std::nan("")}), "filter.must[1].range");
    EXPECT_EQ(of_node(RangeCondition{.key = "a", .lt = HUGE_VAL}), "none");
}

TEST(FilterValidation, RefusesAMissingGroup) {
    EXPECT_EQ(of_node(std::shared_ptr<Filter>()), "filter.must[1]");
    EXPECT_EQ(of_node(NestedCondition{.key = "a", .filter = nullptr}), "filter.must[1].nested.filter");
}

TEST(FilterValidation, LooksIntoNestedConditionsAndMinShould) {
    NestedCondition within{.key = "a", .filter = std::make_unique<Filter>()};
    EXPECT_EQ(of_node(NestedCondition{.key = "", .filter = std::make_unique<Filter>()}),
              "filter.must[1].nested.key");
    within.filter->should.emplace_back(RangeCondition{.key = "a"});
    EXPECT_EQ(of_node(std::move(within)), "filter.must[1].nested.filter.should[0].range");
    Filter enough;
    enough.min_should.emplace().conditions.emplace_back(IsNullCondition{});
    EXPECT_EQ(field_at_fault(enough), "filter.min_should.conditions[0].is_null.key");
    enough.min_should = MinShould{};
    for (size_t i = 0; i <= kFilterNodesMax; ++i) {
        enough.min_should->conditions.emplace_back(IsNullCondition{.key = "a"});
    }
    EXPECT_EQ(field_at_fault(enough), "filter.min_should.conditions[512]");
    Filter deep;
    for (uint32_t i = 0; i < kFilterDepthMax; ++i) {
        NestedCondition around{.key = "a", .filter = std::make_unique<Filter>(std::move(deep))};
        deep = Filter();
        deep.must.emplace_back(std::move(around));
    }
    EXPECT_EQ(validate(deep).error().allowed(), "a depth of at most 32");
}

TEST(FilterValidation, ChecksTextsPrefixesAndCounts) {
    const auto of_text = [](std::string_view text, TextMode mode) {
        return of_node(TextCondition{.key = "a", .query = TextQuery(text, mode)});
    };
    EXPECT_EQ(of_text("!", TextMode::kAll), "filter.must[1].match.text");
    EXPECT_EQ(of_text("", TextMode::kAny), "filter.must[1].match.text_any");
    EXPECT_EQ(of_text(" ", TextMode::kPhrase), "filter.must[1].match.phrase");
    const auto words = [](size_t count) {
        std::string text;
        for (size_t i = 0; i < count; ++i) {
            text += "a ";
        }
        return text;
    };
    EXPECT_EQ(of_text(words(kFilterTextWordsMax - 1), TextMode::kAll), "none");
    EXPECT_EQ(of_text(words(kFilterTextWordsMax), TextMode::kPhrase), "none");
    EXPECT_EQ(of_text(words(kFilterTextWordsMax + 1), TextMode::kAll), "filter.must[1].match.text");
    const auto of_prefix = [](size_t size) {
        return of_node(PrefixCondition{.key = "a", .prefix = std::string(size, 'x')});
    };
    EXPECT_EQ(of_prefix(0), "none");
    EXPECT_EQ(of_prefix(kFilterStringBytesMax), "none");
    EXPECT_EQ(of_prefix(kFilterStringBytesMax + 1), "filter.must[1].match.prefix");
    EXPECT_EQ(of_node(ValuesCountCondition{.key = "a"}), "filter.must[1].values_count");
    EXPECT_EQ(of_node(ValuesCountCondition{.key = "a", .lt = 0}), "none");
    EXPECT_EQ(of_node(ValuesCountCondition{.key = "", .lt = 0}), "filter.must[1].key");
    EXPECT_EQ(of_node(IsEmptyCondition{}), "filter.must[1].is_empty.key");
}

TEST(FilterValidation, ChecksIds) {
    EXPECT_EQ(of_node(HasIdCondition{}), "none");
    EXPECT_EQ(of_node(HasIdCondition{.ids = {"7"}}), "filter.must[1].has_id") << "not encoded";
    const auto of_ids = [](size_t count) {
        return of_node(HasIdCondition{.ids = std::vector(count, DocumentId(uint64_t{7}).encoded())});
    };
    EXPECT_EQ(of_ids(kFilterListItemsMax), "none");
    EXPECT_EQ(of_ids(kFilterListItemsMax + 1), "filter.must[1].has_id");
}

TEST(FilterValidation, CountsThePointsOfAllPolygons) {
    const auto ring_of = [](size_t points) {
        GeoPolygon::Ring ring(points);
        ring.back() = {1, 1};
        return ring;
    };
    const auto two_of = [&](size_t first, size_t second) {
        Filter filter;
        filter.must.emplace_back(GeoCondition{.key = "a", .shape = GeoPolygon{ring_of(first), {}}});
        filter.should.emplace_back(
            GeoCondition{.key = "a", .shape = GeoPolygon{ring_of(3), {ring_of(second)}}});
        return field_at_fault(filter);
    };
    EXPECT_EQ(two_of(kFilterPolygonPointsMax - 7, 3), "none");
    EXPECT_EQ(two_of(kFilterPolygonPointsMax - 7, 4), "none");
    EXPECT_EQ(two_of(kFilterPolygonPointsMax - 7, 5), "filter.should[0].geo_polygon");
    EXPECT_EQ(of_node(GeoCondition{.key = "a", .shape = GeoRadius{{91, 0}, 1}}),
              "filter.must[1].geo_radius.center.lat");
    EXPECT_EQ(of_node(GeoCondition{.key = "a", .shape = GeoBox{{0, 0}, {1, 0}}}),
              "filter.must[1].geo_box.top_left.lat");
}

}  // namespace
}  // namespace akidb::model
