// access_bench: what it costs to ask who it is. The same searches, on the same documents, of three servers in
// turn: one that asks nobody, one that wants a key, and one that knows 100,000 keys of 10,000 tenants. Then a
// flood of logins against the third: what searches by a user who is logged in notice of it, and what memory
// the server takes meanwhile. Then what the time of a login tells, and a flood from everywhere
// (login_bench.h). Medians of the rounds are printed, with bars. Client and servers share the machine. Exit
// codes: 0, 64 usage, 70 when something did not work.
#include <algorithm>
#include <random>
#include <set>
#include <thread>

#include "bench/bars.h"
#include "bench/bench_main.h"
#include "bench/bench_server.h"
#include "bench/login_bench.h"
#include "bench/wire_load.h"
#include "catalog/sqlite.h"

namespace akidb::bench {
namespace {

using Json = nlohmann::json;

constexpr const char* kSearch = "/api/v1/collections/c/search";
constexpr size_t kQueries = 1'000;

struct Options {
    size_t rows = 20'000;
    size_t dimension = 100;
    double seconds = 2;
    unsigned rounds = 7;
    std::vector<size_t> connections{1, 8};
    double searches_per_s = 200;
    double logins_per_s = 200;
    double flood_seconds = 15;
    double swarm_seconds = 50;  // 200 a second from 10,000 addresses
    size_t samples = 2'000;
    std::set<std::string> sections{"cost", "timing", "swarm"};
};

/// Tenants with ten keys each, none of which anybody has.
void add_strangers(const std::string& catalog) {
    Result<catalog::Connection> connection = catalog::Connection::open(catalog);
    if (!connection) {
        throw std::runtime_error(connection.error().message());
    }
    check(connection->execute(R"sql(
BEGIN IMMEDIATE;
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
    INSERT INTO tenants (name, uuid) SELECT 'stranger-' || i, randomblob(16) FROM n;
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10)
    INSERT INTO api_keys (id, tenant_id, name, secret_hash, role, actions, collections, row_rule, created_by,
                          created_at_ms, expires_at_ms, is_revoked, requests_per_second, last_used_at_ms)
    SELECT randomblob(16), tenants.id, 'key ' || n.i, randomblob(32), 'viewer', '', '', '', 'bench', 0, 0, 0, 0, 0
    FROM n, tenants WHERE tenants.name LIKE 'stranger-%';
COMMIT;
)sql"));
    check(connection->close());
}

/// A line more behind the first one of a request.
std::string with_header(std::string request, const std::string& line) {
    return line.empty() ? request : request.insert(request.find("\r\n") + 2, line + "\r\n");
}

std::string bearer(const std::string& token) {
    return "Authorization: Bearer " + token;
}

class AccessBench {
  public:
    explicit AccessBench(const Options& options) : options_(options) {}

    void run() {
        if (options_.sections.contains("cost")) {
            measure_cost();
        }
        if (options_.sections.contains("timing")) {
            BenchServer server({"--auth.trusted_proxies", "127.0.0.1"});
            close_door(server);
            compare_login_times(bars_, server, options_.samples);
        }
        if (options_.sections.contains("swarm")) {
            BenchServer server({"--auth.trusted_proxies", "127.0.0.1"});
            load(server);
            close_door(server);
            flood_from_everywhere(bars_, server,
                                  {.searches = searches_of_ann(server),
                                   .logins_per_s = options_.logins_per_s,
                                   .seconds = options_.swarm_seconds});
        }
    }

