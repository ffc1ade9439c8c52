// Json requests for tests of the built server: a body in, status and parsed body out. Answers that are no
// JSON come as a string. The small documents that several tests write are made here too. Thread-safe.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "server_process.h"

namespace akidb::e2e {

using Json = nlohmann::json;

/// Of the collection that most of these tests fill.
inline const std::string kDocuments = "/api/v1/collections/numbers/documents";

struct JsonReply {
    int status = 0;  // 0: no answer came
    Json body;
};

inline JsonReply reply_of(const Result<io::HttpReply>& reply) {
    if (!reply) {
        return {0, reply.error().message()};
    }
    Json body = Json::parse(reply->body, nullptr, false);
    return {reply->status, body.is_discarded() ? Json(reply->body) : std::move(body)};
}

inline JsonReply ask(const ServerProcess& server, std::string_view method, std::string_view path,
                     const Json& body = nullptr) {
    return reply_of(server.request(method, path, body.is_null() ? std::string() : body.dump()));
}

/// GET of a whole URL, for the listener of probes.
inline JsonReply get_url(const std::string& url) {
    io::HttpRequest request;
    request.url = url;
    return reply_of(io::make_curl_http_client()->send(request));
}

inline constexpr size_t kDimension = 16;

/// Far from that of any other number under l2.
inline std::vector<float> vector_of(size_t number) {
    std::vector<float> vector(kDimension, 0.25F);
    vector[0] = static_cast<float>(number);
    return vector;
}

inline Json document_of(size_t number) {
    return {{"id", number}, {"vector", vector_of(number)}, {"metadata", {{"parity", number % 2}}}};
}

inline Json documents_up_to(size_t count) {
    Json documents = Json::array();
    for (size_t number = 0; number < count; ++number) {
        documents.push_back(document_of(number));
    }
    return {{"documents", std::move(documents)}};
}

inline Json collection_named(const char* name) {
    return {{"name", name}, {"dimension", kDimension}, {"metric", "l2"}};
}

}  // namespace akidb::e2e
