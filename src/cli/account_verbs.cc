// login, setup, user, key, tenant and audit list.
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/printable.h"
#include "cli/filter_argument.h"
#include "cli/proof.h"
#include "cli/rest_client.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

namespace akidb::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kSecretBytesMax = 4096;

Result<std::string> as_secret(std::string text, const std::string& path) {
    if (text.size() > kSecretBytesMax) {
        return Error(Code::kInvalidArgument, path + " holds no password or token");
    }
    // An editor's last line end is no part of it.
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
        text.pop_back();
    }
    if (text.empty()) {
        return Error(Code::kInvalidArgument, path + " is empty");
    }
    return text;
}

Result<std::string> read_secret(std::istream& stream, const std::string& path) {
    std::string text;
    for (char letter = 0; text.size() <= kSecretBytesMax && stream.get(letter);) {
        text.push_back(letter);
    }
    return stream.bad() ? Error(Code::kInvalidArgument, path + " cannot be read")
                        : as_secret(std::move(text), path);
}

/// `what`: "password", to ask for it at a terminal.
Result<std::string> read_secret_file(const std::string& path, std::string_view what) {
    if (path == "-" && ::isatty(STDIN_FILENO) == 1) {
        AKIDB_TRY(std::string typed,
                  read_hidden_line(STDIN_FILENO, std::string(what) + " (not shown): ", kSecretBytesMax));
        return as_secret(std::move(typed), "the line");
    }
    if (path == "-") {
        return read_secret(std::cin, "standard input");
    }
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return Error(Code::kInvalidArgument, path + " cannot be read");
    }
    return read_secret(file, path);
}

std::string cell(const Json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) {
        return "-";
    }
    return found->is_string() ? found->get<std::string>() : found->dump();
}

struct Table {
    const char* member;                                        // of the answer to a list
    std::vector<std::pair<const char*, const char*>> columns;  // heading and member
};

Table table_of(const std::string& noun) {
    if (noun == "user") {
        return {
            "users",
            {{"EMAIL", "email"}, {"ROLE", "role"}, {"STATUS", "status"}, {"TENANT", "tenant"}, {"ID", "id"}}};
    }
    if (noun == "key") {
        return {"keys",
                {{"ID", "id"},
                 {"NAME", "name"},
                 {"ROLE", "role"},
                 {"COLLECTIONS", "collections"},
                 {"TENANT", "tenant"},
                 {"REVOKED", "revoked"},
                 {"EXPIRES", "expires_at"},
                 {"LAST USED", "last_used_at"}}};
    }
    if (noun == "audit") {
        return {"entries",
                {{"TIME", "time"},
                 {"OUTCOME", "outcome"},
                 {"ACTION", "action"},
                 {"RESOURCE", "resource"},
                 {"ACTOR", "actor"},
                 {"SOURCE", "source"},
                 {"REASON", "reason"}}};
    }
    return {"tenants",
            {{"NAME", "name"},
             {"SUSPENDED", "suspended"},
             {"REQUESTS/S", "requests_per_second"},
             {"DOCUMENTS", "documents_max"},
             {"ID", "id"}}};
}

void print_table(const Table& table, const std::vector<Json>& objects) {
    std::vector<std::vector<std::string>> rows(1);
    for (const auto& [heading, member] : table.columns) {
        rows[0].emplace_back(heading);
    }
    for (const Json& object : objects) {
        std::vector<std::string>& row = rows.emplace_back();
        for (const auto& [heading, member] : table.columns) {
            row.push_back(cell(object, member));
        }
    }
    print_to(stdout, format_table(rows));
}

struct Request {
    const char* method;
    std::string path;
    Json body;
};

Result<Request> entrance(const AccountArguments& account) {
    Request request{"POST", "/auth/" + account.noun, {{"email", account.name}}};
    AKIDB_TRY(request.body["password"], read_secret_file(account.password_file, "Password"));
    if (account.noun == "setup") {
        AKIDB_TRY(request.body["token"], read_secret_file(account.token_file, "Set-up token"));
    }
    if (!account.tenant.empty()) {
        request.body["tenant"] = account.tenant;
    }
    return request;
}

Result<Request> user_request(const AccountArguments& account) {
    const std::string one = "/users/" + path_segment(account.name);
    if (account.act == "list") {
        return Request{"GET", "/users", {}};
    }
    if (account.act == "delete") {
        return Request{"DELETE", one, {}};
    }
    if (account.act == "suspend" || account.act == "resume") {
        return Request{"PATCH", one, {{"status", account.act == "suspend" ? "suspended" : "active"}}};
    }
    if (account.act == "role") {
        return Request{"PATCH", one, {{"role", account.role}}};
    }
    Json body;
    AKIDB_TRY(body["password"], read_secret_file(account.password_file, "Password"));
    if (account.act == "password") {
        return Request{"PATCH", one, body};
    }
    body["email"] = account.name;
    body["role"] = account.role;
    if (!account.tenant.empty()) {
        body["tenant"] = account.tenant;
    }
    return Request{"POST", "/users", body};
}

