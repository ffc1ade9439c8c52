// What the header Idempotency-Key says (docs/idempotency.md): the key of a write, by which a retry is told
// from a new write. The fingerprint covers route, id and the very bytes of the body. Errors: kInvalidArgument
// on field "Idempotency-Key". Hashing a body of 64 MiB takes some 70 ms: not for an io thread. Pure,
// thread-safe.
#pragma once

#include <optional>
#include <vector>

#include "base/result.h"
#include "model/document_id.h"
#include "model/write_key.h"
#include "rest/http_server.h"
#include "rest/router.h"

namespace akidb::rest {

/// Nothing when the request has no such header. Before the body is read, which may change it.
Result<std::optional<model::WriteKey>> read_write_key(const HttpRequest& request, const RouteMatch& match,
                                                      const model::DocumentId& first_made_id);
/// For a route that cannot remember: kInvalidArgument when there is one, with `why`.
Result<void> refuse_write_key(const HttpRequest& request, std::string_view why);
/// Of documents without an id a retry makes ids that nobody gets to see: in their place those of the first
/// time.
void restore_made_ids(std::vector<model::DocumentId>& ids, const Uuid& made_now, const Uuid& made_first);

}  // namespace akidb::rest
