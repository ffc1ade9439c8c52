// HttpClient: the door to other servers, for the command line and for object storage; by libcurl, with
// keep-alive. No redirects, no proxies from the environment, no cookies. Thread-compatible: one client per
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace akidb::io {

struct HttpRequest {
    std::string method = "GET";
    std::string url;
    std::string_view body;  // must outlive the call
    std::vector<std::pair<std::string, std::string>> headers;
    uint32_t timeout_ms = 30'000;
    uint32_t connect_timeout_ms = 0;  // 0: timeout_ms
    uint64_t reply_bytes_max = 256 << 20;
    uint64_t bytes_per_second_max = 0;  // each way, on average over the transfer; 0: any
    std::stop_token stop{};  // ends a request that is under way within about a second, as kUnavailable
};

struct HttpReply {
    int status = 0;
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
};

class HttpClient {
  public:
    virtual ~HttpClient() = default;
    /// Any HTTP status is a reply; kUnavailable when there was no connection or it broke, kDeadlineExceeded
    /// on time-out, kPayloadTooLarge when the reply passes reply_bytes_max.
    virtual Result<HttpReply> send(const HttpRequest& request) = 0;
};

struct HttpClientOptions {
    /// PEM of the authorities to trust for https, in place of the system's; empty: those.
    std::string ca_file{};
    /// Connections to link-local addresses are refused, whatever name led there: where clouds hand out the
    /// keys of a machine (169.254.0.0/16, fe80::/10, fd00:ec2::254, 100.100.100.200).
    bool refuses_link_local = false;
    /// The other way round: connections to loopback and to those addresses alone, for who asks for such keys.
    bool only_near = false;
};
std::unique_ptr<HttpClient> make_curl_http_client(HttpClientOptions options);

/// `ca_file`: PEM of the authorities to trust for https, in place of the system's; empty: those.
std::unique_ptr<HttpClient> make_curl_http_client(std::string ca_file = {});

}  // namespace akidb::io
