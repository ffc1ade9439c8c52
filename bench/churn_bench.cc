// churn_bench: what is left of a collection after cycles of deleting 30 % and inserting as many others:
// recall against a collection built afresh from the same documents, documents that can no longer be found,
// disk against live bytes (what the files of as many documents need: rows as segments hold them, ids,
// metadata and neighbour lists; of the disk, all files of the collection, with removed ones that are still
// mapped). Odd cycles delete at random, even ones whole neighbourhoods. Through a server of its own. Document
// ids are row numbers of the file; a row that was deleted may come back later. Prints a line for each cycle
// and the bars. Exit codes: 0, 64 usage, 70 when something did not work.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <functional>
#include <numeric>
#include <random>
#include <stdexcept>
#include <stop_token>
#include <thread>

#include "bench/bars.h"
#include "bench/bench_main.h"
#include "bench/bench_server.h"
#include "bench/brute_force.h"
#include "bench/rest_collection.h"
#include "bench/upsert_bodies.h"
#include "bench/wire_load.h"
#include "index/graph.h"
#include "index/rows.h"

namespace akidb::bench {
namespace {

using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr size_t kNeighbours = 10;
constexpr size_t kBatch = 1'000;
constexpr double kDeletedShare = 0.3;
constexpr size_t kNeighbourhoods = 6;  // deleted as a whole in an even cycle
constexpr double kDeadShareMax = 0.2;  // above it a rewrite is due

struct Options {
    std::string vectors = "bench/data/glove-100/base.fbin";
    std::string metric = "cosine";
    size_t documents = 50'000;
    size_t cycles = 20;
    size_t queries = 500;
    size_t probes = 2'000;
    size_t fresh_every = 5;
    uint32_t settle_s = 120;
    uint64_t seed = 1;
    std::vector<std::string> flags;
};

class ChurnBench {
  public:
    explicit ChurnBench(const Options& options)
        : options_(options),
          vectors_(options.vectors),
          queries_(std::filesystem::path(options.vectors).replace_filename("query.fbin")),
          metric_(metric_from(options.metric)),
          random_(options.seed),
          server_(options.flags) {
        if (vectors_.rows() < options_.documents * 3 / 2) {
            throw std::runtime_error("the file needs half as many rows again as there are documents");
        }
        order_.resize(vectors_.rows());
        std::iota(order_.begin(), order_.end(), uint32_t{0});
        std::shuffle(order_.begin(), order_.end(), random_);
        live_.assign(order_.begin(), order_.begin() + static_cast<std::ptrdiff_t>(options_.documents));
        spare_.assign(order_.begin() + static_cast<std::ptrdiff_t>(options_.documents), order_.end());
    }

    void run() {
        const std::jthread watch([this](const std::stop_token& stop) { watch_disk(stop); });
        make("churned", live_);
        print(0, recall("churned"));
        for (size_t cycle = 1; cycle <= options_.cycles; ++cycle) {
            churn(cycle);
            settle();
            const double churned = recall("churned");
            print(cycle, churned);
            if (cycle % options_.fresh_every == 0 || cycle == options_.cycles) {
                compare_with_fresh(churned);
            }
        }
        report();
    }

  private:
    /// What the documents alone take in files: each row with its version and the offsets of its id and
    /// metadata.
    double live_bytes() const {
        constexpr size_t kRowOverhead = 3 * sizeof(uint64_t);
        const size_t padding =
            index::row_stride(static_cast<uint32_t>(vectors_.dimension()), model::VectorStorage::kF32) -
            vectors_.dimension();
        const size_t more =
            padding * sizeof(float) + kRowOverhead + index::GraphOptions{}.degree * sizeof(uint32_t);
        return user_bytes(live_.size(), vectors_.dimension()) +
               static_cast<double>(live_.size()) * static_cast<double>(more);
    }

    void watch_disk(const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            peak_ = std::max(peak_.load(), server_.collection_bytes());
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
    }

    void make(const std::string& name, const std::vector<uint32_t>& rows) {
        server_.create(name, vectors_.dimension(), options_.metric);
        insert(name, rows);
        server_.await_linked(name);
        server_.await_idle();
    }

    void insert(const std::string& name, const std::vector<uint32_t>& rows) {
        WirePlan plan;
        plan.endpoint = server_.endpoint();
        plan.seconds = 3600;
        for (size_t begin = 0; begin < rows.size(); begin += kBatch) {
            const auto end = std::min(rows.size(), begin + kBatch);
            plan.requests.push_back(
                upsert_request(plan.endpoint, name, vectors_, std::span(rows).subspan(begin, end - begin)));
        }
        plan.requests_max = plan.requests.size();
        upserted_ += rows.size();
        if (run_wire_load(plan).errors > 0) {
            throw std::runtime_error("upserts were refused");
        }
    }

