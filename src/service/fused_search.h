// Several searches in one answer, by reciprocal rank (model/search.h). One after another, each on what is
// visible when it begins. Thread-safe.
#pragma once

#include "engine/collection.h"
#include "model/search.h"

namespace akidb::service {

/// `rule` as of search_composed. Of a request that passed model::validate and has a fusion. Errors of a query
/// have its place before their field.
Result<model::SearchReply> search_fused(const engine::Collection& collection,
                                        const model::SearchRequest& request, const model::Filter* rule);

}  // namespace akidb::service
