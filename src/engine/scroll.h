// Scroll and facet over one snapshot. By id: a binary search in the order of ids (id_order.h) and a walk from
// there, or, when few documents match, those sorted. By a field: the values of all matches are read, and the
// page selected: a page costs what a count under the same filter does. Pure over the snapshot, thread-safe.
#pragma once

#include "engine/query.h"
#include "engine/snapshot.h"
#include "model/scroll.h"

namespace akidb::engine {

/// The request must have passed model::validate. When it ends late, the answer is of no use.
model::ScrollReply run_scroll(const Snapshot& snapshot, const model::ScrollRequest& request, Effort& effort);
/// The same.
model::FacetReply run_facet(const Snapshot& snapshot, const model::FacetRequest& request, Effort& effort);

}  // namespace akidb::engine
