// Parts that several request bodies share. The reader stands on the value. Errors: kInvalidArgument with the
// path. Pure, thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/document.h"
#include "model/filter.h"
#include "rest/filter_codec.h"
#include "rest/json_reader.h"

namespace akidb::rest {

Result<model::DocumentId> read_id(JsonReader& reader);
/// 1..kBatchDocumentsMax of them.
Result<std::vector<model::DocumentId>> read_ids(JsonReader& reader);
/// An RFC 3339 time, or null for never (0).
Result<uint64_t> read_expiry(JsonReader& reader);
/// deadline_ms; the moment, by the monotonic clock that `received_us` is by.
Result<uint64_t> read_deadline(JsonReader& reader, uint64_t received_us);
/// An object of vectors by name.
Result<std::vector<model::NamedVector>> read_named_vectors(JsonReader& reader);
Result<model::Include> read_include(JsonReader& reader);
/// Null for the filter that matches everything.
Result<std::shared_ptr<const model::Filter>> read_shared_filter(JsonReader& reader,
                                                                FilterDialect dialect = FilterDialect::kOwn);
/// kInvalidArgument on a field that is not there, and would have been one of `allowed`.
Error missing(std::string_view path, std::string allowed);

}  // namespace akidb::rest