Result<Request> key_request(const AccountArguments& account) {
    const std::string one = "/keys/" + path_segment(account.name);
    if (account.act == "list") {
        return Request{"GET", "/keys", {}};
    }
    if (account.act == "delete") {
        return Request{"DELETE", one, {}};
    }
    if (account.act == "revoke") {
        return Request{"PATCH", one, {{"revoked", true}}};
    }
    Json body = {{"name", account.name}};
    for (const auto& [member, text] : {std::pair{"role", &account.role},
                                       {"expires_at", &account.expires_at},
                                       {"tenant", &account.tenant}}) {
        if (!text->empty()) {
            body[member] = *text;
        }
    }
    if (!account.actions.empty()) {
        body["actions"] = account.actions;
    }
    if (!account.collections.empty()) {
        body["collections"] = account.collections;
    }
    if (!account.row_rule.empty()) {
        AKIDB_TRY(body["row_rule"], filter_argument(account.row_rule));
    }
    if (account.requests_per_second > 0) {
        body["requests_per_second"] = account.requests_per_second;
    }
    return Request{"POST", "/keys", body};
}

Result<Request> tenant_request(const AccountArguments& account) {
    const std::string one = "/tenants/" + path_segment(account.name);
    if (account.act == "list") {
        return Request{"GET", "/tenants", {}};
    }
    if (account.act == "delete") {
        return Request{"DELETE", one, {}};
    }
    if (account.act == "destroy-key") {
        return Request{"DELETE", one + "/backup-keys", {}};
    }
    if (account.act == "suspend" || account.act == "resume") {
        return Request{"PATCH", one, {{"suspended", account.act == "suspend"}}};
    }
    Json body = {{"requests_per_second", account.requests_per_second},
                 {"documents_max", account.documents_max}};
    if (account.act == "quota") {
        return Request{"PATCH", one, body};
    }
    body["name"] = account.name;
    return Request{"POST", "/tenants", body};
}

Request audit_request(const AuditListArguments& audit) {
    std::string path = "/audit?limit=" + std::to_string(audit.limit);
    for (const auto& [name, text] :
         {std::pair{"actor", &audit.actor}, {"action", &audit.action}, {"outcome", &audit.outcome}}) {
        if (!text->empty()) {
            path.append("&").append(name).append("=").append(path_segment(*text));
        }
    }
    return {"GET", path, {}};
}

Result<Request> request_of(const Arguments& arguments) {
    const AccountArguments& account = arguments.account;
    if (account.noun == "audit") {
        return audit_request(arguments.audit_list);
    }
    if (account.noun == "user") {
        return user_request(account);
    }
    if (account.noun == "key") {
        return key_request(account);
    }
    return account.noun == "tenant" ? tenant_request(account) : entrance(account);
}

/// Once more with a proof of work, when one is asked for.
Result<std::string> send(RestClient& client, Request request) {
    const std::string body = request.body.is_null() ? "" : request.body.dump();
    Result<std::string> answer = client.send(request.method, request.path, body);
    if (answer.has_value() || answer.error().field() != "proof" || request.path != "/auth/login") {
        return answer;
    }
    print_to(stderr, "logins failed lately, so the server asks for some work first\n");
    Json who = {{"email", request.body["email"]}};
    if (request.body.contains("tenant")) {
        who["tenant"] = request.body["tenant"];
    }
    AKIDB_TRY(const std::string offered, client.send("POST", "/auth/challenge", who.dump()));
    AKIDB_TRY(request.body["proof"], solve_proof(nlohmann::json::parse(offered).at("challenge")));
    return client.send(request.method, request.path, request.body.dump());
}

Result<void> account(const Arguments& arguments) {
    AKIDB_TRY(Request request, request_of(arguments));
    RestClient client(arguments.url, arguments.token, io::make_curl_http_client(arguments.ca_file));
    AKIDB_TRY(const std::string answer, send(client, std::move(request)));
    if (arguments.json) {
        print_to(stdout, answer + "\n");
        return {};
    }
    const Json told = Json::parse(answer);
    const std::string& noun = arguments.account.noun;
    if (told.contains("token") || told.contains("key")) {
        // Alone on its line: it goes into a variable or a file.
        print_to(stdout, cell(told, told.contains("token") ? "token" : "key") + "\n");
        return {};
    }
    if (told.contains("deleted")) {
        print_to(stdout, "deleted " + noun + " " + arguments.account.name + "\n");
        return {};
    }
    if (told.contains("destroyed")) {
        print_to(stdout, "destroyed " + counted(told["destroyed"].get<uint64_t>(), "key") + " of tenant " +
                             arguments.account.name + ": no backup of before can be restored of it\n");
        return {};
    }
    const Table table = table_of(noun);
    print_table(table, told.contains(table.member) ? told[table.member].get<std::vector<Json>>()
                                                   : std::vector<Json>{told});
    return {};
}

}  // namespace

Result<std::string> read_token_file(const std::string& path) {
    return read_secret_file(path, "API key or session token");
}

ExitCode run_account(const Arguments& arguments) {
    try {
        const Result<void> done = account(arguments);
        return done.has_value() ? ExitCode::kClean : fail_with(done.error());
    } catch (const nlohmann::json::exception& fault) {
        return fail_with(Error(Code::kUnavailable, std::string("unexpected answer: ") + fault.what()));
    }
}

}  // namespace akidb::cli
