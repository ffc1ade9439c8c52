// akidb export: a collection as JSON Lines, page by page in the order of ids, into a file beside the one
// asked for, which takes its name when it is whole. A state file remembers cursor and length after each page,
// so that an export that was interrupted goes on. What changes meanwhile may be in it or not; what was there
// from start to end is in it once.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/printable.h"
#include "cli/filter_argument.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

namespace akidb::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kTriesMax = 60;  // of one page, a second or so apart
constexpr const char* kStandardOutput = "-";

struct ExportState {
    std::string collection_id;
    std::string filter;
    std::string cursor;  // of the next page; empty = the first
    uint64_t bytes = 0;  // of the file, up to there
    uint64_t documents = 0;
};

std::optional<ExportState> load_state(const std::string& path) {
    std::ifstream file(path);
    const nlohmann::json read = file ? nlohmann::json::parse(file, nullptr, false) : nlohmann::json();
    if (!read.is_object()) {
        return std::nullopt;
    }
    return ExportState{read.value("collection_id", ""), read.value("filter", ""), read.value("cursor", ""),
                       read.value("bytes", uint64_t{0}), read.value("documents", uint64_t{0})};
}

Result<void> save_state(const std::string& path, const ExportState& state) {
    const nlohmann::json written = {{"collection_id", state.collection_id},
                                    {"filter", state.filter},
                                    {"cursor", state.cursor},
                                    {"bytes", state.bytes},
                                    {"documents", state.documents}};
    const std::string temporary = path + ".new";
    std::ofstream(temporary) << written.dump();
    std::error_code fault;
    fs::rename(temporary, path, fault);
    return fault ? Result<void>(Error(Code::kInternal, path + ": " + fault.message())) : Result<void>();
}

Result<Json> ask(RestClient& client, const char* method, const std::string& path, const std::string& body) {
    for (int tries = 1;; ++tries) {
        Result<std::string> answer = client.send(method, path, body);
        if (answer) {
            Json parsed = Json::parse(*answer, nullptr, false);
            if (!parsed.is_object()) {
                return Error(Code::kUnavailable, "the answer is not that of an AkiDB server");
            }
            return parsed;
        }
        if (!is_worth_retrying(answer.error()) || tries == kTriesMax) {
            return std::move(answer).error();
        }
        std::this_thread::sleep_for(
            std::chrono::seconds(std::max<uint32_t>(1, answer.error().retry_after_s())));
    }
}

Result<Json> page_request(const Arguments& arguments) {
    Json request = {{"limit", arguments.transfer.page}};
    request["include"] =
        arguments.transfer.without_vectors ? Json::array({"metadata"}) : Json::array({"vector", "metadata"});
    if (!arguments.transfer.filter.empty()) {
        AKIDB_TRY(request["filter"], filter_argument(arguments.transfer.filter));
    }
    return request;
}

std::string lines_of(const Json& page) {
    std::string lines;
    for (Json document : page.at("documents")) {
        document.erase("version");
        lines += document.dump() + "\n";
    }
    return lines;
}

class Export {
  public:
    Export(const Arguments& arguments, ExportState state, std::string state_path)
        : arguments_(arguments), state_(std::move(state)), state_path_(std::move(state_path)) {}

    Result<void> run(RestClient& client, Json request) {
        const std::string path = "/collections/" + path_segment(arguments_.collection) + "/scroll";
        AKIDB_TRY(open());
        while (true) {
            if (!state_.cursor.empty()) {
                request["cursor"] = state_.cursor;
            }
            AKIDB_TRY(const Json page, ask(client, "POST", path, request.dump()));
            AKIDB_TRY(write(lines_of(page)));
            state_.documents += page.at("documents").size();
            if (page.at("next_cursor").is_null()) {
                break;
            }
            state_.cursor = page.at("next_cursor").get<std::string>();
            if (to_file()) {
                AKIDB_TRY(save_state(state_path_, state_));
            }
        }
        return finish();
    }

  private:
    bool to_file() const { return arguments_.transfer.out != kStandardOutput; }
    std::string part() const { return arguments_.transfer.out + ".part"; }

    Result<void> open() {
        if (!to_file()) {
            return {};
        }
        std::error_code fault;
        if (state_.bytes > 0) {
            fs::resize_file(part(), state_.bytes, fault);  // a page may have been cut short
        }
        file_.open(part(), std::ios::binary | (state_.bytes > 0 ? std::ios::app : std::ios::trunc));
        return file_ && !fault
                   ? Result<void>()
                   : Result<void>(Error(Code::kNotFound, part() + " cannot be written").with_field("--out"));
    }

    Result<void> write(const std::string& lines) {
        if (!to_file()) {
            print_to(stdout, lines);
            return {};
        }
        file_ << lines << std::flush;
        state_.bytes += lines.size();
        return file_ ? Result<void>() : Result<void>(Error(Code::kDiskFull, part() + " cannot be written"));
    }

    Result<void> finish() {
        print_to(stderr,
                 "exported " + counted(state_.documents, "document") + " of " + arguments_.collection + "\n");
        if (!to_file()) {
            return {};
        }
        file_.close();
        std::error_code fault;
        fs::rename(part(), arguments_.transfer.out, fault);
        ::unlink(state_path_.c_str());
        return file_ && !fault
                   ? Result<void>()
                   : Result<void>(Error(Code::kDiskFull, arguments_.transfer.out + " cannot be written"));
    }

    const Arguments& arguments_;
    ExportState state_;
    const std::string state_path_;
    std::ofstream file_;
};

Result<void> export_collection(const Arguments& arguments) {
    RestClient client(arguments.url, arguments.token, io::make_curl_http_client(arguments.ca_file));
    AKIDB_TRY(Json request, page_request(arguments));
    AKIDB_TRY(const Json described,
              ask(client, "GET", "/collections/" + path_segment(arguments.collection), ""));
    ExportState state{.collection_id = described.value("id", ""), .filter = arguments.transfer.filter};
    const std::string state_path = arguments.transfer.out + ".export-state";
    if (arguments.transfer.resume) {
        const std::optional<ExportState> earlier = load_state(state_path);
        if (earlier && earlier->collection_id == state.collection_id && earlier->filter == state.filter) {
            state = *earlier;
            print_to(stderr, "going on behind " + counted(state.documents, "document") + "\n");
        } else {
            print_to(stderr, "nothing to go on with: starting at the first document\n");
        }
    }
    return Export(arguments, std::move(state), state_path).run(client, std::move(request));
}

}  // namespace

ExitCode run_export(const Arguments& arguments) {
    try {
        const Result<void> done = export_collection(arguments);
        return done ? ExitCode::kClean : fail_with(done.error());
    } catch (const nlohmann::json::exception& fault) {
        return fail_with(Error(Code::kUnavailable, std::string("unexpected answer: ") + fault.what()));
    }
}

}  // namespace akidb::cli
