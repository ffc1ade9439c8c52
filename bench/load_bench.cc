// load_bench: the load suite. A server of its own, data loaded over REST, and then over real sockets:
// searches by a ladder of rates (open loop: latency from the due moment), each beside a bare echo of the same
// bytes in the same run; eight scenarios of searches and writes; drills of ending, wrong settings and probes.
// Recall is of what came back during the runs, against exact neighbours. Prints Markdown, and writes it with
// JSON and plots into a directory. Exit codes: 0, 64 usage, 70 when a request failed, a drill failed or
// recall fell below its floor; times decide nothing.

#include <algorithm>
#include <chrono>
#include <set>
#include <stop_token>
#include <thread>

#include "bench/bench_main.h"
#include "bench/bench_server.h"
#include "bench/echo_server.h"
#include "bench/load_drills.h"
#include "bench/load_machine.h"
#include "bench/load_report.h"
#include "bench/load_scenarios.h"
#include "bench/load_set.h"
#include "bench/rest_collection.h"

namespace akidb::bench {
namespace {

using Json = nlohmann::json;

constexpr size_t kMixRequests = 4'000;
constexpr size_t kEchoThreads = 2;

struct Options {
    std::vector<std::string> data;
    std::string metric = "cosine";
    std::string out = "bench/results/load";
    std::string commit;
    std::vector<double> rates{100, 200, 300, 500, 1'000, 2'000};
    size_t connections = 16;
    size_t rounds = 2;
    double rung_seconds = 10;    // of each round
    double echo_seconds = 4;     // of each round
    double closed_seconds = 25;  // as fast as it goes; 0 leaves it out
    double scenario_seconds = 12;
    double drill_seconds = 5;
    double recall_floor = 0.9;
    std::vector<std::string> flags;
};

std::vector<std::string> flags_of(const Options& options) {
    std::vector<std::string> flags{"--server.rest_port", free_port()};
    flags.insert(flags.end(), options.flags.begin(), options.flags.end());
    return flags;
}

/// A whole answer as the server gives it, for the echo to give too.
std::string answer_of(const WirePlan& plan) {
    support::HttpConnection connection(plan.endpoint);
    connection.open();
    connection.send_bytes(plan.requests.front());
    const support::HttpReply reply = connection.read_reply();
    if (reply.status != 200) {
        throw std::runtime_error("the server answered " + std::to_string(reply.status) + ": " + reply.body);
    }
    return reply.head.substr(0, reply.head.find("\r\n\r\n")) + "\r\n\r\n" + reply.body;
}

class LoadSuite {
  public:
    explicit LoadSuite(const Options& options) : options_(options), server_(flags_of(options)) {
        for (const std::string& directory : options.data) {
            sets_.push_back(std::make_unique<LoadSet>(directory, metric_from(options.metric)));
        }
        describe();
    }

    void run() {
        for (const auto& set : sets_) {
            climb(*set);
        }
        if (options_.scenario_seconds > 0) {
            for (const Scenario& scenario : load_scenarios()) {
                tell(std::string("scenario ") + scenario.name);
                play(scenario);
            }
        }
        if (options_.drill_seconds > 0) {
            tell("drills");
            report_.drills = run_drills(*sets_.front(), {.seconds = options_.drill_seconds,
                                                         .connections = options_.connections,
                                                         .metric = options_.metric});
        }
        tell("over");
        report_.setting.emplace_back("load average", load_before_ + " before, " + load_average() + " after");
        std::printf("%s", report_.markdown().c_str());
        report_.write(options_.out);
        std::printf("\nwritten to %s: report.md, report.json, latency-N.svg\n", options_.out.c_str());
        judge();
    }

  private:
    /// Progress, beside the report that standard output gets.
    void tell(const std::string& what) const {
        const std::chrono::duration<double> since = std::chrono::steady_clock::now() - begin_;
        std::fprintf(stderr, "%6.1f s: %s\n", since.count(), what.c_str());
    }

