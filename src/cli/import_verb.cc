// akidb import: batches of rows as PUT …/documents, several under way at once, each retried while the server
// asks for patience. Batches have keys and rows their ids, so a batch sent twice is stored once; the state
// file remembers the unbroken beginning.
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/digest.h"
#include "base/mutex.h"
#include "base/printable.h"
#include "cli/batch_reader.h"
#include "cli/document_lines.h"
#include "cli/import_state.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "io/clock.h"
#include "io/executor.h"
#include "io/random.h"

namespace akidb::cli {
namespace {

constexpr uint64_t kPatienceUs = 600'000'000;  // of one batch with a server that refuses it
constexpr uint32_t kBackOffMaxMs = 5'000;
constexpr uint64_t kLineEveryUs = 5'000'000;
constexpr uint64_t kBarEveryUs = 200'000;
constexpr size_t kBarWidth = 30;

std::string hours_minutes_seconds(uint64_t seconds) {
    char text[32];
    std::snprintf(text, sizeof(text), "%llu:%02llu:%02llu", static_cast<unsigned long long>(seconds / 3600),
                  static_cast<unsigned long long>(seconds / 60 % 60),
                  static_cast<unsigned long long>(seconds % 60));
    return text;
}

/// A bar on a terminal, a line every few seconds elsewhere.
class Progress {
  public:
    Progress(const io::Clock& clock, uint64_t first_row, uint64_t rows)
        : clock_(clock), first_row_(first_row), rows_(rows), started_us_(clock.monotonic_us()) {}

    void show(uint64_t done, bool is_last) {
        const uint64_t now = clock_.monotonic_us();
        if (!is_last && now < due_us_) {
            return;
        }
        due_us_ = now + (is_terminal_ ? kBarEveryUs : kLineEveryUs);
        const double seconds = std::max(1e-3, static_cast<double>(now - started_us_) * 1e-6);
        const double rate = static_cast<double>(done - first_row_) / seconds;
        const auto left_s = static_cast<uint64_t>(rate > 0 ? static_cast<double>(rows_ - done) / rate : 0);
        const size_t filled = rows_ == 0 ? kBarWidth : static_cast<size_t>(done * kBarWidth / rows_);
        char text[160];
        std::snprintf(text, sizeof(text), "%llu/%llu documents, %.0f/s, %s left",
                      static_cast<unsigned long long>(done), static_cast<unsigned long long>(rows_), rate,
                      hours_minutes_seconds(left_s).c_str());
        const std::string bar = "[" + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + "] ";
        print_to(stderr,
                 is_terminal_ ? "\r" + bar + text + "   " + (is_last ? "\n" : "") : text + std::string("\n"));
    }
    double seconds() const { return static_cast<double>(clock_.monotonic_us() - started_us_) * 1e-6; }

