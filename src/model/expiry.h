// Expiry: the moment from which on a document is not there any more, in milliseconds since 1970 UTC; 0 for
// never. Log, segments and memory keep it right behind the document's metadata (docs/formats/metadata.md), so
// whatever carries the one carries the other: *stored metadata* is an encoded object and, when the document
// expires, a moment of 9 bytes. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/result.h"

namespace akidb::model {

inline constexpr size_t kExpiryBytes = 9;                                   // in the stored form
inline constexpr uint64_t kNeverMs = std::numeric_limits<uint64_t>::max();  // of moments that are compared

struct StoredMetadata {
    std::string_view metadata;
    uint64_t expires_at_ms = 0;
};
/// Of bytes that passed validate_stored_metadata once, or a checksum; what is no moment behind the object is
/// passed over.
StoredMetadata split_stored(std::string_view stored);
/// Behind metadata; nothing for 0.
void append_expiry(std::string& metadata, uint64_t expires_at_ms);
/// As validate_metadata.
Result<void> validate_stored_metadata(std::string_view stored);

/// RFC 3339, from 1970 on; what is finer than a millisecond is cut off. kInvalidArgument without a field.
Result<uint64_t> parse_expiry(std::string_view text);
/// What a protocol that counts seconds and nanoseconds says.
Result<uint64_t> expiry_of(int64_t seconds, int32_t nanos);

}  // namespace akidb::model
