// How a collection lies in rows of the catalog: its own, and one for each of its vectors that have names, in
// the order of their declaration. Within the transaction, or under the lock, of the caller.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "catalog/catalog.h"
#include "catalog/sqlite.h"

namespace akidb::catalog {

/// kDataLoss, of what no writer of ours writes.
Error damaged_row(std::string_view what);
/// Of the columns id, name, dimension, metric, created_at_ms, state, tenant, storage, has_unnamed_vector.
Result<CollectionRow> read_row(const Statement& row);
Result<void> put_vectors(Connection& connection, const model::CollectionSpec& spec);
Result<std::vector<model::VectorSpec>> read_vectors(Connection& connection, const Uuid& collection);

}  // namespace akidb::catalog