  private:
    const io::Clock& clock_;
    const uint64_t first_row_;
    const uint64_t rows_;
    const uint64_t started_us_;
    const bool is_terminal_ = isatty(STDERR_FILENO) == 1;
    uint64_t due_us_ = 0;
};

/// What was asked for of a collection to be made must be true of one that is there.
Result<void> check_as_asked(const Arguments& arguments, const nlohmann::json& described) {
    struct Asked {
        const char* member;
        const std::string& value;
    };
    for (const Asked& asked :
         {Asked{"metric", arguments.import.metric}, Asked{"storage", arguments.import.storage}}) {
        const std::string is = described.value(asked.member, std::string());
        if (!asked.value.empty() && !is.empty() && asked.value != is) {
            return invalid_argument(std::string("--") + asked.member,
                                    "collection " + arguments.collection + " is there already, with " +
                                        asked.member + " " + is + ", not " + asked.value,
                                    is + ", or a collection of another name");
        }
    }
    return {};
}

Error names_nothing(const std::string& collection) {
    return invalid_argument("--create",
                            "the documents have vectors with names, which a collection is made for first",
                            "akidb collection create " + collection + " --vector NAME:DIMENSION …");
}

/// The collection's id; makes the collection when asked to. `dimension` 0: of documents whose vectors have
/// names.
Result<std::string> target_collection(RestClient& client, const Arguments& arguments, uint32_t dimension) {
    const ImportArguments& import = arguments.import;
    Result<std::string> found = client.send("GET", "/collections/" + path_segment(arguments.collection));
    if (!found.has_value() && found.error().code() == Code::kNotFound && import.create) {
        if (dimension == 0) {
            return names_nothing(arguments.collection);
        }
        const nlohmann::json body = {{"name", arguments.collection},
                                     {"dimension", dimension},
                                     {"metric", import.metric.empty() ? "cosine" : import.metric},
                                     {"storage", import.storage.empty() ? "f32" : import.storage}};
        found = client.send("POST", "/collections", body.dump());
    }
    if (!found.has_value()) {
        if (found.error().code() == Code::kNotFound) {
            return Error(Code::kNotFound, "no collection " + arguments.collection + "; --create makes it");
        }
        return std::move(found).error();
    }
    const nlohmann::json described = nlohmann::json::parse(*found, nullptr, false);
    if (!described.is_object() || !described.contains("id") || !described["id"].is_string()) {
        return Error(Code::kUnavailable, "the answer is not that of an AkiDB server");
    }
    AKIDB_TRY(check_as_asked(arguments, described));
    return described["id"].get<std::string>();
}

using NextBatch = std::function<Result<std::optional<Batch>>()>;

class Import {
  public:
    Import(const Arguments& arguments, const io::Clock& clock, std::string path)
        : arguments_(arguments), clock_(clock), path_(std::move(path)) {}

    Result<void> run(const NextBatch& next, ImportState state, const std::string& state_path) {
        run_ = state.run;
        AKIDB_TRY(save_import_state(state_path, state));
        Progress progress(clock_, state.next_row, state.rows);
        AcknowledgedRows acknowledged(state.next_row);
        io::ThreadPool senders({.name = "import", .threads = arguments_.import.parallel});
        bool has_more = true;
        while (true) {
            while (has_more && may_send()) {
                AKIDB_TRY(std::optional<Batch> batch, next());
                has_more = batch.has_value();
                if (has_more) {
                    note_sent();
                    AKIDB_ASSERT(
                        senders.submit("batch", [this, sent = std::make_shared<Batch>(std::move(*batch))](
                                                    const std::stop_token& stop) { send(*sent, stop); }));
                }
            }
            const std::vector<Finished> finished = wait_for_some();
            if (finished.empty()) {
                AKIDB_TRY(first_fault());
                break;
            }
            for (const Finished& batch : finished) {
                acknowledged.add(batch.first_row, batch.count);
            }
            state.next_row = acknowledged.next_row();
            AKIDB_TRY(save_import_state(state_path, state));
            progress.show(state.next_row, false);
            AKIDB_TRY(first_fault());
        }
        progress.show(state.next_row, true);
        print_to(stdout, "imported " + counted(state.rows, "document") + " into " + arguments_.collection +
                             " in " + std::to_string(static_cast<uint64_t>(progress.seconds() * 10) / 10) +
                             " s\n");
        ::unlink(state_path.c_str());  // done: nothing to resume
        return {};
    }

  private:
    struct Finished {
        uint64_t first_row = 0;
        uint64_t count = 0;
    };

    bool may_send() AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        return !fault_.has_value() && under_way_ < size_t{arguments_.import.parallel} * 2;
    }
    void note_sent() AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        ++under_way_;
    }

