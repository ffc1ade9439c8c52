#include "rpc/document_codec.h"

#include <bit>
#include <cstring>

#include "base/printable.h"
#include "model/limits.h"
#include "rpc/filter_codec.h"
#include "rpc/message.h"
#include "rpc/moment_codec.h"
#include "rpc/value_codec.h"

namespace akidb::rpc {
namespace {

constexpr std::string_view kIdAllowed =
    "a whole number of 0..18446744073709551615 or a string of 1..255 bytes";

Result<model::Document> read_document(const v1::Document& from) {
    AKIDB_TRY(check_known(from));
    model::Document document;
    if (from.has_id()) {
        Result<model::DocumentId> id = read_id(from.id());
        if (!id) {
            return std::move(id).error().with_field("id");
        }
        document.id = std::move(id).value();
    }
    AKIDB_TRY(document.vector, read_vector(from.vector(), from.vector_bytes()));
    AKIDB_TRY(document.vectors, read_named_vectors(from.vectors()));
    if (from.has_metadata()) {
        AKIDB_TRY(document.metadata, read_metadata(from.metadata()));
    }
    if (from.has_if_version()) {
        document.if_version = from.if_version();
    }
    if (from.has_expires_at()) {
        AKIDB_TRY(document.expires_at_ms, read_expiry(from.expires_at()));
    }
    return document;
}

template <class Request>
Result<Which> read_either(const Request& request) {
    AKIDB_TRY(check_known(request));
    if (request.ids().empty() != request.has_filter()) {
        return invalid_argument(request.has_filter() ? "filter" : "ids",
                                "exactly one of ids and filter is needed",
                                "ids or filter; a filter that is empty means all documents");
    }
    if (request.has_filter()) {
        AKIDB_TRY(model::Filter filter, read_filter(request.filter()));
        return Which(std::move(filter));
    }
    AKIDB_TRY(std::vector<model::DocumentId> ids, read_ids(request.ids()));
    return Which(std::move(ids));
}

Error too_many(std::string_view field) {
    return invalid_argument(std::string(field), "the list has too many items",
                            "at most " + std::to_string(model::kBatchDocumentsMax) + " items");
}

}  // namespace

Result<model::DocumentId> read_id(const v1::DocumentId& id) {
    AKIDB_TRY(check_known(id));
    switch (id.id_case()) {
        case v1::DocumentId::kNumber:
            return model::DocumentId(id.number());
        case v1::DocumentId::kText:
            return model::DocumentId::from_text(id.text());
        case v1::DocumentId::ID_NOT_SET:
            break;
    }
    return invalid_argument("", "an id is a whole number or a string", std::string(kIdAllowed));
}

Result<DocumentBatch> read_documents(const google::protobuf::RepeatedPtrField<v1::Document>& documents,
                                     const std::function<model::DocumentId()>& make_id) {
    if (static_cast<size_t>(documents.size()) > model::kBatchDocumentsMax) {
        return too_many("documents");
    }
    DocumentBatch batch;
    batch.documents.reserve(static_cast<size_t>(documents.size()));
    for (int i = 0; i < documents.size(); ++i) {
        Result<model::Document> document = read_document(documents[i]);
        if (!document) {
            return in_list(std::move(document).error(), "documents", static_cast<size_t>(i));
        }
        if (!documents[i].has_id()) {
            document->id = make_id();
            batch.some_ids_made = true;
        }
        batch.documents.push_back(std::move(document).value());
    }
    return batch;
}

Result<std::vector<model::DocumentId>> read_ids(
    const google::protobuf::RepeatedPtrField<v1::DocumentId>& ids) {
    if (static_cast<size_t>(ids.size()) > model::kBatchDocumentsMax) {
        return too_many("ids");
    }
    std::vector<model::DocumentId> read;
    read.reserve(static_cast<size_t>(ids.size()));
    for (int i = 0; i < ids.size(); ++i) {
        Result<model::DocumentId> id = read_id(ids[i]);
        if (!id) {
            return in_list(std::move(id).error().with_field(""), "ids", static_cast<size_t>(i));
        }
        read.push_back(std::move(id).value());
    }
    return read;
}

Result<Which> read_which(const v1::DeleteRequest& request) {
    return read_either(request);
}

Result<Which> read_which(const v1::EraseRequest& request) {
    return read_either(request);
}

Result<std::vector<float>> read_vector(const google::protobuf::RepeatedField<float>& numbers,
                                       const std::string& bytes) {
    if (bytes.empty()) {
        if (static_cast<size_t>(numbers.size()) > model::kDimensionMax) {
            return invalid_argument("vector", "the vector is too long",
                                    "at most " + std::to_string(model::kDimensionMax) + " numbers");
        }
        return std::vector<float>(numbers.begin(), numbers.end());
    }
    if (!numbers.empty() || bytes.size() % sizeof(float) != 0) {
        return invalid_argument("vector_bytes",
                                numbers.empty()
                                    ? std::to_string(bytes.size()) + " bytes are not a whole number of floats"
                                    : "a vector has one of both forms",
                                "four bytes for each number, or vector instead");
    }
    if (bytes.size() > model::kDimensionMax * sizeof(float)) {
        return invalid_argument("vector_bytes", "the vector is too long",
                                "at most " + std::to_string(model::kDimensionMax) + " numbers");
    }
    static_assert(std::endian::native == std::endian::little);
    std::vector<float> vector(bytes.size() / sizeof(float));
    std::memcpy(vector.data(), bytes.data(), bytes.size());
    return vector;
}

Result<model::Include> read_include(const v1::Include& from) {
    AKIDB_TRY(check_known(from));
    if (static_cast<size_t>(from.vectors_size()) > model::kNamedVectorsMax + 1) {
        return invalid_argument("include", "the list has too many vectors",
                                "at most " + std::to_string(model::kNamedVectorsMax + 1));
    }
    return model::Include{.vector = from.vector(),
                          .metadata = from.metadata(),
                          .vectors = {from.vectors().begin(), from.vectors().end()}};
}

Result<std::vector<model::NamedVector>> read_named_vectors(
    const google::protobuf::RepeatedPtrField<v1::NamedVector>& from) {
    if (static_cast<size_t>(from.size()) > model::kNamedVectorsMax) {
        return invalid_argument("vectors", "too many vectors",
                                "at most " + std::to_string(model::kNamedVectorsMax) + " with names");
    }
    std::vector<model::NamedVector> vectors;
    for (const v1::NamedVector& one : from) {
        const std::string place = "vectors." + printable(one.name());
        AKIDB_TRY(check_known(one));
        Result<std::vector<float>> values = read_vector(one.vector(), one.vector_bytes());
        if (!values) {
            return std::move(values).error().with_field(place);
        }
        if (values->empty()) {
            return invalid_argument(place, "the vector is empty", "an array of numbers");
        }
        vectors.push_back({one.name(), std::move(values).value()});
    }
    return vectors;
}

void write_named_vectors(const std::vector<model::NamedVector>& from,
                         google::protobuf::RepeatedPtrField<v1::NamedVector>& to) {
    for (const model::NamedVector& vector : from) {
        v1::NamedVector& written = *to.Add();
        written.set_name(vector.name);
        write_floats(vector.values, *written.mutable_vector());
    }
}

void write_id(const model::DocumentId& id, v1::DocumentId& to) {
    if (const auto* number = std::get_if<uint64_t>(&id.value())) {
        to.set_number(*number);
    } else {
        to.set_text(id.to_string());
    }
}

void write_floats(const std::vector<float>& from, google::protobuf::RepeatedField<float>& to) {
    to.Add(from.begin(), from.end());
}

void write_document(const model::Document& document, const model::Include& include, v1::Document& to) {
    write_id(document.id, *to.mutable_id());
    to.set_version(document.version);
    if (include.has_any_vector()) {
        write_floats(document.vector, *to.mutable_vector());
        write_named_vectors(document.vectors, *to.mutable_vectors());
    }
    if (include.metadata) {
        write_metadata(
            model::MetadataView(document.metadata.empty() ? model::empty_metadata() : document.metadata),
            *to.mutable_metadata());
        if (document.expires_at_ms > 0) {
            write_moment(document.expires_at_ms, *to.mutable_expires_at());
        }
    }
}

}  // namespace akidb::rpc
