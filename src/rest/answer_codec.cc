#include "rest/answer_codec.h"

#include <algorithm>
#include <array>

#include "model/moment.h"
#include "rest/metadata_codec.h"

namespace akidb::rest {
namespace {

std::string_view name_of(service::Condition condition) {
    constexpr std::array<std::string_view, 5> kNames{"loading", "serving", "quarantined", "no_space",
                                                     "asleep"};
    return kNames[static_cast<size_t>(condition)];
}

struct ErrorParts {
    std::string_view code;
    std::string_view message;
    std::string_view field;
    std::string_view allowed;
    std::string_view request_id;
};

std::string error_body(const ErrorParts& parts) {
    JsonWriter writer;
    writer.begin_object().key("error").begin_object();
    writer.member("code", parts.code).member("message", parts.message);
    if (!parts.field.empty()) {
        writer.member("field", parts.field);
    }
    if (!parts.allowed.empty()) {
        writer.member("allowed", parts.allowed);
    }
    writer.member("request_id", parts.request_id).end_object().end_object();
    return std::move(writer).take();
}

/// Of a collection that does not serve, what is declared; of one that does, how far it is built too.
void write_metadata_indexes(JsonWriter& writer, const service::CollectionDescription& collection) {
    writer.key("metadata_indexes").begin_object();
    if (collection.condition == service::Condition::kServing) {
        for (const engine::MetadataIndexState& index : collection.stats.metadata_indexes) {
            writer.key(index.field.key)
                .begin_object()
                .member("type", model::name_of(index.field.type))
                .member("ready", index.is_ready)
                .member("indexed_rows", index.indexed_rows)
                .member("bytes", index.bytes)
                .end_object();
        }
    } else {
        for (const model::MetadataField& field : collection.spec.metadata_indexes) {
            writer.key(field.key).begin_object().member("type", model::name_of(field.type)).end_object();
        }
    }
    writer.end_object();
}

/// Those with names; of a collection that serves, how many documents have them too.
void write_vectors(JsonWriter& writer, const service::CollectionDescription& collection) {
    if (collection.spec.vectors.empty()) {
        return;
    }
    writer.key("vectors").begin_object();
    for (size_t i = 0; i < collection.spec.vectors.size(); ++i) {
        const model::VectorSpec& vector = collection.spec.vectors[i];
        writer.key(vector.name)
            .begin_object()
            .member("dimension", vector.dimension)
            .member("metric", model::name_of(vector.metric))
            .member("storage", model::name_of(vector.storage));
        if (i < collection.stats.vectors.size()) {
            writer.member("rows", collection.stats.vectors[i].rows)
                .member("linked_rows", collection.stats.vectors[i].linked_rows);
        }
        writer.end_object();
    }
    writer.end_object();
}

void write_vectors(JsonWriter& writer, const model::Document& document) {
    if (!document.vector.empty()) {
        writer.key("vector").floats(document.vector);
    }
    if (!document.vectors.empty()) {
        writer.key("vectors").begin_object();
        for (const model::NamedVector& vector : document.vectors) {
            writer.key(vector.name).floats(vector.values);
        }
        writer.end_object();
    }
}

/// Those that the collection has of its own.
void write_settings(JsonWriter& writer, const model::CollectionSettings& settings) {
    writer.key("settings").begin_object();
    if (settings.ef) {
        writer.member("ef", uint64_t{*settings.ef});
    }
    if (settings.recall_target) {
        writer.member("recall_target", *settings.recall_target);
    }
    if (settings.layout) {
        writer.member("layout", model::name_of(*settings.layout));
    }
    writer.end_object();
}

}  // namespace

HttpResponse error_answer(const Error& error, std::string_view request_id) {
    const CodeRow& row = row_of(error.code());
    HttpResponse response{.status = row.http};
    response.body = error_body({.code = row.name,
                                .message = error.message(),
                                .field = error.field(),
                                .allowed = error.allowed(),
                                .request_id = request_id});
    if (error.code() == Code::kUnauthenticated) {
        response.headers.emplace_back("WWW-Authenticate", R"(Bearer realm="akidb")");
    }
    uint32_t retry_after_s =
        error.code() == Code::kRateLimited ? std::max(1U, error.retry_after_s()) : error.retry_after_s();
    if (retry_after_s > 0) {
        response.headers.emplace_back("Retry-After", std::to_string(retry_after_s));
    }
    return response;
}

HttpResponse error_answer(int status, std::string_view code, std::string_view message,
                          std::string_view request_id) {
    HttpResponse response{.status = status};
    response.body = error_body({.code = code, .message = message, .request_id = request_id});
    return response;
}

void write_id(JsonWriter& writer, const model::DocumentId& id) {
    if (const auto* number = std::get_if<uint64_t>(&id.value())) {
        writer.value(*number);
    } else if (const auto* text = std::get_if<std::string>(&id.value())) {
        writer.value(*text);
    } else {
        writer.value(id.to_string());
    }
}

void open_document(JsonWriter& writer, const model::Document& document, const model::Include& include) {
    writer.begin_object().key("id");
    write_id(writer, document.id);
    write_parts(writer, document, include);
}

void write_parts(JsonWriter& writer, const model::Document& document, const model::Include& include) {
    if (include.has_any_vector()) {
        write_vectors(writer, document);
    }
    if (include.metadata) {
        writer.key("metadata");
        write_metadata(writer,
                       model::MetadataView(document.metadata.empty() ? model::empty_metadata()
                                                                     : std::string_view(document.metadata)));
        if (document.expires_at_ms > 0) {
            writer.member("expires_at", model::rfc3339(document.expires_at_ms));
        }
    }
}

void open_collection(JsonWriter& writer, const service::CollectionDescription& collection) {
    writer.begin_object().member("id", collection.spec.id.to_string()).member("name", collection.spec.name);
    if (collection.spec.dimension > 0) {
        writer.member("dimension", collection.spec.dimension)
            .member("metric", model::name_of(collection.spec.metric))
            .member("storage", model::name_of(collection.spec.storage));
    }
    write_vectors(writer, collection);
    writer.member("count", collection.stats.documents)
        .member("created_at", model::rfc3339(collection.spec.created_at_ms));
}

void write_tier(JsonWriter& writer, const service::CollectionTier& tier) {
    writer.member("policy", model::name_of(tier.policy))
        .member("tier", model::name_of(tier.tier))
        .member("pinned", tier.is_pinned);
}

void write_description(JsonWriter& writer, const service::CollectionDescription& collection) {
    open_collection(writer, collection);
    writer.member("condition", name_of(collection.condition));
    write_tier(writer, collection.tier);
    if (!collection.reason.empty()) {
        writer.member("reason", collection.reason);
    }
    const engine::CollectionStats& stats = collection.stats;
    writer.member("rows", stats.rows)
        .member("linked_rows", stats.linked_rows)
        .member("head_rows", stats.head_rows)
        .member("sequence", stats.last_sequence)
        .member("covered_sequence", stats.covered_sequence)
        .member("log_bytes", stats.log_bytes)
        .member("segment_files", stats.segment_files)
        .member("log_poisoned", stats.is_poisoned);
    if (stats.scrubbed_at_ms > 0) {
        writer.member("scrubbed_at", model::rfc3339(stats.scrubbed_at_ms));
    }
    writer.key("jobs").begin_array();
    for (const engine::JobState& job : stats.jobs) {
        writer.begin_object().member("kind", job.kind).member("done", job.done).member("total", job.total);
        if (job.seconds_left) {
            writer.member("seconds_left", *job.seconds_left);
        }
        writer.end_object();
    }
    writer.end_array();
    write_metadata_indexes(writer, collection);
    write_settings(writer, collection.spec.settings);
    writer.key("unindexed_fields").begin_array();
    for (const engine::UnindexedField& field : stats.unindexed_fields) {
        writer.begin_object()
            .member("field", field.wanted.key)
            .member("type", model::name_of(field.wanted.type))
            .member("reads", field.reads)
            .member("evaluated", field.evaluated)
            .member("seconds", field.seconds)
            .end_object();
    }
    writer.end_array().end_object();
}

namespace {

/// Moments that nobody knows are left out.
void write_held(JsonWriter& writer, const service::HeldCopies& held) {
    writer.key("held_by").begin_object().key("backups").begin_array();
    for (const service::HeldBackup& backup : held.backups) {
        writer.begin_object()
            .member("id", backup.id.to_string())
            .member("created_at", model::rfc3339(backup.created_ms));
        if (backup.until_ms > 0) {
            writer.member("until", model::rfc3339(backup.until_ms));
        }
        writer.end_object();
    }
    writer.end_array().member("archived_log", held.log_until_ms.has_value());
    if (held.log_until_ms.value_or(0) > 0) {
        writer.member("archived_log_until", model::rfc3339(*held.log_until_ms));
    }
    if (!held.error.empty()) {
        writer.member("error", held.error);
    }
    writer.end_object();
}

}  // namespace

std::string write_erase_receipt(const service::EraseReceipt& receipt) {
    JsonWriter writer;
    writer.begin_object().member("erased", receipt.files.erased).member("sequence", receipt.files.sequence);
    const std::pair<std::string_view, const std::vector<std::string>*> kLists[] = {
        {"rewritten", &receipt.files.rewritten}, {"removed", &receipt.files.removed}};
    for (const auto& [key, names] : kLists) {
        writer.key(key).begin_array();
        for (const std::string& name : *names) {
            writer.value(name);
        }
        writer.end_array();
    }
    writer.member("copy_renewed", receipt.has_renewed_copy)
        .member("completed_at", model::rfc3339(receipt.completed_at_ms));
    write_held(writer, receipt.held);
    writer.end_object();
    return std::move(writer).take();
}

}  // namespace akidb::rest
