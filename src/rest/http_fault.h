// HttpFault: a request that breaks HTTP itself or a limit, found before any handler sees it: answered by the
// connection, which is closed then, because its framing is not to be trusted any more. Values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace akidb::rest {

struct HttpFault {
    int status;
    std::string_view code;
    std::string message;
    std::string_view reason;     // of the metric
    uint32_t retry_after_s = 0;  // 0: no such header
};

inline HttpFault malformed(std::string message) {
    return {400, "INVALID_ARGUMENT", std::move(message), "malformed"};
}

inline HttpFault too_large(uint64_t limit) {
    return {413, "PAYLOAD_TOO_LARGE", "the body is larger than " + std::to_string(limit) + " bytes",
            "body_too_large"};
}

/// `body_bytes_max`: what would fit if it were alone.
inline HttpFault no_memory(uint64_t body_bytes, uint64_t body_bytes_max) {
    if (body_bytes > body_bytes_max) {
        return {413, "PAYLOAD_TOO_LARGE",
                "the body is larger than the " + std::to_string(body_bytes_max) +
                    " bytes for which the setting limits.request_memory_bytes leaves room",
                "body_too_large"};
    }
    return {429, "RESOURCE_EXHAUSTED",
            "the requests in flight take all the memory that the setting limits.request_memory_bytes allows",
            "memory", 1};
}

}  // namespace akidb::rest
