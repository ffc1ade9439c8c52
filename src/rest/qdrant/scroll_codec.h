// Bodies of the Qdrant dialect that page through points or count them, as values. Reading as reading.h says.
#pragma once

#include <memory>
#include <string>

#include "model/scroll.h"
#include "rest/qdrant/payload.h"

namespace akidb::rest::qdrant {

/// A key, or {"key","direction"}.
Result<model::ScrollOrder> read_order(JsonReader& reader);

struct Page {
    model::ScrollRequest request;
    PointParts parts{.vector = false, .payload = true};
};
Result<Page> read_scroll_body(std::string& body);
struct Count {
    std::shared_ptr<const model::Filter> filter;
    bool is_exact = true;
};
Result<Count> read_count_body(std::string& body);
Result<model::FacetRequest> read_facet_body(std::string& body);

}  // namespace akidb::rest::qdrant
