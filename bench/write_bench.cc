// write_bench: what durable writes cost a real server, over sockets with keep-alive: single documents and
// batches by connections, beside what one fdatasync costs this machine; bursts and what it takes until all is
// linked; searches idle and meanwhile, with recall; bytes written and kept; restarts. Starts its own server
// for each file of vectors. Prints one table; "bar" is what the design asks of two cores. Exit codes: 0, also
// when a bar was missed; 64 usage; 70 when something did not work.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include "bench/bars.h"
#include "bench/bench_main.h"
#include "bench/bench_server.h"
#include "bench/builder_share.h"
#include "bench/search_probe.h"
#include "bench/sync_rate.h"
#include "bench/upsert_bodies.h"

namespace akidb::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;

constexpr size_t kBatch = 1'000;
constexpr size_t kHeldOut = 1'000;
constexpr double kSearchRate = 100;
constexpr size_t kComponentsInMemory = 40'000'000;
constexpr size_t kDocumentsAtOnce = 200'000;  // below what index.head_rows_max lets wait by default

struct Options {
    std::vector<std::string> vectors{"bench/data/glove-100/base.fbin", "bench/data/synth-768-100k/base.fbin"};
    std::string queries_name = "query.fbin";
    std::string metric = "cosine";
    std::string parent;
    double seconds = 3;
    double share = 1;      // of the documents of bursts
    size_t documents = 0;  // of the burst, in place of what is asked for
    size_t burst_connections = 4;
    std::vector<std::string> parts{"singles", "batches", "burst", "share", "searches", "restart"};
    std::vector<std::string> flags;
};

struct Asked {  // by dimension; others get no bars
    size_t burst_documents = 50'000;
    double burst = 0;
    double sustained = 0;
};

