#include "bench/load_drills.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <stop_token>
#include <thread>

#include "bench/load_scenarios.h"
#include "server_process.h"

namespace akidb::bench {
namespace {

constexpr uint32_t kEndMs = 60'000;
constexpr int kConfiguration = 78;  // the exit code of settings that are refused
constexpr auto kProbePause = std::chrono::milliseconds(100);

struct Probed {
    size_t before = 0;  // asked before the signal
    size_t failed = 0;  // of those, not answered 200
    double slowest_ms = 0;
    bool turned = false;     // /ready said 503 after the signal
    bool was_alive = false;  // /health said 200 then
};

/// As a kubelet does, but more often: /health and /ready, each time by a new connection, until stopped.
Probed poll_probes(const support::Endpoint& endpoint, const std::atomic<bool>& is_signalled,
                   const std::stop_token& stop) {
    Probed probed;
    const auto ask = [&](const char* path) {
        try {
            return support::HttpConnection(endpoint).request("GET", path).status;
        } catch (const support::HttpFault&) {
            return 0;
        }
    };
    while (!stop.stop_requested()) {
        const bool is_before = !is_signalled;
        const auto begin = std::chrono::steady_clock::now();
        const int health = ask("/health");
        const int ready = ask("/ready");
        const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
        if (!is_before) {
            probed.turned = probed.turned || ready == 503;
            probed.was_alive = probed.was_alive || health == 200;
        } else if (!is_signalled) {
            probed.before += 2;
            probed.failed += (health == 200 ? 0 : 1) + (ready == 200 ? 0 : 1);
            probed.slowest_ms = std::max(probed.slowest_ms, took.count());
        }
        std::this_thread::sleep_for(kProbePause);
    }
    return probed;
}

std::vector<Drill> end_under_load(LoadSet& set, const DrillPlan& drill) {
    const e2e::TemporaryDirectory files;
    auto started = e2e::ServerProcess::start(
        {.data_directory = files.path() + "/data", .flags = {"--drain.min_ms", "1000"}, .environment = {}});
    if (!started || !(*started)->wait_until_ready()) {
        throw std::runtime_error("the server of the drill did not start");
    }
    e2e::ServerProcess& server = **started;
    const std::vector<std::string> collections{"drill"};
    WirePlan plan;
    plan.endpoint = support::parse_url(server.rest_url());
    const size_t loaded = set.loaded(drill.rows);
    load_collection(plan.endpoint, collections.front(), set, loaded, drill.metric);
    const RequestMix mix = make_mix({.endpoint = plan.endpoint,
                                     .collections = collections,
                                     .vectors = set.vectors(),
                                     .loaded = loaded,
                                     .queries = set.queries()},
                                    {.searches = 80, .inserts = 10, .patches = 10}, 2'000);
    std::atomic<bool> is_signalled{false};
    std::atomic<uint64_t> answered_after{0};
    plan.requests = mix.requests;
    plan.connections = drill.connections;
    plan.rate = drill.rate;
    plan.seconds = drill.seconds + kEndMs / 1000.0;
    plan.outlives_cuts = true;
    plan.on_answer = [&](size_t, uint32_t, bool) { answered_after += is_signalled ? 1 : 0; };
    std::stop_source stop;
    plan.stop = stop.get_token();
    WireResult result;
    Probed probed;
    std::jthread load([&] { result = run_wire_load(plan); });
    std::jthread probes(
        [&](const std::stop_token& token) { probed = poll_probes(plan.endpoint, is_signalled, token); });
    std::this_thread::sleep_for(std::chrono::duration<double>(drill.seconds));
    is_signalled = true;
    const auto begin = std::chrono::steady_clock::now();
    server.send_signal(SIGTERM);
    const Result<int> code = server.wait_for_exit(kEndMs);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    stop.request_stop();
    probes.request_stop();
    load.join();
    probes.join();
    const bool ended_well = code && *code == 0;
    return {
        {fmt::format("SIGTERM at {:g} requests a second", drill.rate),
         ended_well && result.cut == 0 && result.errors == 0 && answered_after > 0,
         fmt::format(
             "{} answered, {} of them after the signal, {} cut, {} other than 200; exit code {} after "
             "{:.2f} s",
             result.answered, answered_after.load(), result.cut, result.errors, code ? *code : -1,
             took.count())},
        {"probes under load", probed.before > 0 && probed.failed == 0 && probed.turned && probed.was_alive,
         fmt::format("{} asked, {} failed, slowest pair {:.1f} ms; after the signal /ready {}, /health {}",
                     probed.before, probed.failed, probed.slowest_ms,
                     probed.turned ? "said 503" : "did not turn",
                     probed.was_alive ? "still 200" : "was gone")}};
}

Drill refuse_settings() {
    const e2e::TemporaryDirectory files;
    const std::vector<std::vector<std::string>> wrong{
        {"--server.rest_port", "99999"}, {"--drain.min_ms", "soon"}, {"--no.such_setting", "1"}};
    size_t refused = 0;
    size_t untouched = 0;
    for (size_t index = 0; index < wrong.size(); ++index) {
        const std::string data = files.path() + "/data" + std::to_string(index);
        std::vector<std::string> words{"serve", "--data", data};
        words.insert(words.end(), wrong[index].begin(), wrong[index].end());
        const Result<e2e::Finished> ended = e2e::run_akidb(words, {}, kEndMs);
        const int code = ended ? ended->exit_code : -1;
        refused += code == kConfiguration ? 1 : 0;
        untouched += std::filesystem::exists(data) ? 0 : 1;
    }
    return {"settings that are wrong", refused == wrong.size() && untouched == wrong.size(),
            fmt::format("{} of {} starts refused by exit code 78, {} left no file", refused, wrong.size(),
                        untouched)};
}

}  // namespace

std::vector<Drill> run_drills(LoadSet& set, const DrillPlan& plan) {
    std::vector<Drill> drills = end_under_load(set, plan);
    drills.push_back(refuse_settings());
    return drills;
}

}  // namespace akidb::bench
