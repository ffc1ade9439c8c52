// Bodies of the Qdrant dialect that name or write points, as values. Reading as reading.h says.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "model/update.h"
#include "rest/qdrant/payload.h"

namespace akidb::rest::qdrant {

/// {"points":[{"id","vector","payload"}]} or {"batch":{"ids","vectors","payloads"}}.
Result<std::vector<model::Document>> read_upsert(JsonReader& reader);
Result<std::vector<model::Document>> read_upsert_body(std::string& body);

using Selector = std::variant<std::vector<model::DocumentId>, std::shared_ptr<const model::Filter>>;
/// {"points":[ids]} or {"filter":{…}}.
Result<Selector> read_selector(JsonReader& reader);
Result<Selector> read_selector_body(std::string& body);

/// What an operation on payloads does with those given.
enum class PayloadOperation : uint8_t { kSet, kOverwrite, kDelete, kClear };
Result<model::UpdateRequest> read_payload_change(JsonReader& reader, PayloadOperation operation);
Result<model::UpdateRequest> read_payload_body(std::string& body, PayloadOperation operation);
/// {"points":[{"id","vector"}]}.
Result<model::UpdateRequest> read_vectors(JsonReader& reader);
Result<model::UpdateRequest> read_vectors_body(std::string& body);

/// {"points":[ids] or "filter":{…},"vector":[names]}.
Result<model::UpdateRequest> read_vectors_delete(JsonReader& reader);
Result<model::UpdateRequest> read_vectors_delete_body(std::string& body);

/// One of the operations of a batch; the upsert of points, the delete of selected ones, or an update.
using Operation = std::variant<std::vector<model::Document>, Selector, model::UpdateRequest>;
Result<std::vector<Operation>> read_batch_body(std::string& body);

struct Retrieval {
    std::vector<model::DocumentId> ids;
    PointParts parts{.vector = false, .payload = true};
};
Result<Retrieval> read_retrieval_body(std::string& body);

}  // namespace akidb::rest::qdrant
