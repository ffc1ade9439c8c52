// tiers: where collections are kept, and what the object store still owes.
#include <nlohmann/json.hpp>

#include "cli/rest_client.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

namespace akidb::cli {
namespace {

using Json = nlohmann::ordered_json;
using Table = std::vector<std::vector<std::string>>;

std::string cell(const Json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) {
        return "-";
    }
    return found->is_string() ? found->get<std::string>() : found->dump();
}

struct Request {
    std::string method;
    std::string path;
    std::string body{};
};

Result<Request> request_of(const Arguments& arguments) {
    const TierArguments& tiers = arguments.tiers;
    const std::string collection = "/collections/" + path_segment(arguments.collection);
    const auto action = [&](const char* name) {
        return Request{"POST", collection + "/tier", Json({{"action", name}}).dump()};
    };
    const std::string letters = "/tiers/dead-letters";
    if (tiers.act == "show") {
        return Request{"GET", collection + "/tier"};
    }
    if (tiers.act == "policy") {
        return Request{"PATCH", collection, Json({{"policy", tiers.policy}}).dump()};
    }
    if (tiers.act == "promote") {
        return action("promote_to_hot");
    }
    if (tiers.act == "demote") {
        return action(tiers.to == "cold" ? "demote_to_cold" : "demote_to_warm");
    }
    if (tiers.act == "pin" || tiers.act == "unpin") {
        return action(tiers.act.c_str());
    }
    if (tiers.act == "dead-letters") {
        return Request{"GET", letters};
    }
    if (tiers.act == "retry") {
        if (!tiers.all && tiers.letter == 0) {
            return invalid_argument("id", "which dead letter is to be tried again", "its id, or --all");
        }
        return Request{
            "POST", tiers.all ? letters + "/retry" : letters + "/" + std::to_string(tiers.letter) + "/retry"};
    }
    if (tiers.act == "drop") {
        return Request{"DELETE", letters + "/" + std::to_string(tiers.letter)};
    }
    return tiers.act == "reset-breaker" ? Request{"POST", "/tiers/breaker/reset"} : Request{"GET", "/tiers"};
}

std::string tier_table(const Json& tier) {
    return format_table({{"POLICY", "TIER", "PINNED", "BYTES", "COPIED", "ERROR"},
                         {cell(tier, "policy"), cell(tier, "tier"), cell(tier, "pinned"), cell(tier, "bytes"),
                          cell(tier, "copied"), cell(tier, "error")}});
}

std::string status_table(const Json& state) {
    const Json collections = state.value("collections", Json::object());
    const Json cache = state.value("cache", Json::object());
    const Json uploads = state.value("uploads", Json::object());
    return format_table({{"TO", "HOT", "WARM", "COLD", "CACHED", "LIMIT", "PENDING", "DEAD", "BREAKER"},
                         {cell(state, "to"), cell(collections, "hot"), cell(collections, "warm"),
                          cell(collections, "cold"), cell(cache, "bytes"), cell(cache, "limit_bytes"),
                          cell(uploads, "pending"), cell(state, "dead_letters"), cell(state, "breaker")}});
}

std::string letters_table(const Json& letters) {
    Table rows{{"ID", "KIND", "COLLECTION", "TRIES", "QUEUED", "ERROR"}};
    for (const Json& letter : letters) {
        rows.push_back({cell(letter, "id"), cell(letter, "kind"), cell(letter, "collection"),
                        cell(letter, "tries"), cell(letter, "queued_at"), cell(letter, "error")});
    }
    return format_table(rows);
}

std::string text_of(const Json& answer) {
    if (answer.contains("tier")) {
        return tier_table(answer);
    }
    if (const auto letters = answer.find("dead_letters"); letters != answer.end() && letters->is_array()) {
        return letters_table(*letters);
    }
    if (answer.contains("breaker")) {
        return status_table(answer);
    }
    return answer.contains("retried") ? cell(answer, "retried") + " will be tried again\n" : "done\n";
}

Result<void> run(const Arguments& arguments) {
    AKIDB_TRY(const Request request, request_of(arguments));
    RestClient client(arguments.url, arguments.token, io::make_curl_http_client(arguments.ca_file));
    AKIDB_TRY(const std::string body, client.send(request.method, request.path, request.body));
    if (arguments.json) {
        print_to(stdout, body + "\n");
        return {};
    }
    const Json answer = Json::parse(body, nullptr, false);
    if (!answer.is_object()) {
        return Error(Code::kUnavailable, "the answer is no JSON: is this an AkiDB server?");
    }
    print_to(stdout, text_of(answer));
    return {};
}

}  // namespace

ExitCode run_tiers(const Arguments& arguments) {
    const Result<void> done = run(arguments);
    return done ? ExitCode::kClean : fail_with(done.error());
}

}  // namespace akidb::cli