    /// Nothing when nothing is under way any more.
    std::vector<Finished> wait_for_some() AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        while (finished_.empty() && under_way_ > 0 && !fault_.has_value()) {
            changed_.wait(mutex_);
        }
        return std::exchange(finished_, {});
    }

    Result<void> first_fault() AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        if (fault_.has_value()) {
            return *fault_;
        }
        return {};
    }

    void send(const Batch& batch, const std::stop_token& stop) {
        RestClient client = take_client();
        Result<void> sent = send_patiently(client, batch, stop);
        MutexLock lock(mutex_);
        clients_.push_back(std::move(client));
        --under_way_;
        if (sent.has_value()) {
            finished_.push_back({batch.first_row, batch.count});
        } else if (!fault_.has_value()) {
            fault_ = placed(std::move(sent).error(), batch);
        }
        changed_.notify_all();
    }

    /// The server's "documents[3].vector" is a line of a file here, or a row where vectors have no lines.
    Error placed(Error error, const Batch& batch) const {
        constexpr std::string_view kList = "documents[";
        const std::string field = error.field();
        const size_t end = field.find(']');
        uint64_t index = 0;
        if (!field.starts_with(kList) || end == std::string::npos ||
            std::from_chars(field.data() + kList.size(), field.data() + end, index).ptr !=
                field.data() + end ||
            index >= batch.count) {
            return std::move(error).with_context("rows " + std::to_string(batch.first_row) + " to " +
                                                 std::to_string(batch.first_row + batch.count - 1));
        }
        const uint64_t row = batch.first_row + index;
        const std::string rest = field.substr(std::min(field.size(), end + 2));
        const ImportArguments& import = arguments_.import;
        const std::string& lines = import.documents.empty() ? import.metadata : import.documents;
        const bool has_line = !lines.empty() && (!import.documents.empty() || rest.starts_with("metadata"));
        return std::move(error).with_field(rest).with_context(has_line ? lines + ":" + std::to_string(row + 1)
                                                                       : "row " + std::to_string(row) +
                                                                             " of " + import.vectors);
    }

    Result<void> send_patiently(RestClient& client, const Batch& batch, const std::stop_token& stop) {
        const uint64_t give_up_us = clock_.monotonic_us() + kPatienceUs;
        uint32_t back_off_ms = 100;
        std::string key = key_of(batch);
        while (true) {
            Result<std::string> answer = client.send("PUT", path_, batch.body, key);
            if (answer.has_value()) {
                return {};
            }
            if (answer.error().field() == "Idempotency-Key" && !std::exchange(key, {}).empty()) {
                continue;  // no room for more keys: the ids of the rows keep a batch from being stored twice
            }
            if (!is_worth_retrying(answer.error()) || clock_.monotonic_us() > give_up_us ||
                stop.stop_requested()) {
                return std::move(answer).error();
            }
            const uint32_t asked_ms = answer.error().retry_after_s() * 1000;
            std::this_thread::sleep_for(std::chrono::milliseconds(std::max(asked_ms, back_off_ms)));
            back_off_ms = std::min(back_off_ms * 2, kBackOffMaxMs);
        }
    }

    /// The body is named, too: the metadata may have been mended before an import goes on.
    std::string key_of(const Batch& batch) const {
        const Digest128 digest = Digester().add(batch.body).finish();
        return "import-" + run_ + "-" + std::to_string(batch.first_row) + "-" +
               Uuid{digest.bytes}.to_string();
    }

    RestClient take_client() AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        if (clients_.empty()) {
            return RestClient(arguments_.url, arguments_.token,
                              io::make_curl_http_client(arguments_.ca_file));
        }
        RestClient client = std::move(clients_.back());
        clients_.pop_back();
        return client;
    }

    const Arguments& arguments_;
    const io::Clock& clock_;
    const std::string path_;
    std::string run_;
    Mutex mutex_;
    CondVar changed_;
    std::vector<RestClient> clients_ AKIDB_GUARDED_BY(mutex_);
    std::vector<Finished> finished_ AKIDB_GUARDED_BY(mutex_);
    std::optional<Error> fault_ AKIDB_GUARDED_BY(mutex_);
    size_t under_way_ AKIDB_GUARDED_BY(mutex_) = 0;
};

