#include "rest/qdrant/point_codec.h"

#include <array>
#include <optional>
#include <utility>

#include "model/limits.h"
#include "rest/field_readers.h"
#include "rest/metadata_codec.h"
#include "rest/qdrant/reading.h"

namespace akidb::rest::qdrant {
namespace {

constexpr std::array<std::string_view, 1> kShardKey{"shard_key"};  // there is one shard
constexpr std::array<std::string_view, 2> kUpsertNames{"points", "batch"};
constexpr std::array<std::string_view, 2> kUpsertRefused{"update_filter", "update_mode"};
constexpr std::array<std::string_view, 3> kPointNames{"id", "vector", "payload"};
constexpr std::array<std::string_view, 3> kBatchNames{"ids", "vectors", "payloads"};
constexpr std::array<std::string_view, 2> kSelectorNames{"points", "filter"};
constexpr std::array<std::string_view, 5> kPayloadNames{"points", "filter", "payload", "keys", "key"};
constexpr std::array<std::string_view, 2> kVectorPointNames{"id", "vector"};
constexpr std::array<std::string_view, 1> kVectorsNames{"points"};
constexpr std::array<std::string_view, 1> kUpdateFilter{"update_filter"};
constexpr std::array<std::string_view, 1> kOperationsNames{"operations"};
constexpr std::array<std::string_view, 8> kOperationNames{
    "upsert",         "delete",        "set_payload",    "overwrite_payload",
    "delete_payload", "clear_payload", "update_vectors", "delete_vectors"};
constexpr std::array<std::string_view, 3> kDeleteVectorsNames{"points", "filter", "vector"};
constexpr std::array<std::string_view, 3> kRetrievalNames{"ids", "with_payload", "with_vector"};
constexpr size_t kOperationsMax = 1'000;

Result<std::vector<model::DocumentId>> read_point_ids(JsonReader& reader) {
    std::vector<model::DocumentId> ids;
    AKIDB_TRY(reader.read_array(model::kBatchDocumentsMax, [&](size_t) -> Result<void> {
        AKIDB_TRY(model::DocumentId id, read_id(reader));
        ids.push_back(std::move(id));
        return {};
    }));
    return ids;
}

Result<model::Document> read_point(JsonReader& reader) {
    model::Document document;
    bool has_id = false;
    AKIDB_TRY(read_object(reader, {kPointNames}, [&](size_t which) -> Result<void> {
        if (which == 0) {
            AKIDB_TRY(document.id, read_id(reader));
            has_id = true;
        } else if (which == 1) {
            AKIDB_TRY(PointVectors vectors, read_vectors_of_point(reader));
            document.vector = std::move(vectors.unnamed);
            document.vectors = std::move(vectors.named);
        } else {
            AKIDB_TRY(document.metadata, read_metadata(reader));
        }
        return {};
    }));
    if (!has_id) {
        return reader.error("the point has no id", "an unsigned integer, a UUID or a text");
    }
    return document;
}

/// The three columns of a batch; vectors and payloads stand where their ids do.
Result<std::vector<model::Document>> read_columns(JsonReader& reader) {
    std::vector<model::DocumentId> ids;
    std::vector<PointVectors> vectors;
    std::vector<std::string> payloads;
    const auto read_payload = [&](size_t) -> Result<void> {
        AKIDB_TRY(const JsonType type, reader.type());
        if (type == JsonType::kNull) {
            payloads.emplace_back(model::empty_metadata());
            return {};
        }
        AKIDB_TRY(payloads.emplace_back(), read_metadata(reader));
        return {};
    };
    AKIDB_TRY(read_object(reader, {kBatchNames}, [&](size_t which) -> Result<void> {
        if (which == 0) {
            AKIDB_TRY(ids, read_point_ids(reader));
            return {};
        }
        if (which == 1) {
            AKIDB_TRY(vectors, read_vector_column(reader));
            return {};
        }
        return reader.read_array(model::kBatchDocumentsMax, read_payload);
    }));
    if (vectors.size() != ids.size() || (!payloads.empty() && payloads.size() != ids.size())) {
        return reader.error("ids, vectors and payloads have different lengths", "as many of each");
    }
    std::vector<model::Document> documents(ids.size());
    for (size_t i = 0; i < ids.size(); ++i) {
        documents[i].id = std::move(ids[i]);
        documents[i].vector = std::move(vectors[i].unnamed);
        documents[i].vectors = std::move(vectors[i].named);
        if (!payloads.empty()) {
            documents[i].metadata = std::move(payloads[i]);
        }
    }
    return documents;
}

/// The object of an upsert, member by member: as a body and as an operation of a batch.
Result<void> read_upsert_member(JsonReader& reader, size_t which, std::vector<model::Document>& documents) {
    if (which == 1) {
        AKIDB_TRY(documents, read_columns(reader));
        return {};
    }
    return reader.read_array(model::kBatchDocumentsMax, [&](size_t) -> Result<void> {
        AKIDB_TRY(model::Document document, read_point(reader));
        documents.push_back(std::move(document));
        return {};
    });
}

struct SelectorBody {
    std::optional<Selector> selector;
    size_t given = 0;
};

Result<void> read_selector_member(JsonReader& reader, size_t which, SelectorBody& body) {
    ++body.given;
    if (which == 0) {
        AKIDB_TRY(body.selector, read_point_ids(reader));
    } else {
        AKIDB_TRY(body.selector, read_shared_filter(reader, FilterDialect::kQdrant));
    }
    return {};
}

Result<Selector> selector_of(const JsonReader& reader, SelectorBody body) {
    if (body.given != 1) {
        return reader.error("exactly one of points and filter is needed",
                            R"({"points":[ids]} or {"filter":{…}})");
    }
    return std::move(*body.selector);
}

struct PayloadBody {
    SelectorBody which;
    std::optional<std::string> payload;
    std::vector<std::string> keys;
    std::string path;
};

Result<void> read_payload_member(JsonReader& reader, size_t which, PayloadBody& body) {
    if (which < 2) {
        return read_selector_member(reader, which, body.which);
    }
    if (which == 2) {
        AKIDB_TRY(body.payload, read_metadata(reader));
    } else if (which == 3) {
        AKIDB_TRY(body.keys, read_texts(reader, model::kRemovedPathsMax));
    } else {
        AKIDB_TRY(const std::string_view path, reader.read_string());
        body.path = path;
    }
    return {};
}

/// {"a":{"b":payload}} for the path "a.b".
Result<std::string> at_path(std::string_view path, const std::string& payload) {
    model::MetadataWriter writer;
    size_t levels = 1;
    writer.begin_object();
    for (size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
        writer.key(path.substr(0, dot));
        writer.begin_object();
        path.remove_prefix(dot + 1);
        ++levels;
    }
    writer.key(path);
    writer.put(model::MetadataView(payload));
    for (; levels > 0; --levels) {
        writer.end();
    }
    return std::move(writer).finish();
}

Result<model::UpdateRequest> payload_change(const JsonReader& reader, PayloadBody body,
                                            PayloadOperation operation) {
    model::UpdateAll all;
    AKIDB_TRY(all.which, selector_of(reader, std::move(body.which)));
    switch (operation) {
        case PayloadOperation::kClear:
            all.change.set = std::string(model::empty_metadata());
            return model::UpdateRequest(std::move(all));
        case PayloadOperation::kDelete:
            if (body.keys.empty()) {
                return reader.error("keys are missing", R"("keys":["a","b.c"])");
            }
            all.change.remove = std::move(body.keys);
            return model::UpdateRequest(std::move(all));
        case PayloadOperation::kSet:
        case PayloadOperation::kOverwrite:
            break;
    }
    if (!body.payload) {
        return reader.error("the payload is missing", R"("payload":{…})");
    }
    if (!body.path.empty()) {
        AKIDB_TRY(all.change.merge, at_path(body.path, *body.payload));
        if (operation == PayloadOperation::kOverwrite) {
            all.change.remove = {body.path};
        }
    } else if (operation == PayloadOperation::kSet) {
        all.change.merge = std::move(*body.payload);
        all.change.merges_deep = false;
    } else {
        all.change.set = std::move(*body.payload);
    }
    return model::UpdateRequest(std::move(all));
}

Result<void> read_vectors_member(JsonReader& reader, std::vector<model::DocumentUpdate>& updates) {
    const auto read_one = [&](size_t) -> Result<void> {
        model::DocumentUpdate& update = updates.emplace_back();
        size_t seen = 0;
        AKIDB_TRY(read_object(reader, {kVectorPointNames}, [&](size_t which) -> Result<void> {
            ++seen;
            if (which == 0) {
                AKIDB_TRY(update.id, read_id(reader));
            } else {
                AKIDB_TRY(PointVectors vectors, read_vectors_of_point(reader));
                update.change.vector = std::move(vectors.unnamed);
                update.change.vectors = std::move(vectors.named);
            }
            return {};
        }));
        return seen == kVectorPointNames.size() ? Result<void>()
                                                : reader.error("a point needs id and vector", "id, vector");
    };
    return reader.read_array(model::kBatchDocumentsMax, read_one);
}

struct VectorsDeleteBody {
    SelectorBody which;
    std::vector<std::string> names;
};

Result<void> read_vectors_delete_member(JsonReader& reader, size_t which, VectorsDeleteBody& body) {
    if (which < 2) {
        return read_selector_member(reader, which, body.which);
    }
    AKIDB_TRY(body.names, read_texts(reader, model::kNamedVectorsMax));
    return {};
}

Result<model::UpdateRequest> vectors_delete_of(const JsonReader& reader, VectorsDeleteBody body) {
    model::UpdateAll all;
    AKIDB_TRY(all.which, selector_of(reader, std::move(body.which)));
    if (body.names.empty()) {
        return reader.error("the names of the vectors are missing", R"("vector":["a"])");
    }
    all.change.removed_vectors = std::move(body.names);
    return model::UpdateRequest(std::move(all));
}

Result<Operation> read_operation(JsonReader& reader) {
    std::optional<Operation> operation;
    AKIDB_TRY(read_object(reader, {.read = kOperationNames}, [&](size_t which) -> Result<void> {
        if (operation) {
            return reader.error("an operation is one thing", "one member");
        }
        if (which == 0) {
            AKIDB_TRY(operation, read_upsert(reader));
        } else if (which == 1) {
            AKIDB_TRY(operation, read_selector(reader));
        } else if (which == 6) {
            AKIDB_TRY(operation, read_vectors(reader));
        } else if (which == 7) {
            AKIDB_TRY(operation, read_vectors_delete(reader));
        } else {
            AKIDB_TRY(operation, read_payload_change(reader, static_cast<PayloadOperation>(which - 2)));
        }
        return {};
    }));
    if (!operation) {
        return reader.error("the operation is empty", "upsert, delete, set_payload …");
    }
    return std::move(*operation);
}

}  // namespace

Result<std::vector<model::Document>> read_upsert(JsonReader& reader) {
    std::vector<model::Document> documents;
    AKIDB_TRY(read_object(reader, {kUpsertNames, kShardKey, kUpsertRefused},
                          [&](size_t which) { return read_upsert_member(reader, which, documents); }));
    return documents;
}

Result<std::vector<model::Document>> read_upsert_body(std::string& body) {
    std::vector<model::Document> documents;
    JsonReader reader(body);
    AKIDB_TRY(read_body(reader, {kUpsertNames, kShardKey, kUpsertRefused},
                        [&](size_t which) { return read_upsert_member(reader, which, documents); }));
    return documents;
}

Result<Selector> read_selector(JsonReader& reader) {
    SelectorBody selected;
    AKIDB_TRY(read_object(reader, {kSelectorNames, kShardKey},
                          [&](size_t which) { return read_selector_member(reader, which, selected); }));
    return selector_of(reader, std::move(selected));
}

Result<Selector> read_selector_body(std::string& body) {
    SelectorBody selected;
    JsonReader reader(body);
    AKIDB_TRY(read_body(reader, {kSelectorNames, kShardKey},
                        [&](size_t which) { return read_selector_member(reader, which, selected); }));
    return selector_of(reader, std::move(selected));
}

Result<model::UpdateRequest> read_payload_change(JsonReader& reader, PayloadOperation operation) {
    PayloadBody change;
    AKIDB_TRY(read_object(reader, {kPayloadNames, kShardKey},
                          [&](size_t which) { return read_payload_member(reader, which, change); }));
    return payload_change(reader, std::move(change), operation);
}

Result<model::UpdateRequest> read_payload_body(std::string& body, PayloadOperation operation) {
    PayloadBody change;
    JsonReader reader(body);
    AKIDB_TRY(read_body(reader, {kPayloadNames, kShardKey},
                        [&](size_t which) { return read_payload_member(reader, which, change); }));
    return payload_change(reader, std::move(change), operation);
}

Result<model::UpdateRequest> read_vectors(JsonReader& reader) {
    std::vector<model::DocumentUpdate> updates;
    AKIDB_TRY(read_object(reader, {kVectorsNames, kShardKey, kUpdateFilter},
                          [&](size_t) { return read_vectors_member(reader, updates); }));
    return model::UpdateRequest(std::move(updates));
}

Result<model::UpdateRequest> read_vectors_body(std::string& body) {
    std::vector<model::DocumentUpdate> updates;
    JsonReader reader(body);
    AKIDB_TRY(read_body(reader, {kVectorsNames, kShardKey, kUpdateFilter},
                        [&](size_t) { return read_vectors_member(reader, updates); }));
    return model::UpdateRequest(std::move(updates));
}

Result<model::UpdateRequest> read_vectors_delete(JsonReader& reader) {
    VectorsDeleteBody change;
    AKIDB_TRY(read_object(reader, {kDeleteVectorsNames, kShardKey},
                          [&](size_t which) { return read_vectors_delete_member(reader, which, change); }));
    return vectors_delete_of(reader, std::move(change));
}

Result<model::UpdateRequest> read_vectors_delete_body(std::string& body) {
    VectorsDeleteBody change;
    JsonReader reader(body);
    AKIDB_TRY(read_body(reader, {kDeleteVectorsNames, kShardKey},
                        [&](size_t which) { return read_vectors_delete_member(reader, which, change); }));
    return vectors_delete_of(reader, std::move(change));
}

Result<std::vector<Operation>> read_batch_body(std::string& body) {
    std::vector<Operation> operations;
    JsonReader reader(body);
    const auto read_one = [&](size_t) -> Result<void> {
        AKIDB_TRY(Operation operation, read_operation(reader));
        operations.push_back(std::move(operation));
        return {};
    };
    AKIDB_TRY(read_body(reader, {kOperationsNames},
                        [&](size_t) { return reader.read_array(kOperationsMax, read_one); }));
    if (operations.empty()) {
        return missing("operations", "1.." + std::to_string(kOperationsMax) + " operations");
    }
    return operations;
}

Result<Retrieval> read_retrieval_body(std::string& body) {
    Retrieval retrieval;
    JsonReader reader(body);
    AKIDB_TRY(read_body(reader, {kRetrievalNames, kShardKey}, [&](size_t which) -> Result<void> {
        if (which == 0) {
            AKIDB_TRY(retrieval.ids, read_point_ids(reader));
            return {};
        }
        return which == 1 ? read_with_payload(reader, retrieval.parts)
                          : read_with_vector(reader, retrieval.parts);
    }));
    return retrieval;
}

}  // namespace akidb::rest::qdrant
