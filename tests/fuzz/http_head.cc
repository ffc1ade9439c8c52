// The head of an HTTP request: parsed with the limits of the server, then what of it reaches our own code:
// the route, the query, ids in paths, request ids and content types.
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <cstdint>
#include <string>

#include "model/document_id.h"
#include "model/limits.h"
#include "rest/http_text.h"
#include "rest/router.h"
#include "service/context.h"

namespace akidb {

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    namespace http = boost::beast::http;
    constexpr std::array<std::string_view, 2> kParameters{"durability", "id_type"};
    http::request_parser<http::empty_body> parser;
    parser.header_limit(static_cast<uint32_t>(model::kHeaderBytesMax));
    parser.eager(false);
    boost::beast::error_code error;
    parser.put(boost::asio::buffer(data, size), error);
    if (error || !parser.is_header_done()) {
        return 0;
    }
    const auto& head = parser.get();
    const std::string target(head.target());
    const size_t mark = std::min(target.find('?'), target.size());
    const auto match = rest::match_route(std::string(head.method_string()), target.substr(0, mark));
    if (match) {
        for (const std::string& captured : match->captured) {
            static_cast<void>(model::DocumentId::from_path(captured).has_value());
        }
    }
    if (mark < target.size()) {
        static_cast<void>(rest::parse_query(target.substr(mark + 1), kParameters).has_value());
    }
    static_cast<void>(rest::is_json(std::string(head[http::field::content_type])));
    static_cast<void>(service::is_request_id(std::string(head["X-Request-Id"])));
    return 0;
}

}  // namespace akidb
