// tiers_bench: what collections cost that left for an object store. First one server has the hot collections
// alone, then another has them beside the cold ones: resident memory of both, after the same searches, as
// they are and after a restart. Then the cold ones are asked for one after the other, through a cache that
// holds a few of them, and one that is open is written as fast as it goes: what collections take on the
// local disk at any moment, against tiers.cache_bytes, by the server's own count and by the blocks of its
// files. The store is a directory, so times are of the server and not of a network. Prints one table with
// bars. Exit codes: 0, 64 usage, 70 when something did not work.
#include <algorithm>
#include <chrono>
#include <random>
#include <stdexcept>
#include <thread>

#include "bench/bars.h"
#include "bench/bench_main.h"
#include "bench/bench_server.h"

namespace akidb::bench {
namespace {

using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr size_t kBatch = 1'000;
constexpr const char* kCollections = "/api/v1/collections/";

struct Options {
    size_t hot = 10;
    size_t cold = 40;
    size_t documents = 10'000;
    size_t dimension = 100;
    size_t awake = 5;  // cold ones that the cache holds beside the hot ones
    size_t searches = 50;
    double write_seconds = 20;
    std::vector<std::string> flags;
};

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

double quantile(std::vector<double> values, double share) {
    std::sort(values.begin(), values.end());
    return values.at(static_cast<size_t>(share * static_cast<double>(values.size() - 1)));
}

std::string name_of(size_t number) {
    return "words" + std::to_string(number);
}

/// The same vector for the same document whenever it is asked for.
Json vector_of(size_t collection, size_t id, size_t dimension) {
    std::mt19937 random(static_cast<uint32_t>(collection * 1'000'003 + id));
    return random_vector(random, dimension);
}

/// A server whose collections leave for a directory.
class TieredBenchServer {
  public:
    TieredBenchServer(const Options& options, uint64_t cache_bytes)
        : options_(options), server_(with_store(options.flags, store_.path(), cache_bytes)) {}

    BenchServer& server() { return server_; }