    /// Moves what is to be deleted to the end of live_ and returns how many that are.
    size_t choose(size_t cycle) {
        const auto wanted = static_cast<size_t>(kDeletedShare * static_cast<double>(live_.size()));
        if (cycle % 2 == 1) {
            std::shuffle(live_.begin(), live_.end(), random_);
            return wanted;
        }
        size_t chosen = 0;
        for (size_t number = 0; number < kNeighbourhoods; ++number) {
            const size_t left = live_.size() - chosen;
            const size_t size = (wanted - chosen) / (kNeighbourhoods - number);
            const auto centre = vectors_.row(live_[random_() % left]);
            std::vector<std::pair<float, uint32_t>> near;
            for (size_t at = 0; at < left; ++at) {
                near.emplace_back(similarity(metric_, centre, vectors_.row(live_[at])), live_[at]);
            }
            const auto farther = static_cast<std::ptrdiff_t>(left - size);  // the nearest go to the end
            std::nth_element(near.begin(), near.begin() + farther, near.end());
            std::transform(near.begin(), near.end(), live_.begin(),
                           [](const auto& one) { return one.second; });
            chosen += size;
        }
        return chosen;
    }

    void churn(size_t cycle) {
        const size_t count = choose(cycle);
        std::vector<uint32_t> dead(live_.end() - static_cast<std::ptrdiff_t>(count), live_.end());
        live_.resize(live_.size() - count);
        for (size_t begin = 0; begin < dead.size(); begin += kBatch) {
            const auto end = std::min(dead.size(), begin + kBatch);
            server_.ask("POST", "/api/v1/collections/churned/documents/delete",
                        {{"ids", std::vector<uint32_t>(dead.begin() + static_cast<std::ptrdiff_t>(begin),
                                                       dead.begin() + static_cast<std::ptrdiff_t>(end))}});
        }
        const std::vector<uint32_t> fresh(spare_.begin(),
                                          spare_.begin() + static_cast<std::ptrdiff_t>(count));
        spare_.erase(spare_.begin(), spare_.begin() + static_cast<std::ptrdiff_t>(count));
        insert("churned", fresh);
        live_.insert(live_.end(), fresh.begin(), fresh.end());
        spare_.insert(spare_.end(), dead.begin(), dead.end());
    }

    Json stats() { return server_.ask("GET", "/api/v1/collections/churned/stats"); }

    double dead_share() {
        const Json now = stats();
        const auto rows = now.at("rows").get<double>();
        return rows > 0 ? 1 - now.at("count").get<double>() / rows : 0;
    }

    /// Until all is linked and no more is dead than a rewrite would leave.
    void settle() {
        server_.await_linked("churned");
        const auto end = Clock::now() + std::chrono::seconds(rewrites_seem_missing_ ? 0 : options_.settle_s);
        while (dead_share() > kDeadShareMax) {
            if (Clock::now() >= end) {
                if (!rewrites_seem_missing_) {
                    std::printf("  no rewrite within %u s\n", options_.settle_s);
                }
                rewrites_seem_missing_ = true;
                return;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(200));
        }
        server_.await_linked("churned");
        server_.await_idle();
    }

    double recall(const std::string& name) {
        RestCollection reader(server_.url(), name);
        double sum = 0;
        const size_t queries = std::min(options_.queries, queries_.rows());
        std::vector<float> near(live_.size());
        for (size_t query = 0; query < queries; ++query) {
            const auto vector = queries_.row(query);
            std::transform(live_.begin(), live_.end(), near.begin(),
                           [&](uint32_t row) { return similarity(metric_, vector, vectors_.row(row)); });
            std::nth_element(near.begin(), near.begin() + kNeighbours - 1, near.end(), std::greater<>());
            const float worst = near[kNeighbours - 1] - 1e-6F;
            size_t right = 0;
            for (const Found& found : reader.search(search_body(vector, {.k = kNeighbours}))) {
                right += similarity(metric_, vector, vectors_.row(found.id)) >= worst ? 1 : 0;
            }
            sum += static_cast<double>(std::min(right, kNeighbours)) / kNeighbours;
        }
        return sum / static_cast<double>(queries);
    }

