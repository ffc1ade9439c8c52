// Bodies of the requests that read documents by likeness, page or value, and their answers. As
// request_codec.h says. `received_us`: when the request came, by the monotonic clock; deadline_ms counts from
// there.
#pragma once

#include <string>
#include <vector>

#include "model/scroll.h"
#include "model/search.h"
#include "rest/json_writer.h"

namespace akidb::rest {

Result<model::SearchRequest> read_search_body(std::string& body, uint64_t received_us);
/// {"searches":[…]}, each as the body of a search.
Result<std::vector<model::SearchRequest>> read_search_batch_body(std::string& body, uint64_t received_us);
Result<model::ScrollRequest> read_scroll_body(std::string& body);
Result<model::FacetRequest> read_facet_body(std::string& body);

/// Members of an object that the caller opened: matches or groups, whether the answer is partial, and explain
/// when there is an explanation.
void write_search_result(JsonWriter& writer, const model::SearchReply& reply, model::Include include);
std::string write_search_reply(const model::SearchReply& reply, model::Include include, double took_ms);
std::string write_scroll_reply(const model::ScrollReply& reply, model::Include include);
std::string write_facet_reply(const model::FacetReply& reply);

}  // namespace akidb::rest
