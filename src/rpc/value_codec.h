// Metadata between protobuf and its binary form (model/metadata.h), number for number and in the order of its
// keys. Errors: kInvalidArgument with the path within the metadata as field, begun by "metadata". Pure,
// thread-safe.
#pragma once

#include <akidb/v1/types.pb.h>

#include <string>

#include "model/metadata.h"

namespace akidb::rpc {

Result<std::string> read_metadata(const v1::Object& object);
void write_metadata(model::MetadataView metadata, v1::Object& object);

}  // namespace akidb::rpc
