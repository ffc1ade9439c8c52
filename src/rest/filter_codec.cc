#include "rest/filter_codec.h"

#include <array>
#include <string>

#include "base/printable.h"
#include "model/limits.h"
#include "rest/filter_conditions.h"

namespace akidb::rest {
namespace {

constexpr size_t kGroupNames = 4;
constexpr std::array<std::string_view, 15> kItemNames{
    "must",    "should",      "must_not",     "min_should", "key",     "match",  "range", "geo_radius",
    "geo_box", "geo_polygon", "values_count", "is_empty",   "is_null", "has_id", "nested"};
constexpr std::array<std::string_view, 16> kQdrantItemNames{
    "must",    "should",     "must_not",         "min_should",  "key",          "match",
    "range",   "geo_radius", "geo_bounding_box", "geo_polygon", "values_count", "is_empty",
    "is_null", "has_id",     "nested",           "has_vector"};
constexpr size_t kKey = kGroupNames;
/// Of each name behind "key" but the last; the first ones are conditions on that key.
constexpr std::array kReaders{&read_match,    &read_range,       &read_geo_radius,
                              &read_geo_box,  &read_geo_polygon, &read_values_count,
                              &read_is_empty, &read_is_null,     &read_has_id};
constexpr size_t kKeyed = 6;
constexpr std::array<std::string_view, 2> kMinShouldNames{"conditions", "min_count"};
constexpr std::array<std::string_view, 2> kNestedNames{"key", "filter"};

class FilterReader {
  public:
    FilterReader(JsonReader& reader, FilterDialect dialect)
        : reader_(reader),
          names_(dialect == FilterDialect::kOwn ? std::span<const std::string_view>(kItemNames)
                                                : std::span<const std::string_view>(kQdrantItemNames)),
          passes_null_(dialect == FilterDialect::kQdrant) {}

    Result<model::Filter> read_root() { return read_group(1); }

  private:
    /// What one object of a clause may turn out to be; fields come in any order, so it is decided at its end.
    struct Item {
        std::shared_ptr<model::Filter> group;
        std::optional<std::string> key;
        std::optional<model::FilterNode> condition;
        bool is_keyed = false;
        size_t conditions = 0;
    };

    // NOLINTNEXTLINE(misc-no-recursion): read_clause bounds it.
    Result<model::Filter> read_group(uint32_t depth) {
        model::Filter filter;
        AKIDB_TRY(reader_.read_object(names_.first(kGroupNames), [&](size_t which) -> Result<void> {
            return read_clause_of(filter, which, depth);
        }));
        return filter;
    }

    // NOLINTNEXTLINE(misc-no-recursion)
    Result<void> read_clause_of(model::Filter& filter, size_t which, uint32_t depth) {
        AKIDB_TRY(const bool is_passed, passes());
        if (is_passed) {
            return {};
        }
        if (which + 1 < kGroupNames) {
            return read_clause(which == 0   ? filter.must
                               : which == 1 ? filter.should
                                            : filter.must_not,
                               depth);
        }
        size_t seen = 0;
        model::MinShould& wanted = filter.min_should.emplace();
        AKIDB_TRY(reader_.read_object(kMinShouldNames, [&](size_t member) -> Result<void> {
            ++seen;
            if (member == 0) {
                return read_clause(wanted.conditions, depth);
            }
            AKIDB_TRY(const uint64_t count, reader_.read_uint(0, model::kFilterNodesMax));
            wanted.min_count = static_cast<uint32_t>(count);
            return {};
        }));
        if (seen < kMinShouldNames.size()) {
            return reader_.error("min_should takes both conditions and min_count",
                                 join_names(kMinShouldNames));
        }
        return {};
    }

    // NOLINTNEXTLINE(misc-no-recursion)
    Result<void> read_clause(std::vector<model::FilterNode>& nodes, uint32_t depth) {
        if (depth > model::kFilterDepthMax) {
            return reader_.error("the filter is nested too deep",
                                 "at most " + std::to_string(model::kFilterDepthMax) + " levels");
        }
        AKIDB_TRY(JsonType found, reader_.type());
        if (found == JsonType::kObject) {
            return read_item(nodes, depth);
        }
        return reader_.read_array(model::kFilterNodesMax,
                                  [&](size_t) -> Result<void> { return read_item(nodes, depth); });
    }

    // NOLINTNEXTLINE(misc-no-recursion)
    Result<void> read_item(std::vector<model::FilterNode>& nodes, uint32_t depth) {
        if (++nodes_ > model::kFilterNodesMax) {
            return reader_.error("the filter has too many conditions",
                                 "at most " + std::to_string(model::kFilterNodesMax));
        }
        Item item;
        AKIDB_TRY(reader_.read_object(
            names_, [&](size_t which) -> Result<void> { return read_member(item, which, depth); }));
        AKIDB_TRY(model::FilterNode node, decide(std::move(item)));
        nodes.push_back(std::move(node));
        return {};
    }

