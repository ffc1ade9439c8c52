// Random filters on random metadata against an evaluator that is plainly right: it collects all values first
// and compares numbers as long double, whose 64-bit mantissa holds every int64, uint64 and double exactly.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "model/filter.h"
#include "model/tree_for_tests.h"

namespace akidb::model {
namespace {

static_assert(std::numeric_limits<long double>::digits >= 64);

// NOLINTNEXTLINE(misc-no-recursion)
std::vector<Tree> flattened(const Tree& tree) {
    const auto* items = std::get_if<Tree::Items>(&tree.value);
    if (items == nullptr) {
        return {tree};
    }
    std::vector<Tree> all;
    for (const Tree& item : *items) {
        for (Tree& part : flattened(item)) {
            all.push_back(std::move(part));
        }
    }
    return all;
}

std::vector<Tree> values_at(const Tree& root, const std::vector<std::string>& path) {
    std::vector<Tree> reached = flattened(root);
    for (const std::string& step : path) {
        std::vector<Tree> next;
        for (const Tree& tree : reached) {
            const auto* members = std::get_if<Tree::Members>(&tree.value);
            for (size_t i = 0; members != nullptr && i < members->size(); ++i) {
                if ((*members)[i].key == step) {
                    const std::vector<Tree> parts = flattened((*members)[i].value);
                    next.insert(next.end(), parts.begin(), parts.end());
                }
            }
        }
        reached = std::move(next);
    }
    return reached;
}

template <class Variant>
std::optional<long double> number_of(const Variant& value) {
    if (const auto* integer = std::get_if<int64_t>(&value)) {
        return static_cast<long double>(*integer);
    }
    if (const auto* natural = std::get_if<uint64_t>(&value)) {
        return static_cast<long double>(*natural);
    }
    if (const auto* real = std::get_if<double>(&value)) {
        return static_cast<long double>(*real);
    }
    return std::nullopt;
}

bool same(const Tree& stored, const MatchValue& wanted) {
    if (const auto* text = std::get_if<std::string>(&wanted)) {
        const auto* other = std::get_if<std::string>(&stored.value);
        return other != nullptr && *other == *text;
    }
    if (const auto* flag = std::get_if<bool>(&wanted)) {
        const auto* other = std::get_if<bool>(&stored.value);
        return other != nullptr && *other == *flag;
    }
    const std::optional<long double> number = number_of(stored.value);
    return number && *number == *number_of(wanted);
}

bool is_scalar(const Tree& tree) {
    return !std::holds_alternative<std::monostate>(tree.value) &&
           !std::holds_alternative<Tree::Members>(tree.value);
}

std::vector<std::string> split(const std::string& key) {
    std::vector<std::string> steps(1);
    for (const char c : key) {
        if (c == '.') {
            steps.emplace_back();
        } else {
            steps.back() += c;
        }
    }
    return steps;
}

bool expected(const Filter& filter, const Tree& root);

// NOLINTNEXTLINE(misc-no-recursion)
bool expected(const FilterNode& node, const Tree& root) {
    if (const auto* nested = std::get_if<std::shared_ptr<Filter>>(&node)) {
        return expected(**nested, root);
    }
    if (const auto* match = std::get_if<MatchCondition>(&node)) {
        const std::vector<Tree> values = values_at(root, split(match->key));
        const auto listed = std::count_if(values.begin(), values.end(), [&](const Tree& value) {
            return std::any_of(match->any.begin(), match->any.end(),
                               [&](const MatchValue& wanted) { return same(value, wanted); });
        });
        const auto scalars = std::count_if(values.begin(), values.end(), is_scalar);
        return match->negated ? scalars > 0 && listed == 0 : listed > 0;
    }
    const auto& range = std::get<RangeCondition>(node);
    const std::vector<Tree> values = values_at(root, split(range.key));
    return std::any_of(values.begin(), values.end(), [&](const Tree& value) {
        const std::optional<long double> number = number_of(value.value);
        return number && (!range.gt || *number > static_cast<long double>(*range.gt)) &&
               (!range.gte || *number >= static_cast<long double>(*range.gte)) &&
               (!range.lt || *number < static_cast<long double>(*range.lt)) &&
               (!range.lte || *number <= static_cast<long double>(*range.lte));
    });
}

// NOLINTNEXTLINE(misc-no-recursion)
bool expected(const Filter& filter, const Tree& root) {
    bool all = true;
    for (const FilterNode& node : filter.must) {
        all = expected(node, root) && all;
    }
    for (const FilterNode& node : filter.must_not) {
        all = !expected(node, root) && all;
    }
    bool one = filter.should.empty();
    for (const FilterNode& node : filter.should) {
        one = expected(node, root) || one;
    }
    return all && one;
}

class RandomFilters {
  public:
    explicit RandomFilters(uint32_t seed) : draw_(seed) {}