/// Where the run begins: where an earlier one of the same import stopped, when that is asked for.
Result<ImportState> begin(const Arguments& arguments, ImportState state, const std::string& state_path) {
    if (!arguments.import.resume) {
        return state;
    }
    AKIDB_TRY(const std::optional<ImportState> earlier, load_import_state(state_path));
    if (earlier.has_value() && earlier->is_same_import(state)) {
        state.next_row = earlier->next_row;
        state.run = earlier->run.empty() ? state.run : earlier->run;
        print_to(stderr, "going on at row " + std::to_string(state.next_row) + "\n");
    } else {
        print_to(stderr, "nothing to go on with: starting at row 0\n");
    }
    return state;
}

Result<void> import_from(const Arguments& arguments, const std::string& source, uint64_t rows,
                         uint32_t dimension,
                         const std::function<Result<NextBatch>(uint64_t first_row)>& open) {
    RestClient client(arguments.url, arguments.token, io::make_curl_http_client(arguments.ca_file));
    ImportState state;
    AKIDB_TRY(state.collection_id, target_collection(client, arguments, dimension));
    state.vectors = source;
    state.rows = rows;
    const std::unique_ptr<io::Clock> clock = io::make_system_clock();
    state.run = io::make_uuid(*io::make_system_random(), *clock).to_string();
    const std::string state_path = arguments.import.state.empty()
                                       ? ".akidb-import-" + path_segment(arguments.collection) + ".json"
                                       : arguments.import.state;
    AKIDB_TRY(state, begin(arguments, std::move(state), state_path));
    AKIDB_TRY(const NextBatch next, open(state.next_row));
    Import run(arguments, *clock, "/collections/" + path_segment(arguments.collection) + "/documents");
    return run.run(next, state, state_path);
}

Result<void> import_vectors(const Arguments& arguments) {
    AKIDB_TRY(VectorFile vectors, VectorFile::open(arguments.import.vectors));
    const uint64_t rows = vectors.rows();
    const uint32_t dimension = vectors.dimension();
    return import_from(
        arguments, arguments.import.vectors, rows, dimension, [&](uint64_t first_row) -> Result<NextBatch> {
            AKIDB_TRY(BatchReader opened,
                      BatchReader::open(std::move(vectors), {.metadata = arguments.import.metadata,
                                                             .ids_from = arguments.import.ids_from,
                                                             .batch_rows = arguments.import.batch,
                                                             .first_row = first_row}));
            auto reader = std::make_shared<BatchReader>(std::move(opened));
            return NextBatch([reader] { return reader->next(); });
        });
}

Result<void> import_documents(const Arguments& arguments) {
    if (!arguments.import.metadata.empty() || !arguments.import.ids_from.empty()) {
        return invalid_argument(arguments.import.metadata.empty() ? "--ids-from" : "--metadata",
                                "--documents has ids and metadata in its lines", "with --vectors");
    }
    const std::string& path = arguments.import.documents;
    AKIDB_TRY(const DocumentLines whole, DocumentLines::open(path, arguments.import.batch, 0));
    return import_from(
        arguments, path, whole.rows(), whole.dimension(), [&](uint64_t first_row) -> Result<NextBatch> {
            AKIDB_TRY(DocumentLines opened, DocumentLines::open(path, arguments.import.batch, first_row));
            auto lines = std::make_shared<DocumentLines>(std::move(opened));
            return NextBatch([lines] { return lines->next(); });
        });
}

}  // namespace

ExitCode run_import(const Arguments& arguments) {
    const Result<void> done =
        arguments.import.documents.empty() ? import_vectors(arguments) : import_documents(arguments);
    return done.has_value() ? ExitCode::kClean : fail_with(done.error());
}

}  // namespace akidb::cli
