// serve_bench: what a running server gives through real sockets beside a bare echo of the same bytes in the
// same run, in turn: closed loop by number of connections (queries a second), open loop by rate (latency from
// the due moment), recall@k of what came back. Prints medians and spread for people, and with --json FILE for
// programs. Exit codes: 0, 64 usage, 70 when an answer or a file is not what it should be.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "bench/bench_main.h"
#include "bench/echo_server.h"
#include "bench/rest_collection.h"
#include "bench/vector_file.h"
#include "bench/wire_load.h"

namespace akidb::bench {
namespace {

using Json = nlohmann::json;

struct Options {
    std::string url = "http://127.0.0.1:8080";
    std::string collection = "words";
    std::string queries;
    std::string truth;
    std::string json;
    SearchOptions search;
    std::vector<size_t> connections{1, 2, 8};
    std::vector<double> rates;
    size_t open_connections = 16;
    double seconds = 3;
    size_t rounds = 5;
    size_t echo_threads = 2;
};

/// u32 rows, u32 k, then rows × k int32: ids of the nearest, best first.
std::vector<std::vector<uint64_t>> read_truth(const std::string& path, size_t queries, size_t k) {
    std::ifstream file(path, std::ios::binary);
    std::array<uint32_t, 2> header{};
    file.read(reinterpret_cast<char*>(header.data()), sizeof(header));
    if (!file || header[0] < queries || header[1] < k) {
        throw std::runtime_error(path + " does not hold the " + std::to_string(k) + " nearest of " +
                                 std::to_string(queries) + " queries");
    }
    std::vector<std::vector<uint64_t>> truth(queries);
    std::vector<int32_t> row(header[1]);
    for (std::vector<uint64_t>& ids : truth) {
        file.read(reinterpret_cast<char*>(row.data()),
                  static_cast<std::streamsize>(row.size() * sizeof(int32_t)));
        ids.assign(row.begin(), row.begin() + static_cast<std::ptrdiff_t>(k));
    }
    if (!file) {
        throw std::runtime_error(path + " is cut short");
    }
    return truth;
}

/// Mean over the queries that were answered.
double recall_of_answers(const std::vector<std::string>& bodies,
                         const std::vector<std::vector<uint64_t>>& truth) {
    double found = 0;
    double wanted = 0;
    for (size_t query = 0; query < bodies.size(); ++query) {
        if (bodies[query].empty()) {
            continue;
        }
        wanted += static_cast<double>(truth[query].size());
        const Json answer = Json::parse(bodies[query]);
        for (const Json& match : answer.at("matches")) {
            const auto id = match.at("id").get<uint64_t>();
            found += std::find(truth[query].begin(), truth[query].end(), id) != truth[query].end() ? 1 : 0;
        }
    }
    return wanted > 0 ? found / wanted : 0;
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

/// One line of the table: the same load, several times.
class Series {
  public:
    void add(const WireResult& result) {
        per_second_.push_back(result.per_second());
        p50_.push_back(result.quantile_us(0.50));
        p95_.push_back(result.quantile_us(0.95));
        p99_.push_back(result.quantile_us(0.99));
        errors_ += result.errors;
    }
    void note_recall(double recall) { recall_ = recall; }

    Json print(const std::string& load, const std::string& what) const {
        auto [least, most] = std::minmax_element(per_second_.begin(), per_second_.end());
        std::printf("%-16s %-6s %8.0f/s (%.0f..%.0f)  P50 %6.0f  P95 %6.0f  P99 %6.0f µs", load.c_str(),
                    what.c_str(), median(per_second_), *least, *most, median(p50_), median(p95_),
                    median(p99_));
        if (recall_) {
            std::printf("  recall %.4f", *recall_);
        }
        std::printf(errors_ > 0 ? "  %llu ERRORS\n" : "\n", static_cast<unsigned long long>(errors_));
        std::fflush(stdout);
        Json out{{"load", load},           {"server", what},         {"per_second", median(per_second_)},
                 {"least", *least},        {"most", *most},          {"p50_us", median(p50_)},
                 {"p95_us", median(p95_)}, {"p99_us", median(p99_)}, {"errors", errors_}};
        if (recall_) {
            out["recall"] = *recall_;
        }
        return out;
    }

  private:
    std::vector<double> per_second_;
    std::vector<double> p50_;
    std::vector<double> p95_;
    std::vector<double> p99_;
    uint64_t errors_ = 0;
    std::optional<double> recall_;
};

struct Step {
    std::string name;
    size_t connections = 1;
    double rate = 0;
};

std::vector<Step> steps_of(const Options& options) {
    std::vector<Step> steps;
    for (size_t count : options.connections) {
        steps.push_back({std::to_string(count) + " connections", count, 0});
    }
    for (double rate : options.rates) {
        steps.push_back(
            {std::to_string(static_cast<int>(rate)) + "/s open loop", options.open_connections, rate});
    }
    return steps;
}

std::string processor() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        if (line.rfind("model name", 0) == 0) {
            return line.substr(line.find(':') + 2);
        }
    }
    return "unknown processor";
}

std::vector<std::string> requests_of(const Options& options, const VectorFile& queries) {
    support::Endpoint endpoint = support::parse_url(options.url);
    std::string path = RestCollection(options.url, options.collection).search_path();
    std::vector<std::string> requests;
    for (size_t row = 0; row < queries.rows(); ++row) {
        requests.push_back(post_request(endpoint, path, search_body(queries.row(row), options.search)));
    }
    return requests;
}

/// A whole answer as the server gives it, for the echo to give too.
std::string answer_of(const WirePlan& plan) {
    support::HttpConnection connection(plan.endpoint);
    connection.open();
    connection.send_bytes(plan.requests.front());
    support::HttpReply reply = connection.read_reply();
    if (reply.status != 200) {
        throw std::runtime_error("the server answered " + std::to_string(reply.status) + ": " + reply.body);
    }
    std::string head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ";
    head.append(std::to_string(reply.body.size()));
    return head.append("\r\nX-Request-Id: 00000000-0000-0000-0000-000000000000\r\n\r\n").append(reply.body);
}

Json run_steps(const Options& options) {
    VectorFile queries(options.queries);
    std::vector<std::vector<uint64_t>> truth;
    if (!options.truth.empty()) {
        truth = read_truth(options.truth, queries.rows(), options.search.k);
    }
    CollectionFacts facts = RestCollection(options.url, options.collection).facts();
    WirePlan plan;
    plan.endpoint = support::parse_url(options.url);
    plan.requests = requests_of(options, queries);
    plan.seconds = options.seconds;
    EchoServer echo(options.echo_threads, answer_of(plan));
    std::printf(
        "%s, %u cores; %llu documents of %zu dimensions, %llu linked, %llu in the head; request of %zu "
        "bytes; %zu rounds of %g s, echo and server in turn\n",
        processor().c_str(), std::thread::hardware_concurrency(),
        static_cast<unsigned long long>(facts.count), queries.dimension(),
        static_cast<unsigned long long>(facts.linked_rows), static_cast<unsigned long long>(facts.head_rows),
        plan.requests.front().size(), options.rounds, options.seconds);
    Json out = Json::array();
    for (const Step& step : steps_of(options)) {
        plan.connections = step.connections;
        plan.rate = step.rate;
        Series echoed;
        Series served;
        for (size_t round = 0; round < options.rounds; ++round) {
            WirePlan to_echo = plan;
            to_echo.endpoint = {"127.0.0.1", echo.port()};
            echoed.add(run_wire_load(to_echo));
            WireResult result = run_wire_load(plan);
            served.add(result);
            if (!truth.empty() && result.errors == 0) {
                served.note_recall(recall_of_answers(result.bodies, truth));
            }
        }
        out.push_back(echoed.print(step.name, "echo"));
        out.push_back(served.print(step.name, "akidb"));
    }
    return out;
}

int run(int argc, char** argv) {
    Options options;
    CLI::App app{"Measures a running AkiDB over sockets, beside a bare echo."};
    app.add_option("--url", options.url, "the server")->capture_default_str();
    app.add_option("--collection", options.collection, "its collection")->capture_default_str();
    app.add_option("--queries", options.queries, ".fbin of query vectors, sent in turn")->required();
    app.add_option("--truth", options.truth, ".ibin of the nearest ids of each query: prints recall");
    app.add_option("--k", options.search.k, "neighbours asked for")->capture_default_str();
    app.add_option("--ef", options.search.ef, "params.ef; 0 = the server's default")->capture_default_str();
    app.add_option("--connections", options.connections, "closed loop: kept connections, e.g. 1,2,8")
        ->delimiter(',')
        ->capture_default_str();
    app.add_option("--rates", options.rates, "open loop: queries a second, e.g. 100,300,1000")
        ->delimiter(',');
    app.add_option("--open-connections", options.open_connections, "of the open loop")->capture_default_str();
    app.add_option("--seconds", options.seconds, "length of each run")->capture_default_str();
    app.add_option("--rounds", options.rounds, "runs of each kind")->capture_default_str();
    app.add_option("--echo-threads", options.echo_threads, "loops of the echo")->capture_default_str();
    app.add_option("--json", options.json, "also write the figures to this file");
    return bench_main(app, "serve_bench", argc, argv, [&] {
        Json out = run_steps(options);
        if (!options.json.empty()) {
            std::ofstream(options.json) << out.dump(2) << "\n";
        }
    });
}

}  // namespace
}  // namespace akidb::bench

int main(int argc, char** argv) {
    return akidb::bench::run(argc, argv);
}
