// make_cors_handler: lets pages of the named origins call the API from a browser (the Fetch standard's CORS),
// in front of another handler. It answers a browser's question beforehand (OPTIONS) itself, as that carries
// no credentials, and names the origin in every answer to it. Origins are compared letter by letter; cookies
// are never allowed across origins: such pages show a token. Thread-safe as the inner handler is, which must
// outlive it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rest/http_server.h"

namespace akidb::rest {

inline constexpr size_t kCorsOriginsMax = 64;

std::unique_ptr<HttpHandler> make_cors_handler(std::vector<std::string> origins, HttpHandler& inner);

/// "https://a.example, http://localhost:3000" as a list; kInvalidArgument names what is no origin ("*" is
/// none).
Result<std::vector<std::string>> parse_origins(std::string_view list);

}  // namespace akidb::rest
