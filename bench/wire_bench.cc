// wire_bench: any HTTP server under the load of wire_load.h: bodies of a file, one a line, posted to one
// path; a JSON object a rate on standard output. With --echo N it is a bare echo of N bytes that is measured,
// by the same requests. It is how other servers are asked by the very client that asks AkiDB (bench/peers).
// Exit codes: 0, 64 usage, 70 when the server cannot be reached.
#include <cstdio>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "bench/bench_main.h"
#include "bench/echo_server.h"
#include "bench/wire_load.h"

namespace akidb::bench {
namespace {

struct Options {
    std::string url = "http://127.0.0.1:8080";
    std::string path;
    std::string bodies;
    std::vector<double> rates{0};
    size_t connections = 16;
    double seconds = 5;
    size_t echo_bytes = 0;
};

void run(const Options& options) {
    WirePlan plan;
    plan.endpoint = support::parse_url(options.url);
    std::unique_ptr<EchoServer> echo;
    if (options.echo_bytes > 0) {
        const std::string body(options.echo_bytes, ' ');
        echo = std::make_unique<EchoServer>(
            2, "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
        plan.endpoint = {"127.0.0.1", echo->port()};
    }
    std::ifstream file(options.bodies);
    for (std::string line; std::getline(file, line);) {
        plan.requests.push_back(post_request(plan.endpoint, options.path, line));
    }
    if (plan.requests.empty()) {
        throw std::runtime_error(options.bodies + " holds no line");
    }
    plan.connections = options.connections;
    plan.seconds = options.seconds;
    for (const double rate : options.rates) {
        plan.rate = rate;
        const WireResult result = run_wire_load(plan);
        const nlohmann::json line{{"rate", rate},
                                  {"per_second", result.per_second()},
                                  {"answered", result.answered},
                                  {"errors", result.errors},
                                  {"p50_us", result.quantile_us(0.50)},
                                  {"p95_us", result.quantile_us(0.95)},
                                  {"p99_us", result.quantile_us(0.99)}};
        std::printf("%s\n", line.dump().c_str());
        std::fflush(stdout);
    }
}

}  // namespace
}  // namespace akidb::bench

int main(int argc, char** argv) {
    akidb::bench::Options options;
    CLI::App app("Any HTTP server under open or closed load", "wire_bench");
    app.add_option("--url", options.url, "http://host:port")->capture_default_str();
    app.add_option("--path", options.path, "posted to")->required();
    app.add_option("--bodies", options.bodies, "a JSON body a line, sent in turn")->required();
    app.add_option("--rates", options.rates, "requests a second; 0: as fast as the connections go")
        ->delimiter(',')
        ->capture_default_str();
    app.add_option("--connections", options.connections)->capture_default_str()->check(CLI::Range(1, 1024));
    app.add_option("--seconds", options.seconds, "of each rate")->capture_default_str();
    app.add_option("--echo", options.echo_bytes, "measure an echo of so many bytes instead")
        ->capture_default_str();
    return akidb::bench::bench_main(app, "wire_bench", argc, argv, [&] { akidb::bench::run(options); });
}
