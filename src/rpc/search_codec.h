// Searches between protobuf and their values. Ranges, and what the collection decides, are left to the
// service. Errors: kInvalidArgument with the path as in REST. Pure, thread-safe.
#pragma once

#include <akidb/v1/search.pb.h>

#include <vector>

#include "model/search.h"
#include "rpc/deadline.h"

namespace akidb::rpc {

Result<model::SearchRequest> read_search(const v1::SearchRequest& request, const RequestTimes& times);
Result<std::vector<model::SearchRequest>> read_searches(const v1::SearchBatchRequest& request,
                                                        const RequestTimes& times);

/// SearchResponse and SearchResult have the same members.
void write_result(const model::SearchReply& reply, const model::Include& include, v1::SearchResponse& to);
void write_result(const model::SearchReply& reply, const model::Include& include, v1::SearchResult& to);

}  // namespace akidb::rpc
