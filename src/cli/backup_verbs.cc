// backup create and s3 check.
#include <filesystem>
#include <nlohmann/json.hpp>
#include <tuple>

#include "base/printable.h"
#include "cli/rest_client.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "io/pause.h"
#include "objects/conformance.h"
#include "objects/credentials.h"
#include "objects/instance_credentials.h"
#include "objects/s3_store.h"

namespace akidb::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kAskAgainUs = 200'000;

uint64_t count_of(const Json& state, const char* member) {
    const auto found = state.find(member);
    return found != state.end() && found->is_number_unsigned() ? found->get<uint64_t>() : 0;
}

std::string text_of(const Json& state, const char* member) {
    const auto found = state.find(member);
    return found == state.end() ? "0" : found->is_string() ? found->get<std::string>() : found->dump();
}

Result<Json> ask(RestClient& client, std::string_view method, const std::string& path,
                 const std::string& body = {}) {
    AKIDB_TRY(const std::string answer, client.send(method, path, body));
    Json state = Json::parse(answer, nullptr, false);
    if (!state.is_object() || !state.contains("id") || !state.contains("stage")) {
        return Error(Code::kInternal, "the server's answer tells of no backup");
    }
    return state;
}

Result<void> tell(const Arguments& arguments, const Json& state) {
    if (arguments.json) {
        print_to(stdout, state.dump() + "\n");
    } else {
        std::string text = "backup " + text_of(state, "id") + " " + text_of(state, "stage") + ": " +
                           counted(count_of(state, "documents"), "document") + " of " +
                           counted(count_of(state, "collections_done"), "collection") + ", " +
                           counted(count_of(state, "bytes"), "byte") + ", " +
                           std::to_string(count_of(state, "sent_bytes")) + " of them sent\n";
        for (const Json& left : state.value("left_out", Json::array())) {
            text +=
                "left out: collection " + text_of(left, "collection") + ": " + text_of(left, "reason") + "\n";
        }
        print_to(stdout, text);
    }
    if (state["stage"] == "failed") {
        // Most often the place: a directory that is not there, a disk that is full, S3 that does not answer.
        return Error(Code::kUnavailable,
                     "the backup to " + text_of(state, "to") + " failed: " + text_of(state, "error"));
    }
    return {};
}

Result<void> create(const Arguments& arguments) {
    RestClient client(arguments.url, arguments.token, io::make_curl_http_client(arguments.ca_file));
    std::string to = arguments.backup.place;
    if (!to.starts_with("s3://")) {
        std::error_code failed;
        const std::filesystem::path whole = std::filesystem::absolute(to, failed);
        to = failed ? to : whole.lexically_normal().string();
    }
    AKIDB_TRY(Json state, ask(client, "POST", "/backups", Json({{"to", to}}).dump()));
    const auto pause = io::make_system_pause();
    while (!arguments.backup.no_wait && state["stage"] == "running") {
        std::ignore = pause->wait_us(kAskAgainUs);
        AKIDB_TRY(state, ask(client, "GET", "/backups/" + path_segment(text_of(state, "id"))));
    }
    return tell(arguments, state);
}

Result<bool> check(const Arguments& arguments) {
    const S3Arguments& s3 = arguments.s3;
    const auto clock = io::make_system_clock();
    const auto random = io::make_system_random();
    objects::InstanceCredentials machine(s3.environment, *clock);
    AKIDB_TRY(objects::CredentialSource credentials,
              objects::find_credentials(
                  {s3.credentials_file, s3.environment, s3.instance_credentials ? &machine : nullptr}));
    AKIDB_TRY(const auto store,
              objects::make_s3_store({.endpoint = s3.endpoint,
                                      .region = s3.region,
                                      .bucket = s3.bucket,
                                      .prefix = s3.prefix,
                                      .addressing = s3.addressing == "host" ? objects::Addressing::kHost
                                                                            : objects::Addressing::kPath},
                                     std::move(credentials), *clock, [&] {
                                         return io::make_curl_http_client(io::HttpClientOptions{
                                             .ca_file = arguments.ca_file, .refuses_link_local = true});
                                     }));
    AKIDB_TRY(store->list({.limit = 1}));  // one clear word about endpoint, bucket and keys before the rest
    return objects::probe_store(*store, *random, [](const objects::Finding& finding) {
        std::string line(finding.fault.empty() ? "ok    " : "FAULT ");
        line += finding.promise;
        print_to(stdout, line + (finding.fault.empty() ? "" : ": " + finding.fault) + "\n");
    });
}

}  // namespace

ExitCode run_backup_create(const Arguments& arguments) {
    const Result<void> done = create(arguments);
    return done ? ExitCode::kClean : fail_with(done.error());
}

ExitCode run_s3_check(const Arguments& arguments) {
    const Result<bool> keeps_all = check(arguments);
    if (!keeps_all) {
        return fail_with(keeps_all.error());
    }
    print_to(stdout, *keeps_all ? "the bucket does what backups need\n"
                                : "the bucket does not do what backups need: keep none there\n");
    return *keeps_all ? ExitCode::kClean : ExitCode::kIo;
}

}  // namespace akidb::cli
