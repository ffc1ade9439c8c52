// Spans of what a use case did for a request that is traced; nothing otherwise. What the engine tells of a
// search or a write becomes attributes here, so it knows no requests. docs/monitoring.md says which spans
// there are and what stands in them: counts and names of fields, no vector, id or value. Thread-safe.
#pragma once

#include "engine/collection.h"
#include "model/search.h"
#include "service/context.h"

namespace akidb::service {

/// `reply` with its explanation.
void describe_search(tracing::Step& step, const std::string& collection, const model::SearchRequest& request,
                     const Result<model::SearchReply>& reply);
/// A write that began at `began_us`, and what of it was the log's.
void trace_write(tracing::Trace* trace, uint64_t began_us, const Result<engine::WriteReply>& reply);
/// `done`, and such spans before it.
engine::WriteDone traced(const RequestContext& context, engine::WriteDone done);

}  // namespace akidb::service
