// Filters from protobuf (types.proto), held to the same limits and answered with the same words as those of
// REST. Error fields are begun by "filter", and leave out the names of the oneofs. Pure, thread-safe.
#pragma once

#include <akidb/v1/types.pb.h>

#include "model/filter.h"

namespace akidb::rpc {

/// Validated and prepared.
Result<model::Filter> read_filter(const v1::Filter& filter);

}  // namespace akidb::rpc
