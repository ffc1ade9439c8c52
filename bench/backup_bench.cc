// backup_bench: what a backup of a server costs, and what it is worth: searches at a fixed rate while backups
// run and while none does, what a second backup sends after a change of 1 %, how long it takes from an
// empty place to a server that answers, and what of its acknowledged writes a server loses whose data
// directory is removed under it while it writes (RPO), with how long it takes until another answers (RTO).
// One collection has a graph and is searched; the bulk lies in others, small enough to have none. Vectors are
// made. Through a server of its own. Prints the bars. Exit codes: 0, 64 usage, 70 when something did not
// work.
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <random>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <vector>

#include "bench/bars.h"
#include "bench/bench_main.h"
#include "bench/bench_server.h"
#include "bench/wire_load.h"

namespace akidb::bench {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr size_t kBatch = 500;
constexpr size_t kBulkDocuments = 9'000;  // below index.graph_rows_min
constexpr size_t kBulkDimension = 768;

struct Options {
    double megabytes = 1000;
    size_t searched = 50'000;
    size_t dimension = 100;
    double rate = 100;
    double seconds = 10;
    size_t queries = 500;
    size_t rounds = 5;
    double archived_seconds = 65;
    uint64_t seed = 1;
    std::vector<std::string> flags;
};

double seconds_since(Clock::time_point began) {
    return std::chrono::duration<double>(Clock::now() - began).count();
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values.at(values.size() / 2);
}

/// Gone with its object.
class Scratch {
  public:
    Scratch() {
        std::string name = (fs::temp_directory_path() / "akidb-bench-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) {
            throw std::runtime_error("cannot make a directory " + name);
        }
        path_ = name;
    }
    ~Scratch() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }

  private:
    std::string path_;
};

class BackupBench {
  public:
    explicit BackupBench(const Options& options)
        : options_(options), random_(options.seed), server_(options.flags) {}

    unsigned run() {
        fill();
        std::vector<double> without;
        std::vector<double> with;
        for (size_t round = 0; round < options_.rounds; ++round) {  // in turn: a machine has moods
            without.push_back(searches(nullptr));
            with.push_back(searches([this] { back_up(place_ / ("load-" + std::to_string(backups_++))); }));
        }
        const double idle = median(without);
        const double busy = median(with);
        bars_.heading("searches at " + std::to_string(static_cast<int>(options_.rate)) +
                      " a second, medians of " + std::to_string(options_.rounds) + " rounds");
        bars_.line("P99 while no backup runs", idle, "ms");
        bars_.line("backups meanwhile, each of everything", static_cast<double>(backups_), "");
        bars_.line("P99 meanwhile", busy, "ms");
        bars_.at_most(1.5, "P99 meanwhile, of P99 without", busy / idle, "times");
        second_backup();
        restore();
        lose_directory();
        return bars_.missed();
    }

  private:
    Json vector_of(size_t dimension) {
        std::normal_distribution<float> normal;
        Json vector = Json::array();
        for (size_t i = 0; i < dimension; ++i) {
            vector.push_back(std::round(normal(random_) * 1000) / 1000);
        }
        return vector;
    }

    void upsert(const std::string& collection, size_t dimension, size_t begin, size_t end) {
        for (size_t from = begin; from < end; from += kBatch) {
            Json documents = Json::array();
            for (size_t id = from; id < std::min(end, from + kBatch); ++id) {
                documents.push_back(
                    {{"id", id}, {"vector", vector_of(dimension)}, {"metadata", {{"row", id}}}});
            }
            server_.ask("PUT", "/api/v1/collections/" + collection + "/documents",
                        {{"documents", documents}});
        }
    }

    static std::string bulk(size_t number) { return "bulk-" + std::to_string(number); }

    void fill() {
        const double of_one = static_cast<double>(kBulkDocuments * kBulkDimension * sizeof(float));
        bulks_ = static_cast<size_t>(options_.megabytes * 1e6 / of_one + 0.5);
        for (size_t number = 0; number < bulks_; ++number) {
            server_.create(bulk(number), kBulkDimension, "l2");
            upsert(bulk(number), kBulkDimension, 0, kBulkDocuments);
        }
        server_.create("searched", options_.dimension, "cosine");
        upsert("searched", options_.dimension, 0, options_.searched);
        server_.await_linked("searched");
    }

    /// P99 in milliseconds, with `meanwhile` again and again until the searches end.
    template <class Meanwhile>
    double searches(Meanwhile meanwhile) {
        WirePlan plan;
        plan.endpoint = server_.endpoint();
        plan.connections = 8;
        plan.seconds = options_.seconds;
        plan.rate = options_.rate;
        for (size_t i = 0; i < options_.queries; ++i) {
            const Json body = {{"vector", vector_of(options_.dimension)}, {"top_k", 10}};
            plan.requests.push_back(
                post_request(plan.endpoint, "/api/v1/collections/searched/search", body.dump()));
        }
        std::atomic<bool> is_over{false};
        WireResult result;
        std::jthread load([&] {
            result = run_wire_load(plan);
            is_over = true;
        });
        if constexpr (!std::is_null_pointer_v<Meanwhile>) {
            while (!is_over) {
                meanwhile();
            }
        }
        load.join();
        if (result.errors > 0) {
            throw std::runtime_error("searches were refused");
        }
        return result.quantile_us(0.99) / 1000;
    }

    Json back_up(const std::string& to) {
        Json state = server_.ask("POST", "/api/v1/backups", {{"to", to}});
        while (state["stage"] == "running") {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            state = server_.ask("GET", "/api/v1/backups/" + state["id"].get<std::string>());
        }
        if (state["stage"] != "done") {
            throw std::runtime_error("the backup failed: " + state.dump());
        }
        return state;
    }

