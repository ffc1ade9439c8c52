// Request bodies of /api/v1 as values: one function a body. Strict (json_reader.h); what a collection decides
// (dimension, ranges of top_k and ef) is left to the service. `body` may grow by spare capacity. Errors:
// kInvalidArgument with the path as field. Pure, thread-safe.
#pragma once

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "model/document.h"
#include "model/search.h"
#include "rest/json_reader.h"
#include "service/service.h"

namespace akidb::rest {

struct UpsertBody {
    std::vector<model::Document> documents;
    bool some_ids_made = false;
};
struct GetBody {
    std::vector<model::DocumentId> ids;
    model::Include include{.vector = true, .metadata = true};
};
struct DeleteBody {
    std::variant<std::vector<model::DocumentId>, model::Filter> which;
};

Result<service::CreateCollection> read_create_body(std::string& body);
/// {"type":"keyword"}.
Result<model::MetadataIndexType> read_metadata_index_body(std::string& body);
/// `make_id` is called for each document sent without an id.
Result<UpsertBody> read_upsert_body(std::string& body, const std::function<model::DocumentId()>& make_id);
Result<GetBody> read_get_body(std::string& body);
/// Exactly one of ids and filter; only an explicit {"filter":{}} means all documents.
Result<DeleteBody> read_delete_body(std::string& body);
/// Null when there is no filter.
Result<std::shared_ptr<const model::Filter>> read_count_body(std::string& body);
Result<model::SearchRequest> read_search_body(std::string& body);
/// {"searches":[…]}, each as the body of a search.
Result<std::vector<model::SearchRequest>> read_search_batch_body(std::string& body);

}  // namespace akidb::rest
