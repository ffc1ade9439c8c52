// Expiry: the moment from which on a document is not there any more, in milliseconds since 1970 UTC; 0 for
// never. Log, segments and memory keep it right behind the document's metadata (docs/formats/metadata.md), so
// whatever carries the one carries the other: *stored metadata* is an encoded object; when the document lacks
// some of its collection's named vectors, 2 bytes that tell which; and when it expires, a moment of 9 bytes.
// Pure, thread-safe.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/result.h"

namespace akidb::model {

inline constexpr size_t kLackingBytes = 2;                                  // in the stored form
inline constexpr size_t kExpiryBytes = 9;                                   // the same
inline constexpr uint64_t kNeverMs = std::numeric_limits<uint64_t>::max();  // of moments that are compared

struct StoredMetadata {
    std::string_view metadata;
    uint64_t expires_at_ms = 0;
    uint8_t lacking = 0;  // bit i: the i-th of the named vectors is not there
};
/// Of bytes that passed validate_stored_metadata once, or a checksum; what else is behind the object is
/// passed over.
StoredMetadata split_stored(std::string_view stored);
/// How much stands behind the metadata.
inline size_t trailer_bytes(const StoredMetadata& split) {
    return (split.lacking != 0 ? kLackingBytes : 0) + (split.expires_at_ms != 0 ? kExpiryBytes : 0);
}
/// Behind metadata, before an expiry; nothing for 0.
void append_lacking(std::string& metadata, uint8_t lacking);
/// Behind metadata; nothing for 0.
void append_expiry(std::string& metadata, uint64_t expires_at_ms);
/// As validate_metadata.
Result<void> validate_stored_metadata(std::string_view stored);

/// RFC 3339, from 1970 on; what is finer than a millisecond is cut off. kInvalidArgument without a field.
Result<uint64_t> parse_expiry(std::string_view text);
/// What a protocol that counts seconds and nanoseconds says.
Result<uint64_t> expiry_of(int64_t seconds, int32_t nanos);

}  // namespace akidb::model