    // NOLINTNEXTLINE(misc-no-recursion)
    Result<void> read_member(Item& item, size_t which, uint32_t depth) {
        AKIDB_TRY(const bool is_passed, passes());
        if (is_passed) {
            return {};
        }
        if (which < kGroupNames) {
            if (item.group == nullptr) {
                item.group = std::make_unique<model::Filter>();
            }
            return read_clause_of(*item.group, which, depth + 1);
        }
        if (which == kKey) {
            AKIDB_TRY(item.key, read_filter_key(reader_));
            return {};
        }
        ++item.conditions;
        const size_t condition = which - kKey - 1;
        item.is_keyed = condition < kKeyed;
        if (condition > kReaders.size()) {
            AKIDB_TRY(item.condition, read_has_vector());
            return {};
        }
        if (condition == kReaders.size()) {
            AKIDB_TRY(item.condition, read_nested(depth));
            return {};
        }
        AKIDB_TRY(item.condition, kReaders.at(condition)(reader_));
        return count_points(*item.condition);
    }

    Result<bool> passes() {
        if (!passes_null_) {
            return false;
        }
        AKIDB_TRY(const JsonType type, reader_.type());
        return type == JsonType::kNull;
    }

    /// Every document has the unnamed vector, and no other.
    Result<model::FilterNode> read_has_vector() {
        AKIDB_TRY(const std::string_view name, reader_.read_string());
        auto group = std::make_shared<model::Filter>();
        if (!name.empty()) {
            group->must_not.emplace_back(std::make_shared<model::Filter>());
        }
        return model::FilterNode(std::move(group));
    }

    // NOLINTNEXTLINE(misc-no-recursion)
    Result<model::FilterNode> read_nested(uint32_t depth) {
        model::NestedCondition nested;
        AKIDB_TRY(reader_.read_object(kNestedNames, [&](size_t which) -> Result<void> {
            if (which == 0) {
                AKIDB_TRY(nested.key, read_filter_key(reader_));
                return {};
            }
            AKIDB_TRY(model::Filter filter, read_group(depth + 1));
            nested.filter = std::make_unique<model::Filter>(std::move(filter));
            return {};
        }));
        if (nested.key.empty() || nested.filter == nullptr) {
            return reader_.error("nested takes both key and filter", join_names(kNestedNames));
        }
        return model::FilterNode(std::move(nested));
    }

    Result<void> count_points(const model::FilterNode& condition) {
        if (const auto* geo = std::get_if<model::GeoCondition>(&condition)) {
            points_ += model::point_count(geo->shape);
        }
        if (points_ > model::kFilterPolygonPointsMax) {
            return reader_.error("the polygons of the filter have too many points",
                                 "at most " + std::to_string(model::kFilterPolygonPointsMax) + " points");
        }
        return {};
    }

    Result<model::FilterNode> decide(Item item) {
        const bool is_condition = item.key.has_value() || item.conditions > 0;
        if (item.group != nullptr && !is_condition) {
            return model::FilterNode(std::move(item.group));
        }
        if (item.group != nullptr || item.conditions != 1 || item.is_keyed != item.key.has_value()) {
            return refused(item);
        }
        std::visit(
            [&](auto& condition) {
                if constexpr (requires { condition.key; }) {
                    if (item.is_keyed) {
                        condition.key = std::move(*item.key);
                    }
                }
            },
            *item.condition);
        return std::move(*item.condition);
    }

    Error refused(const Item& item) const {
        const auto names = [this](size_t first, size_t count) {
            return join_names(names_.subspan(first, count));
        };
        const std::string keyed = names(kKey + 1, kKeyed);
        const std::string alone = names(kKey + 1 + kKeyed, names_.size() - kKey - 1 - kKeyed);
        return reader_.error(
            item.group != nullptr
                ? "a condition and a group cannot share one object"
                : "a condition is a key and exactly one of " + keyed + ", or one of " + alone,
            "key with one of " + keyed + "; one of " + alone + "; or a group of " + names(0, kGroupNames));
    }

    JsonReader& reader_;
    const std::span<const std::string_view> names_;
    const bool passes_null_;
    uint32_t nodes_ = 0;
    size_t points_ = 0;
};

}  // namespace

Result<model::Filter> read_filter(JsonReader& reader, FilterDialect dialect) {
    AKIDB_TRY(model::Filter filter, FilterReader(reader, dialect).read_root());
    AKIDB_TRY(model::validate(filter));
    model::prepare(filter);
    return filter;
}

Result<model::Filter> read_row_rule(const std::string& json) {
    constexpr std::array<std::string_view, 1> kNames{"row_rule"};
    std::string body = R"({"row_rule":)" + json + "}";
    model::Filter rule;
    JsonReader reader(body);
    AKIDB_TRY(reader.read_body(kNames, [&](size_t) -> Result<void> {
        AKIDB_TRY(rule, read_filter(reader));
        return {};
    }));
    if (rule.is_empty()) {
        return invalid_argument("row_rule", "a rule without a condition covers everything",
                                "a filter with a condition, or no row_rule");
    }
    return rule;
}

}  // namespace akidb::rest
