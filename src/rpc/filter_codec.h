// Filters from protobuf (types.proto), held to the same limits and answered with the same words as those of
// REST. Error fields are begun by "filter", and leave out the names of the oneofs. Pure, thread-safe.
#pragma once

#include <akidb/v1/types.pb.h>

#include <memory>

#include "model/filter.h"

namespace akidb::rpc {

/// Validated and prepared.
Result<model::Filter> read_filter(const v1::Filter& filter);
/// The filter of a request that has one; null for the filter that matches everything, as for none.
template <class Request>
Result<std::shared_ptr<const model::Filter>> read_shared_filter(const Request& request) {
    if (!request.has_filter()) {
        return std::shared_ptr<const model::Filter>();
    }
    AKIDB_TRY(model::Filter filter, read_filter(request.filter()));
    return filter.is_empty() ? nullptr : std::make_shared<const model::Filter>(std::move(filter));
}

}  // namespace akidb::rpc