    void fill(size_t number) {
        const std::string path = kCollections + name_of(number);
        server_.ask("POST", "/api/v1/collections",
                    {{"name", name_of(number)},
                     {"dimension", options_.dimension},
                     {"metric", "l2"},
                     {"policy", "s3_only"}});
        for (size_t first = 0; first < options_.documents; first += kBatch) {
            Json documents = Json::array();
            for (size_t id = first; id < std::min(options_.documents, first + kBatch); ++id) {
                documents.push_back({{"id", id}, {"vector", vector_of(number, id, options_.dimension)}});
            }
            const Json body = {{"documents", std::move(documents)}};
            // There may be no room before others made some.
            for (int i = 0; is_refused_for_now(path + "/documents", body); ++i) {
                if (i == 300) {
                    throw std::runtime_error("there is no room for a minute: " + path);
                }
                std::this_thread::sleep_for(std::chrono::milliseconds(200));
            }
        }
        server_.await_linked(name_of(number));
    }
    /// Once nobody looks at it any more.
    void move(size_t number, const std::string& action) {
        const std::string path = kCollections + name_of(number) + "/tier";
        const Json body{{"action", action}};
        for (int i = 0; server_.status_of("POST", path, body.dump()) != 200; ++i) {
            if (i == 100) {
                server_.ask("POST", path, body);  // throws what it says
                return;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
    }
    Json tier(size_t number) { return server_.ask("GET", kCollections + name_of(number) + "/tier"); }
    /// A search for the vector of a document, which is to find that.
    void search(size_t number, size_t id) {
        const Json reply =
            server_.ask("POST", kCollections + name_of(number) + "/search",
                        {{"vector", vector_of(number, id, options_.dimension)}, {"top_k", 10}});
        ++searches_;
        found_ += reply.at("matches").at(0).at("id") == id ? 1 : 0;
    }
    double share_found() const { return static_cast<double>(found_) / static_cast<double>(searches_); }
    void search_hot() {
        for (size_t number = 0; number < options_.hot; ++number) {
            for (size_t i = 0; i < options_.searches; ++i) {
                search(number, i * 97 % options_.documents);
            }
        }
    }
    void restart() {
        server_.stop();
        server_.start();
        server_.await_ready();
    }
    double resident_mib() const { return static_cast<double>(server_.process().resident_bytes) / kMiB; }

  private:
    bool is_refused_for_now(const std::string& path, const Json& body) {
        const int status = server_.status_of("PUT", path, body.dump());
        if (status != 200 && status != 503 && status != 429) {
            throw std::runtime_error(path + " was answered " + std::to_string(status));
        }
        return status != 200;
    }
    static std::vector<std::string> with_store(std::vector<std::string> flags, const std::string& store,
                                               uint64_t cache_bytes) {
        // Each search opens its collection: cold_bench has those that do not.
        flags.insert(flags.end(), {"--tiers.to", store + "/store", "--tiers.cache_bytes",
                                   std::to_string(cache_bytes), "--tiers.promote_after", "0"});
        return flags;
    }

    const Options& options_;
    e2e::TemporaryDirectory store_;
    BenchServer server_;
    size_t searches_ = 0;
    size_t found_ = 0;
};

/// Looks at what collections take on the disk until it is stopped, from a thread and a connection of its own.
class CacheWatch {
  public:
    explicit CacheWatch(const BenchServer& server)
        : server_(server), thread_([this](const std::stop_token& stop) { watch(stop); }) {}
    void stop() {
        thread_.request_stop();
        thread_.join();
    }
    uint64_t blocks_max() const { return blocks_max_; }
    uint64_t counted_max() const { return counted_max_; }
    uint64_t looks() const { return looks_; }

  private:
    void watch(const std::stop_token& stop) {
        support::HttpConnection connection(server_.endpoint(), 60'000);
        while (!stop.stop_requested()) {
            blocks_max_ = std::max(blocks_max_, server_.collection_bytes());
            const auto reply = connection.request("GET", "/api/v1/tiers", "");
            if (reply.status == 200) {
                counted_max_ =
                    std::max(counted_max_, Json::parse(reply.body).at("cache").at("bytes").get<uint64_t>());
            }
            ++looks_;
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
    }

    const BenchServer& server_;
    uint64_t blocks_max_ = 0;
    uint64_t counted_max_ = 0;
    uint64_t looks_ = 0;
    std::jthread thread_;
};

class TiersBench {
  public:
    explicit TiersBench(const Options& options) : options_(options) {}

    void run() {
        hot_alone();
        // For as many as are to be open, with their logs.
        cache_bytes_ = of_one_ * (options_.hot + options_.awake) + of_one_ / 2;
        TieredBenchServer all(options_, cache_bytes_);
        beside_cold(all);
        ask_for_cold(all);
        write_while_full(all);
        bars_.at_least(0.99, "searches for the vector of a document that found it", all.share_found(), "");
        std::printf("\n%u bars missed\n", bars_.missed());
    }

  private:
    static double mib(uint64_t bytes) { return static_cast<double>(bytes) / kMiB; }

    void hot_alone() {
        TieredBenchServer alone(options_, uint64_t{1} << 40);
        bars_.heading(std::to_string(options_.hot) + " hot collections of " +
                      std::to_string(options_.documents) + " x " + std::to_string(options_.dimension) +
                      ", and " + std::to_string(options_.cold) + " cold ones");
        for (size_t number = 0; number < options_.hot; ++number) {
            alone.fill(number);
        }
        alone.search_hot();
        needed_ = alone.resident_mib();
        bars_.line("memory that the hot ones need, alone", needed_, "MiB");
        std::this_thread::sleep_for(std::chrono::seconds(2));  // each second they are measured
        for (size_t number = 0; number < options_.hot; ++number) {
            of_one_ = std::max(of_one_, alone.tier(number).at("bytes").get<uint64_t>());
        }
        alone.restart();
        alone.search_hot();
        needed_restarted_ = alone.resident_mib();
        bars_.line("the same after a restart", needed_restarted_, "MiB");
    }

    void beside_cold(TieredBenchServer& all) {
        CacheWatch watch(all.server());
        for (size_t number = 0; number < options_.hot + options_.cold; ++number) {
            all.fill(number);
            if (number < options_.hot) {
                all.move(number, "pin");
            } else {
                all.move(number, "demote_to_cold");
            }
        }
        watch.stop();
        all.search_hot();
        bars_.at_most(1.2, "memory beside the cold ones, of that alone", all.resident_mib() / needed_,
                      "times");
        all.restart();
        all.search_hot();
        bars_.at_most(1.2, "the same after a restart", all.resident_mib() / needed_restarted_, "times");
        bars_.line("of it", all.resident_mib(), "MiB");
        print_cache("while they were made", watch);
    }

    void print_cache(const std::string& when, const CacheWatch& watch) {
        bars_.line("looks at the disk " + when, static_cast<double>(watch.looks()), "");
        bars_.at_most(mib(cache_bytes_), "most that the server counted in its cache",
                      mib(watch.counted_max()), "MiB");
        bars_.at_most(mib(cache_bytes_), "most that their files took on the disk", mib(watch.blocks_max()),
                      "MiB");
    }

    void ask_for_cold(TieredBenchServer& all) {
        bars_.heading("the cold ones asked for in turn, through a cache for " +
                      std::to_string(options_.awake) + " of them");
        CacheWatch watch(all.server());
        std::vector<double> waits_ms;
        const auto began = Clock::now();
        for (size_t round = 0; round < 2; ++round) {
            for (size_t number = options_.hot; number < options_.hot + options_.cold; ++number) {
                const auto asked = Clock::now();
                all.search(number, (number * 31 + round) % options_.documents);
                waits_ms.push_back(seconds_since(asked) * 1000);
            }
        }
        const double seconds = seconds_since(began);
        watch.stop();
        bars_.line("woken", static_cast<double>(waits_ms.size()) / seconds, "/s");
        bars_.line("until the first answer, P50", quantile(waits_ms, 0.5), "ms");
        bars_.line("until the first answer, longest", quantile(waits_ms, 1), "ms");
        print_cache("meanwhile", watch);
        size_t hot = 0;
        for (size_t number = 0; number < options_.hot; ++number) {
            hot += all.tier(number).at("tier") == "hot" ? 1 : 0;
        }
        bars_.at_least(static_cast<double>(options_.hot), "hot ones that stayed hot",
                       static_cast<double>(hot), "");
    }

    /// New documents for one that is open, beside others that fill the cache.
    void write_while_full(TieredBenchServer& all) {
        bars_.heading("one of them written as fast as it goes, while the cache is full");
        const size_t number = options_.hot;
        all.search(number, 0);
        CacheWatch watch(all.server());
        const auto began = Clock::now();
        size_t written = 0;
        size_t refused = 0;
        for (size_t first = options_.documents; seconds_since(began) < options_.write_seconds;) {
            Json documents = Json::array();
            for (size_t id = first; id < first + kBatch; ++id) {
                documents.push_back({{"id", id}, {"vector", vector_of(number, id, options_.dimension)}});
            }
            const int status = all.server().status_of("PUT", kCollections + name_of(number) + "/documents",
                                                      Json{{"documents", std::move(documents)}}.dump());
            if (status == 200) {
                first += kBatch;
                written += kBatch;
            } else if (status == 503 || status == 429) {
                ++refused;
                std::this_thread::sleep_for(std::chrono::milliseconds(200));
            } else {
                throw std::runtime_error("a write was answered " + std::to_string(status));
            }
        }
        watch.stop();
        bars_.line("documents written", static_cast<double>(written), "");
        bars_.line("writes refused until there was room", static_cast<double>(refused), "");
        print_cache("meanwhile", watch);
    }

    const Options& options_;
    Bars bars_;
    double needed_ = 0;
    double needed_restarted_ = 0;
    uint64_t of_one_ = 0;
    uint64_t cache_bytes_ = 0;
};

}  // namespace
}  // namespace akidb::bench

int main(int argc, char** argv) {
    akidb::bench::Options options;
    CLI::App app("What collections cost that left for an object store");
    app.add_option("--hot", options.hot, "Collections that stay")->capture_default_str();
    app.add_option("--cold", options.cold, "Collections that leave")->capture_default_str();
    app.add_option("--documents", options.documents, "Of each")->capture_default_str();
    app.add_option("--dimension", options.dimension, "Of their vectors")->capture_default_str();
    app.add_option("--awake", options.awake, "Cold ones that the cache holds beside the hot ones")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--write-seconds", options.write_seconds, "How long one is written")
        ->capture_default_str();
    app.add_option("--flags", options.flags, "Further flags of the servers")->delimiter(',');
    return akidb::bench::bench_main(app, "tiers_bench", argc, argv,
                                    [&] { akidb::bench::TiersBench(options).run(); });
}
