// Bodies of the requests that write documents, as values: one function a body. As request_codec.h says.
#pragma once

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "model/document.h"
#include "model/filter.h"
#include "model/update.h"

namespace akidb::rest {

struct UpsertBody {
    std::vector<model::Document> documents;
    bool some_ids_made = false;
};
struct DeleteBody {
    std::variant<std::vector<model::DocumentId>, model::Filter> which;
};

/// `make_id` is called for each document sent without an id.
Result<UpsertBody> read_upsert_body(std::string& body, const std::function<model::DocumentId()>& make_id);
Result<model::UpdateRequest> read_update_body(std::string& body);
/// Exactly one of ids and filter; only an explicit {"filter":{}} means all documents.
Result<DeleteBody> read_delete_body(std::string& body);

}  // namespace akidb::rest
