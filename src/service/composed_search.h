// Searches that take more than one look at a collection: by examples, in groups, with diversity. Each look is
// a search of its own, on what is visible then. Pure over the collection, thread-safe; blocks as searches do.
#pragma once

#include "engine/collection.h"
#include "model/search.h"

namespace akidb::service {

/// `rule`: which documents may be examples; the filter of the request has it already. Null: all.
/// kNotFound on field "positive[i]" or "negative[i]" for an example that is not there; else as
/// engine::Collection::search.
Result<model::SearchReply> search_composed(const engine::Collection& collection,
                                           const model::SearchRequest& request,
                                           const model::Filter* rule = nullptr);

}  // namespace akidb::service