    void describe() {
        std::string flags = "REST, no TLS, no keys, sync of the disk on every acknowledged write";
        for (const std::string& flag : options_.flags) {
            flags += " " + flag;
        }
        report_.setting = {
            {"machine", machine_line()},
            {"build", std::string(options_.commit.empty() ? "akidb" : "akidb " + options_.commit) +
                          ", compiler of the client " + __VERSION__},
            {"server", flags},
            {"client", std::to_string(options_.connections) +
                           " kept connections, one thread, gaps as of independent users"}};
    }

    /// The collection with as many rows of the set, loaded at the first call.
    std::string collection_of(const LoadSet& set, size_t rows, size_t number) {
        const std::string name = set.name() + "-" + std::to_string(rows) + "-" + std::to_string(number);
        if (collections_.insert(name).second) {
            const double seconds = load_collection(server_.endpoint(), name, set, rows, options_.metric);
            tell(name + " is loaded and linked");
            loaded_in_s_ = seconds;
        }
        return name;
    }

    void climb(LoadSet& set) {
        const size_t loaded = set.loaded(SIZE_MAX);
        const std::string collection = collection_of(set, loaded, 0);
        char text[200];
        std::snprintf(
            text, sizeof(text),
            "%s: %zu x %zu, %s, intrinsic dimension %.1f; loaded and linked in %.1f s; the server resident "
            "with %.0f MiB",
            set.name().c_str(), loaded, set.vectors().dimension(), options_.metric.c_str(),
            set.intrinsic_dimension(loaded), loaded_in_s_,
            static_cast<double>(server_.process().resident_bytes) / kMiB);
        report_.setting.emplace_back("data", text);
        const std::vector<std::string> collections{collection};
        const RequestMix mix = make_mix(source_of(set, collections, loaded), Mix{}, set.queries().rows());
        WirePlan plan;
        plan.endpoint = server_.endpoint();
        plan.connections = options_.connections;
        plan.requests = mix.requests;
        plan.seconds = 1;
        run_wire_load(plan);  // what is mapped from files is read before anything is measured
        const EchoServer echo(kEchoThreads, answer_of(plan));
        std::vector<double> rates = options_.rates;
        if (options_.closed_seconds > 0) {
            rates.push_back(0);
        }
        for (const double rate : rates) {
            plan.rate = rate;
            tell(set.name() +
                 ", searches a second: " + (rate > 0 ? std::to_string(static_cast<int>(rate)) : "all"));
            report_.rungs.push_back(stand(set, loaded, plan, mix, echo.port()));
        }
    }

    MixSource source_of(const LoadSet& set, std::span<const std::string> collections, size_t loaded) {
        return {.endpoint = server_.endpoint(),
                .collections = collections,
                .vectors = set.vectors(),
                .loaded = loaded,
                .queries = set.queries()};
    }

    /// One rung: echo and server in turn.
    Rung stand(LoadSet& set, size_t loaded, WirePlan plan, const RequestMix& mix, uint16_t echo_port) {
        Rung rung{.data = set.name(), .protocol = "REST", .rate = plan.rate};
        std::vector<uint32_t> echoed;
        std::vector<uint32_t> served;
        double seconds = 0;
        double used = 0;
        for (size_t round = 0; round < options_.rounds; ++round) {
            WirePlan to_echo = plan;
            to_echo.endpoint = {"127.0.0.1", echo_port};
            to_echo.seconds = options_.echo_seconds;
            const WireResult bare = run_wire_load(to_echo);
            echoed.insert(echoed.end(), bare.latency_us.begin(), bare.latency_us.end());
            plan.seconds = plan.rate > 0 ? options_.rung_seconds
                                         : options_.closed_seconds / static_cast<double>(options_.rounds);
            const double before = thread_seconds();
            const WireResult result = run_wire_load(plan);
            used += thread_seconds() - before;
            seconds += result.seconds;
            rung.requests += result.answered;
            rung.errors += result.errors;
            served.insert(served.end(), result.latency_us.begin(), result.latency_us.end());
            rung.recall +=
                set.judge(loaded, result.bodies, mix.queries).recall / static_cast<double>(options_.rounds);
        }
        rung.echo = percentiles_of(std::move(echoed));
        rung.akidb = percentiles_of(std::move(served));
        rung.served = static_cast<double>(rung.requests) / seconds;
        rung.client_cores = used / seconds;
        return rung;
    }

