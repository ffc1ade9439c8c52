// Metadata between protobuf and its binary form (model/metadata.h), number for number and in the order of its
// keys. Errors: kInvalidArgument with the path within the metadata as field, begun by their name. Pure,
// thread-safe.
#pragma once

#include <akidb/v1/types.pb.h>

#include <string>
#include <string_view>

#include "model/filter.h"
#include "model/metadata.h"

namespace akidb::rpc {

/// `name`: of the field that holds it, for errors.
Result<std::string> read_metadata(const v1::Object& object, std::string_view name = "metadata");
void write_metadata(model::MetadataView metadata, v1::Object& object);
void write_value(const model::MatchValue& from, v1::Value& to);

}  // namespace akidb::rpc
