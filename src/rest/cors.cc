#include "rest/cors.h"

#include <algorithm>
#include <utility>

namespace akidb::rest {
namespace {

class CorsHandler final : public HttpHandler {
  public:
    CorsHandler(std::vector<std::string> origins, HttpHandler& inner)
        : origins_(std::move(origins)), inner_(inner) {}

    uint64_t body_bytes_max(std::string_view method, std::string_view path) const override {
        return inner_.body_bytes_max(method, path);
    }

    void handle(HttpRequest request, Respond respond) override {
        if (request.origin.empty()) {
            inner_.handle(std::move(request), std::move(respond));
            return;
        }
        const bool is_allowed = std::find(origins_.begin(), origins_.end(), request.origin) != origins_.end();
        if (!is_allowed) {
            // Without the header the browser keeps the answer from the page.
            inner_.handle(std::move(request), std::move(respond));
            return;
        }
        if (request.method == "OPTIONS") {
            HttpResponse answer{.status = 204};
            allow(answer, request.origin);
            answer.headers.emplace_back("Access-Control-Allow-Methods",
                                        "GET, HEAD, POST, PUT, PATCH, DELETE");
            answer.headers.emplace_back("Access-Control-Allow-Headers",
                                        "Authorization, Content-Type, Idempotency-Key, X-Request-Id, "
                                        "api-key, traceparent, tracestate");
            answer.headers.emplace_back("Access-Control-Max-Age", "600");
            respond(std::move(answer));
            return;
        }
        std::string origin = request.origin;
        inner_.handle(std::move(request),
                      [origin = std::move(origin), respond = std::move(respond)](HttpResponse answer) {
                          allow(answer, origin);
                          respond(std::move(answer));
                      });
    }

    HttpResponse error_response(int status, std::string_view code, std::string_view message,
                                std::string_view request_id) const override {
        return inner_.error_response(status, code, message, request_id);
    }

  private:
    static void allow(HttpResponse& answer, const std::string& origin) {
        answer.headers.emplace_back("Access-Control-Allow-Origin", origin);
        answer.headers.emplace_back("Access-Control-Expose-Headers", "X-Request-Id, Retry-After");
        answer.headers.emplace_back("Vary", "Origin");
    }

    const std::vector<std::string> origins_;
    HttpHandler& inner_;
};

bool is_origin(std::string_view text) {
    const size_t scheme = text.starts_with("https://") ? 8 : text.starts_with("http://") ? 7 : text.size();
    constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789.-:[]";
    const std::string_view host = text.substr(scheme);
    return !host.empty() && host.find_first_not_of(kLetters) == std::string_view::npos;
}

}  // namespace

std::unique_ptr<HttpHandler> make_cors_handler(std::vector<std::string> origins, HttpHandler& inner) {
    return std::make_unique<CorsHandler>(std::move(origins), inner);
}

Result<std::vector<std::string>> parse_origins(std::string_view list) {
    std::vector<std::string> origins;
    while (!list.empty()) {
        const size_t comma = std::min(list.find(','), list.size());
        std::string_view origin = list.substr(0, comma);
        list.remove_prefix(std::min(comma + 1, list.size()));
        origin.remove_prefix(std::min(origin.find_first_not_of(' '), origin.size()));
        origin = origin.substr(0, origin.find_last_not_of(' ') + 1);
        if (!is_origin(origin) || origins.size() == kCorsOriginsMax) {
            return invalid_argument("", "'" + std::string(origin) + "' is no origin, or one too many",
                                    "at most " + std::to_string(kCorsOriginsMax) +
                                        " such as https://console.example:8443, in small "
                                        "letters and without a path");
        }
        origins.emplace_back(origin);
    }
    return origins;
}

}  // namespace akidb::rest
