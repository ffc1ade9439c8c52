// Small pieces of HTTP/1.1 as text: status lines, the head of an answer, and which request ids are
// well-formed. Nothing that came from a client is copied into a head unless it was checked here. Pure,
// thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rest/http_server.h"

namespace akidb::rest {

std::string_view reason_phrase(int status);

struct HeadOptions {
    std::string_view request_id;
    bool closes = false;            // Connection: close
    bool names_keep_alive = false;  // HTTP/1.0 clients want to read it
};
/// Status line, headers and the empty line. Header values with control characters are left out.
std::string response_head(const HttpResponse& response, const HeadOptions& options);
/// The cookie of a session: one that browsers take over TLS only, for this host and no other, or, without
/// TLS, a plain one.
std::string_view session_cookie_name(bool is_tls);
/// The values of the cookies of this name in a Cookie header, in their order.
void add_cookies(std::string_view header, std::string_view name, std::vector<std::string>& values);
/// A Set-Cookie that no script reads and no page of another site sends along; `max_age_s` 0 removes it.
std::string session_cookie(std::string_view token, uint64_t max_age_s, bool is_tls);
/// Whether a Content-Type is application/json, with whatever parameters.
bool is_json(std::string_view content_type);

}  // namespace akidb::rest