    void play(const Scenario& scenario) {
        // The largest set is the last named; the others are of the first.
        LoadSet& set = scenario.rows > sets_.front()->vectors().rows() ? *sets_.back() : *sets_.front();
        const size_t loaded = set.loaded(scenario.rows);
        std::vector<std::string> collections;
        for (size_t number = 0; number < scenario.collections; ++number) {
            collections.push_back(collection_of(set, loaded, number));
        }
        const RequestMix mix = make_mix(source_of(set, collections, loaded), scenario.mix, kMixRequests);
        std::vector<uint32_t> searches;
        std::vector<uint32_t> writes;
        std::set<int64_t> inserted;
        WirePlan plan;
        plan.endpoint = server_.endpoint();
        plan.requests = mix.requests;
        plan.connections = options_.connections;
        plan.seconds = options_.scenario_seconds;
        plan.rate_at = [&](double seconds) { return rate_of(scenario.rates, seconds, plan.seconds); };
        plan.outlives_cuts = scenario.disturbance == Disturbance::kKill;
        plan.on_answer = [&](size_t request, uint32_t latency_us, bool succeeded) {
            (mix.kinds[request] == Asked::kSearch ? searches : writes).push_back(latency_us);
            if (succeeded && mix.inserts[request] >= 0) {
                inserted.insert(mix.inserts[request]);
            }
        };
        ScenarioResult found = described(scenario, set, loaded);
        std::jthread disturbing(
            [&](const std::stop_token& stop) { disturb(scenario.disturbance, set, stop); });
        const WireResult result = run_wire_load(plan);
        disturbing.request_stop();
        disturbing.join();
        const LoadSet::Judged judged = set.judge(loaded, result.bodies, mix.queries);
        found.requests = result.answered + result.cut;
        found.errors = result.errors;
        found.cut = result.cut;
        found.searches = percentiles_of(std::move(searches));
        found.writes = percentiles_of(std::move(writes));
        found.recall = judged.recall;
        found.judged = judged.searches;
        found.resident_mib = static_cast<double>(server_.process().resident_bytes) / kMiB;
        if (scenario.disturbance == Disturbance::kKill) {
            found.takes_server_away = true;
            found.note =
                "kill -9 and start in the middle; the longest wait " +
                std::to_string(static_cast<int>(std::max(found.searches.max_ms, found.writes.max_ms))) +
                " ms; " + count_again(collections.front(), inserted);
        } else if (scenario.disturbance == Disturbance::kCollections) {
            found.note = std::to_string(brief_) + " collections came, were filled and went";
        }
        report_.scenarios.push_back(std::move(found));
    }

    ScenarioResult described(const Scenario& scenario, const LoadSet& set, size_t loaded) const {
        ScenarioResult found;
        found.name = scenario.name;
        found.data = (scenario.collections > 1 ? std::to_string(scenario.collections) + " x " : "") +
                     std::to_string(loaded) + " of " + set.name();
        const Mix& mix = scenario.mix;
        const auto [least, most] = std::minmax_element(scenario.rates.begin(), scenario.rates.end());
        found.load = std::to_string(static_cast<int>(*least)) +
                     (*most > *least ? ".." + std::to_string(static_cast<int>(*most)) : "") + "/s, " +
                     std::to_string(mix.searches) + " % searches";
        found.p95_ms_max = scenario.p95_ms_max;
        found.error_share_max = scenario.error_share_max;
        return found;
    }

    /// In a thread of its own while the load runs; the server object is used by nobody else meanwhile.
    void disturb(Disturbance kind, const LoadSet& set, const std::stop_token& stop) {
        if (kind == Disturbance::kKill) {
            std::this_thread::sleep_for(std::chrono::duration<double>(options_.scenario_seconds / 2));
            server_.kill();
            server_.start();
        }
        brief_ = 0;
        while (kind == Disturbance::kCollections && !stop.stop_requested()) {
            load_collection(server_.endpoint(), "brief", set, set.loaded(500), options_.metric);
            server_.ask("DELETE", "/api/v1/collections/brief");
            ++brief_;
            std::this_thread::sleep_for(std::chrono::seconds(1));
        }
    }

