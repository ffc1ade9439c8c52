// Bodies of the requests that read documents by likeness, page or value, and their answers. As
// request_codec.h says. `received_us`: when the request came, by the monotonic clock; deadline_ms counts from
// there.
#pragma once

#include <string>
#include <vector>

#include "model/scroll.h"
#include "model/search.h"
#include "rest/json_reader.h"

namespace akidb::rest {

Result<model::SearchRequest> read_search_body(std::string& body, uint64_t received_us);
/// {"searches":[…]}, each as the body of a search.
Result<std::vector<model::SearchRequest>> read_search_batch_body(std::string& body, uint64_t received_us);
Result<model::ScrollRequest> read_scroll_body(std::string& body, uint64_t received_us);
Result<model::FacetRequest> read_facet_body(std::string& body, uint64_t received_us);

}  // namespace akidb::rest
