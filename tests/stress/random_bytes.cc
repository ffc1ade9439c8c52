// random_bytes: what a hostile or broken client sends. Starts a server, and for --seconds many connections at
// once send it random bytes, well-formed requests with bytes changed, cut short, doubled or dripping, and
// hang up at any point. Then the server must still answer a search correctly, and must not have grown:
// descriptors back to where they were, memory within 64 MiB. Prints what was sent; the seed repeats the bytes
// (not the interleaving). Exit code 0 when all held.
#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "server_process.h"
#include "support/http_client.h"

namespace akidb::stress {
namespace {

constexpr uint64_t kGrowthKibMax = 64 << 10;
// AddressSanitizer keeps 256 MiB of freed memory on purpose, with shadow and padding beside it.
constexpr uint64_t kGrowthKibMaxOfAddressSanitizer = 768 << 10;
constexpr size_t kDescriptorsGrowthMax = 8;  // log files that the first write opens
constexpr const char* kVector = "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]";

struct Options {
    uint32_t seconds = 10;
    uint64_t seed = 1;
    size_t connections = 16;
};

struct Usage {
    uint64_t resident_kib = 0;
    size_t descriptors = 0;
};

Usage usage_of(pid_t pid) {
    Usage usage;
    std::string proc = "/proc/" + std::to_string(pid);
    std::ifstream status(proc + "/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmRSS:")) {
            usage.resident_kib = std::stoull(line.substr(6));
        }
    }
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(proc + "/fd")) {
        ++usage.descriptors;
    }
    return usage;
}

using Random = std::mt19937_64;

size_t below(Random& random, size_t bound) {
    return static_cast<size_t>(random() % bound);
}

std::string random_text(Random& random, size_t bytes_max) {
    std::string text(1 + below(random, bytes_max), '\0');
    for (char& letter : text) {
        letter = static_cast<char>(random());
    }
    return text;
}

