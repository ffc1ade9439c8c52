// cold_bench: what a search costs whose collection lies in an object store alone: the first one after a
// start, further ones, what they find beside an exact search, and what opening the whole takes instead. The
// store is a directory, or what --to and --flags name. Vectors are made, in clusters, or those of a file:
// documents first, then what is searched for. Through a server of its own. Prints the bars. Exit codes: 0, 64
// usage, 70 when something did not work.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>
#include <vector>

#include "bench/bars.h"
#include "bench/bench_main.h"
#include "bench/bench_server.h"
#include "bench/vector_file.h"

namespace akidb::bench {
namespace {

using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr size_t kBatch = 1'000;
constexpr size_t kTop = 10;
const std::string kPath = "/api/v1/collections/archive";

struct Options {
    size_t rows = 100'000;
    size_t dimension = 100;
    size_t clusters = 1'000;
    size_t queries = 100;
    uint64_t seed = 1;
    std::string base;
    std::string to;
    std::vector<std::string> flags;
};

double milliseconds_since(Clock::time_point began) {
    return std::chrono::duration<double, std::milli>(Clock::now() - began).count();
}

double quantile(std::vector<double> values, double share) {
    std::sort(values.begin(), values.end());
    return values.at(static_cast<size_t>(share * static_cast<double>(values.size() - 1)));
}

struct Asked {
    double ms = 0;
    std::set<uint64_t> ids;
    Json explain;
};

class TiersBench {
  public:
    explicit TiersBench(const Options& options)
        : options_(options),
          random_(static_cast<uint32_t>(options.seed)),
          store_(std::filesystem::temp_directory_path() /
                 ("akidb-bench-store-" + std::to_string(options.seed))),
          server_(flags(options, store_)) {
        if (!options.base.empty()) {
            base_.emplace(options.base);
            options_.dimension = base_->dimension();
        }
        for (size_t i = 0; i < options.clusters; ++i) {
            centres_.push_back(random_vector(random_, options.dimension));
        }
    }

    ~TiersBench() {
        std::error_code ignored;  // a leftover in /tmp is no reason to end a bench
        std::filesystem::remove_all(store_, ignored);
    }
    TiersBench(const TiersBench&) = delete;
    TiersBench& operator=(const TiersBench&) = delete;

    unsigned run() {
        server_.ask("POST", "/api/v1/collections",
                    {{"name", "archive"},
                     {"dimension", options_.dimension},
                     {"metric", "cosine"},
                     {"policy", "s3_only"}});
        for (size_t begin = 0; begin < options_.rows; begin += kBatch) {
            Json documents = Json::array();
            for (size_t id = begin; id < std::min(options_.rows, begin + kBatch); ++id) {
                documents.push_back({{"id", id}, {"vector", vector()}, {"metadata", {{"row", id}}}});
            }
            server_.ask("PUT", kPath + "/documents", {{"documents", std::move(documents)}});
        }
        std::vector<std::vector<float>> queries;
        std::vector<std::set<uint64_t>> truth;
        for (size_t i = 0; i < options_.queries; ++i) {
            queries.push_back(vector());
            truth.push_back(ask(queries.back(), {{"params", {{"exact", true}}}}).ids);
        }
        const auto began = Clock::now();
        move("demote_to_cold");
        bars_.heading("a collection of " + std::to_string(options_.rows) + " documents of " +
                      std::to_string(options_.dimension) + " dimensions, cold");
        bars_.line("going cold: closing, sending, verifying, removing", milliseconds_since(began) / 1000,
                   "s");
        server_.stop();
        server_.start();
        server_.await_ready();
        search(queries, truth);
        open(queries.front());
        return bars_.missed();
    }

  private:
    static std::vector<std::string> flags(const Options& options, const std::string& store) {
        std::filesystem::remove_all(store);
        std::vector<std::string> flags = options.flags;
        flags.insert(flags.end(), {"--tiers.to", options.to.empty() ? store : options.to,
                                   "--tiers.promote_after", "1000000"});
        return flags;
    }

    std::vector<float> vector() {
        if (base_) {
            const std::span<const float> row = base_->row(next_++ % base_->rows());
            return {row.begin(), row.end()};
        }
        std::vector<float> made = random_vector(random_, options_.dimension);
        const std::vector<float>& centre = centres_[random_() % centres_.size()];
        for (size_t i = 0; i < made.size(); ++i) {
            made[i] = centre[i] + 0.7F * made[i];
        }
        return made;
    }

