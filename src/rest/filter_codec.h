// Filter from JSON: {"must":[…],"should":[…],"must_not":[…],"min_should":{"conditions":[…],"min_count":2}},
// where an item is a condition on a key ({"key":"a.b","match":…}), a condition of its own ({"has_id":[…]},
// {"nested":{"key","filter"}}; filter_conditions.h has them all), or such an object again; one object may
// stand for a list of one. Depth, nodes, list and string sizes are bounded while reading. docs/filters.md
// tells what each means. Errors: kInvalidArgument with the path. Pure, thread-safe.
#pragma once

#include "model/filter.h"
#include "rest/json_reader.h"

namespace akidb::rest {

/// kQdrant: geo_box is called geo_bounding_box, there is {"has_vector":name}, and null counts as absent.
enum class FilterDialect : uint8_t { kOwn, kQdrant };

/// The reader stands on the filter object.
Result<model::Filter> read_filter(JsonReader& reader, FilterDialect dialect = FilterDialect::kOwn);

/// A row rule of a key, as JSON text: field "row_rule…". Checked and prepared.
Result<model::Filter> read_row_rule(const std::string& json);

}  // namespace akidb::rest
