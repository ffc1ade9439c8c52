#include "model/expiry.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "model/metadata.h"
#include "model/moment.h"

namespace akidb::model {
namespace {

constexpr uint8_t kMomentTag = 9;  // one beyond those of metadata
constexpr uint8_t kLackingTag = 10;
static_assert(kExpiryBytes == sizeof(kMomentTag) + sizeof(uint64_t));
static_assert(kLackingBytes == sizeof(kLackingTag) + sizeof(uint8_t));
constexpr int64_t kLastSecond = 253'402'300'799;  // of the year 9999
constexpr int32_t kNanosPerSecond = 1'000'000'000;

/// The first millisecond stands for never.
uint64_t at_least_one(int64_t ms) {
    return static_cast<uint64_t>(std::max<int64_t>(1, ms));
}

Error no_moment(std::string what) {
    return invalid_argument("", std::move(what),
                            "an RFC 3339 time from 1970 to 9999 such as \"2030-01-31T12:00:00Z\"");
}

}  // namespace

StoredMetadata split_stored(std::string_view stored) {
    StoredMetadata found{stored};
    if (stored.size() < kExpiryBytes || MetadataView(stored).type() != MetadataType::kObject) {
        return found;
    }
    StoredMetadata split{MetadataView(stored).bytes()};
    ByteReader reader(stored.substr(split.metadata.size()));
    if (reader.remaining() == 0) {
        return found;
    }
    uint8_t tag = reader.get<uint8_t>();
    if (tag == kLackingTag) {
        split.lacking = reader.get<uint8_t>();
        tag = reader.remaining() > 0 ? reader.get<uint8_t>() : 0;
    }
    if (tag == kMomentTag) {
        split.expires_at_ms = reader.get<uint64_t>();
    }
    const bool is_whole = reader.finished() && trailer_bytes(split) + split.metadata.size() == stored.size();
    return is_whole ? split : found;
}

void append_lacking(std::string& metadata, uint8_t lacking) {
    if (lacking != 0) {
        ByteWriter writer(metadata);
        writer.put(kLackingTag);
        writer.put(lacking);
    }
}

void append_expiry(std::string& metadata, uint64_t expires_at_ms) {
    if (expires_at_ms > 0) {
        ByteWriter writer(metadata);
        writer.put(kMomentTag);
        writer.put(expires_at_ms);
    }
}

Result<void> validate_stored_metadata(std::string_view stored) {
    constexpr std::array<size_t, 3> kTrailers{kExpiryBytes, kLackingBytes, kLackingBytes + kExpiryBytes};
    for (const size_t bytes : kTrailers) {
        if (stored.size() > bytes && validate_metadata(stored.substr(0, stored.size() - bytes)).has_value()) {
            const StoredMetadata split = split_stored(stored);
            return trailer_bytes(split) == bytes ? Result<void>() : validate_metadata(stored);
        }
    }
    return validate_metadata(stored);
}

Result<uint64_t> parse_expiry(std::string_view text) {
    constexpr int64_t kMicrosecondsPerMs = 1'000;
    const std::optional<int64_t> moment = parse_moment(text);
    if (!moment.has_value() || *moment < 0) {
        return no_moment(moment ? "the time is before 1970" : "not a full date and time");
    }
    return at_least_one(*moment / kMicrosecondsPerMs);
}

Result<uint64_t> expiry_of(int64_t seconds, int32_t nanos) {
    if (seconds < 0 || seconds > kLastSecond || nanos < 0 || nanos >= kNanosPerSecond) {
        return no_moment("not a time from 1970 to 9999");
    }
    return at_least_one(seconds * 1000 + nanos / 1'000'000);
}

}  // namespace akidb::model
