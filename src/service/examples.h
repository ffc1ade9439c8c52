// Examples: what a search is to be like and unlike, made one vector to search with. Thread-safe.
#pragma once

#include <vector>

#include "engine/collection.h"
#include "model/search.h"

namespace akidb::service {

/// Euclidean.
double length_of(const std::vector<float>& vector);

/// The request with a vector in place of its examples, and with those of them that are documents excluded; as
/// it is when it has none. `rule`: which documents may be examples; null: all. kNotFound for an example that
/// is not there, kInvalidArgument when nothing is left to go by.
Result<model::SearchRequest> resolve_examples(const engine::Collection& collection,
                                              const model::SearchRequest& request, const model::Filter* rule);

}  // namespace akidb::service
