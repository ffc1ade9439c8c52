#include <charconv>
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

std::string shown_cell(const Json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) {
        return "-";
    }
    return found->is_string() ? found->get<std::string>() : found->dump();
}

void print_collections(const std::vector<Json>& collections) {
    std::vector<std::vector<std::string>> rows{
        {"NAME", "DOCUMENTS", "DIMENSION", "METRIC", "STORAGE", "CONDITION", "CREATED"}};
    for (const Json& one : collections) {
        rows.push_back({shown_cell(one, "name"), shown_cell(one, "count"), shown_cell(one, "dimension"),
                        shown_cell(one, "metric"), shown_cell(one, "storage"), shown_cell(one, "condition"),
                        shown_cell(one, "created_at")});
    }
    print_to(stdout, format_table(rows));
}

/// What describes one collection besides its line, each table where there is something in it.
void print_details(const Json& collection) {
    std::vector<std::vector<std::string>> indexes{{"INDEX", "TYPE", "READY", "ROWS", "BYTES"}};
    const Json declared = collection.value("metadata_indexes", Json::object());
    for (const auto& [field, index] : declared.items()) {
        indexes.push_back({field, shown_cell(index, "type"), shown_cell(index, "ready"),
                           shown_cell(index, "indexed_rows"), shown_cell(index, "bytes")});
    }
    std::vector<std::vector<std::string>> vectors{
        {"VECTOR", "DIMENSION", "METRIC", "STORAGE", "ROWS", "LINKED"}};
    const Json named = collection.value("vectors", Json::object());
    for (const auto& [name, vector] : named.items()) {
        vectors.push_back({name, shown_cell(vector, "dimension"), shown_cell(vector, "metric"),
                           shown_cell(vector, "storage"), shown_cell(vector, "rows"),
                           shown_cell(vector, "linked_rows")});
    }
    std::vector<std::vector<std::string>> missing{{"WITHOUT INDEX", "TYPE", "READS", "EVALUATED", "SECONDS"}};
    const Json unindexed = collection.value("unindexed_fields", Json::array());
    for (const Json& field : unindexed) {
        missing.push_back({shown_cell(field, "field"), shown_cell(field, "type"), shown_cell(field, "reads"),
                           shown_cell(field, "evaluated"), shown_cell(field, "seconds")});
    }
    std::vector<std::vector<std::string>> settings{{"SETTING", "VALUE"}};
    const Json own = collection.value("settings", Json::object());
    for (const auto& [name, value] : own.items()) {
        settings.push_back({name, value.is_string() ? value.get<std::string>() : value.dump()});
    }
    std::vector<std::vector<std::string>> jobs{{"JOB", "DONE", "TOTAL", "SECONDS LEFT"}};
    const Json running = collection.value("jobs", Json::array());
    for (const Json& job : running) {
        jobs.push_back({shown_cell(job, "kind"), shown_cell(job, "done"), shown_cell(job, "total"),
                        shown_cell(job, "seconds_left")});
    }
    for (const auto& table : {vectors, indexes, missing, settings, jobs}) {
        if (table.size() > 1) {
            print_to(stdout, "\n" + format_table(table));
        }
    }
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
        print_details(answer);
    }
    return {};
}

std::vector<std::string> parts_of(std::string_view text, char separator) {
    std::vector<std::string> parts{""};
    for (const char c : text) {
        c == separator ? static_cast<void>(parts.emplace_back()) : parts.back().push_back(c);
    }
    return parts;
}

/// "title:384:dot:f16" is a vector named title.
Result<void> add_vector(const std::string& text, Json& vectors) {
    const std::vector<std::string> parts = parts_of(text, ':');
    uint32_t dimension = 0;
    const std::string& digits = parts.size() > 1 ? parts[1] : text;
    const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), dimension);
    if (parts.size() < 2 || parts.size() > 4 || fault != std::errc() ||
        end != digits.data() + digits.size()) {
        return invalid_argument("--vector", "\"" + text + "\" does not say what the vector is",
                                "NAME:DIMENSION[:METRIC[:STORAGE]], as title:384:cosine:f16");
    }
    Json& vector = vectors[parts[0]];
    vector["dimension"] = dimension;
    if (parts.size() > 2) {
        vector["metric"] = parts[2];
    }
    if (parts.size() > 3) {
        vector["storage"] = parts[3];
    }
    return {};
}

Result<Json> creation_of(const Arguments& arguments) {
    Json body = {{"name", arguments.collection}, {"policy", arguments.policy}};
    if (arguments.dimension > 0 || arguments.vectors.empty()) {
        body["dimension"] = arguments.dimension;
        body["metric"] = arguments.metric;
        body["storage"] = arguments.storage;
    }
    for (const std::string& vector : arguments.vectors) {
        AKIDB_TRY(add_vector(vector, body["vectors"]));
    }
    return body;
}

Result<void> collection(const Arguments& arguments) {
    RestClient client(arguments.url, arguments.token, io::make_curl_http_client(arguments.ca_file));
    const std::string one = "/collections/" + path_segment(arguments.collection);
    switch (arguments.verb) {
        case Verb::kCollectionCreate: {
            AKIDB_TRY(const Json body, creation_of(arguments));
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
                                            : "dropped " + shown_cell(report, "dropped_rows") +
                                                  " dead rows of " + arguments.collection + "\n");
            return {};
        }
        default: {
            AKIDB_TRY(const std::string answer, client.send("DELETE", one));
            print_to(stdout, arguments.json ? answer + "\n" : "deleted " + arguments.collection + "\n");
            return {};
        }
    }
}

/// Digits are a number, as in the paths of REST.
Json json_of_id(const std::string& id) {
    uint64_t number = 0;
    const auto [end, fault] = std::from_chars(id.data(), id.data() + id.size(), number);
    return fault == std::errc() && end == id.data() + id.size() ? Json(number) : Json(id);
}

/// A vector, or the document to be like, which the server leaves out of the answer.
Result<void> set_target(const SearchArguments& search, Json& query) {
    if (!search.id.empty()) {
        query["id"] = json_of_id(search.id);
        return {};
    }
    if (!search.vector.empty()) {
        query["vector"] = Json::parse(search.vector, nullptr, false);
        return query["vector"].is_array() ? Result<void>()
                                          : invalid_argument("--vector", "not a JSON array", "[0.1, 0.2, …]");
    }
    AKIDB_TRY(VectorFile file, VectorFile::open(search.vector_file));
    if (search.row >= file.rows()) {
        return invalid_argument("--row", search.vector_file + " has " + std::to_string(file.rows()) + " rows",
                                "a row of the file, counted from 0");
    }
    std::vector<float> row;
    AKIDB_TRY(file.read(search.row, 1, row));
    query["vector"] = row;
    return {};
}

Result<Json> query_of(const SearchArguments& search) {
    Json query;
    AKIDB_TRY(set_target(search, query));
    query["top_k"] = search.top_k;
    if (!search.use_vector.empty()) {
        query["using"] = search.use_vector;
    }
    query["include"] = search.include == "none" ? Json::array() : Json(parts_of(search.include, ','));
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
    AKIDB_TRY(const Json query, query_of(arguments.search));
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
            rows.push_back(
                {shown_cell(match, "score"), shown_cell(match, "id"), shown_cell(match, "metadata")});
        }
    }
    print_to(stdout, format_table(rows));
    print_to(stderr, std::to_string(rows.size() - 1) + (rows.size() == 2 ? " match in " : " matches in ") +
                         shown_cell(answer, "took_ms") + " ms\n");
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
