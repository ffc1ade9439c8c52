// Small pieces of HTTP/1.1 as text: status lines, the head of an answer, and which request ids are
// well-formed. Nothing that came from a client is copied into a head unless it was checked here. Pure,
// thread-safe.
#pragma once

#include <string>
#include <string_view>

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
/// Whether a Content-Type is application/json, with whatever parameters.
bool is_json(std::string_view content_type);

}  // namespace akidb::rest
