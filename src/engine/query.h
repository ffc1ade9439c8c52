// Query: how one search runs over one snapshot. Three plans: compare with every row (small collections,
// `exact`, and whenever another plan could return too few); walk the graph and scan the head; or, under a
// selective filter, find the matching rows first and compare with just those. Pure over the snapshot,
// thread-safe.
#pragma once

#include <string_view>

#include "engine/snapshot.h"
#include "model/search.h"

namespace akidb::engine {

struct QueryCost {
    std::string_view kind;  // "flat", "graph", "exact", "filtered"
    uint64_t distances = 0;
};

/// The request must have passed model::validate. `default_ef` applies when the request names none.
model::SearchReply run_query(const Snapshot& snapshot, const model::SearchRequest& request,
                             uint32_t default_ef, index::SearchScratch& scratch, QueryCost& cost);

/// Parts of a row as a document.
model::Document document_at(const Snapshot& snapshot, uint32_t row, model::Include include);

/// Rows that the snapshot sees and the filter matches, ascending; null matches all.
std::vector<uint32_t> matching_rows(const Snapshot& snapshot, const model::Filter* filter);

}  // namespace akidb::engine
