// soak_bench: whether a server under mixed load stays the size it is: upserts of new and known ids, deletes,
// a filtered and many plain searches at a fixed rate, and collections that come and go, over several lives of
// the server that end by turns in an orderly stop and in a kill. In each life memory, descriptors and threads
// are sampled once it is warm, and a line is laid through the means of ten spans of time: what it rises in an
// hour, and the noise of that by Student's t. Prints a line a life and the bars. Exit codes: 0, also when a
// bar was missed; 64 usage; 70 when something did not work.
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <random>
#include <stop_token>
#include <thread>

#include "bench/bars.h"
#include "bench/bench_main.h"
#include "bench/bench_server.h"
#include "bench/upsert_bodies.h"
#include "bench/wire_load.h"

namespace akidb::bench {
namespace {

using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr size_t kSpans = 10;
constexpr double kStudent = 2.306;  // 95 % both sides, kSpans − 2 degrees of freedom
constexpr size_t kRequests = 20'000;
constexpr size_t kConnections = 8;

struct Options {
    std::string vectors = "bench/data/glove-100/base.fbin";
    std::string metric = "cosine";
    size_t documents = 30'000;  // ids that there are
    double minutes = 30;
    size_t lives = 5;
    double warm_share = 0.3;  // of a life, before the first sample
    double rate = 300;        // requests a second
    uint64_t seed = 1;
    std::vector<std::string> flags;
};

struct Sample {
    double hours = 0;
    ProcessFacts facts;
};

struct Line {
    double mean = 0;
    double per_hour = 0;
    double noise = 0;  // of per_hour: the true one is within, 19 times of 20
    bool is_flat() const { return std::abs(per_hour) <= noise; }
};

/// Least squares through the means of kSpans spans.
Line line_through(const std::vector<Sample>& samples, double (*value)(const ProcessFacts&)) {
    std::array<double, kSpans> x{};
    std::array<double, kSpans> y{};
    for (size_t span = 0; span < kSpans; ++span) {
        const size_t begin = samples.size() * span / kSpans;
        const size_t end = samples.size() * (span + 1) / kSpans;
        for (size_t i = begin; i < end; ++i) {
            x[span] += samples[i].hours / static_cast<double>(end - begin);
            y[span] += value(samples[i].facts) / static_cast<double>(end - begin);
        }
    }
    const double mean_x = std::accumulate(x.begin(), x.end(), 0.0) / kSpans;
    const double mean_y = std::accumulate(y.begin(), y.end(), 0.0) / kSpans;
    double xx = 0;
    double xy = 0;
    for (size_t span = 0; span < kSpans; ++span) {
        xx += (x[span] - mean_x) * (x[span] - mean_x);
        xy += (x[span] - mean_x) * (y[span] - mean_y);
    }
    const double slope = xy / xx;
    double rest = 0;
    for (size_t span = 0; span < kSpans; ++span) {
        const double off = y[span] - mean_y - slope * (x[span] - mean_x);
        rest += off * off;
    }
    return {mean_y, slope, kStudent * std::sqrt(rest / (kSpans - 2) / xx)};
}

double resident_mib(const ProcessFacts& facts) {
    return static_cast<double>(facts.resident_bytes) / kMiB;
}
double descriptors(const ProcessFacts& facts) {
    return static_cast<double>(facts.descriptors);
}
double threads(const ProcessFacts& facts) {
    return static_cast<double>(facts.threads);
}

class SoakBench {
  public:
    explicit SoakBench(const Options& options)
        : options_(options),
          vectors_(options.vectors),
          queries_(std::filesystem::path(options.vectors).replace_filename("query.fbin")),
          random_(options.seed),
          server_(options.flags) {
        if (vectors_.rows() < options_.documents) {
            throw std::runtime_error("the file has fewer rows than there are to be documents");
        }
    }

    void run() {
        server_.create("soak", vectors_.dimension(), options_.metric);
        fill();
        for (size_t life = 1; life <= options_.lives; ++life) {
            live(life);
            if (life == options_.lives) {
                break;
            }
            life % 2 == 1 ? server_.stop() : server_.kill();
            server_.start();
        }
        report();
    }

