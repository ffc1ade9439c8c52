// MetadataField: a metadata path that a collection keeps a typed index on, as declared by its owner. The type
// says which values are indexed (keyword and uuid: strings; integer and float: numbers; bool: booleans;
// datetime: RFC 3339 strings); it never changes an answer, only how fast it comes. Immutable value.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace akidb::model {

enum class MetadataIndexType : uint8_t { kKeyword, kInteger, kFloat, kBool, kDatetime, kUuid };
inline constexpr std::array<std::string_view, 6> kMetadataIndexTypeNames{"keyword", "integer",  "float",
                                                                         "bool",    "datetime", "uuid"};

struct MetadataField {
    std::string key;  // a path as in filters: "a.b"
    MetadataIndexType type = MetadataIndexType::kKeyword;
    bool operator==(const MetadataField&) const = default;
};

std::string_view name_of(MetadataIndexType type);
/// kInvalidArgument without a field; says so when the type is one that is yet to come.
Result<MetadataIndexType> metadata_index_type_from(std::string_view name);
/// Keys, their number, no key twice; field "metadata_indexes".
Result<void> validate(const std::vector<MetadataField>& fields);

}  // namespace akidb::model
