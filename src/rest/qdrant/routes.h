// The Qdrant dialect: the routes that Qdrant's clients call, at the root of the same port, over the same
// service functions. A point is a document, its payload the metadata. docs/qdrant.md tells what is offered.
// Answers are {"result":…,"status":"ok","time":s}, errors {"status":{"error":"…"},"time":s}. Thread-safe.
#pragma once

#include <memory>

#include "rest/call.h"
#include "service/service.h"

namespace akidb::rest::qdrant {

/// Of the error shape of this dialect.
HttpResponse error_answer(const Error& error, std::string_view request_id);
std::string error_body(std::string_view message);

/// Whether perform() is quick enough for an io thread with a body of this size.
bool is_quick(RouteId route, size_t body_bytes);
/// Decodes, calls and answers, now or when the write is done. `call` has a route of the dialect.
Result<void> perform(const std::shared_ptr<Call>& call, service::Service& service);

}  // namespace akidb::rest::qdrant
