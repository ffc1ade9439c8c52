// Searches between protobuf and their values. Ranges, and what the collection decides, are left to the
// service. Errors: kInvalidArgument with the path as in REST. Pure, thread-safe.
#pragma once

#include <akidb/v1/search.pb.h>

#include <optional>
#include <vector>

#include "model/search.h"

namespace akidb::rpc {

/// By the clock of the server (monotonic, microseconds).
struct SearchTimes {
    uint64_t received_us = 0;
    std::optional<uint64_t> deadline_us{};  // of the call: what is found later nobody gets
};

Result<model::SearchRequest> read_search(const v1::SearchRequest& request, const SearchTimes& times);
Result<std::vector<model::SearchRequest>> read_searches(const v1::SearchBatchRequest& request,
                                                        const SearchTimes& times);

/// SearchResponse and SearchResult have the same members.
void write_result(const model::SearchReply& reply, model::Include include, v1::SearchResponse& to);
void write_result(const model::SearchReply& reply, model::Include include, v1::SearchResult& to);

}  // namespace akidb::rpc
