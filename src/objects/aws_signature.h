// AWS Signature Version 4 ("Authenticating Requests: Using the Authorization Header", Amazon S3 API
// reference): proves to an S3 server who sends a request and that nobody changed it on its way. Own code,
// because the one in libcurl 7.88 signs neither unsorted queries nor header lists with removed entries right.
// Held against the vectors that AWS publishes. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/secret.h"

namespace akidb::objects {

struct Credentials {
    std::string access_key;
    Secret secret_key;
    Secret session_token{};  // empty for keys that last
};

using TextPairs = std::vector<std::pair<std::string, std::string>>;

struct RequestToSign {
    std::string_view method;
    std::string_view path;     // as sent: encoded, with its leading '/'
    const TextPairs& query;    // not encoded
    const TextPairs& headers;  // all that shall be signed, "host" and "x-amz-date" among them; lower case
    std::string_view payload_sha256;  // hex
    std::string_view region;
    std::string_view service;
    uint64_t unix_ms = 0;
};

/// The value of the header Authorization.
std::string authorization(const RequestToSign& request, const Credentials& credentials);

/// 20130524T000000Z.
std::string amz_date(uint64_t unix_ms);
enum class Slash : uint8_t { kKept, kEncoded };
/// All but letters, digits and "-._~" as %XX.
std::string uri_encoded(std::string_view text, Slash slash);
/// Sorted and encoded, as it stands in the URL and under the signature.
std::string canonical_query(const TextPairs& query);

}  // namespace akidb::objects