    /// Live documents that a search for their own vector does not find, by a wide beam.
    size_t unreachable() {
        RestCollection reader(server_.url(), "churned");
        size_t missing = 0;
        for (size_t probe = 0; probe < std::min(options_.probes, live_.size()); ++probe) {
            const uint32_t row = live_[random_() % live_.size()];
            const std::vector<Found> found =
                reader.search(search_body(vectors_.row(row), {.k = kNeighbours, .ef = 512}));
            const bool is_found = std::any_of(found.begin(), found.end(), [&](const Found& one) {
                return one.id == row || similarity(metric_, vectors_.row(row), vectors_.row(one.id)) >=
                                            similarity(metric_, vectors_.row(row), vectors_.row(row));
            });
            missing += is_found ? 0 : 1;
        }
        return missing;
    }

    void print(size_t cycle, double recall) {
        const double disk = static_cast<double>(server_.collection_bytes()) / live_bytes();
        const size_t missing = unreachable();
        std::printf(
            "cycle %2zu: recall@10 %.4f, dead %4.1f %%, disk %.2f x live (%.2f at most since before), "
            "%zu of %zu not found\n",
            cycle, recall, dead_share() * 100, disk, static_cast<double>(peak_.exchange(0)) / live_bytes(),
            missing, std::min(options_.probes, live_.size()));
        std::fflush(stdout);
        unreachable_ += missing;
        if (cycle > 0) {
            disks_.push_back(disk);
        }
    }

    void compare_with_fresh(double churned) {
        make("fresh", live_);
        const double fresh = recall("fresh");
        server_.ask("DELETE", "/api/v1/collections/fresh");
        peak_ = 0;
        std::printf("  built afresh: recall@10 %.4f\n", fresh);
        differences_.push_back((fresh - churned) * 100);
    }

    void report() {
        Bars bars;
        bars.heading("after " + std::to_string(options_.cycles) + " cycles");
        const auto mean_of = [](const std::vector<double>& values) {
            return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
        };
        bars.at_most(0.3, "recall@10 below a fresh build, mean", mean_of(differences_), "points");
        bars.at_most(1, "recall@10 below a fresh build, worst",
                     *std::max_element(differences_.begin(), differences_.end()), "points");
        bars.at_most(1.6, "disk against live bytes, worst", *std::max_element(disks_.begin(), disks_.end()),
                     "times");
        bars.line("disk against live bytes, mean", mean_of(disks_), "times");
        bars.line("written to the disk / bytes of users, fresh builds included",
                  static_cast<double>(server_.process().written_bytes) /
                      user_bytes(upserted_, vectors_.dimension()),
                  "times");
        bars.at_most(0, "live documents not found by their own vector", static_cast<double>(unreachable_),
                     "");
    }

    const Options& options_;
    VectorFile vectors_;
    VectorFile queries_;
    Metric metric_;
    std::mt19937_64 random_;
    BenchServer server_;
    std::vector<uint32_t> order_;
    std::vector<uint32_t> live_;
    std::vector<uint32_t> spare_;
    std::vector<double> differences_;
    size_t unreachable_ = 0;
    size_t upserted_ = 0;
    std::vector<double> disks_;      // against live bytes, at the end of each cycle
    std::atomic<uint64_t> peak_{0};  // bytes of collections, since the last line
    bool rewrites_seem_missing_ = false;
};

int run(int argc, char** argv) {
    Options options;
    CLI::App app{"Deletes and inserts again and again, and compares with a collection built afresh."};
    app.add_option("--vectors", options.vectors, ".fbin; beside it lies its query.fbin")
        ->capture_default_str();
    app.add_option("--metric", options.metric, "of the collection")->capture_default_str();
    app.add_option("--documents", options.documents, "live ones")->capture_default_str();
    app.add_option("--cycles", options.cycles, "of 30 %")
        ->check(CLI::Range(1U, 1000U))
        ->capture_default_str();
    app.add_option("--queries", options.queries, "that recall is measured with")->capture_default_str();
    app.add_option("--probes", options.probes, "documents looked for by their own vector")
        ->capture_default_str();
    app.add_option("--fresh-every", options.fresh_every, "cycles between comparisons with a fresh build")
        ->check(CLI::Range(1U, 1000U))
        ->capture_default_str();
    app.add_option("--settle-s", options.settle_s, "how long a rewrite is waited for")->capture_default_str();
    app.add_option("--seed", options.seed, "of what is deleted")->capture_default_str();
    app.add_option("--server-flags", options.flags, "further flags of the server")->delimiter(',');
    return bench_main(app, "churn_bench", argc, argv, [&] { ChurnBench(options).run(); });
}

}  // namespace
}  // namespace akidb::bench

int main(int argc, char** argv) {
    return akidb::bench::run(argc, argv);
}
