// Error: what went wrong, as a value. The codes are the gRPC canonical ones, refined where HTTP tells apart
// what gRPC does not (a full disk, a rate limit and a body too large are all RESOURCE_EXHAUSTED to gRPC). The
// table below is the only place that knows names, gRPC numbers and HTTP statuses. Values: thread-compatible.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace akidb {

enum class Code : uint8_t {
    kInvalidArgument,
    kUnauthenticated,
    kPermissionDenied,
    kNotFound,
    kAlreadyExists,
    kConflict,
    kPayloadTooLarge,
    kRateLimited,
    kCancelled,
    kInternal,
    kUnimplemented,
    kUnavailable,
    kDataLoss,
    kDeadlineExceeded,
    kDiskFull,
};

struct CodeRow {
    Code code;
    std::string_view name;  // as it stands in the JSON answer
    int grpc;               // canonical gRPC status code
    int http;
    std::string_view meaning;
};

inline constexpr std::array<CodeRow, 15> kCodes{{
    {Code::kInvalidArgument, "INVALID_ARGUMENT", 3, 400,
     "the request is wrong; sending it again cannot help"},
    {Code::kUnauthenticated, "UNAUTHENTICATED", 16, 401, "no valid credentials"},
    {Code::kPermissionDenied, "PERMISSION_DENIED", 7, 403, "the credentials do not allow this action"},
    {Code::kNotFound, "NOT_FOUND", 5, 404, "the named thing does not exist"},
    {Code::kAlreadyExists, "ALREADY_EXISTS", 6, 409, "the name is taken"},
    {Code::kConflict, "ABORTED", 10, 409,
     "the thing is in a state, or was changed, so that this cannot be done now"},
    {Code::kPayloadTooLarge, "PAYLOAD_TOO_LARGE", 8, 413, "the request is larger than its limit"},
    {Code::kRateLimited, "RESOURCE_EXHAUSTED", 8, 429,
     "too much at once; try again after Retry-After seconds"},
    {Code::kCancelled, "CANCELLED", 1, 499, "the client gave up"},
    {Code::kInternal, "INTERNAL", 13, 500, "a fault of ours; the server's log has the request id"},
    {Code::kUnimplemented, "UNIMPLEMENTED", 12, 501, "the protocol feature asked for is not offered"},
    {Code::kUnavailable, "UNAVAILABLE", 14, 503, "not now: loading, draining or out of service; try again"},
    {Code::kDataLoss, "DATA_LOSS", 15, 503,
     "damaged files: the collection is quarantined until repaired or restored"},
    {Code::kDeadlineExceeded, "DEADLINE_EXCEEDED", 4, 504, "the time allowed ran out"},
    {Code::kDiskFull, "DISK_FULL", 8, 507, "no space for writes; reads and deletes go on"},
}};

constexpr const CodeRow& row_of(Code code) {
    return kCodes[static_cast<size_t>(code)];
}

class [[nodiscard]] Error {
  public:
    Error(Code code, std::string message) : code_(code), message_(std::move(message)) {}

    Code code() const { return code_; }
    const std::string& message() const { return message_; }
    /// The request field or setting at fault, as the client wrote it; empty when there is none.
    const std::string& field() const { return field_; }
    /// What would have been accepted, in words for a person ("1..10000"); empty when not applicable.
    const std::string& allowed() const { return allowed_; }
    /// Seconds after which a retry can succeed; 0 when unknown.
    uint32_t retry_after_s() const { return retry_after_s_; }

    Error&& with_field(std::string field) && {
        field_ = std::move(field);
        return std::move(*this);
    }
    Error&& with_allowed(std::string allowed) && {
        allowed_ = std::move(allowed);
        return std::move(*this);
    }
    Error&& with_retry_after(uint32_t seconds) && {
        retry_after_s_ = seconds;
        return std::move(*this);
    }
    /// Pushes context on the way up: "opening collection words: reading MANIFEST-3: …".
    Error&& with_context(std::string_view context) && {
        message_.insert(0, ": ").insert(0, context);
        return std::move(*this);
    }
    /// Puts `prefix` in front of the field, for nested requests: "documents[3]" + "vector[2]".
    Error&& with_field_prefix(std::string_view prefix) && {
        if (!field_.empty() && field_.front() != '[') {
            field_.insert(0, ".");
        }
        field_.insert(0, prefix);
        return std::move(*this);
    }

  private:
    Code code_;
    uint32_t retry_after_s_ = 0;
    std::string message_;
    std::string field_;
    std::string allowed_;
};

inline Error invalid_argument(std::string field, std::string message, std::string allowed = {}) {
    return Error(Code::kInvalidArgument, std::move(message))
        .with_field(std::move(field))
        .with_allowed(std::move(allowed));
}

}  // namespace akidb
