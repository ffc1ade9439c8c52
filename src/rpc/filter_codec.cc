#include "rpc/filter_codec.h"

#include <memory>
#include <string>

#include "model/limits.h"
#include "rpc/filter_conditions.h"
#include "rpc/message.h"

namespace akidb::rpc {
namespace {

class FilterReader {
  public:
    // NOLINTNEXTLINE(misc-no-recursion): read_clause bounds the depth.
    Result<model::Filter> read(const v1::Filter& from, uint32_t depth) {
        AKIDB_TRY(check_known(from));
        model::Filter filter;
        AKIDB_TRY(read_clause({from.must(), "must", depth}, filter.must));
        AKIDB_TRY(read_clause({from.should(), "should", depth}, filter.should));
        AKIDB_TRY(read_clause({from.must_not(), "must_not", depth}, filter.must_not));
        if (from.has_min_should()) {
            Result<model::MinShould> wanted = read_min_should(from.min_should(), depth);
            if (!wanted) {
                return std::move(wanted).error().with_field_prefix("min_should");
            }
            filter.min_should = std::move(wanted).value();
        }
        return filter;
    }

  private:
    struct Clause {
        const google::protobuf::RepeatedPtrField<v1::Condition>& conditions;
        std::string_view name;
        uint32_t depth;
    };

    // NOLINTNEXTLINE(misc-no-recursion)
    Result<void> read_clause(const Clause& clause, std::vector<model::FilterNode>& nodes) {
        if (clause.conditions.empty()) {
            return {};
        }
        if (clause.depth > model::kFilterDepthMax) {
            return invalid_argument(std::string(clause.name), "the filter is nested too deep",
                                    "at most " + std::to_string(model::kFilterDepthMax) + " levels");
        }
        for (int i = 0; i < clause.conditions.size(); ++i) {
            if (static_cast<size_t>(i) >= model::kFilterNodesMax) {
                return invalid_argument(std::string(clause.name), "the list has too many items",
                                        "at most " + std::to_string(model::kFilterNodesMax) + " items");
            }
            if (++nodes_ > model::kFilterNodesMax) {
                return in_list(invalid_argument("", "the filter has too many conditions",
                                                "at most " + std::to_string(model::kFilterNodesMax)),
                               clause.name, static_cast<size_t>(i));
            }
            Result<model::FilterNode> node = read_condition(clause.conditions[i], clause.depth);
            if (!node) {
                return in_list(std::move(node).error(), clause.name, static_cast<size_t>(i));
            }
            nodes.push_back(std::move(node).value());
        }
        return {};
    }

    // NOLINTNEXTLINE(misc-no-recursion)
    Result<model::FilterNode> read_condition(const v1::Condition& from, uint32_t depth) {
        AKIDB_TRY(check_known(from));
        const auto which = from.condition_case();
        const bool has_key = which == v1::Condition::kMatch || which == v1::Condition::kRange ||
                             which == v1::Condition::kTimeRange || which == v1::Condition::kGeoRadius ||
                             which == v1::Condition::kGeoBox || which == v1::Condition::kGeoPolygon ||
                             which == v1::Condition::kValuesCount;
        if (which == v1::Condition::CONDITION_NOT_SET || (!has_key && !from.key().empty())) {
            return invalid_argument(
                "", "a condition is a key and what is asked of its values, or has no key",
                "key with one of match, range, time_range, geo_radius, geo_box, geo_polygon, "
                "values_count; one of is_empty, is_null, has_id, nested; or a filter");
        }
        if (which == v1::Condition::kFilter) {
            AKIDB_TRY(model::Filter filter, read(from.filter(), depth + 1));
            return model::FilterNode(std::make_shared<model::Filter>(std::move(filter)));
        }
        if (which == v1::Condition::kNested) {
            Result<model::FilterNode> nested = read_nested(from.nested(), depth);
            if (!nested) {
                return std::move(nested).error().with_field_prefix("nested");
            }
            return nested;
        }
        return counted(read_leaf(from));
    }

    // NOLINTNEXTLINE(misc-no-recursion)
    Result<model::FilterNode> read_nested(const v1::Nested& from, uint32_t depth) {
        AKIDB_TRY(check_known(from));
        if (from.key().empty() || !from.has_filter()) {
            return invalid_argument("", "nested takes both key and filter", "key, filter");
        }
        Result<model::Filter> filter = read(from.filter(), depth + 1);
        if (!filter) {
            return std::move(filter).error().with_field_prefix("filter");
        }
        return model::FilterNode(model::NestedCondition{
            .key = from.key(), .filter = std::make_unique<model::Filter>(std::move(filter).value())});
    }

    // NOLINTNEXTLINE(misc-no-recursion)
    Result<model::MinShould> read_min_should(const v1::MinShould& from, uint32_t depth) {
        AKIDB_TRY(check_known(from));
        if (!from.has_min_count()) {
            return invalid_argument("", "min_should takes both conditions and min_count",
                                    "conditions, min_count");
        }
        if (from.min_count() > model::kFilterNodesMax) {
            return invalid_argument("min_count", "the number is out of range",
                                    "0.." + std::to_string(model::kFilterNodesMax));
        }
        model::MinShould wanted{.conditions = {}, .min_count = from.min_count()};
        AKIDB_TRY(read_clause({from.conditions(), "conditions", depth}, wanted.conditions));
        return wanted;
    }

    Result<model::FilterNode> counted(Result<model::FilterNode> condition) {
        if (condition) {
            if (const auto* geo = std::get_if<model::GeoCondition>(&*condition)) {
                points_ += model::point_count(geo->shape);
            }
            if (points_ > model::kFilterPolygonPointsMax) {
                return invalid_argument(
                    "geo_polygon", "the polygons of the filter have too many points",
                    "at most " + std::to_string(model::kFilterPolygonPointsMax) + " points");
            }
        }
        return condition;
    }

    uint32_t nodes_ = 0;
    size_t points_ = 0;
};

}  // namespace

Result<model::Filter> read_filter(const v1::Filter& filter) {
    Result<model::Filter> read = FilterReader().read(filter, 1);
    if (!read) {
        return std::move(read).error().with_field_prefix("filter");
    }
    AKIDB_TRY(model::validate(*read));
    model::prepare(*read);
    return read;
}

}  // namespace akidb::rpc