    /// Whether every insert that was acknowledged is there.
    std::string count_again(const std::string& collection, const std::set<int64_t>& inserted) {
        while (server_.status_of("GET", "/ready", "") != 200) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        Json ids = Json::array();
        for (const int64_t row : inserted) {
            ids.push_back(row);
        }
        const size_t there = inserted.empty()
                                 ? 0
                                 : server_
                                       .ask("POST", "/api/v1/collections/" + collection + "/documents/get",
                                            {{"ids", ids}, {"include", Json::array({"metadata"})}})
                                       .at("documents")
                                       .size();
        lost_ += inserted.size() - there;
        return std::to_string(there) + " of " + std::to_string(inserted.size()) +
               " acknowledged inserts are there";
    }

    /// Throws when something is wrong that does not depend on how fast the machine is.
    void judge() const {
        std::string faults;
        if (report_.errors() > 0) {
            faults += " requests failed;";
        }
        if (lost_ > 0) {
            faults += " acknowledged inserts are lost;";
        }
        const auto is_low = [&](const auto& one) { return one.recall < options_.recall_floor; };
        if (std::any_of(report_.rungs.begin(), report_.rungs.end(), is_low) ||
            std::any_of(report_.scenarios.begin(), report_.scenarios.end(), is_low)) {
            faults += " recall is below " + std::to_string(options_.recall_floor) + ";";
        }
        for (const Drill& drill : report_.drills) {
            faults += drill.is_passed ? "" : " the drill failed: " + drill.name + ";";
        }
        for (const ScenarioResult& result : report_.scenarios) {
            // How long a start takes is a time.
            faults += result.holds_errors() || result.takes_server_away
                          ? ""
                          : " too many errors: " + result.name + ";";
        }
        if (!faults.empty()) {
            throw std::runtime_error("not as it must be:" + faults);
        }
    }

    const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
    const Options& options_;
    BenchServer server_;
    std::vector<std::unique_ptr<LoadSet>> sets_;
    std::set<std::string> collections_;
    double loaded_in_s_ = 0;
    size_t brief_ = 0;
    size_t lost_ = 0;
    std::string load_before_ = load_average();
    LoadReport report_;
};

int run(int argc, char** argv) {
    Options options;
    CLI::App app{"The load suite: rates, scenarios and drills over real sockets, beside a bare echo."};
    app.add_option("--data", options.data,
                   "directories with base.fbin and query.fbin; the last is the large one")
        ->delimiter(',')
        ->required();
    app.add_option("--metric", options.metric)
        ->capture_default_str()
        ->check(CLI::IsMember({"cosine", "dot", "l2"}));
    app.add_option("--out", options.out, "directory of the report")->capture_default_str();
    app.add_option("--commit", options.commit, "what was built, for the report");
    app.add_option("--rates", options.rates, "searches a second, e.g. 100,500")->delimiter(',');
    app.add_option("--connections", options.connections)->capture_default_str()->check(CLI::Range(1, 1024));
    app.add_option("--rounds", options.rounds, "of each rate, echo and server in turn")
        ->capture_default_str()
        ->check(CLI::Range(1, 100));
    app.add_option("--seconds", options.rung_seconds, "of each round")->capture_default_str();
    app.add_option("--echo-seconds", options.echo_seconds, "of each round")->capture_default_str();
    app.add_option("--closed-seconds", options.closed_seconds, "as fast as it goes; 0: not")
        ->capture_default_str();
    app.add_option("--scenario-seconds", options.scenario_seconds, "of each scenario; 0: none")
        ->capture_default_str();
    app.add_option("--drill-seconds", options.drill_seconds, "before SIGTERM; 0: no drills")
        ->capture_default_str();
    app.add_option("--recall-floor", options.recall_floor, "below it the run fails")->capture_default_str();
    app.add_option("--server-flags", options.flags, "further flags of the server")->delimiter(',');
    return bench_main(app, "load_bench", argc, argv, [&] { LoadSuite(options).run(); });
}

}  // namespace
}  // namespace akidb::bench

int main(int argc, char** argv) {
    return akidb::bench::run(argc, argv);
}
