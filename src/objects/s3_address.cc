#include "objects/s3_address.h"

#include <algorithm>
#include <array>

#include "base/printable.h"
#include "objects/aws_signature.h"

namespace akidb::objects {
namespace {

constexpr std::string_view kEndpoints = "http://HOST[:PORT] or https://HOST[:PORT]";

bool is_name(std::string_view text, std::string_view more) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') ||
               more.find(letter) != std::string_view::npos;
    });
}

Result<void> check_bucket(const std::string& bucket) {
    if (bucket.size() < 3 || bucket.size() > 63 || !is_name(bucket, ".-")) {
        return invalid_argument("bucket", "'" + printable(bucket) + "' is no bucket",
                                "3..63 lower-case letters, digits, '-' and '.'");
    }
    return {};
}

/// By which clouds hand out the keys of a machine. Addresses behind other names are refused when connecting.
bool is_metadata_host(std::string_view host) {
    constexpr std::array<std::string_view, 5> kHosts{"metadata.google.internal", "metadata",
                                                     "100.100.100.200", "[fd00:ec2::254]", "instance-data"};
    return host.starts_with("169.254.") || host.starts_with("[fe80:") ||
           std::find(kHosts.begin(), kHosts.end(), host) != kHosts.end();
}

Result<std::string> checked_host(std::string_view endpoint, std::string_view authority) {
    std::string host(authority);
    std::transform(host.begin(), host.end(), host.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter | 0x20) : letter;
    });
    const size_t bracket = host.find(']');
    const size_t colon = host.find(':', bracket == std::string::npos ? 0 : bracket);
    const std::string name = host.substr(0, colon);
    const std::string port = colon == std::string::npos ? "" : host.substr(colon + 1);
    const bool has_port =
        colon == std::string::npos ||
        (is_name(port, "") && port.size() <= 5 &&
         std::all_of(port.begin(), port.end(), [](char digit) { return digit >= '0' && digit <= '9'; }));
    const bool is_ip6 = name.starts_with('[') && name.ends_with(']') &&
                        is_name(std::string_view(name).substr(1, name.size() - 2), ":.");
    if (!has_port || !(is_ip6 || is_name(name, ".-"))) {
        return invalid_argument("endpoint", "'" + printable(endpoint) + "' is no endpoint",
                                std::string(kEndpoints));
    }
    if (is_metadata_host(name)) {
        return invalid_argument("endpoint",
                                "'" + printable(endpoint) +
                                    "' is where clouds keep a machine's own "
                                    "secrets, and no S3 server",
                                std::string(kEndpoints));
    }
    return host;
}

}  // namespace

Result<S3Address> S3Address::parse(const S3Options& options) {
    if (!is_name(options.region, "-")) {
        return invalid_argument("region", "'" + printable(options.region) + "' is no region",
                                "lower-case letters, digits and '-', as us-east-1");
    }
    AKIDB_TRY(check_bucket(options.bucket));
    const std::string endpoint =
        options.endpoint.empty() ? "https://s3." + options.region + ".amazonaws.com" : options.endpoint;
    S3Address address;
    for (const std::string_view scheme : {"https://", "http://"}) {
        if (endpoint.starts_with(scheme)) {
            address.scheme_ = scheme;
        }
    }
    if (address.scheme_.empty()) {
        return invalid_argument("endpoint", "'" + printable(endpoint) + "' is no endpoint",
                                std::string(kEndpoints));
    }
    std::string_view authority = std::string_view(endpoint).substr(address.scheme_.size());
    if (authority.ends_with('/')) {
        authority.remove_suffix(1);
    }
    AKIDB_TRY(address.host_, checked_host(endpoint, authority));
    const std::string own_port = address.scheme_ == "https://" ? ":443" : ":80";
    if (address.host_.ends_with(own_port)) {
        address.host_.resize(address.host_.size() - own_port.size());
    }
    if (options.addressing == Addressing::kHost) {
        address.host_ = options.bucket + "." + address.host_;
    } else {
        address.bucket_ = options.bucket;
    }
    return address;
}

std::string S3Address::path(std::string_view key) const {
    std::string path = "/";
    path += uri_encoded(bucket_, Slash::kEncoded);
    if (!bucket_.empty() && !key.empty()) {
        path += '/';
    }
    return path + uri_encoded(key, Slash::kKept);
}

std::string S3Address::url(std::string_view path, std::string_view query) const {
    std::string url = scheme_ + host_;
    url += path;
    if (!query.empty()) {
        url += '?';
        url += query;
    }
    return url;
}

Result<void> parse_s3_url(std::string_view url, S3Options& options) {
    constexpr std::string_view kScheme = "s3://";
    if (!url.starts_with(kScheme)) {
        return invalid_argument("url", "'" + printable(url) + "' is no place in S3",
                                "s3://BUCKET or "
                                "s3://BUCKET/PREFIX");
    }
    url.remove_prefix(kScheme.size());
    const size_t slash = std::min(url.find('/'), url.size());
    options.bucket = url.substr(0, slash);
    std::string_view prefix = url.substr(std::min(slash + 1, url.size()));
    while (prefix.ends_with('/')) {
        prefix.remove_suffix(1);
    }
    options.prefix = prefix;
    AKIDB_TRY(check_bucket(options.bucket));
    return check_prefix(options.prefix);
}

}  // namespace akidb::objects
