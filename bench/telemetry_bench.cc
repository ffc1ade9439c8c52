// telemetry_bench: what it costs to watch. The same searches, on the same documents, of four servers in turn:
// one whose metrics count nothing (silent_metrics.cc), with no probe and no log of slow searches; one that
// counts; one as shipped, with the recall probe and the log of slow searches too, and scraped once a round;
// and that one with a line in the log for each request. Medians of the rounds are printed, with the bars of
// all telemetry and of the probe. Then how long a scrape takes under load. Client and servers share the
// machine. Exit codes: 0, 64 usage, 70 when something did not work.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <random>
#include <thread>

#include "bench/bars.h"
#include "bench/bench_main.h"
#include "bench/bench_server.h"
#include "bench/wire_load.h"

namespace akidb::bench {
namespace {

using Json = nlohmann::json;

constexpr const char* kSearch = "/api/v1/collections/c/search";
constexpr size_t kQueries = 1'000;
constexpr size_t kFirstWatched = 2;  // of the servers: from this one on they are scraped
constexpr double kSilentBar = 0.97;
constexpr double kProbeBar = 0.99;

struct Options {
    size_t rows = 50'000;
    size_t dimension = 128;
    double seconds = 1;
    unsigned rounds = 15;
    size_t connections = 8;
};

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

/// The lowest and the highest quarter left out.
std::string spread(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return std::to_string(values[values.size() / 4]).substr(0, 5) + " to " +
           std::to_string(values[values.size() * 3 / 4]).substr(0, 5);
}

class TelemetryBench {
  public:
    explicit TelemetryBench(const Options& options) : options_(options) {}

    void run() {
        const std::vector<std::string> bare{"--probe.share_permille", "0", "--logging.slow_query_ms", "0"};
        ::setenv("AKIDB_TESTED_BINARY", AKIDB_SILENT_BINARY, 1);
        BenchServer silent(bare);
        ::unsetenv("AKIDB_TESTED_BINARY");
        BenchServer counting(bare);
        BenchServer shipped({});
        BenchServer logging({"--logging.level", "debug", "--logging.format", "json"});
        std::vector<BenchServer*> servers{&silent, &counting, &shipped, &logging};
        std::vector<WirePlan> plans;
        for (BenchServer* server : servers) {
            load(*server);
            plans.push_back(searches(*server));
        }
        compare(plans);
    }

  private:
    void load(BenchServer& server) const { server.create_filled("c", options_.rows, options_.dimension); }

    WirePlan searches(const BenchServer& server) const {
        WirePlan plan;
        plan.endpoint = server.endpoint();
        plan.connections = options_.connections;
        plan.seconds = options_.seconds;
        std::mt19937 random(12);
        for (size_t i = 0; i < kQueries; ++i) {
            const Json body = {{"vector", random_vector(random, options_.dimension)}, {"top_k", 10}};
            plan.requests.push_back(post_request(plan.endpoint, kSearch, body.dump()));
        }
        return plan;
    }

    static double rate_of(const WirePlan& plan) {
        const WireResult result = run_wire_load(plan);
        if (result.errors > 0 || result.answered == 0) {
            throw std::runtime_error(std::to_string(result.errors) + " searches failed");
        }
        return result.per_second();
    }

    void compare(const std::vector<WirePlan>& plans) {
        std::vector<std::vector<double>> rates(plans.size());
        std::vector<double> scrapes_ms;
        for (const WirePlan& plan : plans) {  // untimed: calibrations end, pages are touched
            rate_of(plan);
        }
        for (unsigned round = 0; round < options_.rounds; ++round) {
            for (size_t turn = 0; turn < plans.size(); ++turn) {
                // There and back again, so that none always follows the same other.
                const size_t i = round % 2 == 0 ? turn : plans.size() - 1 - turn;
                std::jthread scraper;
                if (i >= kFirstWatched) {
                    scraper = std::jthread([&] { scrapes_ms.push_back(scrape_ms(plans[i].endpoint)); });
                }
                rates[i].push_back(rate_of(plans[i]));
            }
        }
        report(rates, scrapes_ms);
    }

    static double scrape_ms(const support::Endpoint& endpoint) {
        support::HttpConnection connection(endpoint);
        const auto began = std::chrono::steady_clock::now();
        const support::HttpReply reply = connection.request("GET", "/metrics");
        const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
        return reply.status == 200 ? took.count() : std::numeric_limits<double>::infinity();
    }

    void report(const std::vector<std::vector<double>>& rates, const std::vector<double>& scrapes_ms) {
        bars_.heading("telemetry: searches of " + std::to_string(options_.rows) + " x " +
                      std::to_string(options_.dimension) + ", " + std::to_string(options_.connections) +
                      " connections, medians of " + std::to_string(options_.rounds) + " rounds of " +
                      std::to_string(options_.seconds).substr(0, 4) + " s in turn");
        const char* const kNames[] = {"nothing is counted", "metrics", "as shipped: metrics, probe, slow log",
                                      "the same, and a line for each request"};
        for (size_t i = 0; i < rates.size(); ++i) {
            bars_.line(kNames[i], median(rates[i]), "queries/s");
        }
        const auto ratios = [&](size_t of, size_t to) {
            std::vector<double> found;
            for (size_t round = 0; round < rates[of].size(); ++round) {
                found.push_back(rates[of][round] / rates[to][round]);
            }
            return found;
        };
        bars_.at_least(kSilentBar, "as shipped over nothing counted (" + spread(ratios(2, 0)) + ")",
                       median(ratios(2, 0)), "times");
        bars_.at_least(kProbeBar, "probe and slow log over metrics alone (" + spread(ratios(2, 1)) + ")",
                       median(ratios(2, 1)), "times");
        bars_.line("a line for each request over as shipped", median(ratios(3, 2)), "times");
        bars_.at_most(50, "a scrape under load, the slowest of " + std::to_string(scrapes_ms.size()),
                      scrapes_ms.empty() ? 0 : *std::max_element(scrapes_ms.begin(), scrapes_ms.end()), "ms");
    }

    const Options options_;
    Bars bars_;
};

}  // namespace
}  // namespace akidb::bench

int main(int argc, char** argv) {
    akidb::bench::Options options;
    CLI::App app("What metrics, the recall probe and logs cost searches, in one run.");
    app.add_option("--rows", options.rows, "documents");
    app.add_option("--dimension", options.dimension);
    app.add_option("--seconds", options.seconds, "of each round");
    app.add_option("--rounds", options.rounds);
    app.add_option("--connections", options.connections);
    return akidb::bench::bench_main(app, "telemetry_bench", argc, argv,
                                    [&] { akidb::bench::TelemetryBench(options).run(); });
}