std::string well_formed(Random& random) {
    static const std::vector<std::pair<std::string, std::string>> kRequests{
        {"GET /health", ""},
        {"GET /api/v1/collections", ""},
        {"GET /api/v1/collections/target/documents/1", ""},
        {"POST /api/v1/collections/target/search",
         std::string(R"({"vector":)") + kVector + R"(,"top_k":3,"include":["metadata"]})"},
        {"POST /api/v1/collections/target/search",
         std::string(R"({"vector":)") + kVector + R"(,"filter":{"must":[{"key":"a.b","range":{"gt":1}}]}})"},
        {"POST /api/v1/collections/target/count",
         R"({"filter":{"must_not":{"key":"a","match":{"any":[1,"x"]}}}})"},
        {"PUT /api/v1/collections/scratch/documents", std::string(R"({"documents":[{"id":"k","vector":)") +
                                                          kVector +
                                                          R"(,"metadata":{"a":[1,2.5,null,"ü"]}}]})"},
        {"POST /api/v1/collections/scratch/documents/delete", R"({"ids":["k"]})"},
    };
    const auto& [line, body] = kRequests[below(random, kRequests.size())];
    return line + " HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// One message of an attacker: from pure noise to a request that is almost right.
std::string make_attack(Random& random) {
    std::string bytes = well_formed(random);
    switch (below(random, 6)) {
        case 0:
            return random_text(random, 4096);
        case 1:
            for (size_t count = 1 + below(random, 8); count > 0; --count) {
                bytes[below(random, bytes.size())] = static_cast<char>(random());
            }
            return bytes;
        case 2:
            return bytes.substr(0, below(random, bytes.size()));
        case 3:
            return bytes.insert(below(random, bytes.size()), random_text(random, 64));
        case 4:
            return bytes + well_formed(random) + random_text(random, 16);
        default:
            return bytes;
    }
}

class Attack {
  public:
    Attack(const Options& options, std::string url) : options_(options), endpoint_(support::parse_url(url)) {}

    void run() {
        std::vector<std::thread> threads;
        for (size_t index = 0; index < options_.connections; ++index) {
            threads.emplace_back([this, index] { attack(options_.seed * 1000 + index); });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
    }
    uint64_t sent() const { return sent_; }
    uint64_t answered() const { return answered_; }

  private:
    void attack(uint64_t seed) {
        Random random(seed);
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(options_.seconds);
        support::HttpConnection connection(endpoint_, 50);
        while (std::chrono::steady_clock::now() < end) {
            try {
                send_one(connection, random);
            } catch (const support::HttpFault&) {
                connection.close();  // refused, or waiting for the rest of what will never come: hang up
            }
        }
    }

    void send_one(support::HttpConnection& connection, Random& random) {
        if (!connection.is_open()) {
            connection.open();
        }
        std::string bytes = make_attack(random);
        sent_ += 1;
        size_t half = below(random, bytes.size() + 1);
        bool whole = connection.send_bytes(std::string_view(bytes).substr(0, half)) &&
                     connection.send_bytes(std::string_view(bytes).substr(half));
        size_t mood = below(random, 8);
        if (mood == 0) {
            connection.close();  // without waiting for an answer
            return;
        }
        if (mood == 1) {
            connection.finish_sending();
        }
        support::HttpReply reply = whole ? connection.read_reply() : support::HttpReply{};
        answered_ += reply.status > 0 ? 1 : 0;
        if (reply.status == 0 || reply.closes || mood == 1) {
            connection.close();
        }
    }

    Options options_;
    support::Endpoint endpoint_;
    std::atomic<uint64_t> sent_{0};
    std::atomic<uint64_t> answered_{0};
};

bool expect(bool holds, const std::string& what) {
    std::printf("%s  %s\n", holds ? "holds" : "FAILS", what.c_str());
    return holds;
}

bool answers_correctly(const e2e::ServerProcess& server) {
    auto reply = server.request("POST", "/api/v1/collections/target/search",
                                std::string(R"({"vector":)") + kVector + R"(,"top_k":1})");
    return reply && reply->status == 200 && reply->body.find(R"("id":1,)") != std::string::npos;
}

/// The server may still be closing what the attackers left; it gets the time of its shortest time-out.
bool descriptors_came_back(pid_t pid, size_t before) {
    for (int attempt = 0; attempt < 150; ++attempt) {
        if (usage_of(pid).descriptors <= before + kDescriptorsGrowthMax) {
            return true;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return false;
}

bool prepare(const e2e::ServerProcess& server) {
    for (const char* name : {"target", "scratch"}) {
        auto made =
            server.request("POST", "/api/v1/collections",
                           std::string(R"({"name":")") + name + R"(","dimension":16,"metric":"cosine"})");
        if (!made || made->status != 201) {
            return false;
        }
    }
    auto put = server.request(
        "PUT", "/api/v1/collections/target/documents",
        std::string(R"({"documents":[{"id":1,"vector":)") + kVector + R"(,"metadata":{"a":1}}]})");
    return put && put->status == 200;
}

int run(const Options& options) {
    e2e::TemporaryDirectory directory;
    auto started = e2e::ServerProcess::start({.data_directory = directory.path()});
    if (!started) {
        std::fprintf(stderr, "random_bytes: %s\n", started.error().message().c_str());
        return 70;
    }
    e2e::ServerProcess& server = **started;
    if (!server.wait_until_ready() || !prepare(server)) {
        std::fprintf(stderr, "random_bytes: the server cannot be prepared\n%s\n", server.log().c_str());
        return 70;
    }
    const size_t descriptors_before = usage_of(server.pid()).descriptors;
    // A short attack first, so that pools and caches that grow once are not taken for a leak.
    Options warm = options;
    warm.seconds = std::max(1U, options.seconds / 5);
    warm.seed = options.seed + 7919;
    Attack(warm, server.rest_url()).run();
    Usage before = usage_of(server.pid());
    Attack attack(options, server.rest_url());
    attack.run();
    bool all =
        expect(server.is_running() && answers_correctly(server), "the server answers a search correctly");
    all = expect(descriptors_came_back(server.pid(), descriptors_before), "descriptors did not grow") && all;
    Usage after = usage_of(server.pid());
    const uint64_t growth_kib_max =
        e2e::sanitizer() == e2e::Sanitizer::kAddress ? kGrowthKibMaxOfAddressSanitizer : kGrowthKibMax;
    all = expect(after.resident_kib <= before.resident_kib + growth_kib_max, "memory did not grow") && all;
    server.send_signal(15);
    auto exit_code = server.wait_for_exit(40'000);
    all = expect(exit_code && *exit_code == 0, "SIGTERM ends it with exit code 0") && all;
    std::printf(
        "%u s, seed %llu, %zu connections: %llu messages sent, %llu answered; resident %llu -> %llu KiB, "
        "descriptors %zu -> %zu\n",
        options.seconds, static_cast<unsigned long long>(options.seed), options.connections,
        static_cast<unsigned long long>(attack.sent()), static_cast<unsigned long long>(attack.answered()),
        static_cast<unsigned long long>(before.resident_kib),
        static_cast<unsigned long long>(after.resident_kib), descriptors_before, after.descriptors);
    return all ? 0 : 1;
}

}  // namespace
}  // namespace akidb::stress

int main(int argc, char** argv) {
    akidb::stress::Options options;
    CLI::App app{"Sends a server what a hostile or broken client would, and checks that it shrugs."};
    app.add_option("--seconds", options.seconds, "length of the attack")->capture_default_str();
    app.add_option("--seed", options.seed, "of the bytes")->capture_default_str();
    app.add_option("--connections", options.connections, "attackers at once")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    try {
        return akidb::stress::run(options);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "random_bytes: %s\n", error.what());
        return 70;
    }
}
