// Filter from JSON: {"must":[…],"should":[…],"must_not":[…]}, where an item is a condition
// {"key":"a.b","match":{"value"|"any"|"except"}} or {"key":"n","range":{"gt","gte","lt","lte"}} (numbers, or
// RFC 3339 times), or such an object again; one object may stand for a list of one. Depth, nodes, list and
// string sizes are bounded while reading. Errors: kInvalidArgument with the path. Pure, thread-safe.
#pragma once

#include "model/filter.h"
#include "rest/json_reader.h"

namespace akidb::rest {

/// The reader stands on the filter object.
Result<model::Filter> read_filter(JsonReader& reader);

}  // namespace akidb::rest