  private:
    void fill() {
        WirePlan plan;
        plan.endpoint = server_.endpoint();
        plan.seconds = 3600;
        plan.requests = upsert_requests(plan.endpoint, "soak", vectors_, {0, options_.documents}, 1'000);
        plan.requests_max = plan.requests.size();
        if (run_wire_load(plan).errors > 0) {
            throw std::runtime_error("upserts were refused");
        }
        server_.await_linked("soak");
    }

    uint32_t any_id() { return static_cast<uint32_t>(random_() % options_.documents); }

    /// Of twenty: three batches of upserts, one delete of some ids, one by a filter that matches one
    /// document, one filtered search; plain searches.
    std::string any_request(const support::Endpoint& endpoint) {
        const std::string path = "/api/v1/collections/soak/";
        const uint64_t kind = random_() % 20;
        if (kind < 3) {
            std::vector<uint32_t> rows(20);
            std::generate(rows.begin(), rows.end(), [this] { return any_id(); });
            return upsert_request(endpoint, "soak", vectors_, rows);
        }
        if (kind == 3) {
            return post_request(endpoint, path + "documents/delete",
                                Json{{"ids", {any_id(), any_id(), any_id()}}}.dump());
        }
        const Json filter{{"must", {{{"key", "row"}, {"match", {{"value", any_id()}}}}}}};
        if (kind == 4) {
            return post_request(endpoint, path + "documents/delete", Json{{"filter", filter}}.dump());
        }
        const auto query = queries_.row(random_() % queries_.rows());
        Json search{{"vector", std::vector<float>(query.begin(), query.end())}, {"include", {"metadata"}}};
        if (kind == 5) {
            search["filter"] = filter;
        }
        return post_request(endpoint, path + "search", search.dump());
    }

    /// One that comes, is filled and searched, and goes.
    void short_lived_collection() {
        server_.create("brief", vectors_.dimension(), options_.metric);
        WirePlan plan;
        plan.endpoint = server_.endpoint();
        plan.requests = upsert_requests(plan.endpoint, "brief", vectors_, {0, 500}, 100);
        plan.requests_max = plan.requests.size();
        refused_ += run_wire_load(plan).errors;
        server_.ask("DELETE", "/api/v1/collections/brief");
    }

    void live(size_t life) {
        WirePlan plan;
        plan.endpoint = server_.endpoint();
        plan.connections = kConnections;
        plan.rate = options_.rate;
        plan.seconds = options_.minutes * 60 / static_cast<double>(options_.lives);
        for (size_t i = 0; i < kRequests; ++i) {
            plan.requests.push_back(any_request(plan.endpoint));
        }
        const auto begin = Clock::now();
        WireResult result;
        std::jthread load([&] { result = run_wire_load(plan); });
        std::vector<Sample> samples;
        for (size_t second = 0;; ++second) {
            const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
            if (seconds >= plan.seconds - 1) {
                break;
            }
            if (seconds >= plan.seconds * options_.warm_share) {
                samples.push_back({seconds / 3600, server_.process()});
            }
            if (second % 10 == 5) {
                short_lived_collection();
            }
            std::this_thread::sleep_for(std::chrono::seconds(1));
        }
        load.join();
        answered_ += result.answered;
        refused_ += result.errors;
        print(life, samples, result);
    }

    void print(size_t life, const std::vector<Sample>& samples, const WireResult& result) {
        if (samples.size() < kSpans * 2) {
            throw std::runtime_error("a life is too short to lay a line through it");
        }
        lines_.push_back({line_through(samples, resident_mib), line_through(samples, descriptors),
                          line_through(samples, threads)});
        const auto& [memory, files, tasks] = lines_.back();
        std::printf(
            "life %zu: %llu requests, P99 %.1f ms; resident %.1f MiB, %+.2f ± %.2f MiB an hour; descriptors "
            "%.1f, "
            "%+.2f ± %.2f; threads %.1f, %+.2f ± %.2f\n",
            life, static_cast<unsigned long long>(result.answered), result.quantile_us(0.99) / 1000,
            memory.mean, memory.per_hour, memory.noise, files.mean, files.per_hour, files.noise, tasks.mean,
            tasks.per_hour, tasks.noise);
        std::fflush(stdout);
    }

    /// The last life has the longest history behind it.
    void report() {
        Bars bars;
        bars.heading(std::to_string(answered_) + " requests in " + std::to_string(options_.lives) + " lives");
        bars.at_most(0, "answers other than 200", static_cast<double>(refused_), "");
        const auto rising = [&](size_t which) {
            return static_cast<double>(std::count_if(lines_.begin(), lines_.end(), [&](const auto& life) {
                return !life[which].is_flat() && life[which].per_hour > 0;
            }));
        };
        // By chance one slope in forty is above its noise.
        bars.at_most(0, "lives whose resident memory rises beyond noise", rising(0), "");
        bars.at_most(0, "lives whose descriptors rise beyond noise", rising(1), "");
        bars.at_most(0, "lives whose threads rise beyond noise", rising(2), "");
        bars.line("resident memory of the last life over the first",
                  lines_.back()[0].mean / lines_.front()[0].mean, "times");
        std::printf("\n%u bars missed\n", bars.missed());
    }

    const Options& options_;
    VectorFile vectors_;
    VectorFile queries_;
    std::mt19937_64 random_;
    BenchServer server_;
    std::vector<std::array<Line, 3>> lines_;
    uint64_t answered_ = 0;
    uint64_t refused_ = 0;
};

int run(int argc, char** argv) {
    Options options;
    CLI::App app{"Watches the size of a server under mixed load, over several lives."};
    app.add_option("--vectors", options.vectors, ".fbin; beside it lies its query.fbin")
        ->capture_default_str();
    app.add_option("--metric", options.metric)->capture_default_str();
    app.add_option("--documents", options.documents)->capture_default_str();
    app.add_option("--minutes", options.minutes, "in all")->capture_default_str();
    app.add_option("--lives", options.lives)->capture_default_str()->check(CLI::Range(1, 100));
    app.add_option("--rate", options.rate, "requests a second")->capture_default_str();
    app.add_option("--seed", options.seed)->capture_default_str();
    app.add_option("--server-flags", options.flags, "further flags of the server")->delimiter(',');
    return bench_main(app, "soak_bench", argc, argv, [&] { SoakBench(options).run(); });
}

}  // namespace
}  // namespace akidb::bench

int main(int argc, char** argv) {
    return akidb::bench::run(argc, argv);
}
