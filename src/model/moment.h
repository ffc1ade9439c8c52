// Moment: a point in time as filters compare them: microseconds since 1970 in UTC, read from an RFC 3339 text
// ("2026-01-31T12:00:00Z", any offset, any fraction, cut to microseconds). Years 0000 to 9999; a leap second
// is the first moment of the next minute. And the text of a moment of a clock. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace akidb::model {

/// Nothing when the text is not a full RFC 3339 date and time.
std::optional<int64_t> parse_moment(std::string_view text);
/// RFC 3339 in UTC, to the millisecond: 2026-01-31T12:00:00.000Z.
std::string rfc3339(uint64_t unix_ms);

}  // namespace akidb::model
