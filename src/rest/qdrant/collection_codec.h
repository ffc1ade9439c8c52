// Collections, their indexes and aliases in the Qdrant dialect. Reading as reading.h says.
#pragma once

#include <string>
#include <vector>

#include "rest/json_writer.h"
#include "service/service.h"

namespace akidb::rest::qdrant {

/// {"vectors":{"size","distance"}}; the name is in the path.
Result<service::CreateCollection> read_create_body(std::string& body);
/// Nothing can be changed in this dialect: what is there, and not null or empty, is refused by name.
Result<void> read_update_body(std::string& body);
/// {"field_name","field_schema"}, where the schema is a type or {"type":…}.
Result<model::MetadataField> read_index_body(std::string& body);
/// {"actions":[{"create_alias":{…}},{"delete_alias":{…}},{"rename_alias":{…}}]}.
Result<std::vector<service::AliasAction>> read_aliases_body(std::string& body);

void write_collection(JsonWriter& writer, const service::CollectionDescription& collection);

}  // namespace akidb::rest::qdrant
