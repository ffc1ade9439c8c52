#include "rest/http_text.h"

#include <algorithm>
#include <array>

namespace akidb::rest {
namespace {

struct Phrase {
    int status;
    std::string_view text;
};
constexpr std::array<Phrase, 23> kPhrases{{
    {200, "OK"},
    {201, "Created"},
    {204, "No Content"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {499, "Client Closed Request"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
}};

bool is_header_text(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char letter) {
        auto byte = static_cast<unsigned char>(letter);
        return byte >= 0x20 && byte != 0x7f;
    });
}

}  // namespace

std::string_view reason_phrase(int status) {
    for (const Phrase& phrase : kPhrases) {
        if (phrase.status == status) {
            return phrase.text;
        }
    }
    return "Unknown";
}

std::string response_head(const HttpResponse& response, const HeadOptions& options) {
    std::string head;
    head.reserve(320);
    head.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
    head.append(reason_phrase(response.status)).append("\r\n");
    auto add = [&head](std::string_view name, std::string_view value) {
        if (is_header_text(name) && is_header_text(value)) {
            head.append(name).append(": ").append(value).append("\r\n");
        }
    };
    if (!response.body.empty()) {
        add("Content-Type", response.content_type);
    }
    add("Content-Length", std::to_string(response.body.size()));
    if (!options.request_id.empty()) {
        add("X-Request-Id", options.request_id);
    }
    if (options.closes) {
        add("Connection", "close");
    } else if (options.names_keep_alive) {
        add("Connection", "keep-alive");
    }
    // Nobody guesses that an answer is a script, and nobody keeps what a collection held.
    head.append("X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n");
    for (const auto& [name, value] : response.headers) {
        add(name, value);
    }
    return head.append("\r\n");
}

std::string_view session_cookie_name(bool is_tls) {
    return is_tls ? "__Host-akidb" : "akidb_session";
}

void add_cookies(std::string_view header, std::string_view name, std::vector<std::string>& values) {
    while (!header.empty()) {
        std::string_view pair = header.substr(0, header.find(';'));
        header.remove_prefix(std::min(header.size(), pair.size() + 1));
        pair.remove_prefix(std::min(pair.size(), pair.find_first_not_of(' ')));
        if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=') {
            values.emplace_back(pair.substr(name.size() + 1));
        }
    }
}

std::string session_cookie(std::string_view token, uint64_t max_age_s, bool is_tls) {
    std::string cookie(session_cookie_name(is_tls));
    cookie.append("=").append(token).append("; Path=/; Max-Age=").append(std::to_string(max_age_s));
    return cookie.append(is_tls ? "; Secure; HttpOnly; SameSite=Strict" : "; HttpOnly; SameSite=Strict");
}

bool is_json(std::string_view content_type) {
    std::string_view type = content_type.substr(0, content_type.find(';'));
    while (!type.empty() && type.back() == ' ') {
        type.remove_suffix(1);
    }
    constexpr std::string_view kJson = "application/json";
    return std::equal(type.begin(), type.end(), kJson.begin(), kJson.end(),
                      [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

}  // namespace akidb::rest
