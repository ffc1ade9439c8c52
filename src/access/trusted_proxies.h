// TrustedProxies: who is the client behind a proxy? X-Forwarded-For is a list that each proxy adds its peer
// to on the right, and that a client may have begun with anything. So it is walked from the right, past
// proxies that the operator named, to the first address that is none: that is the client. Without named
// proxies, or when the peer is none, the header counts for nothing. With junk in it, or more than 16 hops,
// the socket's address stands for the client: nobody is framed, and the proxy's own limit is the worst that
// happens. Immutable; thread-safe.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "access/ip_address.h"
#include "base/result.h"

namespace akidb::access {

inline constexpr size_t kForwardedHopsMax = 16;
inline constexpr size_t kTrustedProxiesMax = 256;

enum class SourceOrigin { kSocket, kForwarded, kJunk };  // kJunk: the socket's, as the header was not usable

struct Source {
    IpAddress address;
    SourceOrigin origin = SourceOrigin::kSocket;
};

class TrustedProxies {
  public:
    TrustedProxies() = default;
    /// Networks as "10.0.0.0/8" or single addresses; kInvalidArgument names the one that is neither.
    static Result<TrustedProxies> parse(std::span<const std::string> networks);

    bool contains(const IpAddress& address) const;
    /// `forwarded`: the values of all X-Forwarded-For headers in the order they came.
    Source find_client(const IpAddress& socket, std::span<const std::string_view> forwarded) const;

  private:
    std::vector<IpRange> ranges_;
};

/// The same as texts, for both protocols. `proxies` null: the socket's, as is what cannot be read.
std::string client_of(const TrustedProxies* proxies, const std::string& socket,
                      std::span<const std::string> forwarded);

}  // namespace akidb::access
