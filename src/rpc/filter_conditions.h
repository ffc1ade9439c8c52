// The conditions of a filter that hold no other conditions, from protobuf. Errors: kInvalidArgument with the
// path within the condition as field. Pure, thread-safe.
#pragma once

#include <akidb/v1/types.pb.h>

#include "model/filter.h"

namespace akidb::rpc {

/// Neither a filter nor nested, and not without what is asked.
Result<model::FilterNode> read_leaf(const v1::Condition& condition);

}  // namespace akidb::rpc
