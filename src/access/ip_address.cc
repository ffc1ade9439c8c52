#include "access/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace akidb::access {
namespace {

constexpr std::array<uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    std::array<char, INET6_ADDRSTRLEN> terminated{};
    if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    std::memcpy(terminated.data(), text.data(), text.size());
    IpAddress address;
    if (inet_pton(AF_INET, terminated.data(), address.bytes.data()) == 1) {
        return address;
    }
    std::array<uint8_t, 16> ipv6{};
    if (inet_pton(AF_INET6, terminated.data(), ipv6.data()) != 1) {
        return std::nullopt;
    }
    if (std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), ipv6.begin())) {
        std::copy_n(ipv6.begin() + kMappedPrefix.size(), 4, address.bytes.begin());
        return address;
    }
    address.bytes = ipv6;
    address.is_ipv4 = false;
    return address;
}

std::string IpAddress::to_string() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const char* written = inet_ntop(is_ipv4 ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
    return written == nullptr ? "" : written;
}

IpAddress IpAddress::prefix(unsigned bits) const {
    IpAddress kept = *this;
    for (unsigned i = 0; i < kept.bytes.size(); ++i) {
        const unsigned here = bits > i * 8 ? std::min(8U, bits - i * 8) : 0;
        kept.bytes[i] = static_cast<uint8_t>(kept.bytes[i] & (0xff00U >> here));
    }
    return kept;
}

std::optional<IpRange> IpRange::parse(std::string_view text) {
    const size_t slash = text.find('/');
    const std::optional<IpAddress> first = IpAddress::parse(text.substr(0, slash));
    if (!first) {
        return std::nullopt;
    }
    IpRange range{.first = *first, .bits = first->bits()};
    if (slash != std::string_view::npos) {
        const std::string_view digits = text.substr(slash + 1);
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), range.bits);
        if (error != std::errc() || end != digits.data() + digits.size() || range.bits > first->bits()) {
            return std::nullopt;
        }
    }
    return range.first.prefix(range.bits) == range.first ? std::optional(range) : std::nullopt;
}

bool IpRange::contains(const IpAddress& address) const {
    return address.is_ipv4 == first.is_ipv4 && address.prefix(bits) == first;
}

}  // namespace akidb::access
