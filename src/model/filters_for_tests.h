// RandomFilters: filters of every kind of condition, for tests alone, drawn from a seed: on the keys and
// values that RandomTrees uses, so that they often meet something, and ids of documents 0 to 39. Header-only;
// thread-compatible.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model/document_id.h"
#include "model/filter.h"
#include "model/tree_for_tests.h"

namespace akidb::model {

class RandomFilters {
  public:
    explicit RandomFilters(uint32_t seed) : draw_(seed) {}

    // NOLINTNEXTLINE(misc-no-recursion)
    Filter filter(uint32_t depth) {
        Filter made;
        for (std::vector<FilterNode>* nodes : {&made.must, &made.should, &made.must_not}) {
            for (uint32_t left = draw_.below(2) * draw_.below(3); left > 0; --left) {
                nodes->push_back(node(depth));
            }
        }
        if (draw_.below(6) == 0) {
            MinShould& wanted = made.min_should.emplace();
            for (uint32_t left = draw_.below(6); left > 0; --left) {
                wanted.conditions.push_back(node(depth));
            }
            wanted.min_count = draw_.below(4);
        }
        return made;
    }

    // NOLINTNEXTLINE(misc-no-recursion)
    FilterNode node(uint32_t depth) {
        switch (draw_.below(depth == 0 ? 14 : 18)) {
            case 0:
            case 1:
            case 2:
                return match();
            case 3:
                return TextCondition{.key = key(), .query = query()};
            case 4:
            case 5:
                return PrefixCondition{.key = key(), .prefix = draw_.text()};
            case 6:
            case 7:
                return range();
            case 8:
                return TimeRangeCondition{
                    .key = key(),
                    .gte = 1'704'067'200'000'000 - static_cast<int64_t>(draw_.below(3)) * 500'000};
            case 9:
                return GeoCondition{.key = key(), .shape = shape()};
            case 10:
                return values_count();
            case 11:
                return IsEmptyCondition{.key = key()};
            case 12:
                return IsNullCondition{.key = key()};
            case 13:
                return has_id();
            case 14:
            case 15:
                return NestedCondition{.key = key(), .filter = std::make_unique<Filter>(filter(depth - 1))};
            default:
                return std::make_unique<Filter>(filter(depth - 1));
        }
    }

    uint32_t below(uint32_t end) { return draw_.below(end); }

  private:
    // Of one kind of value mostly, so that an index may answer; now and then long enough for prepare() to
    // sort.
    MatchCondition match() {
        MatchCondition match{.key = key(), .negated = draw_.below(3) == 0};
        const uint32_t kind = draw_.below(5);
        for (uint32_t left = draw_.below(draw_.below(6) == 0 ? 40 : 5); left > 0; --left) {
            match.any.push_back(value(draw_.below(10) == 0 ? draw_.below(5) : kind));
        }
        return match;
    }
    MatchValue value(uint32_t kind) {
        switch (kind) {
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
    TextQuery query() {
        const char* texts[] = {"a", "B", "b a", "a b", "a, b, a", "\xc3\x89", "1 true", "A b a b", "ab"};
        return {texts[draw_.below(9)], static_cast<TextMode>(draw_.below(3))};
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
    GeoShape shape() {
        const uint32_t kind = draw_.below(3);
        if (kind == 0) {
            return GeoRadius{draw_.place(), 300'000.0 + 1'000'000.0 * draw_.below(8)};
        }
        if (kind == 1) {
            GeoBox box{draw_.place(), draw_.place()};
            if (box.top_left.lat < box.bottom_right.lat) {
                std::swap(box.top_left.lat, box.bottom_right.lat);
            }
            return box;
        }
        const auto triangle = [&] {
            GeoPolygon::Ring ring{draw_.place(), draw_.place(), draw_.place()};
            while (ring[2] == ring[0]) {
                ring[2] = draw_.place();
            }
            return ring;
        };
        GeoPolygon polygon{triangle(), {}};
        if (draw_.below(2) == 0) {
            polygon.interiors.push_back(triangle());
        }
        return polygon;
    }
    ValuesCountCondition values_count() {
        ValuesCountCondition count{.key = key()};
        for (std::optional<uint64_t>* bound : {&count.gt, &count.gte, &count.lt}) {
            if (draw_.below(3) == 0) {
                *bound = draw_.below(4);
            }
        }
        if (!count.gt && !count.gte && !count.lt) {
            count.lte = draw_.below(3);
        }
        return count;
    }
    HasIdCondition has_id() {
        HasIdCondition condition;
        for (uint32_t left = draw_.below(draw_.below(3) == 0 ? 40 : 5); left > 0; --left) {
            condition.ids.push_back(DocumentId(uint64_t{draw_.below(40)}).encoded());
        }
        return condition;
    }
    std::string key() {
        std::string key(1, static_cast<char>('a' + draw_.below(3)));
        for (uint32_t left = draw_.below(4) == 0 ? 2 : draw_.below(2); left > 0; --left) {
            key += draw_.below(4) == 0 ? "[]." : ".";
            key += static_cast<char>('a' + draw_.below(3));
        }
        return draw_.below(8) == 0 ? key + "[]" : key;
    }

    RandomTrees draw_;
};

}  // namespace akidb::model
