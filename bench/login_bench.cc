#include "bench/login_bench.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <stdexcept>
#include <thread>

#include "bench/two_samples.h"
#include "catalog/sqlite.h"

namespace akidb::bench {
namespace {

using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr size_t kSources = 10'000;
constexpr double kPMin = 0.01;
constexpr std::chrono::milliseconds kBetweenAnnsLogins{500};

std::string source_of(size_t net, size_t number) {
    return "10." + std::to_string(net) + "." + std::to_string(number / 250) + "." +
           std::to_string(1 + number % 250);
}

std::string login_request(const support::Endpoint& endpoint, const Json& body, const std::string& source) {
    std::string request = post_request(endpoint, "/api/v1/auth/login", body.dump());
    return request.insert(request.find("\r\n") + 2, "X-Forwarded-For: " + source + "\r\n");
}

/// Ten thousand users with the hash of the one who is there.
void add_users(BenchServer& server) {
    server.stop();
    Result<catalog::Connection> catalog = catalog::Connection::open(server.directory() + "/data/akidb.db");
    if (!catalog) {
        throw std::runtime_error(catalog.error().message());
    }
    check(catalog->execute(R"sql(
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < 10000)
    INSERT INTO users (id, tenant_id, email, password_hash, role, status, created_at_ms)
    SELECT randomblob(16), tenant_id, 'known' || i || '@example.com', password_hash, 'viewer', 0, 0
    FROM users, n WHERE email = 'ann@example.com';
)sql"));
    check(catalog->close());
    server.start();
    while (server.status_of("GET", "/ready", "") != 200) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

double median(std::vector<double> values) {
    std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(values.size() / 2),
                     values.end());
    return values[values.size() / 2];
}

/// Milliseconds from the request to its answer, which must be that the password is wrong.
double time_of(support::HttpConnection& connection, const std::string& request) {
    const auto begin = Clock::now();
    if (!connection.send_bytes(request)) {
        throw std::runtime_error("the server ended the connection");
    }
    const support::HttpReply reply = connection.read_reply();
    const double took_ms = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
    if (reply.status != 401 || reply.body.find("challenge") != std::string::npos) {
        throw std::runtime_error("a guess was answered " + std::to_string(reply.status) + " " + reply.body);
    }
    return took_ms;
}

/// Ann's logins while others try: each from where she was before, with the token of her device.
struct Owner {
    size_t tried = 0;
    size_t let_in = 0;
    std::vector<double> took_ms{};
};

Owner log_in_meanwhile(const BenchServer& server, const std::string& device, std::stop_token stop) {
    const Json body{{"email", "ann@example.com"}, {"password", kBenchPassword}, {"device_token", device}};
    const std::string request = login_request(server.endpoint(), body, "203.0.113.1");
    support::HttpConnection connection(server.endpoint());
    connection.open();
    Owner owner;
    while (!stop.stop_requested()) {
        std::this_thread::sleep_for(kBetweenAnnsLogins);
        // A person who logs in stays so; nobody does it twelve times a minute. Five fit her device's minute.
        if (owner.tried >= 5) {
            continue;
        }
        ++owner.tried;
        const auto begin = Clock::now();
        connection.send_bytes(request);
        owner.let_in += connection.read_reply().status == 200 ? 1 : 0;
        owner.took_ms.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
    }
    return owner;
}

WireResult run_well(const WirePlan& plan) {
    WireResult result = run_wire_load(plan);
    if (result.errors > 0 || result.answered == 0) {
        throw std::runtime_error(std::to_string(result.errors) + " searches failed");
    }
    return result;
}

WirePlan swarm_of(const BenchServer& server, const SwarmPlan& plan) {
    WirePlan attack;
    attack.endpoint = server.endpoint();
    for (size_t i = 0; i < kSources; ++i) {
        const std::string email =
            i % 2 == 0 ? "ann@example.com" : "nobody" + std::to_string(i) + "@example.com";
        attack.requests.push_back(
            login_request(attack.endpoint, {{"email", email}, {"password", "guess " + std::to_string(i)}},
                          source_of(3, i)));
    }
    attack.connections = 32;
    attack.rate = plan.logins_per_s;
    attack.seconds = plan.seconds;
    return attack;
}

}  // namespace

void compare_login_times(Bars& bars, BenchServer& server, size_t samples) {
    if (samples < 2 || samples > kSources) {
        throw std::runtime_error("samples: 2 to " + std::to_string(kSources));
    }
    add_users(server);
    std::vector<double> known;
    std::vector<double> unknown;
    std::mt19937 random(31);
    support::HttpConnection connection(server.endpoint());
    connection.open();
    const auto sample = [&](bool is_known, size_t i) {
        const std::string email = (is_known ? "known" : "strange") + std::to_string(i) + "@example.com";
        (is_known ? known : unknown)
            .push_back(time_of(connection, login_request(server.endpoint(),
                                                         {{"email", email}, {"password", "not the password"}},
                                                         source_of(is_known ? 1 : 2, i))));
    };
    for (size_t i = 0; i < samples; ++i) {
        const bool known_first = random() % 2 == 0;
        sample(known_first, i);
        sample(!known_first, i);
    }
    bars.heading("access: logins with a wrong password, " + std::to_string(samples) +
                 " of users who are there and as many of users who are not, in random order");
    bars.line("median of users who are there", median(known), "ms");
    bars.line("median of users who are not", median(unknown), "ms");
    const TestResult ranks = mann_whitney(known, unknown);
    const TestResult means = welch_t(known, unknown);
    bars.line("Mann-Whitney z", ranks.statistic, "");
    bars.at_least(kPMin, "Mann-Whitney p", ranks.p, "");
    bars.line("Welch t", means.statistic, "");
    bars.at_least(kPMin, "Welch p", means.p, "");
}

void flood_from_everywhere(Bars& bars, BenchServer& server, const SwarmPlan& plan) {
    bars.heading("access: a flood of logins from " + std::to_string(kSources) + " addresses, " +
                 std::to_string(static_cast<int>(plan.seconds)) + " s");
    const Json known = server.ask("POST", "/api/v1/auth/login",
                                  {{"email", "ann@example.com"}, {"password", kBenchPassword}});
    WirePlan quiet = plan.searches;
    quiet.seconds = plan.seconds;
    const double idle_us = run_well(quiet).quantile_us(0.95);
    const double before = static_cast<double>(server.process().anonymous_bytes) / kMiB;
    WireResult attacked;
    Owner owner;
    double during_us = 0;
    {
        std::jthread attacker([&] { attacked = run_wire_load(swarm_of(server, plan)); });
        std::jthread ann([&](std::stop_token stop) {
            owner = log_in_meanwhile(server, known.at("device_token").get<std::string>(), stop);
        });
        during_us = run_well(quiet).quantile_us(0.95);
    }
    const double after = static_cast<double>(server.process().anonymous_bytes) / kMiB;
    bars.line("logins tried in a second", attacked.per_second(), "requests/s");
    bars.at_most(0, "of them let in", static_cast<double>(attacked.answered - attacked.errors), "logins");
    bars.line("P95 of a user's searches, idle", idle_us, "us");
    bars.line("P95 of a user's searches, under the flood", during_us, "us");
    bars.at_most(2, "P95 under the flood over idle", during_us / idle_us, "times");
    bars.at_most(64, "memory that the flood took", after - before, "MiB");
    bars.line("median of the owner's logins meanwhile", median(owner.took_ms), "ms");
    bars.at_least(1, "of them let in", static_cast<double>(owner.let_in) / static_cast<double>(owner.tried),
                  "of 1");
}

}  // namespace akidb::bench
