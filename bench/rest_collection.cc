#include "bench/rest_collection.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace akidb::bench {
namespace {

using Json = nlohmann::json;

std::string checked(const support::HttpReply& reply, const std::string& what) {
    if (reply.status != 200) {
        throw std::runtime_error(what + " answered " + std::to_string(reply.status) + ": " + reply.body);
    }
    return reply.body;
}

}  // namespace

std::string search_body(std::span<const float> vector, const SearchOptions& options, bool with_metadata) {
    std::string body = R"({"vector":[)";
    char text[32];
    for (size_t index = 0; index < vector.size(); ++index) {
        auto [end, error] = std::to_chars(text, text + sizeof(text), vector[index]);
        body.append(index > 0 ? "," : "").append(text, end);
    }
    body.append(R"(],"top_k":)").append(std::to_string(options.k));
    if (with_metadata) {
        body.append(R"(,"include":["metadata"])");
    }
    if (options.exact) {
        body.append(R"(,"params":{"exact":true})");
    } else if (options.ef > 0) {
        body.append(R"(,"params":{"ef":)").append(std::to_string(options.ef)).append("}");
    }
    return body.append("}");
}

RestCollection::RestCollection(const std::string& url, const std::string& name)
    : connection_(support::parse_url(url), 120'000),
      path_("/api/v1/collections/" + name),
      search_path_(path_ + "/search") {}

std::string RestCollection::get(const std::string& path) {
    return checked(connection_.request("GET", path), "GET " + path);
}

CollectionFacts RestCollection::facts() {
    Json described = Json::parse(get(path_));
    Json stats = Json::parse(get(path_ + "/stats"));
    CollectionFacts facts;
    facts.metric = described.at("metric").get<std::string>();
    facts.count = described.at("count").get<uint64_t>();
    facts.linked_rows = stats.at("linked_rows").get<uint64_t>();
    facts.head_rows = stats.at("head_rows").get<uint64_t>();
    return facts;
}

std::vector<Found> RestCollection::search(const std::string& body) {
    Json answer =
        Json::parse(checked(connection_.request("POST", search_path_, body), "POST " + search_path_));
    std::vector<Found> found;
    for (const Json& match : answer.at("matches")) {
        found.push_back({match.at("id").get<uint64_t>(), match.at("score").get<double>(),
                         match.contains("metadata") ? match.at("metadata").dump() : std::string()});
    }
    return found;
}

std::vector<float> RestCollection::vector_of(uint64_t id) {
    return Json::parse(get(path_ + "/documents/" + std::to_string(id)))
        .at("vector")
        .get<std::vector<float>>();
}

}  // namespace akidb::bench
