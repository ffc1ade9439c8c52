// IpAddress and IpRange: addresses as values, for rate limits and lists of networks. An IPv4 address inside
// IPv6 (::ffff:1.2.3.4), which a socket open to both gives, is the IPv4 address. Pure values;
// thread-compatible.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace akidb::access {

struct IpAddress {
    std::array<uint8_t, 16> bytes{};  // of IPv4 the first four
    bool is_ipv4 = true;

    /// "192.0.2.1" or "2001:db8::1"; no names, ports, brackets, zones or spaces.
    static std::optional<IpAddress> parse(std::string_view text);
    std::string to_string() const;
    /// With all but the first bits cleared.
    IpAddress prefix(unsigned bits) const;
    unsigned bits() const { return is_ipv4 ? 32 : 128; }

    auto operator<=>(const IpAddress&) const = default;
};

struct IpRange {
    IpAddress first;
    unsigned bits = 0;

    /// "10.0.0.0/8", or one address. Nothing when bits behind the prefix are set, which is mostly a mistake.
    static std::optional<IpRange> parse(std::string_view text);
    bool contains(const IpAddress& address) const;
};

}  // namespace akidb::access