    Asked ask(const std::vector<float>& query, const Json& more) {
        Json body = {{"vector", query}, {"top_k", kTop}, {"explain", true}, {"include", {"metadata"}}};
        body.update(more);
        const auto began = Clock::now();
        const Json reply = server_.ask("POST", kPath + "/search", body);
        Asked asked{.ms = milliseconds_since(began), .ids = {}, .explain = reply.at("explain")};
        for (const Json& match : reply.at("matches")) {
            if (match.at("metadata").at("row") != match.at("id")) {
                throw std::runtime_error("a document has the metadata of another");
            }
            asked.ids.insert(match.at("id").get<uint64_t>());
        }
        return asked;
    }

    void move(const std::string& action) { server_.ask("POST", kPath + "/tier", {{"action", action}}); }

    void search(const std::vector<std::vector<float>>& queries,
                const std::vector<std::set<uint64_t>>& truth) {
        std::vector<double> times;
        std::vector<double> trips;
        double bytes = 0;
        double candidates = 0;
        size_t found = 0;
        for (size_t i = 0; i < queries.size(); ++i) {
            const Asked asked = ask(queries[i], Json::object());
            if (asked.explain.at("plan") != "cold") {
                throw std::runtime_error("the search went by the plan " + asked.explain.at("plan").dump());
            }
            const auto of_this = asked.explain.at("round_trips").get<double>();
            const auto fetched = asked.explain.at("fetched_bytes").get<double>();
            if (i == 0) {
                bars_.line("first search after a start", asked.ms, "ms");
                bars_.at_most(3, "its round trips to the store, before the answer", of_this, "");
                bars_.line("fetched for it", fetched / 1e6, "MB");
            } else {
                times.push_back(asked.ms);
                trips.push_back(of_this);
                bytes += fetched;
                candidates += asked.explain.at("candidates").get<double>();
            }
            for (const uint64_t id : asked.ids) {
                found += truth[i].count(id);
            }
        }
        const auto others = static_cast<double>(times.size());
        bars_.line("further searches, median", quantile(times, 0.5), "ms");
        bars_.line("P95", quantile(times, 0.95), "ms");
        bars_.at_most(1, "round trips of each", quantile(trips, 1), "");
        bars_.line("fetched for each", bytes / others / 1e3, "kB");
        bars_.line("documents compared exactly for each", candidates / others, "");
        bars_.at_least(0.95, "recall@10, beside an exact search",
                       static_cast<double>(found) / static_cast<double>(queries.size() * kTop), "");
        bars_.at_most(0, "of the collection on the local disk meanwhile",
                      static_cast<double>(server_.collection_bytes()), "bytes");
    }

    void open(const std::vector<float>& query) {
        const auto began = Clock::now();
        ask(query, {{"params", {{"exact", true}}}});
        bars_.line("for comparison: a search that opens the whole", milliseconds_since(began), "ms");
        bars_.line("on the local disk then", static_cast<double>(server_.collection_bytes()) / 1e6, "MB");
    }

    Options options_;
    std::mt19937 random_;
    const std::string store_;
    BenchServer server_;
    std::vector<std::vector<float>> centres_;
    std::optional<VectorFile> base_;
    size_t next_ = 0;
    Bars bars_;
};

}  // namespace
}  // namespace akidb::bench

int main(int argc, char** argv) {
    akidb::bench::Options options;
    CLI::App app("What a search costs whose collection lies in an object store alone");
    app.add_option("--rows", options.rows, "Documents")->capture_default_str();
    app.add_option("--dimension", options.dimension, "Of their vectors")->capture_default_str();
    app.add_option("--clusters", options.clusters, "That they lie in")->capture_default_str();
    app.add_option("--queries", options.queries, "Searches")->capture_default_str();
    app.add_option("--seed", options.seed, "Of the vectors")->capture_default_str();
    app.add_option("--base", options.base, "An .fbin file of vectors in place of made ones");
    app.add_option("--to", options.to, "The store, if it is not to be a directory of its own");
    app.add_option("--flags", options.flags, "Of the server");
    return akidb::bench::bench_main(app, "cold_bench", argc, argv,
                                    [&] { akidb::bench::TiersBench(options).run(); });
}
