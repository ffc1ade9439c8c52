// What the header Idempotency-Key says (docs/idempotency.md): the key of a write, by which a retry is told
// from a new write. The fingerprint covers route, id and the very bytes of the body. Errors: kInvalidArgument
// on field "Idempotency-Key". Hashing a body of 64 MiB takes some 70 ms: not for an io thread. Pure,
// thread-safe.
#pragma once

#include <optional>

#include "base/result.h"
#include "model/document_id.h"
#include "model/write_key.h"
#include "rest/http_server.h"
#include "rest/router.h"

namespace akidb::rest {

/// Nothing when the request has no such header. Before the body is read, which may change it.
Result<std::optional<model::WriteKey>> read_write_key(const HttpRequest& request, const RouteMatch& match,
                                                      const model::DocumentId& first_made_id);

}  // namespace akidb::rest
