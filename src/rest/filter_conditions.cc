#include "rest/filter_conditions.h"

#include <array>
#include <limits>

#include "base/printable.h"
#include "model/limits.h"
#include "model/moment.h"
#include "rest/field_readers.h"

namespace akidb::rest {
namespace {

constexpr std::array<std::string_view, 7> kMatchNames{"value",    "any",    "except", "text",
                                                      "text_any", "phrase", "prefix"};
constexpr std::array<std::string_view, 4> kRangeNames{"gt", "gte", "lt", "lte"};
constexpr std::array<std::string_view, 2> kPointNames{"lat", "lon"};
constexpr std::array<std::string_view, 2> kRadiusNames{"center", "radius"};
constexpr std::array<std::string_view, 2> kBoxNames{"top_left", "bottom_right"};
constexpr std::array<std::string_view, 2> kPolygonNames{"exterior", "interiors"};
constexpr std::array<std::string_view, 1> kRingNames{"points"};
constexpr std::array<std::string_view, 1> kKeyNames{"key"};

Result<std::string> read_bounded_string(JsonReader& reader, size_t bytes_max) {
    AKIDB_TRY(std::string_view text, reader.read_string());
    if (text.size() > bytes_max) {
        return reader.error("the string is too long", "at most " + std::to_string(bytes_max) + " bytes");
    }
    return std::string(text);
}

/// An object of which each member must be there.
Result<void> read_whole_object(JsonReader& reader, std::span<const std::string_view> names,
                               FunctionRef<Result<void>(size_t)> member) {
    size_t seen = 0;
    AKIDB_TRY(reader.read_object(names, [&](size_t which) -> Result<void> {
        ++seen;
        return member(which);
    }));
    if (seen < names.size()) {
        return reader.error("a field is missing", join_names(names));
    }
    return {};
}

Result<void> read_match_value(JsonReader& reader, model::MatchCondition& match) {
    AKIDB_TRY(JsonType found, reader.type());
    if (found == JsonType::kString) {
        AKIDB_TRY(std::string text, read_bounded_string(reader, model::kFilterStringBytesMax));
        match.any.emplace_back(std::move(text));
    } else if (found == JsonType::kBool) {
        AKIDB_TRY(bool flag, reader.read_bool());
        match.any.emplace_back(flag);
    } else if (found == JsonType::kNumber) {
        AKIDB_TRY(JsonNumber number, reader.read_number());
        std::visit([&](auto value) { match.any.emplace_back(value); }, number);
    } else {
        return reader.error("only a string, a number or a boolean can be matched",
                            "a string, a number, true or false");
    }
    return {};
}

Result<model::FilterNode> read_match_values(JsonReader& reader, size_t which) {
    model::MatchCondition match;
    match.negated = which == 2;
    if (which == 0) {
        AKIDB_TRY(read_match_value(reader, match));
    } else {
        AKIDB_TRY(reader.read_array(model::kFilterListItemsMax,
                                    [&](size_t) -> Result<void> { return read_match_value(reader, match); }));
    }
    return model::FilterNode(std::move(match));
}

Result<model::FilterNode> read_text(JsonReader& reader, model::TextMode mode) {
    AKIDB_TRY(const std::string text, read_bounded_string(reader, model::kFilterStringBytesMax));
    model::TextQuery query(text, mode);
    if (query.word_count() == 0 || query.word_count() > model::kFilterTextWordsMax) {
        return reader.error(
            query.word_count() == 0 ? "the text holds no word" : "the text has too many words",
            "1.." + std::to_string(model::kFilterTextWordsMax) + " words of letters and digits");
    }
    return model::FilterNode(model::TextCondition{.key = {}, .query = std::move(query)});
}

Result<int64_t> read_moment(JsonReader& reader) {
    AKIDB_TRY(const std::string_view text, reader.read_string());
    const std::optional<int64_t> moment = model::parse_moment(text);
    if (!moment) {
        return reader.error("the bound is a string but no time",
                            "a number or an RFC 3339 time like \"2026-01-31T12:00:00Z\"");
    }
    return *moment;
}

/// Whether it lies on the earth is for model::validate.
Result<model::GeoPoint> read_point(JsonReader& reader) {
    model::GeoPoint point;
    AKIDB_TRY(read_whole_object(reader, kPointNames, [&](size_t which) -> Result<void> {
        AKIDB_TRY(const double degrees, reader.read_double());
        (which == 0 ? point.lat : point.lon) = degrees;
        return {};
    }));
    return point;
}

Result<model::GeoPolygon::Ring> read_ring(JsonReader& reader) {
    model::GeoPolygon::Ring ring;
    AKIDB_TRY(read_whole_object(reader, kRingNames, [&](size_t) -> Result<void> {
        return reader.read_array(model::kFilterPolygonPointsMax, [&](size_t) -> Result<void> {
            AKIDB_TRY(const model::GeoPoint point, read_point(reader));
            ring.push_back(point);
            return {};
        });
    }));
    return ring;
}

Result<model::FilterNode> checked(const JsonReader& reader, model::GeoShape shape) {
    AKIDB_TRY(model::validate(shape, reader.path()));
    return model::FilterNode(model::GeoCondition{.key = {}, .shape = std::move(shape)});
}

}  // namespace

Result<std::string> read_filter_key(JsonReader& reader) {
    AKIDB_TRY(std::string key, read_bounded_string(reader, model::kFilterKeyBytesMax));
    if (key.empty()) {
        return reader.error("the key is empty", "a path into the metadata, like \"a.b\"");
    }
    return key;
}

Result<model::FilterNode> read_match(JsonReader& reader) {
    constexpr size_t kText = 3;
    constexpr size_t kPrefix = 6;
    model::FilterNode match;
    size_t kinds = 0;
    AKIDB_TRY(reader.read_object(kMatchNames, [&](size_t which) -> Result<void> {
        ++kinds;
        if (which < kText) {
            AKIDB_TRY(match, read_match_values(reader, which));
        } else if (which < kPrefix) {
            AKIDB_TRY(match, read_text(reader, static_cast<model::TextMode>(which - kText)));
        } else {
            AKIDB_TRY(std::string prefix, read_bounded_string(reader, model::kFilterStringBytesMax));
            match = model::PrefixCondition{.key = {}, .prefix = std::move(prefix)};
        }
        return {};
    }));
    if (kinds != 1) {
        const std::string names = join_names(kMatchNames);
        return reader.error("match takes exactly one of " + names, names);
    }
    return match;
}

Result<model::FilterNode> read_range(JsonReader& reader) {
    model::RangeCondition numbers;
    model::TimeRangeCondition times;
    const std::array<std::optional<double>*, 4> bounds{&numbers.gt, &numbers.gte, &numbers.lt, &numbers.lte};
    const std::array<std::optional<int64_t>*, 4> moments{&times.gt, &times.gte, &times.lt, &times.lte};
    size_t number_count = 0;
    size_t time_count = 0;
    AKIDB_TRY(reader.read_object(kRangeNames, [&](size_t which) -> Result<void> {
        AKIDB_TRY(const JsonType type, reader.type());
        if (type == JsonType::kString) {
            AKIDB_TRY(*moments[which], read_moment(reader));
            ++time_count;
            return {};
        }
        AKIDB_TRY(double bound, reader.read_double());
        *bounds[which] = bound;
        ++number_count;
        return {};
    }));
    if (number_count + time_count == 0) {
        return reader.error("the range has no bound", "gt, gte, lt, lte");
    }
    if (number_count > 0 && time_count > 0) {
        return reader.error("the bounds of a range are of one kind", "numbers or RFC 3339 times");
    }
    return time_count > 0 ? model::FilterNode(std::move(times)) : model::FilterNode(std::move(numbers));
}

Result<model::FilterNode> read_geo_radius(JsonReader& reader) {
    model::GeoRadius circle;
    AKIDB_TRY(read_whole_object(reader, kRadiusNames, [&](size_t which) -> Result<void> {
        if (which == 0) {
            AKIDB_TRY(circle.center, read_point(reader));
        } else {
            AKIDB_TRY(circle.radius_m, reader.read_double());
        }
        return {};
    }));
    return checked(reader, circle);
}

Result<model::FilterNode> read_geo_box(JsonReader& reader) {
    model::GeoBox box;
    AKIDB_TRY(read_whole_object(reader, kBoxNames, [&](size_t which) -> Result<void> {
        AKIDB_TRY((which == 0 ? box.top_left : box.bottom_right), read_point(reader));
        return {};
    }));
    return checked(reader, box);
}

Result<model::FilterNode> read_geo_polygon(JsonReader& reader) {
    model::GeoPolygon polygon;
    bool has_exterior = false;
    AKIDB_TRY(reader.read_object(kPolygonNames, [&](size_t which) -> Result<void> {
        if (which == 0) {
            has_exterior = true;
            AKIDB_TRY(polygon.exterior, read_ring(reader));
            return {};
        }
        return reader.read_array(model::kFilterPolygonPointsMax, [&](size_t) -> Result<void> {
            AKIDB_TRY(model::GeoPolygon::Ring hole, read_ring(reader));
            polygon.interiors.push_back(std::move(hole));
            return {};
        });
    }));
    if (!has_exterior) {
        return reader.error("the field exterior is missing", join_names(kPolygonNames));
    }
    return checked(reader, std::move(polygon));
}

Result<model::FilterNode> read_values_count(JsonReader& reader) {
    model::ValuesCountCondition count;
    const std::array<std::optional<uint64_t>*, 4> bounds{&count.gt, &count.gte, &count.lt, &count.lte};
    bool has_bound = false;
    AKIDB_TRY(reader.read_object(kRangeNames, [&](size_t which) -> Result<void> {
        has_bound = true;
        AKIDB_TRY(*bounds[which], reader.read_uint(0, std::numeric_limits<uint64_t>::max()));
        return {};
    }));
    if (!has_bound) {
        return reader.error("the count has no bound", "gt, gte, lt, lte");
    }
    return model::FilterNode(std::move(count));
}

Result<model::FilterNode> read_is_empty(JsonReader& reader) {
    model::IsEmptyCondition condition;
    AKIDB_TRY(read_whole_object(reader, kKeyNames, [&](size_t) -> Result<void> {
        AKIDB_TRY(condition.key, read_filter_key(reader));
        return {};
    }));
    return model::FilterNode(std::move(condition));
}

Result<model::FilterNode> read_is_null(JsonReader& reader) {
    model::IsNullCondition condition;
    AKIDB_TRY(read_whole_object(reader, kKeyNames, [&](size_t) -> Result<void> {
        AKIDB_TRY(condition.key, read_filter_key(reader));
        return {};
    }));
    return model::FilterNode(std::move(condition));
}

Result<model::FilterNode> read_has_id(JsonReader& reader) {
    model::HasIdCondition condition;
    AKIDB_TRY(reader.read_array(model::kFilterListItemsMax, [&](size_t) -> Result<void> {
        AKIDB_TRY(const model::DocumentId id, read_id(reader));
        condition.ids.push_back(id.encoded());
        return {};
    }));
    return model::FilterNode(std::move(condition));
}

}  // namespace akidb::rest
