// Conditions on what is there rather than on what it is, on ids, within objects, and how many of several
// hold.
#include <gtest/gtest.h>

#include "model/document_id.h"
#include "model/filter.h"
#include "model/tree_for_tests.h"

namespace akidb::model {
namespace {

using Members = Tree::Members;
using Items = Tree::Items;

bool is_met(const Tree& metadata, FilterNode node, std::string_view id = "") {
    Filter filter;
    filter.must.push_back(std::move(node));
    EXPECT_TRUE(validate(filter));
    return matches(filter, MetadataView(metadata.encoded()), id);
}

Tree with(Tree stored) {
    return {Members{{"a", std::move(stored)}}};
}

MatchCondition is(std::string key, MatchValue value) {
    return {.key = std::move(key), .any = {std::move(value)}};
}

const Tree kNull{};
const Tree kOne{int64_t{1}};
const Tree kNoItems{Items{}};

TEST(ValuesCount, CountsItemsOrOne) {
    const auto counts = [](const Tree& metadata, std::string key) {
        for (uint64_t count = 0;; ++count) {
            if (is_met(metadata, ValuesCountCondition{.key = key, .gte = count, .lte = count})) {
                return count;
            }
        }
    };
    EXPECT_EQ(counts(Tree{Members{}}, "a"), 0U);
    EXPECT_EQ(counts(with(kNull), "a"), 0U);
    EXPECT_EQ(counts(with(kNoItems), "a"), 0U);
    EXPECT_EQ(counts(with(kOne), "a"), 1U);
    EXPECT_EQ(counts(with({Members{}}), "a"), 1U);
    EXPECT_EQ(counts(with({Items{kOne, kNull, kNoItems}}), "a"), 3U);
    const Tree spread = with({Items{{Members{{"b", {Items{kOne, kOne}}}}}, {Members{{"b", kOne}}}, kOne}});
    EXPECT_EQ(counts(spread, "a.b"), 3U);
    EXPECT_EQ(counts(spread, "a[].b[]"), 3U);
    EXPECT_TRUE(is_met(spread, ValuesCountCondition{.key = "a", .gt = 2, .lt = 4}));
    EXPECT_FALSE(is_met(spread, ValuesCountCondition{.key = "a", .gt = 3}));
    EXPECT_FALSE(is_met(spread, ValuesCountCondition{.key = "a", .lt = 3}));
}

TEST(IsEmpty, HoldsWithoutValues) {
    const auto is_empty = [](const Tree& metadata) {
        return is_met(metadata, IsEmptyCondition{.key = "a.b"});
    };
    EXPECT_TRUE(is_empty(Tree{Members{}}));
    EXPECT_TRUE(is_empty(with(kOne)));
    EXPECT_TRUE(is_empty(with({Members{{"b", kNull}}})));
    EXPECT_TRUE(is_empty(with({Members{{"b", kNoItems}}})));
    EXPECT_TRUE(is_empty(with({Items{{Members{{"b", kNoItems}}}, {Members{{"b", kNull}}}}})));
    EXPECT_FALSE(is_empty(with({Items{{Members{{"b", kNoItems}}}, {Members{{"b", kOne}}}}})));
    EXPECT_FALSE(is_empty(with({Members{{"b", {Items{kNull}}}}}))) << "an array that holds something";
    EXPECT_FALSE(is_empty(with({Members{{"b", {Members{}}}}})));
    EXPECT_FALSE(is_empty(with({Members{{"b", {false}}}})));
    EXPECT_FALSE(is_empty(with({Members{{"b", {std::string()}}}})));
}

TEST(IsNull, HoldsForNullAtThePath) {
    const auto is_null = [](const Tree& metadata) { return is_met(metadata, IsNullCondition{.key = "a"}); };
    EXPECT_TRUE(is_null(with(kNull)));
    EXPECT_FALSE(is_null(Tree{Members{}}));
    EXPECT_FALSE(is_null(with({Items{kNull}})));
    EXPECT_FALSE(is_null(with(kOne)));
    EXPECT_TRUE(is_met(with({Items{{Members{{"b", kOne}}}, {Members{{"b", kNull}}}}}),
                       IsNullCondition{.key = "a.b"}));
}

TEST(Prefix, IsOfStringsByBytes) {
    const auto begins = [](Tree stored, std::string prefix) {
        return is_met(with(std::move(stored)), PrefixCondition{.key = "a", .prefix = std::move(prefix)});
    };
    EXPECT_TRUE(begins({std::string("apple")}, "app"));
    EXPECT_TRUE(begins({std::string("apple")}, "apple"));
    EXPECT_FALSE(begins({std::string("apple")}, "apples"));
    EXPECT_FALSE(begins({std::string("apple")}, "App")) << "case matters";
    EXPECT_TRUE(begins({Items{kOne, {std::string("pear")}}}, "p"));
    EXPECT_TRUE(begins({std::string()}, ""));
    EXPECT_FALSE(begins(kOne, ""));
}

TEST(HasId, ComparesEncodedIdsWalkedAndSorted) {
    const auto encoded = [](std::string_view text) { return DocumentId::from_text(text).value().encoded(); };
    HasIdCondition condition;
    condition.ids = {DocumentId(uint64_t{7}).encoded(), encoded("x"),
                     encoded("6BA7B810-9DAD-11D1-80B4-00C04FD430C8")};
    Filter filter;
    filter.must.emplace_back(condition);
    const auto finds = [&](const std::string& id) {
        return matches(filter, MetadataView(empty_metadata()), id);
    };
    for (const bool is_sorted : {false, true}) {
        EXPECT_TRUE(finds(DocumentId(uint64_t{7}).encoded()));
        EXPECT_TRUE(finds(encoded("x")));
        EXPECT_TRUE(finds(encoded("6ba7b810-9dad-11d1-80b4-00c04fd430c8")));
        EXPECT_FALSE(finds(DocumentId(uint64_t{8}).encoded()));
        EXPECT_FALSE(finds(encoded("7"))) << "a string is not a number";
        if (!is_sorted) {
            auto& ids = std::get<HasIdCondition>(filter.must[0]).ids;
            for (uint64_t i = 0; i < 20; ++i) {
                ids.push_back(DocumentId(1'000 - i).encoded());
            }
            prepare(filter);
            EXPECT_TRUE(std::get<HasIdCondition>(filter.must[0]).sorted);
        }
    }
}

TEST(ReadsIds, WhereverTheConditionStands) {
    EXPECT_FALSE(reads_ids(Filter()));
    const auto in_group = [](FilterNode node) {
        auto group = std::make_unique<Filter>();
        group->must_not.push_back(std::move(node));
        Filter filter;
        filter.should.push_back(std::move(group));
        return filter;
    };
    EXPECT_TRUE(reads_ids(in_group(HasIdCondition{})));
    EXPECT_FALSE(reads_ids(in_group(is("a", true))));
    NestedCondition nested{.key = "a", .filter = std::make_unique<Filter>(in_group(HasIdCondition{}))};
    EXPECT_TRUE(reads_ids(in_group(std::move(nested))));
    Filter enough;
    enough.min_should.emplace().conditions.emplace_back(HasIdCondition{});
    EXPECT_TRUE(reads_ids(enough));
}

TEST(Nested, HoldsWithinOneObject) {
    const auto part = [](const char* name, int64_t size) {
        return Tree{Members{{"name", {std::string(name)}}, {"size", {size}}}};
    };
    const Tree metadata = with({Items{part("x", 1), part("y", 2), kOne}});
    const auto holds = [&](const char* name, int64_t size) {
        NestedCondition nested{.key = "a[]", .filter = std::make_unique<Filter>()};
        nested.filter->must.emplace_back(is("name", std::string(name)));
        nested.filter->must.emplace_back(is("size", size));
        return is_met(metadata, std::move(nested));
    };
    EXPECT_TRUE(holds("x", 1));
    EXPECT_TRUE(holds("y", 2));
    EXPECT_FALSE(holds("x", 2)) << "of two objects";
    NestedCondition negated{.key = "a", .filter = std::make_unique<Filter>()};
    negated.filter->must_not.emplace_back(is("name", std::string("x")));
    EXPECT_TRUE(is_met(metadata, std::move(negated))) << "y does";
    const auto any = [] { return NestedCondition{.key = "a", .filter = std::make_unique<Filter>()}; };
    EXPECT_TRUE(is_met(with(part("x", 1)), any())) << "an object that is in no array";
    EXPECT_FALSE(is_met(with({Items{kOne, kNull}}), any()));
    EXPECT_FALSE(is_met(Tree{Members{}}, any()));
}

TEST(MinShould, CountsWhatHolds) {
    const auto enough = [](uint32_t min_count) {
        Filter filter;
        MinShould& wanted = filter.min_should.emplace();
        wanted.min_count = min_count;
        wanted.conditions.emplace_back(is("a", int64_t{1}));
        wanted.conditions.emplace_back(is("a", int64_t{2}));
        wanted.conditions.emplace_back(RangeCondition{.key = "a", .lt = 5});
        EXPECT_FALSE(filter.is_empty());
        return matches(filter, MetadataView(with(kOne).encoded()), "");
    };
    EXPECT_TRUE(enough(0));
    EXPECT_TRUE(enough(2));
    EXPECT_FALSE(enough(3));
    EXPECT_FALSE(enough(4));
}

TEST(Paths, MaySayThatTheyLeadThroughArrays) {
    const Tree metadata = with({Items{{Members{{"b", kOne}}}}});
    for (const char* key : {"a.b", "a[].b", "a[].b[]", "a[][].b"}) {
        EXPECT_TRUE(is_met(metadata, is(key, int64_t{1}))) << key;
        EXPECT_TRUE(is_same_path(key, "a.b")) << key;
    }
    EXPECT_FALSE(is_met(metadata, is("[].a.b", int64_t{1})));
    EXPECT_FALSE(is_same_path("a", "a.b"));
    EXPECT_FALSE(is_same_path("a.b", "a.c"));
    EXPECT_FALSE(is_same_path("[]", ""));
}

}  // namespace
}  // namespace akidb::model
