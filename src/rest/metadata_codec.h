// Metadata between JSON and its binary form (model/metadata.h): integers stay integers, doubles keep every
// bit, keys keep their order. Depth and size are bounded while reading. Errors: kInvalidArgument with the
// path. Pure, thread-safe.
#pragma once

#include <string>

#include "model/metadata.h"
#include "rest/json_reader.h"
#include "rest/json_writer.h"

namespace akidb::rest {

/// The reader stands on the object. The encoded bytes.
Result<std::string> read_metadata(JsonReader& reader);
void write_metadata(JsonWriter& writer, model::MetadataView value);

}  // namespace akidb::rest