    void second_backup() {
        const auto began = Clock::now();
        const Json first = back_up(place_ / "kept");
        const double bytes = first["bytes"].get<double>();
        bars_.heading("a backup");
        bars_.line("bytes of everything", bytes / 1e6, "MB");
        bars_.line("time", seconds_since(began), "s");
        for (size_t number = 0; number < bulks_; ++number) {
            upsert(bulk(number), kBulkDimension, 0, kBulkDocuments / 100);
        }
        upsert("searched", options_.dimension, 0, options_.searched / 100);
        const auto again = Clock::now();
        const Json second = back_up(place_ / "kept");
        bars_.line("time of a second one after a change of 1 %", seconds_since(again), "s");
        bars_.at_most(3, "what it sent",
                      100 * second["sent_bytes"].get<double>() / second["bytes"].get<double>(), "%");
    }

    /// A server on what was restored, which is ready. Prints how long that took.
    std::unique_ptr<e2e::ServerProcess> restore_from(const std::string& place, const std::string& to,
                                                     const std::vector<std::string>& more) {
        const auto began = Clock::now();
        std::vector<std::string> words{"restore", "--from", place, "--data", to};
        words.insert(words.end(), more.begin(), more.end());
        const auto restored = e2e::run_akidb(words, {}, 3'600'000);
        if (!restored || restored->exit_code != 0) {
            throw std::runtime_error("the restore failed: " + (restored ? restored->err : std::string()));
        }
        const double copied = seconds_since(began);
        auto started = e2e::ServerProcess::start({.data_directory = to, .flags = options_.flags});
        if (!started || !(*started)->wait_until_ready(600'000)) {
            throw std::runtime_error("the restored server did not become ready");
        }
        const double ready = seconds_since(began);
        bars_.line("restore, every byte verified", copied, "s");
        bars_.line("start until ready", ready - copied, "s");
        bars_.line("together (RTO)", ready, "s");
        return std::move(*started);
    }

    void restore() {
        server_.stop();
        bars_.heading("from an empty place to a server that answers");
        restore_from(place_ / "kept", place_ / "restored", {});
    }

    /// Only the log was archived of nearly all of it, so this is the longest that a restore takes.
    void lose_directory() {
        const std::string kept = place_ / "archived";
        std::vector<std::string> flags = options_.flags;
        flags.insert(flags.end(), {"--backup.to", kept, "--backup.drill_interval_s", "0"});
        BenchServer writing(flags);
        for (Json made; made.empty() || made[0]["stage"] == "running";) {
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
            made = writing.ask("GET", "/api/v1/backups")["backups"];
        }
        writing.create("written", kBulkDimension, "l2");
        const auto began = Clock::now();
        const double bytes_of_one = static_cast<double>(kBulkDimension * sizeof(float));
        std::vector<Clock::time_point> acknowledged;  // of each batch
        while (static_cast<double>(acknowledged.size() * kBatch) * bytes_of_one < options_.megabytes * 1e6 ||
               seconds_since(began) < options_.archived_seconds) {
            Json documents = Json::array();
            for (size_t i = 0; i < kBatch; ++i) {
                documents.push_back(
                    {{"id", acknowledged.size() * kBatch + i}, {"vector", vector_of(kBulkDimension)}});
            }
            writing.ask("PUT", "/api/v1/collections/written/documents", {{"documents", documents}});
            acknowledged.push_back(Clock::now());
        }
        const auto lost_at = Clock::now();
        writing.kill();
        fs::remove_all(writing.directory());
        bars_.heading("the data directory is lost while a server writes");
        bars_.line("written", static_cast<double>(acknowledged.size() * kBatch) * bytes_of_one / 1e6, "MB");
        const auto started = restore_from(kept, place_ / "again", {"--to-time", "latest"});
        const auto answer = started->request("POST", "/api/v1/collections/written/count", "{}");
        const size_t batches = Json::parse(answer->body)["count"].get<size_t>() / kBatch;
        const double lost_s = batches >= acknowledged.size()
                                  ? 0
                                  : std::chrono::duration<double>(lost_at - acknowledged[batches]).count();
        bars_.line("acknowledged writes lost", static_cast<double>(acknowledged.size() - batches), "batches");
        bars_.at_most(60, "of the last (RPO)", lost_s, "s");
    }

    const Options options_;
    std::mt19937_64 random_;
    Scratch place_;
    BenchServer server_;
    Bars bars_;
    size_t bulks_ = 0;
    size_t backups_ = 0;
};

}  // namespace
}  // namespace akidb::bench

int main(int argc, char** argv) {
    akidb::bench::Options options;
    CLI::App app("What backups of a server cost, and how long a restore takes");
    app.add_option("--megabytes", options.megabytes, "Vectors that are not searched")->capture_default_str();
    app.add_option("--searched", options.searched, "Documents that are")->capture_default_str();
    app.add_option("--dimension", options.dimension, "Of these")->capture_default_str();
    app.add_option("--rate", options.rate, "Searches a second")->capture_default_str();
    app.add_option("--seconds", options.seconds, "Of searches in a round, with and without backups each")
        ->capture_default_str();
    app.add_option("--rounds", options.rounds, "Of searches with and without backups, in turn")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--queries", options.queries, "Different ones")->capture_default_str();
    app.add_option("--archived-seconds", options.archived_seconds,
                   "At least so long a server writes whose data directory is lost")
        ->capture_default_str();
    app.add_option("--seed", options.seed, "Of the vectors")->capture_default_str();
    app.add_option("--flags", options.flags, "Of the server");
    return akidb::bench::bench_main(app, "backup_bench", argc, argv,
                                    [&] { akidb::bench::BackupBench(options).run(); });
}
