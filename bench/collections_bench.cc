// collections_bench: what collections cost as such. First, collections are created, filled with a few
// documents, searched and deleted again, one after the other, while others are searched at a fixed rate: the
// longest stall of anyone, and what is left of files, descriptors and threads. Then many empty ones: memory,
// disk, and how long opening them takes. Through a server of its own. Prints one table with bars. Exit codes:
// 0, 64 usage, 70 when something did not work.
#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

#include "bench/bars.h"
#include "bench/bench_main.h"
#include "bench/bench_server.h"
#include "bench/rest_collection.h"
#include "bench/wire_load.h"

namespace akidb::bench {
namespace {

using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr size_t kDimension = 100;
constexpr size_t kSearched = 20'000;  // documents of the collection that others search
constexpr size_t kBatch = 1'000;
constexpr const char* kCollections = "/api/v1/collections";

struct Options {
    size_t cycles = 1'000;
    size_t empty = 10'000;
    double rate = 200;
    std::vector<std::string> flags;
};

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

Json documents(std::mt19937& random, size_t first, size_t count) {
    Json list = Json::array();
    for (size_t number = first; number < first + count; ++number) {
        list.push_back({{"id", number}, {"vector", random_vector(random, kDimension)}});
    }
    return {{"documents", std::move(list)}};
}

class CollectionsBench {
  public:
    explicit CollectionsBench(const Options& options) : options_(options) {}

    void run() {
        if (options_.cycles > 0) {
            create_and_delete();
        }
        if (options_.empty > 0) {
            many_empty();
        }
        std::printf("\n%u bars missed\n", bars_.missed());
    }

  private:
    /// Searches of the other collection until stopped.
    class Searches {
      public:
        Searches(const BenchServer& server, double rate) {
            plan_.endpoint = server.endpoint();
            plan_.connections = 8;
            plan_.seconds = 1e6;
            plan_.rate = rate;
            std::mt19937 random(9);
            const std::string path = RestCollection(server.url(), "others").search_path();
            for (size_t number = 0; number < 500; ++number) {
                plan_.requests.push_back(post_request(
                    plan_.endpoint, path, search_body(random_vector(random, kDimension), {.k = 10})));
            }
            thread_ = std::jthread([this](std::stop_token stop) {
                plan_.stop = std::move(stop);
                result_ = run_wire_load(plan_);
            });
        }
        WireResult stop() {
            thread_.request_stop();
            thread_.join();
            return std::move(result_);
        }

      private:
        WirePlan plan_;
        WireResult result_;
        std::jthread thread_;
    };

    struct Longest {
        double create_ms = 0;
        double upsert_ms = 0;
        double search_ms = 0;
        double delete_ms = 0;
    };

    template <class Act>
    static void time(double& longest_ms, Act act) {
        const auto begin = Clock::now();
        act();
        longest_ms = std::max(longest_ms, seconds_since(begin) * 1000);
    }

    void cycle(BenchServer& server, size_t number, Longest& longest) {
        const std::string name = "passing" + std::to_string(number % 7);  // names come back
        const std::string path = std::string(kCollections) + "/" + name;
        const Json body = documents(random_, 0, 10);
        const Json query = {{"vector", body["documents"][0]["vector"]}, {"top_k", 3}};
        time(longest.create_ms, [&] { server.create(name, kDimension, "cosine"); });
        time(longest.upsert_ms, [&] { server.ask("PUT", path + "/documents", body); });
        time(longest.search_ms, [&] { server.ask("POST", path + "/search", query); });
        time(longest.delete_ms, [&] { server.ask("DELETE", path); });
    }

    void print(const std::string& what, const WireResult& searches) {
        const double longest = searches.quantile_us(1) / 1000;
        std::printf("  %-40s P50 %.2f  P99 %.2f  longest %.2f ms, %llu searches, %llu errors\n", what.c_str(),
                    searches.quantile_us(0.5) / 1000, searches.quantile_us(0.99) / 1000, longest,
                    static_cast<unsigned long long>(searches.answered),
                    static_cast<unsigned long long>(searches.errors));
    }

