#include "cli/rest_client.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

namespace akidb::cli {
namespace {

constexpr uint32_t kTimeoutMs = 120'000;
constexpr uint32_t kRetryAfterMaxS = 60;

std::string text_in(const nlohmann::json& object, const char* key) {
    const auto found = object.is_object() ? object.find(key) : object.end();
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Code code_of(int status, std::string_view name) {
    for (const CodeRow& row : kCodes) {
        if (row.name == name) {
            return row.code;
        }
    }
    for (const CodeRow& row : kCodes) {
        if (row.http == status) {
            return row.code;
        }
    }
    return status >= 500 ? Code::kUnavailable : Code::kInvalidArgument;
}

uint32_t retry_after(const io::HttpReply& reply) {
    for (const auto& [name, value] : reply.headers) {
        uint32_t seconds = 0;
        if (name == "retry-after" &&
            std::from_chars(value.data(), value.data() + value.size(), seconds).ec == std::errc{}) {
            return std::min(seconds, kRetryAfterMaxS);
        }
    }
    return 0;
}

}  // namespace

RestClient::RestClient(std::string url, std::string token, std::unique_ptr<io::HttpClient> http)
    : url_(std::move(url)), token_(std::move(token)), http_(std::move(http)) {
    while (url_.ends_with('/')) {
        url_.pop_back();
    }
}

Result<std::string> RestClient::send(std::string_view method, std::string_view path, std::string_view body,
                                     const std::string& key) {
    io::HttpRequest request;
    request.method = method;
    request.url = url_ + "/api/v1" + std::string(path);
    request.body = body;
    request.timeout_ms = kTimeoutMs;
    if (!body.empty()) {
        request.headers.emplace_back("Content-Type", "application/json");
    }
    if (!token_.empty()) {
        request.headers.emplace_back("Authorization", "Bearer " + token_);
    }
    if (!key.empty()) {
        request.headers.emplace_back("Idempotency-Key", key);
    }
    AKIDB_TRY(io::HttpReply reply, http_->send(request));
    if (reply.status < 200 || reply.status > 299) {
        return error_of(reply);
    }
    return std::move(reply.body);
}

std::string path_segment(std::string_view text) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string out;
    for (const char letter : text) {
        const auto byte = static_cast<unsigned char>(letter);
        const bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                              (byte >= '0' && byte <= '9') || letter == '-' || letter == '.' ||
                              letter == '_' || letter == '~';
        if (is_plain) {
            out += letter;
        } else {
            out += '%';
            out += kHex[byte >> 4];
            out += kHex[byte & 15];
        }
    }
    return out;
}

Error error_of(const io::HttpReply& reply) {
    const nlohmann::json body = nlohmann::json::parse(reply.body, nullptr, false);
    const auto error = body.is_object() && body.contains("error") ? body["error"] : nlohmann::json::object();
    std::string message = text_in(error, "message");
    if (message.empty()) {
        message = "the server answered " + std::to_string(reply.status);
    }
    return Error(code_of(reply.status, text_in(error, "code")), std::move(message))
        .with_field(text_in(error, "field"))
        .with_allowed(text_in(error, "allowed"))
        .with_retry_after(retry_after(reply));
}

ExitCode exit_code_of(const Error& error) {
    switch (error.code()) {
        case Code::kInternal:
        case Code::kUnimplemented:
            return ExitCode::kInternal;
        case Code::kUnavailable:
        case Code::kDeadlineExceeded:
        case Code::kRateLimited:
        case Code::kDataLoss:
        case Code::kDiskFull:
        case Code::kCancelled:
            return ExitCode::kIo;
        default:
            return ExitCode::kUsage;
    }
}

bool is_worth_retrying(const Error& error) {
    return error.code() == Code::kRateLimited || error.code() == Code::kUnavailable ||
           error.code() == Code::kDeadlineExceeded;
}

std::string describe(const Error& error) {
    std::string text = error.message();
    if (!error.field().empty()) {
        text +=
            " (" + error.field() + (error.allowed().empty() ? ")" : "; allowed: " + error.allowed() + ")");
    }
    return text;
}

}  // namespace akidb::cli
