#include <nlohmann/json.hpp>

#include "cli/batch_reader.h"
#include "cli/filter_argument.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

namespace akidb::cli {
namespace {

using Json = nlohmann::ordered_json;

Result<Json> parse_answer(const std::string& body) {
    Json parsed = Json::parse(body, nullptr, false);
    if (parsed.is_discarded()) {
        return Error(Code::kUnavailable, "the answer is no JSON: is this an AkiDB server?");
    }
    return parsed;
}

std::string cell(const Json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) {
        return "-";
    }
    return found->is_string() ? found->get<std::string>() : found->dump();
}

void print_collections(const std::vector<Json>& collections) {
    std::vector<std::vector<std::string>> rows{
        {"NAME", "DOCUMENTS", "DIMENSION", "METRIC", "CONDITION", "CREATED"}};
    for (const Json& one : collections) {
        rows.push_back({cell(one, "name"), cell(one, "count"), cell(one, "dimension"), cell(one, "metric"),
                        cell(one, "condition"), cell(one, "created_at")});
    }
    print_to(stdout, format_table(rows));
}

Result<void> show_collections(const Arguments& arguments, const std::string& body) {
    if (arguments.json) {
        print_to(stdout, body + "\n");
        return {};
    }
    AKIDB_TRY(const Json answer, parse_answer(body));
    if (answer.contains("collections")) {
        print_collections(answer["collections"].get<std::vector<Json>>());
    } else {
        print_collections({answer});
    }
    return {};
}

Result<void> collection(const Arguments& arguments) {
    RestClient client(arguments.url, arguments.token, io::make_curl_http_client(arguments.ca_file));
    const std::string one = "/collections/" + path_segment(arguments.collection);
    switch (arguments.verb) {
        case Verb::kCollectionCreate: {
            const Json body = {{"name", arguments.collection},
                               {"dimension", arguments.dimension},
                               {"metric", arguments.metric}};
            AKIDB_TRY(const std::string answer, client.send("POST", "/collections", body.dump()));
            return show_collections(arguments, answer);
        }
        case Verb::kCollectionList: {
            AKIDB_TRY(const std::string answer, client.send("GET", "/collections"));
            return show_collections(arguments, answer);
        }
        case Verb::kCollectionGet: {
            AKIDB_TRY(const std::string answer, client.send("GET", one));
            return show_collections(arguments, answer);
        }
        case Verb::kCollectionOptimize: {
            AKIDB_TRY(const std::string answer, client.send("POST", one + "/optimize"));
            AKIDB_TRY(const Json report, parse_answer(answer));
            print_to(stdout, arguments.json ? answer + "\n"
                                            : "dropped " + cell(report, "dropped_rows") + " dead rows of " +
                                                  arguments.collection + "\n");
            return {};
        }
        default: {
            AKIDB_TRY(const std::string answer, client.send("DELETE", one));
            print_to(stdout, arguments.json ? answer + "\n" : "deleted " + arguments.collection + "\n");
            return {};
        }
    }
}

Result<Json> query_vector(const Arguments& arguments, RestClient& client) {
    const SearchArguments& search = arguments.search;
    if (!search.vector.empty()) {
        Json vector = Json::parse(search.vector, nullptr, false);
        if (!vector.is_array()) {
            return invalid_argument("--vector", "not a JSON array", "[0.1, 0.2, …]");
        }
        return vector;
    }
    if (!search.vector_file.empty()) {
        AKIDB_TRY(VectorFile file, VectorFile::open(search.vector_file));
        if (search.row >= file.rows()) {
            return invalid_argument("--row",
                                    search.vector_file + " has " + std::to_string(file.rows()) + " rows",
                                    "a row of the file, counted from 0");
        }
        std::vector<float> row;
        AKIDB_TRY(file.read(search.row, 1, row));
        return Json(row);
    }
    AKIDB_TRY(const std::string body,
              client.send("GET", "/collections/" + path_segment(arguments.collection) + "/documents/" +
                                     path_segment(search.id)));
    AKIDB_TRY(const Json document, parse_answer(body));
    if (!document.contains("vector")) {
        return Error(Code::kInternal, "the server's document has no vector");
    }
    return document["vector"];
}

Result<Json> query_of(const Arguments& arguments, RestClient& client) {
    const SearchArguments& search = arguments.search;
    Json query;
    AKIDB_TRY(query["vector"], query_vector(arguments, client));
    query["top_k"] = search.top_k;
    query["include"] = Json::array();
    for (const char* part : {"metadata", "vector"}) {
        if (search.include.find(part) != std::string::npos) {
            query["include"].push_back(part);
        }
    }
    if (!search.filter.empty()) {
        AKIDB_TRY(query["filter"], filter_argument(search.filter));
    }
    if (search.ef > 0) {
        query["params"]["ef"] = search.ef;
    }
    if (search.exact) {
        query["params"]["exact"] = true;
    }
    return query;
}

Result<void> search(const Arguments& arguments) {
    RestClient client(arguments.url, arguments.token, io::make_curl_http_client(arguments.ca_file));
    AKIDB_TRY(const Json query, query_of(arguments, client));
    AKIDB_TRY(
        const std::string body,
        client.send("POST", "/collections/" + path_segment(arguments.collection) + "/search", query.dump()));
    if (arguments.json) {
        print_to(stdout, body + "\n");
        return {};
    }
    AKIDB_TRY(const Json answer, parse_answer(body));
    std::vector<std::vector<std::string>> rows{{"SCORE", "ID", "METADATA"}};
    if (answer.contains("matches")) {
        for (const Json& match : answer["matches"]) {
            rows.push_back({cell(match, "score"), cell(match, "id"), cell(match, "metadata")});
        }
    }
    print_to(stdout, format_table(rows));
    print_to(stderr, std::to_string(rows.size() - 1) + " matches in " + cell(answer, "took_ms") + " ms\n");
    return {};
}

// What the server sends is its own affair; a shape that we do not expect is a fault to tell, not to die of.
template <class Verb>
ExitCode end_of(Verb&& verb) {
    try {
        const Result<void> done = verb();
        return done.has_value() ? ExitCode::kClean : fail_with(done.error());
    } catch (const nlohmann::json::exception& fault) {
        return fail_with(Error(Code::kUnavailable, std::string("unexpected answer: ") + fault.what()));
    }
}

}  // namespace

ExitCode run_collection(const Arguments& arguments) {
    return end_of([&] { return collection(arguments); });
}

ExitCode run_search(const Arguments& arguments) {
    return end_of([&] { return search(arguments); });
}

}  // namespace akidb::cli
