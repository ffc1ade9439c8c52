#include "rest/write_codec.h"

#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "model/limits.h"
#include "rest/field_readers.h"
#include "rest/filter_codec.h"
#include "rest/metadata_codec.h"

namespace akidb::rest {
namespace {

constexpr std::array<std::string_view, 1> kUpsertNames{"documents"};
constexpr std::array<std::string_view, 6> kDocumentNames{"id",         "vector",     "metadata",
                                                         "if_version", "expires_at", "vectors"};
constexpr std::array<std::string_view, 2> kDeleteNames{"ids", "filter"};
constexpr std::array<std::string_view, 8> kUpdateNames{"ids",   "filter", "documents",  "set",
                                                       "merge", "remove", "expires_at", "remove_vectors"};
constexpr std::array<std::string_view, 9> kDocumentUpdateNames{
    "id", "if_version", "vector", "set", "merge", "remove", "expires_at", "remove_vectors", "vectors"};
constexpr std::string_view kUpdateForms =
    R"({"ids":[…]} or {"filter":{…}} with set, merge, remove, remove_vectors or expires_at; or {"documents":[{"id":…}]}; {"filter":{}} means all)";

Result<uint64_t> read_version(JsonReader& reader) {
    return reader.read_uint(0, std::numeric_limits<uint64_t>::max());
}

/// `size_hint`: documents of one batch have vectors of one size, so the first one tells how much the others
/// need.
Result<model::Document> read_document(JsonReader& reader, size_t size_hint, bool& has_id) {
    model::Document document;
    has_id = false;
    AKIDB_TRY(reader.read_object(kDocumentNames, [&](size_t which) -> Result<void> {
        if (which == 0) {
            AKIDB_TRY(document.id, read_id(reader));
            has_id = true;
            return {};
        }
        if (which == 1) {
            document.vector.reserve(size_hint);
            return reader.read_floats(model::kDimensionMax, document.vector);
        }
        if (which == 2) {
            AKIDB_TRY(document.metadata, read_metadata(reader));
        } else if (which == 4) {
            AKIDB_TRY(document.expires_at_ms, read_expiry(reader));
        } else if (which == 5) {
            AKIDB_TRY(document.vectors, read_named_vectors(reader));
        } else {
            AKIDB_TRY(document.if_version, read_version(reader));
        }
        return {};
    }));
    return document;
}

/// `which`: 0 set, 1 merge, 2 remove, 3 expires_at, 4 remove_vectors.
Result<void> read_change(JsonReader& reader, size_t which, model::DocumentChange& change) {
    if (which == 0) {
        AKIDB_TRY(change.set, read_metadata(reader));
        return {};
    }
    if (which == 1) {
        AKIDB_TRY(change.merge, read_metadata(reader));
        return {};
    }
    if (which == 3) {
        AKIDB_TRY(change.expires_at_ms, read_expiry(reader));
        return {};
    }
    std::vector<std::string>& names = which == 2 ? change.remove : change.removed_vectors;
    const size_t names_max = which == 2 ? model::kRemovedPathsMax : model::kNamedVectorsMax;
    return reader.read_array(names_max, [&](size_t) -> Result<void> {
        AKIDB_TRY(std::string_view name, reader.read_string());
        names.emplace_back(name);
        return {};
    });
}

Result<model::DocumentUpdate> read_document_update(JsonReader& reader) {
    model::DocumentUpdate update;
    bool has_id = false;
    AKIDB_TRY(reader.read_object(kDocumentUpdateNames, [&](size_t which) -> Result<void> {
        if (which == 0) {
            AKIDB_TRY(update.id, read_id(reader));
            has_id = true;
            return {};
        }
        if (which == 1) {
            AKIDB_TRY(update.if_version, read_version(reader));
            return {};
        }
        if (which == 8) {
            AKIDB_TRY(update.change.vectors, read_named_vectors(reader));
            return {};
        }
        return which == 2 ? reader.read_floats(model::kDimensionMax, update.change.vector)
                          : read_change(reader, which - 3, update.change);
    }));
    if (!has_id) {
        return missing(reader.path() + ".id", "the id of a document");
    }
    return update;
}

}  // namespace

Result<UpsertBody> read_upsert_body(std::string& body, const std::function<model::DocumentId()>& make_id) {
    UpsertBody request;
    JsonReader reader(body);
    AKIDB_TRY(reader.read_body(kUpsertNames, [&](size_t) -> Result<void> {
        return reader.read_array(model::kBatchDocumentsMax, [&](size_t index) -> Result<void> {
            bool has_id = false;
            size_t size_hint = index == 0 ? 0 : request.documents.front().vector.size();
            AKIDB_TRY(model::Document document, read_document(reader, size_hint, has_id));
            if (!has_id) {
                document.id = make_id();
                request.some_ids_made = true;
            }
            request.documents.push_back(std::move(document));
            return {};
        });
    }));
    if (request.documents.empty()) {
        return invalid_argument("documents", "there are no documents",
                                "1.." + std::to_string(model::kBatchDocumentsMax) + " documents");
    }
    return request;
}

Result<model::UpdateRequest> read_update_body(std::string& body) {
    std::optional<std::vector<model::DocumentUpdate>> documents;
    model::UpdateAll all;
    size_t selectors = 0;
    JsonReader reader(body);
    AKIDB_TRY(reader.read_body(kUpdateNames, [&](size_t which) -> Result<void> {
        selectors += which < 3 ? 1 : 0;
        if (which == 0) {
            AKIDB_TRY(all.which, read_ids(reader));
            return {};
        }
        if (which == 1) {
            AKIDB_TRY(all.which, read_shared_filter(reader));
            return {};
        }
        if (which > 2) {
            return read_change(reader, which - 3, all.change);
        }
        documents.emplace();
        return reader.read_array(model::kBatchDocumentsMax, [&](size_t) -> Result<void> {
            AKIDB_TRY(model::DocumentUpdate update, read_document_update(reader));
            documents->push_back(std::move(update));
            return {};
        });
    }));
    if (selectors != 1) {
        return invalid_argument(selectors == 0 ? "ids" : "filter",
                                "exactly one of ids, filter and documents is needed",
                                std::string(kUpdateForms));
    }
    if (!documents) {
        return model::UpdateRequest(std::move(all));
    }
    if (!all.change.is_empty()) {
        return invalid_argument("documents", "each document says its own change", std::string(kUpdateForms));
    }
    return model::UpdateRequest(std::move(*documents));
}

Result<DeleteBody> read_delete_body(std::string& body) {
    DeleteBody request;
    size_t given = 0;
    JsonReader reader(body);
    AKIDB_TRY(reader.read_body(kDeleteNames, [&](size_t which) -> Result<void> {
        ++given;
        if (which == 0) {
            AKIDB_TRY(request.which, read_ids(reader));
        } else {
            AKIDB_TRY(request.which, read_filter(reader));
        }
        return {};
    }));
    if (given != 1) {
        return invalid_argument(given == 0 ? "ids" : "filter", "exactly one of ids and filter is needed",
                                R"({"ids":[…]} or {"filter":{…}}; {"filter":{}} deletes all documents)");
    }
    return request;
}

}  // namespace akidb::rest