  private:
    void measure_cost() {
        BenchServer open({"--auth.enabled", "false"});
        BenchServer asking({});
        BenchServer crowded({});
        for (BenchServer* server : {&open, &asking, &crowded}) {
            load(*server);
        }
        const std::string asking_key = close_door(asking);
        const std::string crowded_key = close_door(crowded);
        const double small_mib = static_cast<double>(crowded.process().anonymous_bytes) / kMiB;
        crowded.stop();
        add_strangers(crowded.directory() + "/data/akidb.db");
        crowded.start();
        while (crowded.status_of("GET", "/ready", "") != 200) {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        bars_.heading("access: searches of " + std::to_string(options_.rows) + " x " +
                      std::to_string(options_.dimension) + ", medians of " + std::to_string(options_.rounds) +
                      " rounds of " + std::to_string(options_.seconds).substr(0, 4) + " s in turn");
        bars_.line("memory before 10,000 tenants with 100,000 keys", small_mib, "MiB");
        bars_.line("memory with them, after a restart",
                   static_cast<double>(crowded.process().anonymous_bytes) / kMiB, "MiB");
        for (const size_t connections : options_.connections) {
            compare(connections, {searches(open, ""), searches(asking, bearer(asking_key)),
                                  searches(crowded, bearer(crowded_key))});
        }
        flood(crowded);
    }

    void load(BenchServer& server) const { server.create_filled("c", options_.rows, options_.dimension); }

    static std::string log_in(BenchServer& server) {
        return server
            .ask("POST", "/api/v1/auth/login", {{"email", "ann@example.com"}, {"password", kBenchPassword}})
            .at("token")
            .get<std::string>();
    }

    /// Makes the first user, from whom on the server asks, and a key, which is returned.
    static std::string close_door(BenchServer& server) {
        server.ask("POST", "/api/v1/users",
                   {{"email", "ann@example.com"}, {"password", kBenchPassword}, {"role", "admin"}});
        if (server.status_of("GET", "/api/v1/collections", "") != 401) {
            throw std::runtime_error("the server still asks nobody");
        }
        const Json body = {{"name", "bench"}, {"role", "viewer"}};
        const std::string session = log_in(server);
        support::HttpConnection connection(server.endpoint());
        connection.open();
        connection.send_bytes(
            with_header(post_request(server.endpoint(), "/api/v1/keys", body.dump()), bearer(session)));
        return Json::parse(connection.read_reply().body).at("key").get<std::string>();
    }

    WirePlan searches(const BenchServer& server, const std::string& header) const {
        WirePlan plan;
        plan.endpoint = server.endpoint();
        std::mt19937 random(12);
        for (size_t i = 0; i < kQueries; ++i) {
            const Json body = {{"vector", random_vector(random, options_.dimension)}, {"top_k", 10}};
            plan.requests.push_back(with_header(post_request(plan.endpoint, kSearch, body.dump()), header));
        }
        plan.seconds = options_.seconds;
        return plan;
    }

    static WireResult run_well(const WirePlan& plan) {
        WireResult result = run_wire_load(plan);
        if (result.errors > 0 || result.answered == 0) {
            throw std::runtime_error(std::to_string(result.errors) + " searches failed");
        }
        return result;
    }

    static double median(std::vector<double> values) {
        std::sort(values.begin(), values.end());
        return values[values.size() / 2];
    }

    void compare(size_t connections, std::vector<WirePlan> plans) {
        std::vector<std::vector<double>> rates(plans.size());
        std::vector<std::vector<double>> ratios(plans.size());
        for (unsigned round = 0; round < options_.rounds; ++round) {
            for (size_t i = 0; i < plans.size(); ++i) {
                plans[i].connections = connections;
                rates[i].push_back(run_well(plans[i]).per_second());
            }
            ratios[1].push_back(rates[1].back() / rates[0].back());
            ratios[2].push_back(rates[2].back() / rates[1].back());
        }
        const std::string what = std::to_string(connections) + " connections: ";
        bars_.line(what + "nobody is asked", median(rates[0]), "queries/s");
        bars_.line(what + "by an API key", median(rates[1]), "queries/s");
        bars_.line(what + "by one of 100,001 keys", median(rates[2]), "queries/s");
        bars_.at_least(0.95, what + "a key over nobody", median(ratios[1]), "times");
        bars_.at_least(0.95, what + "one of 100,001 keys over one", median(ratios[2]), "times");
    }

    WirePlan searches_of_ann(BenchServer& server) const {
        WirePlan plan = searches(server, bearer(log_in(server)));
        plan.connections = 8;
        plan.rate = options_.searches_per_s;
        return plan;
    }

    void flood(BenchServer& server) {
        WirePlan quiet = searches_of_ann(server);
        quiet.seconds = options_.flood_seconds;
        const double idle_us = run_well(quiet).quantile_us(0.95);
        const double before = static_cast<double>(server.process().anonymous_bytes) / kMiB;

        WirePlan attack;
        attack.endpoint = server.endpoint();
        for (size_t i = 0; i < 10'000; ++i) {
            const Json body = {
                {"email", i % 2 == 0 ? "ann@example.com" : "user" + std::to_string(i) + "@example.com"},
                {"password", "guess number " + std::to_string(i)}};
            attack.requests.push_back(post_request(attack.endpoint, "/api/v1/auth/login", body.dump()));
        }
        attack.connections = 32;
        attack.rate = options_.logins_per_s;
        attack.seconds = options_.flood_seconds;
        WireResult attacked;
        double during_us = 0;
        {
            std::jthread attacker([&] { attacked = run_wire_load(attack); });
            during_us = run_well(quiet).quantile_us(0.95);
        }
        const double during = static_cast<double>(server.process().anonymous_bytes) / kMiB;
        bars_.line("logins tried in a second", attacked.per_second(), "requests/s");
        bars_.line("of them let in", static_cast<double>(attacked.answered - attacked.errors), "logins");
        bars_.line("P95 of a user's searches, idle", idle_us, "us");
        bars_.line("P95 of a user's searches, under the flood", during_us, "us");
        bars_.at_most(2, "P95 under the flood over idle", during_us / idle_us, "times");
        bars_.at_most(64, "memory that the flood took", during - before, "MiB");
    }

    const Options options_;
    Bars bars_;
};

}  // namespace
}  // namespace akidb::bench

int main(int argc, char** argv) {
    akidb::bench::Options options;
    CLI::App app("What it costs to ask who it is, and what a flood of logins does", "access_bench");
    app.add_option("--rows", options.rows)->capture_default_str();
    app.add_option("--dimension", options.dimension)->capture_default_str();
    app.add_option("--seconds", options.seconds, "of each measurement")->capture_default_str();
    app.add_option("--rounds", options.rounds)->capture_default_str();
    app.add_option("--connections", options.connections)->capture_default_str();
    app.add_option("--logins-per-s", options.logins_per_s)->capture_default_str();
    app.add_option("--flood-seconds", options.flood_seconds)->capture_default_str();
    app.add_option("--swarm-seconds", options.swarm_seconds, "of the flood from 10,000 addresses")
        ->capture_default_str();
    app.add_option("--samples", options.samples, "of each kind of login that is timed")
        ->capture_default_str();
    app.add_option("--sections", options.sections, "what is measured")
        ->check(CLI::IsMember({"cost", "timing", "swarm"}))
        ->capture_default_str();
    return akidb::bench::bench_main(app, "access_bench", argc, argv,
                                    [&] { akidb::bench::AccessBench(options).run(); });
}
