#include "rpc/filter_conditions.h"

#include <limits>
#include <string>

#include "model/limits.h"
#include "model/moment.h"
#include "rpc/document_codec.h"
#include "rpc/message.h"

namespace akidb::rpc {
namespace {

Result<void> check_length(std::string_view field, const std::string& text) {
    if (text.size() <= model::kFilterStringBytesMax) {
        return {};
    }
    return invalid_argument(std::string(field), "the string is too long",
                            "at most " + std::to_string(model::kFilterStringBytesMax) + " bytes");
}

Result<void> read_value(const v1::Value& value, model::MatchCondition& match) {
    AKIDB_TRY(check_known(value));
    switch (value.kind_case()) {
        case v1::Value::kStringValue:
            if (value.string_value().size() > model::kFilterStringBytesMax) {
                return invalid_argument("", "the string is too long",
                                        "at most " + std::to_string(model::kFilterStringBytesMax) + " bytes");
            }
            match.any.emplace_back(value.string_value());
            return {};
        case v1::Value::kBoolValue:
            match.any.emplace_back(value.bool_value());
            return {};
        case v1::Value::kIntValue:
            match.any.emplace_back(value.int_value());
            return {};
        case v1::Value::kUintValue:
            if (value.uint_value() <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
                match.any.emplace_back(static_cast<int64_t>(value.uint_value()));
            } else {
                match.any.emplace_back(value.uint_value());
            }
            return {};
        case v1::Value::kDoubleValue:
            match.any.emplace_back(value.double_value());
            return {};
        default:
            return invalid_argument("", "only a string, a number or a boolean can be matched",
                                    "a string, a number, true or false");
    }
}

Result<void> read_list(const v1::ListValue& list, std::string_view name, model::MatchCondition& match) {
    AKIDB_TRY(check_known(list));
    for (int i = 0; i < list.values_size(); ++i) {
        const auto index = static_cast<size_t>(i);
        Result<void> read =
            index < model::kFilterListItemsMax
                ? read_value(list.values(i), match)
                : invalid_argument("", "the list has too many items",
                                   "at most " + std::to_string(model::kFilterListItemsMax) + " items");
        if (!read) {
            return index < model::kFilterListItemsMax ? in_list(std::move(read).error(), name, index)
                                                      : std::move(read).error().with_field_prefix(name);
        }
    }
    return {};
}

Result<int64_t> read_moment(std::string_view text, std::string_view name) {
    const std::optional<int64_t> moment = model::parse_moment(text);
    if (!moment) {
        return invalid_argument("range." + std::string(name), "the bound is a string but no time",
                                "an RFC 3339 time like \"2026-01-31T12:00:00Z\"");
    }
    return *moment;
}

Result<model::FilterNode> read_text(const v1::Condition& from, std::string_view field,
                                    const std::string& text, model::TextMode mode) {
    AKIDB_TRY(check_length(field, text));
    model::TextQuery query(text, mode);
    if (query.word_count() == 0 || query.word_count() > model::kFilterTextWordsMax) {
        return invalid_argument(
            std::string(field),
            query.word_count() == 0 ? "the text holds no word" : "the text has too many words",
            "1.." + std::to_string(model::kFilterTextWordsMax) + " words of letters and digits");
    }
    return model::FilterNode(model::TextCondition{.key = from.key(), .query = std::move(query)});
}

Result<model::FilterNode> read_match(const v1::Condition& from) {
    model::MatchCondition match{.key = from.key()};
    AKIDB_TRY(check_known(from.match()));
    switch (from.match().match_case()) {
        case v1::Match::kValue:
            if (Result<void> read = read_value(from.match().value(), match); !read) {
                return std::move(read).error().with_field_prefix("match.value");
            }
            return model::FilterNode(std::move(match));
        case v1::Match::kAny:
            AKIDB_TRY(read_list(from.match().any(), "match.any", match));
            return model::FilterNode(std::move(match));
        case v1::Match::kExcept:
            match.negated = true;
            AKIDB_TRY(read_list(from.match().except(), "match.except", match));
            return model::FilterNode(std::move(match));
        case v1::Match::kText:
            return read_text(from, "match.text", from.match().text(), model::TextMode::kAll);
        case v1::Match::kTextAny:
            return read_text(from, "match.text_any", from.match().text_any(), model::TextMode::kAny);
        case v1::Match::kPhrase:
            return read_text(from, "match.phrase", from.match().phrase(), model::TextMode::kPhrase);
        case v1::Match::kPrefix:
            AKIDB_TRY(check_length("match.prefix", from.match().prefix()));
            return model::FilterNode(
                model::PrefixCondition{.key = from.key(), .prefix = from.match().prefix()});
        case v1::Match::MATCH_NOT_SET:
            break;
    }
    constexpr const char* kNames = "value, any, except, text, text_any, phrase, prefix";
    return invalid_argument("match", std::string("match takes exactly one of ") + kNames, kNames);
}

Result<model::FilterNode> read_range(const v1::Condition& from) {
    const v1::Range& range = from.range();
    AKIDB_TRY(check_known(range));
    model::RangeCondition numbers{.key = from.key()};
    if (range.has_gt()) {
        numbers.gt = range.gt();
    }
    if (range.has_gte()) {
        numbers.gte = range.gte();
    }
    if (range.has_lt()) {
        numbers.lt = range.lt();
    }
    if (range.has_lte()) {
        numbers.lte = range.lte();
    }
    return model::FilterNode(std::move(numbers));
}

Result<model::FilterNode> read_time_range(const v1::Condition& from) {
    const v1::TimeRange& range = from.time_range();
    AKIDB_TRY(check_known(range));
    model::TimeRangeCondition times{.key = from.key()};
    if (range.has_gt()) {
        AKIDB_TRY(times.gt, read_moment(range.gt(), "gt"));
    }
    if (range.has_gte()) {
        AKIDB_TRY(times.gte, read_moment(range.gte(), "gte"));
    }
    if (range.has_lt()) {
        AKIDB_TRY(times.lt, read_moment(range.lt(), "lt"));
    }
    if (range.has_lte()) {
        AKIDB_TRY(times.lte, read_moment(range.lte(), "lte"));
    }
    return model::FilterNode(std::move(times));
}

/// Whether it lies on the earth is for model::validate.
Result<model::GeoPoint> read_point(const v1::GeoPoint& from, std::string_view field) {
    AKIDB_TRY(check_known(from));
    if (!from.has_lat() || !from.has_lon()) {
        return invalid_argument(std::string(field), "a field is missing", "lat, lon");
    }
    return model::GeoPoint{.lat = from.lat(), .lon = from.lon()};
}

Result<model::GeoShape> read_radius(const v1::GeoRadius& from) {
    AKIDB_TRY(check_known(from));
    if (!from.has_center() || !from.has_radius()) {
        return invalid_argument("geo_radius", "a field is missing", "center, radius");
    }
    AKIDB_TRY(const model::GeoPoint center, read_point(from.center(), "geo_radius.center"));
    return model::GeoShape(model::GeoRadius{.center = center, .radius_m = from.radius()});
}

Result<model::GeoShape> read_box(const v1::GeoBox& from) {
    AKIDB_TRY(check_known(from));
    if (!from.has_top_left() || !from.has_bottom_right()) {
        return invalid_argument("geo_box", "a field is missing", "top_left, bottom_right");
    }
    AKIDB_TRY(const model::GeoPoint top_left, read_point(from.top_left(), "geo_box.top_left"));
    AKIDB_TRY(const model::GeoPoint bottom_right, read_point(from.bottom_right(), "geo_box.bottom_right"));
    return model::GeoShape(model::GeoBox{.top_left = top_left, .bottom_right = bottom_right});
}

Result<model::GeoPolygon::Ring> read_ring(const v1::GeoPolygon::Ring& from, const std::string& field) {
    AKIDB_TRY(check_known(from));
    if (static_cast<size_t>(from.points_size()) > model::kFilterPolygonPointsMax) {
        return invalid_argument(field + ".points", "the list has too many items",
                                "at most " + std::to_string(model::kFilterPolygonPointsMax) + " items");
    }
    model::GeoPolygon::Ring ring;
    ring.reserve(static_cast<size_t>(from.points_size()));
    for (int i = 0; i < from.points_size(); ++i) {
        AKIDB_TRY(const model::GeoPoint point,
                  read_point(from.points(i), field + ".points[" + std::to_string(i) + "]"));
        ring.push_back(point);
    }
    return ring;
}

Result<model::GeoShape> read_polygon(const v1::GeoPolygon& from) {
    AKIDB_TRY(check_known(from));
    if (!from.has_exterior()) {
        return invalid_argument("geo_polygon", "the field exterior is missing", "exterior, interiors");
    }
    model::GeoPolygon polygon;
    AKIDB_TRY(polygon.exterior, read_ring(from.exterior(), "geo_polygon.exterior"));
    for (int i = 0; i < from.interiors_size(); ++i) {
        AKIDB_TRY(model::GeoPolygon::Ring hole,
                  read_ring(from.interiors(i), "geo_polygon.interiors[" + std::to_string(i) + "]"));
        polygon.interiors.push_back(std::move(hole));
    }
    return model::GeoShape(std::move(polygon));
}

Result<model::FilterNode> on_key(const std::string& key, Result<model::GeoShape> shape) {
    if (!shape) {
        return std::move(shape).error();
    }
    return model::FilterNode(model::GeoCondition{.key = key, .shape = std::move(shape).value()});
}

Result<model::FilterNode> read_values_count(const v1::Condition& from) {
    const v1::ValuesCount& count = from.values_count();
    AKIDB_TRY(check_known(count));
    model::ValuesCountCondition condition{.key = from.key()};
    if (count.has_gt()) {
        condition.gt = count.gt();
    }
    if (count.has_gte()) {
        condition.gte = count.gte();
    }
    if (count.has_lt()) {
        condition.lt = count.lt();
    }
    if (count.has_lte()) {
        condition.lte = count.lte();
    }
    return model::FilterNode(std::move(condition));
}

Result<std::string> read_field(const v1::Field& from, std::string_view name) {
    AKIDB_TRY(check_known(from));
    if (from.key().empty()) {
        return invalid_argument(std::string(name) + ".key", "the key is empty",
                                "a path into the metadata, like \"a.b\"");
    }
    return from.key();
}

Result<model::FilterNode> read_has_id(const v1::HasId& from) {
    AKIDB_TRY(check_known(from));
    if (static_cast<size_t>(from.ids_size()) > model::kFilterListItemsMax) {
        return invalid_argument("has_id", "the list has too many items",
                                "at most " + std::to_string(model::kFilterListItemsMax) + " items");
    }
    model::HasIdCondition condition;
    condition.ids.reserve(static_cast<size_t>(from.ids_size()));
    for (int i = 0; i < from.ids_size(); ++i) {
        Result<model::DocumentId> id = read_id(from.ids(i));
        if (!id) {
            return in_list(std::move(id).error().with_field(""), "has_id", static_cast<size_t>(i));
        }
        condition.ids.push_back(id->encoded());
    }
    return model::FilterNode(std::move(condition));
}

}  // namespace

Result<model::FilterNode> read_leaf(const v1::Condition& from) {
    switch (from.condition_case()) {
        case v1::Condition::kMatch:
            return read_match(from);
        case v1::Condition::kRange:
            return read_range(from);
        case v1::Condition::kTimeRange:
            return read_time_range(from);
        case v1::Condition::kGeoRadius:
            return on_key(from.key(), read_radius(from.geo_radius()));
        case v1::Condition::kGeoBox:
            return on_key(from.key(), read_box(from.geo_box()));
        case v1::Condition::kGeoPolygon:
            return on_key(from.key(), read_polygon(from.geo_polygon()));
        case v1::Condition::kValuesCount:
            return read_values_count(from);
        case v1::Condition::kIsEmpty: {
            AKIDB_TRY(std::string key, read_field(from.is_empty(), "is_empty"));
            return model::FilterNode(model::IsEmptyCondition{.key = std::move(key)});
        }
        case v1::Condition::kIsNull: {
            AKIDB_TRY(std::string key, read_field(from.is_null(), "is_null"));
            return model::FilterNode(model::IsNullCondition{.key = std::move(key)});
        }
        default:
            return read_has_id(from.has_id());
    }
}

}  // namespace akidb::rpc
