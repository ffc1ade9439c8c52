// Ids and documents between protobuf and their values. What the collection decides (dimension, sizes of
// batches) is left to the service. Errors: kInvalidArgument with the path as in REST. Pure, thread-safe.
#pragma once

#include <akidb/v1/documents.pb.h>

#include <functional>
#include <memory>
#include <variant>
#include <vector>

#include "model/document.h"
#include "service/service.h"

namespace akidb::rpc {

struct DocumentBatch {
    std::vector<model::Document> documents;
    bool some_ids_made = false;
};
/// What a delete or an erase means.
using Which = std::variant<std::vector<model::DocumentId>, model::Filter>;

/// `make_id` is called for each document without an id.
Result<DocumentBatch> read_documents(const google::protobuf::RepeatedPtrField<v1::Document>& documents,
                                     const std::function<model::DocumentId()>& make_id);
Result<model::DocumentId> read_id(const v1::DocumentId& id);
Result<std::vector<model::DocumentId>> read_ids(
    const google::protobuf::RepeatedPtrField<v1::DocumentId>& ids);
/// Exactly one of ids and filter.
Result<Which> read_which(const v1::DeleteRequest& request);
Result<Which> read_which(const v1::EraseRequest& request);
/// Of a search or a document: its numbers, or their bytes; empty when there is neither.
Result<std::vector<float>> read_vector(const google::protobuf::RepeatedField<float>& numbers,
                                       const std::string& bytes);

Result<model::Include> read_include(const v1::Include& from);
Result<std::vector<model::NamedVector>> read_named_vectors(
    const google::protobuf::RepeatedPtrField<v1::NamedVector>& from);

void write_named_vectors(const std::vector<model::NamedVector>& from,
                         google::protobuf::RepeatedPtrField<v1::NamedVector>& to);
void write_id(const model::DocumentId& id, v1::DocumentId& to);
void write_floats(const std::vector<float>& from, google::protobuf::RepeatedField<float>& to);
void write_document(const model::Document& document, const model::Include& include, v1::Document& to);

}  // namespace akidb::rpc
