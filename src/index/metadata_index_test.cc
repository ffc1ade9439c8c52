#include "index/metadata_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "index/metadata_answer.h"
#include "model/document_id.h"
#include "model/filters_for_tests.h"

namespace akidb::index {
namespace {

using model::Filter;
using model::FilterNode;
using model::MatchCondition;
using model::MetadataIndexType;
using model::PrefixCondition;
using model::RandomFilters;
using model::RandomTrees;
using model::RangeCondition;
using model::TimeRangeCondition;
using model::Tree;

std::string moment_text(RandomTrees& draw) {
    const char* texts[] = {"2024-01-01T00:00:00Z", "2024-01-01T01:00:00+01:00", "2023-12-31T23:59:59.5Z",
                           "2025-06-01T12:00:00-05:00", "no time"};
    return texts[draw.below(5)];
}

std::vector<std::string> random_metadata(uint32_t seed, uint32_t count) {
    RandomTrees trees(seed);
    std::vector<std::string> rows;
    for (uint32_t i = 0; i < count; ++i) {
        Tree tree = trees.object(2);
        if (trees.below(3) == 0) {
            std::get<Tree::Members>(tree.value).push_back({"t", {moment_text(trees)}});
        }
        rows.push_back(tree.encoded());
    }
    return rows;
}

void build(MetadataIndex& index, const std::vector<std::string>& metadata, uint32_t rows) {
    while (index.is_behind(rows)) {
        index.advance(rows, [&](uint32_t row) { return std::string_view(metadata[row]); });
    }
}

// Row n is that of document n.
std::string id_of(uint32_t row) {
    return model::DocumentId(uint64_t{row}).encoded();
}
constexpr auto row_of = [](std::string_view id) {
    return static_cast<uint32_t>(std::get<uint64_t>(model::DocumentId::decode(id).value().value()));
};
bool is_match(const Filter& filter, const std::vector<std::string>& metadata, uint32_t row) {
    return matches(filter, model::MetadataView(metadata[row]), id_of(row));
}

/// By the index where it says so, by the row itself elsewhere.
std::vector<uint32_t> found(const MetadataIndexView& view, const Filter& filter,
                            const std::vector<std::string>& metadata) {
    const auto count = static_cast<uint32_t>(metadata.size());
    const Candidates candidates = find_candidates(view, filter, count, row_of);
    std::vector<uint32_t> rows;
    for (uint32_t row = 0; row < count; ++row) {
        if ((!candidates.rows || candidates.rows->contains(row)) &&
            (row < candidates.exact_below || is_match(filter, metadata, row))) {
            rows.push_back(row);
        }
    }
    return rows;
}

std::vector<uint32_t> expected(const Filter& filter, const std::vector<std::string>& metadata) {
    std::vector<uint32_t> rows;
    for (uint32_t row = 0; row < metadata.size(); ++row) {
        if (is_match(filter, metadata, row)) {
            rows.push_back(row);
        }
    }
    return rows;
}

TEST(MetadataIndex, AnswersRandomFiltersAsEvaluationOfEveryRowDoes) {
    const std::vector<std::string> metadata = random_metadata(21, 1'500);
    RandomTrees draw(22);
    RandomFilters filters(23);
    int answered = 0;
    constexpr int kRounds = 1'500;
    for (int round = 0; round < kRounds; ++round) {
        MetadataIndex index;
        std::vector<model::MetadataField> fields;
        for (const char* key : {"a", "b", "c", "a.b", "b.a"}) {
            if (draw.below(8) != 0) {
                // Words and numbers are what most conditions can be answered on.
                fields.push_back({key, static_cast<MetadataIndexType>(draw.below(2) * draw.below(6))});
            }
        }
        index.declare(fields);
        build(index, metadata, 900);  // what follows is beyond the index
        const auto view = index.view();
        for (int i = 0; i < 3; ++i) {
            const Filter filter = filters.filter(draw.below(3));
            const std::vector<uint32_t> wanted = expected(filter, metadata);
            ASSERT_EQ(found(*view, filter, metadata), wanted) << "round " << round;
            const auto rows = static_cast<uint32_t>(metadata.size());
            const MatchEstimate estimate = estimate_matches(*view, filter, rows);
            ASSERT_LE(estimate.low, wanted.size()) << "round " << round;
            ASSERT_GE(estimate.high, wanted.size()) << "round " << round;
            const MatchEstimate of_some = estimate_matches(*view, filter, 500);  // fewer than are indexed
            const auto some = std::lower_bound(wanted.begin(), wanted.end(), 500u) - wanted.begin();
            ASSERT_LE(of_some.low, static_cast<uint64_t>(some)) << "round " << round;
            ASSERT_GE(of_some.high, static_cast<uint64_t>(some)) << "round " << round;
            answered += find_candidates(*view, filter, rows, row_of).exact_below > 0 ? 1 : 0;
        }
    }
    EXPECT_GT(answered, kRounds / 2) << "else the test would show little";
}

Filter one(FilterNode node) {
    Filter filter;
    filter.must.push_back(std::move(node));
    return filter;
}

TEST(MetadataIndex, AnswersOnEveryClassOfItsOwn) {
    std::vector<std::string> metadata;
    for (uint32_t i = 0; i < 200; ++i) {
        const std::string day = std::to_string(10 + i % 20);
        metadata.push_back(Tree{Tree::Members{{"word", {std::string(i % 2 == 0 ? "even" : "odd")}},
                                              {"n", {static_cast<int64_t>(i)}},
                                              {"flag", {i % 4 == 0}},
                                              {"at", {"2024-01-" + day + "T00:00:00Z"}}}}
                               .encoded());
    }
    MetadataIndex index;
    index.declare({{"word", MetadataIndexType::kKeyword},
                   {"n", MetadataIndexType::kInteger},
                   {"flag", MetadataIndexType::kBool},
                   {"at", MetadataIndexType::kDatetime}});
    build(index, metadata, 200);
    std::vector<Filter> filters;
    filters.push_back(one(MatchCondition{.key = "word", .any = {std::string("odd")}}));
    filters.push_back(one(MatchCondition{.key = "word", .any = {std::string("odd")}, .negated = true}));
    filters.push_back(one(MatchCondition{.key = "n", .any = {int64_t{7}, 9.0, uint64_t{500}}}));
    filters.push_back(one(MatchCondition{.key = "flag", .any = {true}}));
    filters.push_back(one(RangeCondition{.key = "n", .gt = 10.5, .lte = 100}));
    filters.push_back(one(TimeRangeCondition{.key = "at", .gte = 1'705'276'800'000'000}));
    filters.push_back(one(MatchCondition{.key = "word", .any = {}}));
    filters.push_back(one(MatchCondition{.key = "word", .any = {std::string("odd"), "odd", "none"}}));
    filters.push_back(one(PrefixCondition{.key = "word[]", .prefix = "ev"}));
    filters.push_back(one(PrefixCondition{.key = "word", .prefix = ""}));
    filters.push_back(one(PrefixCondition{.key = "word", .prefix = "evening"}));
    const auto view = index.view();
    for (size_t i = 0; i < filters.size(); ++i) {
        const std::vector<uint32_t> wanted = expected(filters[i], metadata);
        EXPECT_EQ(find_candidates(*view, filters[i], 200, row_of).exact_below, 200u) << i;
        EXPECT_EQ(found(*view, filters[i], metadata), wanted) << i;
        EXPECT_EQ(estimate_matches(*view, filters[i], 200).low, wanted.size()) << i;
        EXPECT_EQ(estimate_matches(*view, filters[i], 200).high, wanted.size()) << i;
    }
}

std::vector<std::string> numbered(uint32_t count) {
    std::vector<std::string> metadata;
    for (uint32_t i = 0; i < count; ++i) {
        metadata.push_back(Tree{Tree::Members{{"n", {static_cast<int64_t>(i)}}}}.encoded());
    }
    return metadata;
}

Filter ids(std::vector<uint32_t> rows) {
    model::HasIdCondition condition;
    for (const uint32_t row : rows) {
        condition.ids.push_back(id_of(row));
    }
    return one(std::move(condition));
}

TEST(MetadataIndex, AnswersIdsByTheCallersMapWhateverIsIndexed) {
    const std::vector<std::string> metadata = numbered(300);
    const auto view = MetadataIndex().view();
    for (std::vector<uint32_t> rows : {std::vector<uint32_t>{}, {7}, {299, 7, 7, 0}, {300, 12}, {500}}) {
        const Filter filter = ids(rows);
        EXPECT_EQ(find_candidates(*view, filter, 300, row_of).exact_below, 300u);
        EXPECT_EQ(found(*view, filter, metadata), expected(filter, metadata));
        EXPECT_EQ(estimate_matches(*view, filter, 300).high, rows.size());
        Filter others;
        others.must_not.push_back(std::make_unique<Filter>(ids(rows)));
        EXPECT_EQ(find_candidates(*view, others, 300, row_of).exact_below, 300u);
        EXPECT_EQ(found(*view, others, metadata), expected(others, metadata));
    }
}

TEST(MetadataIndex, CountsConditionsOfMinShould) {
    const std::vector<std::string> metadata = numbered(300);
    MetadataIndex index;
    index.declare({{"n", MetadataIndexType::kInteger}});
    build(index, metadata, 300);
    const auto view = index.view();
    // Row n meets n of the conditions.
    const auto at_least = [](uint32_t conditions, uint32_t min_count) {
        Filter filter;
        model::MinShould& wanted = filter.min_should.emplace();
        wanted.min_count = min_count;
        for (uint32_t i = 0; i < conditions; ++i) {
            wanted.conditions.emplace_back(RangeCondition{.key = "n", .gt = static_cast<double>(i)});
        }
        return filter;
    };
    for (const uint32_t conditions : {1u, 2u, 30u, 250u}) {
        for (const uint32_t min_count : {0u, 1u, 2u, conditions - 1, conditions, conditions + 1}) {
            const Filter filter = at_least(conditions, min_count);
            const std::vector<uint32_t> wanted = expected(filter, metadata);
            EXPECT_EQ(wanted.size(), min_count > conditions ? 0 : 300 - min_count);
            EXPECT_EQ(found(*view, filter, metadata), wanted) << conditions << " " << min_count;
            const bool is_dear = conditions == 250 && min_count + 1 >= conditions && min_count <= conditions;
            EXPECT_EQ(find_candidates(*view, filter, 300, row_of).exact_below, is_dear ? 0u : 300u);
            EXPECT_LE(estimate_matches(*view, filter, 300).low, wanted.size());
            EXPECT_GE(estimate_matches(*view, filter, 300).high, wanted.size());
        }
    }
    // With one that no index answers, one fewer of the others is enough to be a candidate.
    Filter mixed = at_least(3, 2);
    mixed.min_should->conditions.emplace_back(model::IsEmptyCondition{.key = "x"});
    EXPECT_EQ(find_candidates(*view, mixed, 300, row_of).rows->count(), 299u);
    EXPECT_EQ(found(*view, mixed, metadata), expected(mixed, metadata));
}

TEST(MetadataIndex, NarrowsNestedConditions) {
    std::vector<std::string> metadata;
    for (int64_t i = 0; i < 300; ++i) {
        const auto part = [](int64_t a, int64_t b) { return Tree{Tree::Members{{"a", {a}}, {"b", {b}}}}; };
        metadata.push_back(Tree{Tree::Members{{"parts", {Tree::Items{part(i, 0), part(0, i)}}}}}.encoded());
    }
    MetadataIndex index;
    index.declare({{"parts.a", MetadataIndexType::kInteger}, {"parts[].b", MetadataIndexType::kInteger}});
    build(index, metadata, 300);
    const auto view = index.view();
    const auto within = [](FilterNode first, FilterNode second) {
        model::NestedCondition nested{.key = "parts[]", .filter = std::make_unique<Filter>()};
        nested.filter->must.push_back(std::move(first));
        nested.filter->should.push_back(std::move(second));
        return one(std::move(nested));
    };
    const Filter filter =
        within(RangeCondition{.key = "a", .lt = 20}, RangeCondition{.key = "b", .gte = 290});
    const Candidates candidates = find_candidates(*view, filter, 300, row_of);
    EXPECT_EQ(candidates.exact_below, 0u);
    EXPECT_EQ(candidates.rows->count(), 10u);
    EXPECT_EQ(found(*view, filter, metadata), expected(filter, metadata));
    EXPECT_EQ(estimate_matches(*view, filter, 300).high, 10u);
    const Filter none = within(RangeCondition{.key = "a", .gt = 20}, RangeCondition{.key = "b", .gte = 290});
    EXPECT_EQ(find_candidates(*view, none, 300, row_of).rows->count(), 10u)
        << "by two objects of one document";
    EXPECT_TRUE(found(*view, none, metadata).empty());
    const Filter turned = within(MatchCondition{.key = "a", .any = {int64_t{5}}, .negated = true},
                                 RangeCondition{.key = "b", .gte = 0});
    EXPECT_EQ(found(*view, turned, metadata), expected(turned, metadata));
    EXPECT_EQ(found(*view, turned, metadata).size(), 300u);
}

TEST(MetadataIndex, KeepsFewBlocksHoweverRowsCome) {
    std::vector<std::string> metadata;
    for (uint32_t i = 0; i < 70'000; ++i) {
        metadata.push_back(Tree{Tree::Members{{"n", {static_cast<int64_t>(i % 1'000)}}}}.encoded());
    }
    MetadataIndex index;
    index.declare({{"n", MetadataIndexType::kInteger}});
    for (uint32_t rows = 64; rows <= metadata.size(); rows += 64) {
        build(index, metadata, rows);
    }
    const auto view = index.view();
    const IndexedField& field = *view->fields[0];
    EXPECT_EQ(field.indexed, 69'952u);
    EXPECT_LE(field.blocks.size(), 12u);
    uint32_t next = 0;
    for (const auto& block : field.blocks) {
        EXPECT_EQ(block->begin, next);
        EXPECT_EQ(block->begin >> ChunkRows::kShift, (block->end - 1) >> ChunkRows::kShift);
        next = block->end;
    }
    const Filter below = one(RangeCondition{.key = "n", .lt = 500});
    EXPECT_EQ(found(*view, below, metadata), expected(below, metadata)) << "runs long enough for stored bits";
}

TEST(MetadataIndex, DropsAndKeepsFieldsAsDeclared) {
    const std::vector<std::string> metadata = random_metadata(5, 300);
    MetadataIndex index;
    index.declare({{"a", MetadataIndexType::kKeyword}, {"b", MetadataIndexType::kInteger}});
    build(index, metadata, 300);
    const auto before = index.view();
    index.declare({{"a", MetadataIndexType::kKeyword}, {"b", MetadataIndexType::kKeyword}});
    const auto after = index.view();
    EXPECT_EQ(after->find("a"), before->find("a"));
    EXPECT_EQ(after->find("b")->indexed, 0u) << "another type is another index";
    EXPECT_TRUE(index.is_behind(300));
    index.declare({});
    EXPECT_FALSE(index.is_behind(300));
    EXPECT_EQ(index.view()->find("a"), nullptr);
    EXPECT_EQ(before->find("a")->indexed, 300u) << "a reader keeps what it holds";
}

TEST(NumberKey, OrdersAllKindsByValue) {
    constexpr int64_t kExact = int64_t{1} << 53;
    constexpr auto kHighest = std::numeric_limits<uint64_t>::max();
    constexpr auto kHigh = std::numeric_limits<int64_t>::max();
    constexpr auto kLow = std::numeric_limits<int64_t>::min();
    const NumberKey ascending[] = {NumberKey::of(-0x1p64),
                                   NumberKey::of(kLow),
                                   NumberKey::of(kLow + 1),
                                   NumberKey::of(-kExact - 1),
                                   NumberKey::of(-0x1p53),
                                   NumberKey::of(-0.5),
                                   NumberKey::of(0.0),
                                   NumberKey::of(0.5),
                                   NumberKey::of(0x1p53),
                                   NumberKey::of(kExact + 1),
                                   NumberKey::of(kHigh - 1),
                                   NumberKey::of(kHigh),
                                   NumberKey::of(uint64_t{1} << 63),
                                   NumberKey::of(kHighest - 1),
                                   NumberKey::of(kHighest),
                                   NumberKey::of(0x1p64)};
    for (size_t i = 1; i < std::size(ascending); ++i) {
        EXPECT_LT(ascending[i - 1], ascending[i]) << i;
    }
    EXPECT_EQ(NumberKey::of(int64_t{5}), NumberKey::of(uint64_t{5}));
    EXPECT_EQ(NumberKey::of(int64_t{5}), NumberKey::of(5.0));
    EXPECT_EQ(NumberKey::of(-0.0), NumberKey::of(int64_t{0}));
}

}  // namespace
}  // namespace akidb::index
