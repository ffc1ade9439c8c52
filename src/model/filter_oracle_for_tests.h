// Document and expected(): an evaluator of filters that is plainly right, for tests alone: on trees instead
// of encoded metadata, collecting all values first. It compares numbers as long double, whose 64-bit mantissa
// holds every int64, uint64 and double exactly, and finds places by other formulas than the evaluator.
// Polygons are triangles, texts those of RandomTrees. Header-only.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/filter.h"
#include "model/moment.h"
#include "model/tree_for_tests.h"

namespace akidb::model::oracle {

static_assert(std::numeric_limits<long double>::digits >= 64);

// NOLINTNEXTLINE(misc-no-recursion)
inline std::vector<Tree> flattened(const Tree& tree) {
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

inline std::vector<Tree> values_at(const Tree& root, const std::vector<std::string>& path) {
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

inline bool same(const Tree& stored, const MatchValue& wanted) {
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

inline bool is_scalar(const Tree& tree) {
    return !std::holds_alternative<std::monostate>(tree.value) &&
           !std::holds_alternative<Tree::Members>(tree.value);
}

inline std::vector<std::string> split(const std::string& key) {
    std::vector<std::string> steps(1);
    for (const char c : key) {
        if (c == '.') {
            steps.emplace_back();
        } else if (c != '[' && c != ']') {
            steps.back() += c;
        }
    }
    return steps;
}

/// Arrays at the end as they are.
inline std::vector<Tree> wholes_at(const Tree& root, std::vector<std::string> path) {
    const std::string last = path.back();
    path.pop_back();
    std::vector<Tree> wholes;
    for (const Tree& tree : values_at(root, path)) {
        const auto* members = std::get_if<Tree::Members>(&tree.value);
        for (size_t i = 0; members != nullptr && i < members->size(); ++i) {
            if ((*members)[i].key == last) {
                wholes.push_back((*members)[i].value);
            }
        }
    }
    return wholes;
}

inline bool is_null(const Tree& tree) {
    return std::holds_alternative<std::monostate>(tree.value);
}

/// Of the few characters that the texts of these tests have.
inline std::vector<std::string> words_of(std::string text) {
    for (size_t at = 0; (at = text.find("\xc3\x89")) != std::string::npos;) {
        text.replace(at, 2, "\xc3\xa9");
    }
    std::vector<std::string> words(1);
    for (const char c : text) {
        if (c == ' ' || c == ',' || c == '!') {
            words.emplace_back();
        } else {
            words.back() += c == 'A' ? 'a' : c == 'B' ? 'b' : c;
        }
    }
    std::erase(words, "");
    return words;
}

inline bool expected(const TextCondition& condition, const std::vector<Tree>& values) {
    const std::vector<std::string>& wanted = condition.query.words();
    std::vector<std::string> all;
    bool has_phrase = false;
    for (const Tree& value : values) {
        if (const auto* text = std::get_if<std::string>(&value.value)) {
            const std::vector<std::string> words = words_of(*text);
            all.insert(all.end(), words.begin(), words.end());
            has_phrase = has_phrase ||
                         std::search(words.begin(), words.end(), wanted.begin(), wanted.end()) != words.end();
        }
    }
    const auto is_there = [&](const std::string& word) {
        return std::find(all.begin(), all.end(), word) != all.end();
    };
    return condition.query.mode() == TextMode::kPhrase ? has_phrase
           : condition.query.mode() == TextMode::kAny  ? std::any_of(wanted.begin(), wanted.end(), is_there)
                                                       : std::all_of(wanted.begin(), wanted.end(), is_there);
}

inline std::optional<GeoPoint> point_of(const Tree& tree) {
    const auto* members = std::get_if<Tree::Members>(&tree.value);
    if (members == nullptr || members->size() != 2 || (*members)[0].key != "lat") {
        return std::nullopt;  // as RandomTrees makes them
    }
    const GeoPoint point{static_cast<double>(number_of((*members)[0].value.value).value()),
                         static_cast<double>(number_of((*members)[1].value.value).value())};
    return point.lat > 90 ? std::nullopt : std::optional(point);
}

// As an angle between two directions in space.
inline bool is_near(const GeoPoint& point, const GeoRadius& circle) {
    const auto direction = [](const GeoPoint& at) {
        const double lat = at.lat / 180 * std::numbers::pi;
        const double lon = at.lon / 180 * std::numbers::pi;
        return std::array{std::cos(lat) * std::cos(lon), std::cos(lat) * std::sin(lon), std::sin(lat)};
    };
    const auto a = direction(point);
    const auto b = direction(circle.center);
    const double cross =
        std::hypot(a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]);
    const double dot = a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    return std::atan2(cross, dot) * 6'371'008.8 <= circle.radius_m;
}

// Eastwards from the left edge, in whole degrees.
inline bool is_near(const GeoPoint& point, const GeoBox& box) {
    const auto east_of_left = [&](double lon) {
        return (static_cast<int>(lon - box.top_left.lon) + 720) % 360;
    };
    const bool is_whole_circle = box.top_left.lon == -180 && box.bottom_right.lon == 180;
    return point.lat <= box.top_left.lat && point.lat >= box.bottom_right.lat &&
           (is_whole_circle || east_of_left(point.lon) <= east_of_left(box.bottom_right.lon));
}

/// How the point lies to a triangle: on no two different sides of its lines, and, were all on one line,
/// between its corners. 1 within, 0 on the border, -1 outside.
inline int side_of(const GeoPoint& point, const GeoPolygon::Ring& corners) {
    bool any_left = false;
    bool any_right = false;
    bool on_line = false;
    for (size_t i = 0; i < 3; ++i) {
        const GeoPoint& a = corners[i];
        const GeoPoint& b = corners[(i + 1) % 3];
        const double side = (b.lon - a.lon) * (point.lat - a.lat) - (b.lat - a.lat) * (point.lon - a.lon);
        any_left = any_left || side > 0;
        any_right = any_right || side < 0;
        on_line = on_line || side == 0;
    }
    const auto [west, east] = std::minmax({corners[0].lon, corners[1].lon, corners[2].lon});
    const auto [south, north] = std::minmax({corners[0].lat, corners[1].lat, corners[2].lat});
    if ((any_left && any_right) || point.lon < west || point.lon > east || point.lat < south ||
        point.lat > north) {
        return -1;
    }
    return on_line ? 0 : 1;
}

inline bool is_near(const GeoPoint& point, const GeoPolygon& polygon) {
    return side_of(point, polygon.exterior) >= 0 &&
           std::none_of(polygon.interiors.begin(), polygon.interiors.end(),
                        [&](const GeoPolygon::Ring& hole) { return side_of(point, hole) > 0; });
}

inline uint64_t count_of(const std::vector<Tree>& wholes) {
    uint64_t count = 0;
    for (const Tree& whole : wholes) {
        const auto* items = std::get_if<Tree::Items>(&whole.value);
        count += items != nullptr ? items->size() : is_null(whole) ? 0 : 1;
    }
    return count;
}

template <class Range, class Number>
bool is_between(const Range& range, Number number) {
    const auto bound = [](const auto& given) { return static_cast<Number>(*given); };
    return (!range.gt || number > bound(range.gt)) && (!range.gte || number >= bound(range.gte)) &&
           (!range.lt || number < bound(range.lt)) && (!range.lte || number <= bound(range.lte));
}

struct Document {
    Tree tree;
    std::string id;
};

inline bool expected(const Filter& filter, const Document& document);

inline bool expected(const MatchCondition& match, const Document& document) {
    const std::vector<Tree> values = values_at(document.tree, split(match.key));
    const auto listed = std::count_if(values.begin(), values.end(), [&](const Tree& value) {
        return std::any_of(match.any.begin(), match.any.end(),
                           [&](const MatchValue& wanted) { return same(value, wanted); });
    });
    const auto scalars = std::count_if(values.begin(), values.end(), is_scalar);
    return match.negated ? scalars > 0 && listed == 0 : listed > 0;
}

/// Of conditions that hold when they hold for any one value.
template <class Condition>
bool expected_of(const Condition& condition, const Tree& value) {
    if constexpr (std::is_same_v<Condition, PrefixCondition>) {
        const auto* text = std::get_if<std::string>(&value.value);
        return text != nullptr && text->substr(0, condition.prefix.size()) == condition.prefix;
    } else if constexpr (std::is_same_v<Condition, RangeCondition>) {
        const std::optional<long double> number = number_of(value.value);
        return number && is_between(condition, *number);
    } else if constexpr (std::is_same_v<Condition, TimeRangeCondition>) {
        const auto* text = std::get_if<std::string>(&value.value);
        const std::optional<int64_t> moment = text == nullptr ? std::nullopt : parse_moment(*text);
        return moment && is_between(condition, *moment);
    } else {
        const std::optional<GeoPoint> point = point_of(value);
        return point &&
               std::visit([&](const auto& shape) { return is_near(*point, shape); }, condition.shape);
    }
}

template <class Condition>
bool expected(const Condition& condition, const Document& document) {
    const std::vector<Tree> values = values_at(document.tree, split(condition.key));
    return std::any_of(values.begin(), values.end(),
                       [&](const Tree& value) { return expected_of(condition, value); });
}
inline bool expected(const TextCondition& condition, const Document& document) {
    return expected(condition, values_at(document.tree, split(condition.key)));
}
inline bool expected(const ValuesCountCondition& condition, const Document& document) {
    return is_between(condition, count_of(wholes_at(document.tree, split(condition.key))));
}
inline bool expected(const IsEmptyCondition& condition, const Document& document) {
    return count_of(wholes_at(document.tree, split(condition.key))) == 0;
}
inline bool expected(const IsNullCondition& condition, const Document& document) {
    const std::vector<Tree> wholes = wholes_at(document.tree, split(condition.key));
    return std::any_of(wholes.begin(), wholes.end(), is_null);
}
inline bool expected(const HasIdCondition& condition, const Document& document) {
    return std::count(condition.ids.begin(), condition.ids.end(), document.id) > 0;
}
// NOLINTNEXTLINE(misc-no-recursion)
inline bool expected(const NestedCondition& nested, const Document& document) {
    for (const Tree& value : values_at(document.tree, split(nested.key))) {
        if (std::holds_alternative<Tree::Members>(value.value) &&
            expected(*nested.filter, {value, document.id})) {
            return true;
        }
    }
    return false;
}
// NOLINTNEXTLINE(misc-no-recursion)
inline bool expected(const std::shared_ptr<Filter>& group, const Document& document) {
    return expected(*group, document);
}

// NOLINTNEXTLINE(misc-no-recursion)
inline uint32_t met_of(const std::vector<FilterNode>& nodes, const Document& document) {
    uint32_t count = 0;
    for (const FilterNode& node : nodes) {
        count +=
            std::visit([&](const auto& condition) { return expected(condition, document); }, node) ? 1 : 0;
    }
    return count;
}

// NOLINTNEXTLINE(misc-no-recursion)
inline bool expected(const Filter& filter, const Document& document) {
    return met_of(filter.must, document) == filter.must.size() && met_of(filter.must_not, document) == 0 &&
           (filter.should.empty() || met_of(filter.should, document) > 0) &&
           (!filter.min_should ||
            met_of(filter.min_should->conditions, document) >= filter.min_should->min_count);
}

}  // namespace akidb::model::oracle