    // NOLINTNEXTLINE(misc-no-recursion)
    Filter filter(uint32_t depth) {
        Filter filter;
        for (std::vector<FilterNode>* nodes : {&filter.must, &filter.should, &filter.must_not}) {
            for (uint32_t left = draw_.below(3); left > 0; --left) {
                nodes->push_back(node(depth));
            }
        }
        return filter;
    }

  private:
    // NOLINTNEXTLINE(misc-no-recursion)
    FilterNode node(uint32_t depth) {
        const uint32_t kind = draw_.below(depth == 0 ? 4 : 5);
        if (kind == 4) {
            return std::make_unique<Filter>(filter(depth - 1));
        }
        if (kind == 3) {
            return range();
        }
        MatchCondition match{.key = key(), .negated = draw_.below(3) == 0};
        // Now and then long enough for prepare() to sort it.
        for (uint32_t left = draw_.below(draw_.below(4) == 0 ? 40 : 4); left > 0; --left) {
            match.any.push_back(value());
        }
        return match;
    }
    RangeCondition range() {
        RangeCondition range{.key = key()};
        for (std::optional<double>* bound : {&range.gt, &range.gte, &range.lt, &range.lte}) {
            if (draw_.below(3) == 0) {
                *bound = draw_.real();
            }
        }
        if (!range.gt && !range.gte && !range.lt) {
            range.lte = draw_.real();
        }
        return range;
    }
    std::string key() {
        std::string key(1, static_cast<char>('a' + draw_.below(3)));
        for (uint32_t left = draw_.below(3); left > 0; --left) {
            key += '.';
            key += static_cast<char>('a' + draw_.below(3));
        }
        return key;
    }
    MatchValue value() {
        switch (draw_.below(5)) {
            case 0:
                return draw_.below(2) == 0;
            case 1:
                return draw_.integer();
            case 2:
                return draw_.natural();
            case 3:
                return draw_.real();
            default:
                return draw_.text();
        }
    }

    RandomTrees draw_;
};

TEST(FilterProperty, AgreesWithTheNaiveEvaluatorBeforeAndAfterPrepare) {
    RandomTrees trees(11);
    RandomFilters filters(12);
    int matched = 0;
    constexpr int kRounds = 4'000;
    constexpr int kTreesPerFilter = 8;
    for (int round = 0; round < kRounds; ++round) {
        Filter plain = filters.filter(2);
        ASSERT_TRUE(validate(plain));
        for (int i = 0; i < kTreesPerFilter; ++i) {
            const Tree tree = trees.object(3);
            const std::string encoded = tree.encoded();
            const bool wanted = expected(plain, tree);
            matched += wanted ? 1 : 0;
            ASSERT_EQ(matches(plain, MetadataView(encoded), ""), wanted) << "round " << round;
            if (i == kTreesPerFilter / 2) {
                prepare(plain);
                ASSERT_EQ(matches(plain, MetadataView(encoded), ""), wanted) << "prepared, round " << round;
            }
        }
    }
    // Both answers must be common, else the test would show little.
    EXPECT_GT(matched, kRounds * kTreesPerFilter / 20);
    EXPECT_LT(matched, kRounds * kTreesPerFilter * 19 / 20);
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
        ASSERT_EQ(matches(filter, MetadataView(tree.encoded()), ""), expected(filter, tree)) << bound;
    }
}

}  // namespace
}  // namespace akidb::model
