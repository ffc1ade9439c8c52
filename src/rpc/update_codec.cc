#include "rpc/update_codec.h"

#include "model/limits.h"
#include "rpc/document_codec.h"
#include "rpc/filter_codec.h"
#include "rpc/message.h"
#include "rpc/moment_codec.h"
#include "rpc/value_codec.h"

namespace akidb::rpc {
namespace {

constexpr const char* kUpdateForms =
    "ids or filter with set, merge, remove, remove_vectors or expires_at; or documents, each with its own; a "
    "filter that is "
    "empty means "
    "all";

/// Set, merge, remove and expiry are the same for one document and for many.
template <class Message>
Result<void> read_change(const Message& from, model::DocumentChange& change) {
    if (from.has_set()) {
        AKIDB_TRY(change.set, read_metadata(from.set(), "set"));
    }
    if (from.has_merge()) {
        AKIDB_TRY(change.merge, read_metadata(from.merge(), "merge"));
    }
    if (static_cast<size_t>(from.remove_size()) > model::kRemovedPathsMax) {
        return invalid_argument("remove", "the list has too many items",
                                "at most " + std::to_string(model::kRemovedPathsMax) + " items");
    }
    change.remove.assign(from.remove().begin(), from.remove().end());
    if (static_cast<size_t>(from.remove_vectors_size()) > model::kNamedVectorsMax) {
        return invalid_argument("remove_vectors", "the list has too many items",
                                "at most " + std::to_string(model::kNamedVectorsMax) + " items");
    }
    change.removed_vectors.assign(from.remove_vectors().begin(), from.remove_vectors().end());
    if (from.has_expires_at() && from.never_expires()) {
        return invalid_argument("never_expires", "a document expires or it does not",
                                "expires_at or never_expires");
    }
    if (from.has_expires_at()) {
        AKIDB_TRY(change.expires_at_ms, read_expiry(from.expires_at()));
    } else if (from.never_expires()) {
        change.expires_at_ms = 0;
    }
    return {};
}

Result<model::DocumentUpdate> read_document_update(const v1::DocumentUpdate& from) {
    AKIDB_TRY(check_known(from));
    model::DocumentUpdate update;
    if (!from.has_id()) {
        return invalid_argument("id", "the field \"id\" is missing", "the id of a document");
    }
    Result<model::DocumentId> id = read_id(from.id());
    if (!id) {
        return std::move(id).error().with_field("id");
    }
    update.id = std::move(id).value();
    if (from.has_if_version()) {
        update.if_version = from.if_version();
    }
    AKIDB_TRY(update.change.vector, read_vector(from.vector(), from.vector_bytes()));
    AKIDB_TRY(update.change.vectors, read_named_vectors(from.vectors()));
    AKIDB_TRY(read_change(from, update.change));
    return update;
}

Result<model::UpdateRequest> read_documents(const v1::UpdateRequest& request,
                                            const model::DocumentChange& change) {
    if (!change.is_empty()) {
        return invalid_argument("documents", "each document says its own change", kUpdateForms);
    }
    if (static_cast<size_t>(request.documents_size()) > model::kBatchDocumentsMax) {
        return invalid_argument("documents", "the list has too many items",
                                "at most " + std::to_string(model::kBatchDocumentsMax) + " items");
    }
    std::vector<model::DocumentUpdate> updates;
    updates.reserve(static_cast<size_t>(request.documents_size()));
    for (int i = 0; i < request.documents_size(); ++i) {
        Result<model::DocumentUpdate> update = read_document_update(request.documents(i));
        if (!update) {
            return in_list(std::move(update).error(), "documents", static_cast<size_t>(i));
        }
        updates.push_back(std::move(update).value());
    }
    return model::UpdateRequest(std::move(updates));
}

}  // namespace

Result<model::UpdateRequest> read_update(const v1::UpdateRequest& request) {
    AKIDB_TRY(check_known(request));
    const int selectors = (request.ids().empty() ? 0 : 1) + (request.has_filter() ? 1 : 0) +
                          (request.documents().empty() ? 0 : 1);
    if (selectors != 1) {
        return invalid_argument(selectors == 0 ? "ids" : "filter",
                                "exactly one of ids, filter and documents is needed", kUpdateForms);
    }
    model::UpdateAll all;
    AKIDB_TRY(read_change(request, all.change));
    if (!request.documents().empty()) {
        return read_documents(request, all.change);
    }
    if (request.has_filter()) {
        AKIDB_TRY(all.which, read_shared_filter(request));
    } else {
        AKIDB_TRY(all.which, read_ids(request.ids()));
    }
    return model::UpdateRequest(std::move(all));
}

Result<model::ScrollRequest> read_scroll(const v1::ScrollRequest& request, const RequestTimes& times) {
    AKIDB_TRY(check_known(request));
    model::ScrollRequest scroll;
    scroll.limit = request.has_limit() ? request.limit() : model::kScrollLimitDefault;
    if (!request.cursor().empty()) {
        AKIDB_TRY(scroll.from, model::decode_cursor(request.cursor()));
    }
    AKIDB_TRY(scroll.filter, read_shared_filter(request));
    AKIDB_TRY(scroll.include, read_include(request.include()));
    if (request.has_order_by()) {
        const v1::OrderBy& order = request.order_by();
        AKIDB_TRY(check_known(order));
        if (!v1::Direction_IsValid(order.direction())) {
            return invalid_argument("order_by.direction",
                                    "unknown direction " + std::to_string(order.direction()), "asc, desc");
        }
        scroll.order =
            model::ScrollOrder{.key = order.key(), .descending = order.direction() == v1::DIRECTION_DESC};
    }
    AKIDB_TRY(scroll.deadline_us, read_deadline(request, times));
    return scroll;
}

void write_page(const model::ScrollReply& reply, const model::Include& include, v1::ScrollResponse& to) {
    to.mutable_documents()->Reserve(static_cast<int>(reply.documents.size()));
    for (size_t i = 0; i < reply.documents.size(); ++i) {
        v1::Document& document = *to.add_documents();
        write_document(reply.documents[i], include, document);
        if (i < reply.order_values.size()) {
            write_value(reply.order_values[i], *document.mutable_order_value());
        }
    }
    if (reply.next) {
        to.set_next_cursor(model::encode_cursor(*reply.next));
    }
}

Result<model::FacetRequest> read_facet(const v1::FacetRequest& request, const RequestTimes& times) {
    AKIDB_TRY(check_known(request));
    model::FacetRequest facet{.key = request.key()};
    facet.limit = request.has_limit() ? request.limit() : model::kFacetLimitDefault;
    AKIDB_TRY(facet.filter, read_shared_filter(request));
    AKIDB_TRY(facet.deadline_us, read_deadline(request, times));
    return facet;
}

void write_facets(const model::FacetReply& reply, v1::FacetResponse& to) {
    for (const model::FacetCount& found : reply.counts) {
        v1::FacetCount& facet = *to.add_facets();
        write_value(found.value, *facet.mutable_value());
        facet.set_count(found.count);
    }
    to.set_distinct(reply.distinct);
}

}  // namespace akidb::rpc
