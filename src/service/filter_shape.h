// FilterShape: what a filter asks, without what it asks for: "must(color match, price range) must_not(nested
// parts(...))". For logs: names of fields and kinds of conditions, no value, id or text of a client, and no
// more than kFilterShapeBytesMax bytes however large the filter is. Pure, thread-safe.
#pragma once

#include <cstddef>
#include <string>

#include "model/filter.h"

namespace akidb::service {

inline constexpr size_t kFilterShapeBytesMax = 256;

/// "none" for none; what does not fit ends in "…".
std::string shape_of(const model::Filter* filter);

}  // namespace akidb::service
