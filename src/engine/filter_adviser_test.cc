#include "engine/filter_adviser.h"

#include <gtest/gtest.h>

#include "model/limits.h"

namespace akidb::engine {
namespace {

using model::MetadataIndexType;

model::MatchCondition match(std::string key, model::MatchValue value) {
    return {.key = std::move(key), .any = {std::move(value)}};
}

std::string text_of(const std::vector<UnindexedField>& fields) {
    std::string text;
    for (const UnindexedField& field : fields) {
        text += field.wanted.key + ":" + std::string(name_of(field.wanted.type)) + " " +
                std::to_string(field.reads) + "/" + std::to_string(field.evaluated) + ", ";
    }
    return text;
}

TEST(FilterAdviser, NamesTheIndexThatWouldHaveAnswered) {
    model::Filter filter;
    filter.must.emplace_back(match("word", std::string("king")));
    filter.must.emplace_back(match("n", int64_t{1}));
    filter.should.emplace_back(match("x", 0.5));
    filter.must_not.emplace_back(match("b", true));
    filter.must.emplace_back(model::RangeCondition{.key = "r", .gte = 1});
    filter.must.emplace_back(model::RangeCondition{.key = "f", .lt = 1.5});
    filter.must.emplace_back(model::TimeRangeCondition{.key = "at", .gt = 5});
    filter.must.emplace_back(model::PrefixCondition{.key = "p", .prefix = "a"});
    filter.must.emplace_back(model::IsNullCondition{.key = "null"});
    filter.must.emplace_back(model::HasIdCondition{});
    auto within = std::make_shared<model::Filter>();
    within->must.emplace_back(match("name", std::string("bar")));
    filter.must.emplace_back(model::NestedCondition{.key = "rooms", .filter = within});
    FilterAdviser adviser;
    adviser.note(filter, {}, 100, 1);
    EXPECT_EQ(text_of(adviser.list({})),
              "word:keyword 1/100, n:integer 1/100, r:integer 1/100, f:float 1/100, at:datetime 1/100, "
              "p:keyword 1/100, rooms.name:keyword 1/100, x:float 1/100, b:bool 1/100, ");
}

TEST(FilterAdviser, IsSilentAboutWhatIsIndexedOrCostNothing) {
    model::Filter filter;
    filter.must.emplace_back(match("word", std::string("king")));
    filter.must.emplace_back(match("n", int64_t{1}));
    FilterAdviser adviser;
    adviser.note(filter, {{"word", MetadataIndexType::kUuid}, {"n", MetadataIndexType::kKeyword}}, 7, 1);
    EXPECT_EQ(text_of(adviser.list({})), "n:integer 1/7, ") << "an index of texts answers no number";
    EXPECT_EQ(text_of(adviser.list({{"n", MetadataIndexType::kFloat}})), "") << "it has its index now";
    FilterAdviser other;
    other.note(filter, {}, 0, 1);
    EXPECT_EQ(text_of(other.list({})), "") << "nothing was read one by one";
}

TEST(FilterAdviser, KeepsTheDearestOfManyFields) {
    FilterAdviser adviser;
    model::Filter dear;
    dear.must.emplace_back(match("dear", int64_t{1}));
    adviser.note(dear, {}, 10, 100);
    for (size_t i = 0; i < 2 * model::kAdvisedFieldsMax; ++i) {
        model::Filter filter;
        filter.must.emplace_back(match("k" + std::to_string(i), int64_t{1}));
        adviser.note(filter, {}, 10, 1);
    }
    const auto fields = adviser.list({});
    EXPECT_EQ(fields.size(), model::kAdvisedFieldsMax);
    EXPECT_EQ(fields.front().wanted.key, "dear");
}

}  // namespace
}  // namespace akidb::engine