    /// Files of deleted collections go in the background.
    static bool await_files(const BenchServer& server, uint64_t files) {
        const auto end = Clock::now() + std::chrono::seconds(60);
        while (server.files() > files && Clock::now() < end) {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        return server.files() <= files;
    }

    void create_and_delete() {
        BenchServer server(options_.flags);
        bars_.heading(std::to_string(options_.cycles) + " collections created and deleted under searches");
        server.create("others", kDimension, "cosine");
        for (size_t first = 0; first < kSearched; first += kBatch) {
            server.ask("PUT", std::string(kCollections) + "/others/documents",
                       documents(random_, first, kBatch));
        }
        server.await_linked("others");
        Longest longest;
        for (size_t number = 0; number < 20; ++number) {
            cycle(server, number, longest);  // what is made once, is made
        }
        std::this_thread::sleep_for(std::chrono::seconds(1));
        const ProcessFacts before = server.process();
        const uint64_t files = server.files();
        Searches idle(server, options_.rate);
        std::this_thread::sleep_for(std::chrono::seconds(5));
        print("searches alone", idle.stop());
        longest = {};
        Searches searches(server, options_.rate);
        const auto begin = Clock::now();
        for (size_t number = 0; number < options_.cycles; ++number) {
            cycle(server, number, longest);
        }
        const double seconds = seconds_since(begin);
        const WireResult during = searches.stop();
        print("searches meanwhile", during);
        bars_.line("cycles", static_cast<double>(options_.cycles) / seconds, "/s");
        bars_.at_most(50, "longest search of others", during.quantile_us(1) / 1000, "ms");
        bars_.at_most(50, "longest search of the new ones", longest.search_ms, "ms");
        bars_.line("longest creation", longest.create_ms, "ms");
        bars_.line("longest upsert", longest.upsert_ms, "ms");
        bars_.line("longest deletion", longest.delete_ms, "ms");
        bars_.at_most(0, "files left",
                      await_files(server, files) ? 0 : static_cast<double>(server.files() - files), "");
        const ProcessFacts after = server.process();
        bars_.at_most(static_cast<double>(before.descriptors), "descriptors",
                      static_cast<double>(after.descriptors), "");
        bars_.at_most(static_cast<double>(before.threads), "threads", static_cast<double>(after.threads), "");
        bars_.line("memory before", static_cast<double>(before.resident_bytes) / kMiB, "MiB");
        bars_.line("memory after", static_cast<double>(after.resident_bytes) / kMiB, "MiB");
    }

    void many_empty() {
        BenchServer server(options_.flags);
        const auto count = static_cast<double>(options_.empty);
        bars_.heading(std::to_string(options_.empty) + " empty collections");
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        const double without = static_cast<double>(server.process().resident_bytes) / kMiB;
        auto begin = Clock::now();
        for (size_t number = 0; number < options_.empty; ++number) {
            server.create("empty" + std::to_string(number), kDimension, "cosine");
        }
        bars_.line("created one after the other", count / seconds_since(begin), "/s");
        print_sizes(server, without);
        begin = Clock::now();
        server.stop();
        bars_.line("orderly stop", seconds_since(begin), "s");
        begin = Clock::now();
        server.start();
        while (server.status_of("GET", "/ready", "") != 200) {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        bars_.at_most(5, "started again until all are open", seconds_since(begin), "s");
        print_sizes(server, without);
    }

    void print_sizes(const BenchServer& server, double without) {
        const ProcessFacts facts = server.process();
        bars_.at_most(200, "memory", static_cast<double>(facts.resident_bytes) / kMiB, "MiB");
        bars_.line("  of it without a collection", without, "MiB");
        bars_.line("  of it not from files", static_cast<double>(facts.anonymous_bytes) / kMiB, "MiB");
        bars_.line("descriptors", static_cast<double>(facts.descriptors), "");
        bars_.line("on the disk", static_cast<double>(server.disk_bytes()) / kMiB, "MiB");
    }

    const Options& options_;
    Bars bars_;
    std::mt19937 random_{1};
};

int run(int argc, char** argv) {
    Options options;
    CLI::App app{"Measures what collections cost as such."};
    app.add_option("--cycles", options.cycles, "collections created and deleted; 0: none")
        ->capture_default_str();
    app.add_option("--empty", options.empty, "empty collections; 0: none")->capture_default_str();
    app.add_option("--rate", options.rate, "searches a second meanwhile")->capture_default_str();
    app.add_option("--server-flags", options.flags, "further flags of the server")->delimiter(',');
    return bench_main(app, "collections_bench", argc, argv, [&] { CollectionsBench(options).run(); });
}

}  // namespace
}  // namespace akidb::bench

int main(int argc, char** argv) {
    return akidb::bench::run(argc, argv);
}
