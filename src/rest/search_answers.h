// Answers of the requests that find documents, as JSON. Pure, thread-safe.
#pragma once

#include <string>

#include "model/scroll.h"
#include "model/search.h"
#include "rest/json_writer.h"

namespace akidb::rest {

/// Members of an object that the caller opened: matches or groups, whether the answer is partial, and explain
/// when there is an explanation.
void write_search_result(JsonWriter& writer, const model::SearchReply& reply, const model::Include& include);
std::string write_search_reply(const model::SearchReply& reply, const model::Include& include,
                               double took_ms);
std::string write_scroll_reply(const model::ScrollReply& reply, const model::Include& include);
std::string write_facet_reply(const model::FacetReply& reply);

}  // namespace akidb::rest
