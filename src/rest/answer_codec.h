// Answers of /api/v1 as JSON, and the one error shape of every HTTP answer:
// {"error":{"code","message","field","allowed","request_id"}} (field and allowed only where there is one),
// with Retry-After in whole seconds where a retry can help. Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "model/document.h"
#include "rest/http_server.h"
#include "rest/json_writer.h"
#include "service/service.h"

namespace akidb::rest {

HttpResponse error_answer(const Error& error, std::string_view request_id);
/// For faults that HTTP knows and our codes do not (404 of a route, 405, 415, 431 …).
HttpResponse error_answer(int status, std::string_view code, std::string_view message,
                          std::string_view request_id);

void write_id(JsonWriter& writer, const model::DocumentId& id);
/// id, then the parts that `include` names; the object is left open for the caller to add to.
void open_document(JsonWriter& writer, const model::Document& document, const model::Include& include);
/// The parts of it that `include` names, as members of an object that the caller opened.
void write_parts(JsonWriter& writer, const model::Document& document, const model::Include& include);
/// As create answers: id, name, dimension, metric, storage, count, created_at.
void open_collection(JsonWriter& writer, const service::CollectionDescription& collection);
/// policy, tier and pinned, as members of an object that the caller opened.
void write_tier(JsonWriter& writer, const service::CollectionTier& tier);
/// As describe and stats answer: the above, condition and sizes; closed.
void write_description(JsonWriter& writer, const service::CollectionDescription& collection);
std::string write_erase_receipt(const service::EraseReceipt& receipt);

}  // namespace akidb::rest
