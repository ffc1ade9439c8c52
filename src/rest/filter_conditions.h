// The conditions of a filter from JSON, each from the value of the member that names it: what stands at
// "match", "range", "geo_box" and so on. Those on a key come without it, as it may follow later in the same
// object. Sizes are bounded while reading. Errors: kInvalidArgument with the path. Pure, thread-safe.
#pragma once

#include <string>

#include "model/filter.h"
#include "rest/json_reader.h"

namespace akidb::rest {

/// A path into the metadata.
Result<std::string> read_filter_key(JsonReader& reader);
/// {"value"|"any"|"except"|"text"|"text_any"|"phrase"|"prefix"}: exactly one.
Result<model::FilterNode> read_match(JsonReader& reader);
/// {"gt","gte","lt","lte"}: numbers, or RFC 3339 times.
Result<model::FilterNode> read_range(JsonReader& reader);
/// {"center","radius"}.
Result<model::FilterNode> read_geo_radius(JsonReader& reader);
/// {"top_left","bottom_right"}.
Result<model::FilterNode> read_geo_box(JsonReader& reader);
/// {"exterior":{"points":[…]},"interiors":[{"points":[…]},…]}.
Result<model::FilterNode> read_geo_polygon(JsonReader& reader);
/// {"gt","gte","lt","lte"}: whole numbers.
Result<model::FilterNode> read_values_count(JsonReader& reader);
/// {"key":"a"}.
Result<model::FilterNode> read_is_empty(JsonReader& reader);
Result<model::FilterNode> read_is_null(JsonReader& reader);
/// [1,"b",…].
Result<model::FilterNode> read_has_id(JsonReader& reader);

}  // namespace akidb::rest