Asked asked_of(size_t dimension) {
    if (dimension <= 128) {
        return {200'000, 15'000, 3'000};
    }
    return {50'000, 2'500, 1'500};
}

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

class WriteBench {
  public:
    WriteBench(const Options& options, const std::string& file, Bars& bars)
        : options_(options),
          vectors_(file),
          queries_(std::filesystem::path(file).replace_filename(options.queries_name)),
          asked_(asked_of(vectors_.dimension())),
          documents_(
              std::min(options.documents > 0
                           ? options.documents
                           : static_cast<size_t>(static_cast<double>(asked_.burst_documents) * options.share),
                       vectors_.rows())),
          bars_(bars),
          server_(options.flags, options.parent) {
        bars_.heading(file + ": " + std::to_string(vectors_.rows()) + " x " +
                      std::to_string(vectors_.dimension()));
    }

    void run() {
        if (wants("singles")) {
            single_documents();
        }
        if (wants("batches")) {
            batches();
        }
        if (wants("burst")) {
            burst();
        }
        if (wants("share")) {
            measure_builder_share(server_, "burst", vectors_, queries_, documents_ / 2, 3 * options_.seconds,
                                  bars_);
        }
        if (wants("searches")) {
            searches();
        }
        if (wants("restart")) {
            restart();
        }
    }

  private:
    size_t record_bytes() const { return vectors_.dimension() * sizeof(float) + 128; }

    bool wants(const std::string& part) const {
        return std::find(options_.parts.begin(), options_.parts.end(), part) != options_.parts.end();
    }

    WireResult load(WirePlan plan) const {
        plan.endpoint = server_.endpoint();
        return run_wire_load(plan);
    }

    /// Refusals (429 while too many rows wait to be linked) are no writes.
    static double accepted_per_second(const WireResult& result) {
        if (result.errors > 0) {
            std::printf("  %llu of %llu writes were refused\n",
                        static_cast<unsigned long long>(result.errors),
                        static_cast<unsigned long long>(result.answered));
        }
        return static_cast<double>(result.answered - result.errors) / result.seconds;
    }

    void print_latency(const std::string& what, const WireResult& result) {
        std::printf("  %-62s %12s P50 %.2f  P95 %.2f  P99 %.2f ms\n", what.c_str(), "",
                    result.quantile_us(0.5) / 1000, result.quantile_us(0.95) / 1000,
                    result.quantile_us(0.99) / 1000);
    }

    void single_documents() {
        const double before = syncs_per_second(server_.directory(), record_bytes(), options_.seconds);
        server_.create("singles", vectors_.dimension(), options_.metric);
        WirePlan plan;
        plan.seconds = options_.seconds;
        plan.requests = upsert_requests(server_.endpoint(), "singles", vectors_,
                                        {0, std::min<size_t>(vectors_.rows(), 20'000)}, 1);
        double rate = 0;
        for (const size_t connections : {size_t{1}, size_t{8}, size_t{64}}) {
            plan.connections = connections;
            const WireResult result = load(plan);
            rate = accepted_per_second(result);
            bars_.line("single upserts, " + std::to_string(connections) + " connections", rate,
                       "documents/s");
            print_latency("", result);
        }
        const double syncs =
            (before + syncs_per_second(server_.directory(), record_bytes(), options_.seconds)) / 2;
        bars_.line("one record and one fdatasync at a time, same directory", syncs, "/s");
        bars_.at_least(20, "64 connections against one record a sync", rate / syncs, "times");
        server_.ask("DELETE", "/api/v1/collections/singles");
    }

    void batches() {
        for (const size_t batch : {size_t{1}, size_t{100}, kBatch}) {
            server_.create("batches", vectors_.dimension(), options_.metric);
            WirePlan plan;
            plan.seconds = options_.seconds;
            plan.requests = upsert_requests(
                server_.endpoint(), "batches", vectors_,
                {0, std::min<size_t>(vectors_.rows(), std::min<size_t>(batch * 500, 50'000))}, batch);
            const WireResult result = load(plan);
            bars_.line("batches of " + std::to_string(batch) + ", 1 connection",
                       accepted_per_second(result) * static_cast<double>(batch), "documents/s");
            print_latency("", result);
            server_.ask("DELETE", "/api/v1/collections/batches");
        }
    }

    uint64_t count() {
        return server_.ask("POST", "/api/v1/collections/burst/count", Json::object())
            .at("count")
            .get<uint64_t>();
    }

    /// The nearest of a document is itself, which is searchable as soon as it is acknowledged.
    bool finds(size_t row) {
        RestCollection reader(server_.url(), "burst");
        const std::vector<Found> found = reader.search(search_body(vectors_.row(row), {.k = 10}));
        return std::any_of(found.begin(), found.end(), [&](const Found& one) { return one.id == row; });
    }

    void burst() {
        server_.create("burst", vectors_.dimension(), options_.metric);
        const uint64_t written = server_.process().written_bytes;
        WirePlan plan;
        plan.seconds = 3600;
        plan.connections = options_.burst_connections;
        // What is sent is made before it is sent, and kept in memory: a part at a time.
        const size_t part =
            std::min(kDocumentsAtOnce, kComponentsInMemory / vectors_.dimension() / kBatch * kBatch);
        WireResult result;
        double burst_seconds = 0;
        double making_seconds = 0;
        const auto begin = Clock::now();
        for (size_t row = 0; row < documents_; row += part) {
            const auto made_from = Clock::now();
            plan.requests = upsert_requests(server_.endpoint(), "burst", vectors_,
                                            {row, std::min(documents_, row + part)}, kBatch);
            plan.requests_max = plan.requests.size();
            making_seconds += seconds_since(made_from);
            const auto sent_from = Clock::now();
            result = load(plan);
            burst_seconds += seconds_since(sent_from);
            if (result.errors > 0) {
                throw std::runtime_error(std::to_string(result.errors) + " writes were refused");
            }
            if (part < documents_) {  // else too many would wait for the graph, and more be refused
                server_.await_linked("burst");
            }
        }
        plan.requests.clear();
        if (count() != documents_ || !finds(documents_ - 1) || !finds(documents_ / 2)) {
            throw std::runtime_error("what was acknowledged is not there");
        }
        server_.await_linked("burst");
        const double all_seconds = seconds_since(begin) - (part < documents_ ? 0 : making_seconds);
        const auto documents = static_cast<double>(documents_);
        const std::string what = std::to_string(documents_) + " documents in batches of 1,000, " +
                                 std::to_string(options_.burst_connections) + " connections";
        bars_.at_least(asked_.burst, what, documents / burst_seconds, "documents/s");
        print_latency("", result);
        bars_.at_least(asked_.sustained, "the same until all are linked", documents / all_seconds,
                       "documents/s");
        amplification(written);
    }

    void amplification(uint64_t written_before) {
        const double user = user_bytes(documents_, vectors_.dimension());
        bars_.line("written to the disk / bytes of users, once linked",
                   static_cast<double>(server_.process().written_bytes - written_before) / user, "times");
        bars_.line("on the disk / bytes of users, once linked",
                   static_cast<double>(server_.disk_bytes()) / user, "times");
    }

    ProbeResult probe(const Acknowledged& acknowledged, const std::function<void()>& meanwhile) {
        SearchProbe probe(server_.url(), "burst", metric_from(options_.metric), kSearchRate, vectors_,
                          queries_, acknowledged);
        meanwhile();
        return probe.stop();
    }

    void report_searches(const std::string& when, const ProbeResult& result, double idle_p99) {
        print_latency("searches at 100/s, " + when, result.latency);
        if (idle_p99 > 0) {
            bars_.at_most(3, "P99 against idle, " + when, result.latency.quantile_us(0.99) / idle_p99,
                          "times");
        }
        bars_.at_least(0.95, "recall@10, " + when + " (" + std::to_string(result.judged) + " searches)",
                       result.recall, "");
    }

    void searches() {
        const double seconds = std::max(5.0, options_.seconds * 3);
        const double idle_p99 = idle_searches(seconds);
        for (const double rate : {asked_.sustained / 2, asked_.sustained, 0.0}) {
            const size_t wanted = static_cast<size_t>((rate > 0 ? rate : asked_.burst) * seconds) / kBatch;
            const size_t batches = std::min(wanted, (vectors_.rows() - documents_) / kBatch);
            if (batches == 0) {
                std::printf("  no vectors are left for more searches while writing\n");
                return;
            }
            Acknowledged acknowledged(batches);
            acknowledged.base_rows = documents_;
            acknowledged.batch = kBatch;
            WirePlan plan;
            plan.seconds = 3600;
            plan.rate = rate / kBatch;
            plan.connections = options_.burst_connections;
            plan.requests = upsert_requests(server_.endpoint(), "burst", vectors_,
                                            {documents_, documents_ + batches * kBatch}, kBatch);
            plan.requests_max = batches;
            plan.on_success = [&](size_t index) { acknowledged.batches[index] = true; };
            double documents_per_second = 0;
            const ProbeResult during =
                probe(acknowledged, [&] { documents_per_second = load(plan).per_second() * kBatch; });
            documents_ += batches * kBatch;
            const auto whole = std::to_string(static_cast<int>(documents_per_second));
            report_searches("ingesting " + whole + " documents/s", during, idle_p99);
            server_.await_linked("burst");
        }
    }

    double idle_searches(double seconds) {
        Acknowledged all(0);
        all.base_rows = documents_;
        const ProbeResult idle =
            probe(all, [&] { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); });
        report_searches("idle", idle, 0);
        return idle.latency.quantile_us(0.99);
    }

    /// To the first right answer of a search, once the port is open.
    double first_answer_seconds() {
        const auto begin = Clock::now();
        const std::string body = search_body(queries_.row(0), {.k = 10});
        while (server_.status_of("POST", "/api/v1/collections/burst/search", body) != 200) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        return seconds_since(begin);
    }

    /// Each query once, so that what searches read is in memory.
    void warm() {
        RestCollection reader(server_.url(), "burst");
        for (size_t row = 0; row < std::min(kHeldOut, queries_.rows()); ++row) {
            reader.search(search_body(queries_.row(row), {.k = 10}));
        }
    }

    void restart() {
        server_.await_idle();
        warm();
        const ProcessFacts before = server_.process();
        server_.kill();
        auto begin = Clock::now();
        server_.start();
        bars_.line("kill -9, start: until the port is open", seconds_since(begin), "s");
        bars_.at_most(1, "the first search's answer after that", first_answer_seconds(), "s");
        server_.await_linked("burst");
        begin = Clock::now();
        server_.stop();
        bars_.line("orderly stop", seconds_since(begin), "s");
        begin = Clock::now();
        server_.start();
        bars_.line("start after an orderly stop: until the port is open", seconds_since(begin), "s");
        bars_.at_most(1, "the first search's answer after that", first_answer_seconds(), "s");
        begin = Clock::now();
        server_.await_linked("burst");
        server_.await_idle();
        bars_.line("until all codes are there again", seconds_since(begin), "s");
        warm();
        const ProcessFacts after = server_.process();
        bars_.line("memory before", static_cast<double>(before.resident_bytes) / kMiB, "MiB");
        bars_.line("  of it not from files", static_cast<double>(before.anonymous_bytes) / kMiB, "MiB");
        bars_.line("memory after restart and the same searches",
                   static_cast<double>(after.resident_bytes) / kMiB, "MiB");
        bars_.line("  of it not from files", static_cast<double>(after.anonymous_bytes) / kMiB, "MiB");
        bars_.at_most(1.05, "memory after / before",
                      static_cast<double>(after.resident_bytes) / static_cast<double>(before.resident_bytes),
                      "times");
        bars_.line("on the disk / bytes of users, after restart",
                   static_cast<double>(server_.disk_bytes()) / user_bytes(documents_, vectors_.dimension()),
                   "times");
    }

    const Options& options_;
    VectorFile vectors_;
    VectorFile queries_;
    Asked asked_;
    size_t documents_;
    Bars& bars_;
    BenchServer server_;
};

int run(int argc, char** argv) {
    Options options;
    CLI::App app{"Measures durable writes over sockets, against a server of its own."};
    app.add_option("--vectors", options.vectors, ".fbin files; beside each lies its query.fbin")
        ->delimiter(',');
    app.add_option("--metric", options.metric, "of the collections")->capture_default_str();
    app.add_option("--directory", options.parent,
                   "where data directories are made; the disk that is measured");
    app.add_option("--seconds", options.seconds, "length of each short run")->capture_default_str();
    app.add_option("--share", options.share, "of the documents of bursts, for a quick look")
        ->check(CLI::Range(0.01, 1.0))
        ->capture_default_str();
    app.add_option("--documents", options.documents,
                   "of bursts, in place of what is asked for, as for a restart with many; 0: that");
    app.add_option("--burst-connections", options.burst_connections, "of bursts")->capture_default_str();
    app.add_option("--parts", options.parts,
                   "singles,batches,burst,share,searches,restart; the last three need burst")
        ->delimiter(',');
    app.add_option("--server-flags", options.flags,
                   "further flags of the server, e.g. --server-flags=--a.b,1")
        ->delimiter(',');
    return bench_main(app, "write_bench", argc, argv, [&] {
        Bars bars;
        for (const std::string& file : options.vectors) {
            WriteBench(options, file, bars).run();
        }
        std::printf("\n%u bars missed\n", bars.missed());
    });
}

}  // namespace
}  // namespace akidb::bench

int main(int argc, char** argv) {
    return akidb::bench::run(argc, argv);
}
