#include "access/trusted_proxies.h"

#include <algorithm>
#include <optional>

namespace akidb::access {
namespace {

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
        text.remove_suffix(1);
    }
    return text;
}

bool is_port(std::string_view text) {
    return !text.empty() && text.size() <= 5 &&
           text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// An address alone, or as some proxies write it: "192.0.2.1:80", "[2001:db8::1]" or "[2001:db8::1]:80".
std::optional<IpAddress> parse_hop(std::string_view hop) {
    if (hop.starts_with('[')) {
        const size_t close = hop.find(']');
        if (close == std::string_view::npos) {
            return std::nullopt;
        }
        const std::string_view rest = hop.substr(close + 1);
        if (!rest.empty() && !(rest.front() == ':' && is_port(rest.substr(1)))) {
            return std::nullopt;
        }
        const std::optional<IpAddress> inside = IpAddress::parse(hop.substr(1, close - 1));
        return inside && hop.find(':') < close ? inside : std::nullopt;
    }
    const size_t colon = hop.find(':');
    if (colon != std::string_view::npos && hop.find(':', colon + 1) == std::string_view::npos) {
        return is_port(hop.substr(colon + 1)) ? IpAddress::parse(hop.substr(0, colon)) : std::nullopt;
    }
    return IpAddress::parse(hop);
}

}  // namespace

Result<TrustedProxies> TrustedProxies::parse(std::span<const std::string> networks) {
    if (networks.size() > kTrustedProxiesMax) {
        return invalid_argument(
            "", "there are " + std::to_string(networks.size()) + " networks of trusted proxies",
            "at most " + std::to_string(kTrustedProxiesMax));
    }
    TrustedProxies made;
    for (const std::string& network : networks) {
        const std::optional<IpRange> range = IpRange::parse(network);
        if (!range) {
            return invalid_argument("", "'" + network + "' is no network of trusted proxies",
                                    "an address, or a network with no bit set behind its prefix: 10.0.0.0/8");
        }
        made.ranges_.push_back(*range);
    }
    return made;
}

bool TrustedProxies::contains(const IpAddress& address) const {
    return std::any_of(ranges_.begin(), ranges_.end(),
                       [&](const IpRange& range) { return range.contains(address); });
}

Source TrustedProxies::find_client(const IpAddress& socket,
                                   std::span<const std::string_view> forwarded) const {
    if (forwarded.empty() || !contains(socket)) {
        return {socket, SourceOrigin::kSocket};
    }
    const Source junk{socket, SourceOrigin::kJunk};
    std::vector<std::string_view> hops;
    for (std::string_view header : forwarded) {
        while (true) {
            if (hops.size() == kForwardedHopsMax) {
                return junk;
            }
            const size_t comma = header.find(',');
            hops.push_back(trimmed(header.substr(0, comma)));
            if (comma == std::string_view::npos) {
                break;
            }
            header.remove_prefix(comma + 1);
        }
    }
    Source client{socket, SourceOrigin::kSocket};
    for (auto hop = hops.rbegin(); hop != hops.rend(); ++hop) {
        const std::optional<IpAddress> address = parse_hop(*hop);
        if (!address) {
            return junk;
        }
        client = {*address, SourceOrigin::kForwarded};
        if (!contains(*address)) {
            break;
        }
    }
    return client;
}

std::string client_of(const TrustedProxies* proxies, const std::string& socket,
                      std::span<const std::string> forwarded) {
    const auto address = IpAddress::parse(socket);
    if (proxies == nullptr || !address || forwarded.empty()) {
        return socket;
    }
    const std::vector<std::string_view> values(forwarded.begin(), forwarded.end());
    return proxies->find_client(*address, values).address.to_string();
}

}  // namespace akidb::access
