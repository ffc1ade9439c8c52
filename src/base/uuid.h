// Uuid: 16 bytes with the usual text form. Making one needs a clock and randomness, so that lives in
// io/random.h. Immutable value.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace akidb {

struct Uuid {
    std::array<uint8_t, 16> bytes{};

    /// 8-4-4-4-12 lower-case hex.
    std::string to_string() const;
    /// Accepts exactly the 36-character form, either case; nothing else.
    static std::optional<Uuid> parse(std::string_view text);
    auto operator<=>(const Uuid&) const = default;
};

/// Version 7 (RFC 9562): 48 bits of milliseconds, then the random bits.
Uuid make_uuid_v7(uint64_t unix_ms, uint64_t random_high, uint64_t random_low);

}  // namespace akidb
