// Bodies of the Qdrant dialect that find points, as values. Reading as reading.h says.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/scroll.h"
#include "model/search.h"
#include "rest/qdrant/payload.h"

namespace akidb::rest::qdrant {

/// A query: by likeness, or a page of points when it names nothing to be like.
struct Query {
    std::variant<model::SearchRequest, model::ScrollRequest> request;
    PointParts parts{};
};
/// Which of the requests over time it is: points/query, or those it took the place of.
enum class QueryForm : uint8_t { kQuery, kSearch, kRecommend };
Result<Query> read_query_body(std::string& body, QueryForm form);
/// {"searches":[…]}.
Result<std::vector<Query>> read_query_batch_body(std::string& body, QueryForm form);
/// With group_by, group_size, and limit groups.
Result<Query> read_query_groups_body(std::string& body, QueryForm form);

}  // namespace akidb::rest::qdrant
