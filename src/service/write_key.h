// The key by which a retry of a write is known (docs/idempotency.md), as far as all protocols treat it alike:
// what a key may look like, and which ids a replay answers with. Errors: kInvalidArgument on field
// "Idempotency-Key". Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/document_id.h"
#include "model/write_key.h"

namespace akidb::service {

/// `texts`: each key that the request has; null when it has none.
Result<const std::string*> find_write_key(const std::vector<std::string>& texts);
/// For what cannot be remembered: kInvalidArgument when there is a key, with `why`.
Result<void> refuse_write_key(const std::vector<std::string>& texts, std::string_view why);
/// Of documents without an id a retry makes ids that nobody gets to see: in their place those of the first
/// time.
void restore_made_ids(std::vector<model::DocumentId>& ids, const Uuid& made_now, const Uuid& made_first);

}  // namespace akidb::service
