// Settings of the built binary: all faults in one run and nothing touched on disk; the checks without a
// server; and each source acting on a running one.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "json_requests.h"

namespace akidb::e2e {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

constexpr int kConfiguration = 78;

/// A listening port of this test, so that it is free for nobody else.
class TakenPort {
  public:
    TakenPort() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof(address);
        const bool is_open = bind(socket_, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                             listen(socket_, 1) == 0 &&
                             getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0;
        port_ = is_open ? ntohs(address.sin_port) : 0;
    }
    ~TakenPort() { ::close(socket_); }
    TakenPort(const TakenPort&) = delete;
    TakenPort& operator=(const TakenPort&) = delete;
    std::string number() const { return std::to_string(port_); }

  private:
    int socket_;
    uint16_t port_ = 0;
};

class SettingsTest : public testing::Test {
  protected:
    std::string write_config(const std::string& text) {
        const std::string path = files_.path() + "/akidb.toml";
        std::ofstream(path) << text;
        return path;
    }

    Finished run(const std::vector<std::string>& arguments, const Environment& environment = {}) {
        Result<Finished> finished = run_akidb(arguments, environment);
        EXPECT_TRUE(finished.has_value()) << finished.error().message();
        return finished ? *finished : Finished{};
    }

    /// `serve` on free ports, with more flags.
    Finished serve(std::vector<std::string> flags, const Environment& environment = {}) {
        std::vector<std::string> arguments{"serve", "--data", data_};
        for (const char* port : {"--server.rest_port", "--server.grpc_port", "--metrics.port"}) {
            if (std::find(flags.begin(), flags.end(), port) == flags.end()) {
                arguments.insert(arguments.end(), {port, "0"});
            }
        }
        arguments.insert(arguments.end(), flags.begin(), flags.end());
        return run(arguments, environment);
    }

    TemporaryDirectory files_;
    std::string data_ = files_.path() + "/data";
};

TEST_F(SettingsTest, ReportsEveryFaultOfFileEnvironmentAndFlagsInOneRunAndMakesNothing) {
    const std::string config = write_config(
        "[server]\n"
        "rest_prot = 8080\n"
        "grpc_port = 70000\n"
        "threads = \"many\"\n"
        "[index]\n"
        "degree = \"33\"\n"
        "default_ef = 0\n"
        "[logging]\n"
        "format = \"xml\"\n"
        "[drain\n"
        "min_ms = 5\n");
    const Finished ended = serve({"--config", config, "--limits.conections", "5", "--drain.max_ms", "-1"},
                                 {{"AKIDB_METRICS_PROT", "1"}, {"AKIDB_SERVER_WORKER_THREADS", "0"}});
    EXPECT_EQ(ended.exit_code, kConfiguration);
    EXPECT_EQ(ended.out, "");
    EXPECT_THAT(ended.err,
                AllOf(ContainsRegex("akidb.toml:2:[0-9]+: server.rest_prot .*did you mean server.rest_port"),
                      ContainsRegex("akidb.toml:3:[0-9]+: server.grpc_port = 70000 .*allowed: 0..65535"),
                      ContainsRegex("akidb.toml:4:[0-9]+: server.threads = .*many.*allowed: 0..256"),
                      ContainsRegex("akidb.toml:6:[0-9]+: index.degree = .*33.*allowed: 16.32.48.64"),
                      ContainsRegex("akidb.toml:7:[0-9]+: index.default_ef = 0 .*allowed: 1..4096"),
                      ContainsRegex("akidb.toml:9:[0-9]+: logging.format = .*xml.*allowed: text.json"),
                      ContainsRegex("akidb.toml:10:[0-9]+: ")));
    EXPECT_THAT(ended.err,
                AllOf(ContainsRegex("environment AKIDB_METRICS_PROT: .*did you mean AKIDB_METRICS_PORT"),
                      ContainsRegex("environment AKIDB_SERVER_WORKER_THREADS: .* = .0. .*allowed: 1..1024"),
                      ContainsRegex("flag --limits.conections: .*did you mean limits.connections"),
                      ContainsRegex("flag --drain.max_ms: drain.max_ms = .-1. .*allowed: 0..600000")));
    EXPECT_FALSE(std::filesystem::exists(data_));
}

TEST_F(SettingsTest, CheckConfigGivesTheSameFindingsAsJson) {
    const std::string config = write_config("[server]\nrest_prot = 1\ngrpc_port = -4\n");
    const std::vector<std::string> flags{"--data",         data_, "--server.rest_port", "0",
                                         "--metrics.port", "0",   "--config",           config};
    std::vector<std::string> arguments{"check-config", "--json"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    const Finished ended = run(arguments);
    EXPECT_EQ(ended.exit_code, kConfiguration);
    const Json findings = Json::parse(ended.out, nullptr, false);
    ASSERT_TRUE(findings.is_array()) << ended.out;
    ASSERT_EQ(findings.size(), 2U) << ended.out;
    EXPECT_EQ(findings[0]["nearest"], "server.rest_port");
    EXPECT_EQ(findings[1]["key"], "server.grpc_port");
    EXPECT_EQ(findings[1]["given"], "-4");
    EXPECT_EQ(findings[1]["allowed"], "0..65535");
    EXPECT_EQ(findings[1]["place"], config + ":3:1");
}

TEST_F(SettingsTest, CheckConfigOfValidSettingsEndsWithZeroAndMakesNothing) {
    const Finished ended = run({"check-config", "--json", "--data", data_, "--server.rest_port", "0",
                                "--server.grpc_port", "0", "--metrics.port", "0"});
    EXPECT_EQ(ended.exit_code, kClean) << ended.out << ended.err;
    EXPECT_EQ(Json::parse(ended.out, nullptr, false), Json::array());
    EXPECT_FALSE(std::filesystem::exists(data_));
}

TEST_F(SettingsTest, PrintConfigNamesTheSourceOfEachValueAndLaterOnesWin) {
    const std::string config =
        write_config("[server]\nrest_port = 1001\ngrpc_port = 1002\n[metrics]\nport = 1003\n");
    const Finished ended = run({"print-config", "--config", config, "--metrics.port", "3003"},
                               {{"AKIDB_SERVER_GRPC_PORT", "2002"}, {"AKIDB_METRICS_PORT", "2003"}});
    EXPECT_EQ(ended.exit_code, kClean) << ended.err;
    EXPECT_THAT(ended.out, AllOf(ContainsRegex("akidb.toml:2\nrest_port = 1001\n"),
                                 ContainsRegex("# environment\ngrpc_port = 2002\n"),
                                 ContainsRegex("# flag\nport = 3003\n"),
                                 ContainsRegex("# default\nworker_threads = 16\n")));
    // What it prints is a configuration file.
    const std::string printed = write_config(ended.out);
    const Finished again = run({"print-config", "--config", printed});
    EXPECT_EQ(again.exit_code, kClean) << again.err;
    EXPECT_THAT(again.out, ContainsRegex("akidb.toml:[0-9]+\nport = 3003\n"));
}

TEST_F(SettingsTest, HostAndPortsComeFromTheEnvironment) {
    // Ports that were free a moment ago; a second try when another program was faster.
    for (int attempt = 0; attempt < 5; ++attempt) {
        std::vector<std::string> ports;
        {
            const TakenPort rest;
            const TakenPort grpc;
            const TakenPort metrics;
            ports = {rest.number(), grpc.number(), metrics.number()};
        }
        const Result<std::unique_ptr<ServerProcess>> server =
            ServerProcess::start({.data_directory = data_,
                                  .flags = {"--drain.min_ms", "0"},
                                  .takes_free_ports = false,
                                  .environment = {{"AKIDB_SERVER_HOST", "127.0.0.2"},
                                                  {"AKIDB_SERVER_REST_PORT", ports[0]},
                                                  {"AKIDB_SERVER_GRPC_PORT", ports[1]},
                                                  {"AKIDB_METRICS_PORT", ports[2]}}});
        if (!server && server.error().message().find("in use") != std::string::npos) {
            continue;
        }
        ASSERT_TRUE(server.has_value()) << server.error().message();
        EXPECT_EQ((*server)->rest_url(), "http://127.0.0.2:" + ports[0]);
        EXPECT_EQ((*server)->grpc_address(), "127.0.0.2:" + ports[1]);
        EXPECT_EQ((*server)->metrics_url(), "http://127.0.0.1:" + ports[2]);
        EXPECT_TRUE((*server)->wait_until_ready().has_value());
        EXPECT_EQ(get_url("http://127.0.0.2:" + ports[0] + "/health").status, 200);
        return;
    }
    FAIL() << "no free ports";
}

TEST_F(SettingsTest, KernelsOfTheEnvironmentAnswerTheSameAndUnknownOnesAreFindings) {
    const Finished ended = serve({}, {{"AKIDB_SIMD", "mmx"}});
    EXPECT_EQ(ended.exit_code, kConfiguration);
    EXPECT_THAT(ended.err, ContainsRegex("environment AKIDB_SIMD: .*mmx.*allowed: .*scalar"));
    EXPECT_FALSE(std::filesystem::exists(data_));

    const auto ids_found = [&](const char* kernels) {
        const Result<std::unique_ptr<ServerProcess>> server =
            ServerProcess::start({.data_directory = data_,
                                  .flags = {"--drain.min_ms", "0"},
                                  .environment = {{"AKIDB_SIMD", kernels}}});
        EXPECT_TRUE(server.has_value() && (*server)->wait_until_ready().has_value());
        Json found = Json::array();
        if (!server) {
            return found;
        }
        const std::string collection = "/api/v1/collections/numbers";
        if (ask(**server, "GET", collection).status == 404) {
            EXPECT_EQ(ask(**server, "POST", "/api/v1/collections", collection_named("numbers")).status, 201);
            EXPECT_EQ(ask(**server, "PUT", collection + "/documents", documents_up_to(500)).status, 200);
        }
        for (size_t number = 0; number < 500; number += 7) {
            const JsonReply reply =
                ask(**server, "POST", collection + "/search", {{"vector", vector_of(number)}, {"top_k", 1}});
            EXPECT_EQ(reply.status, 200) << reply.body;
            found.push_back(reply.body["matches"][0]["id"]);
        }
        (*server)->send_signal(SIGTERM);
        EXPECT_TRUE((*server)->wait_for_exit(30'000).has_value());
        return found;
    };
    const Json expected = ids_found("");
    ASSERT_EQ(expected.size(), 72U);
    EXPECT_EQ(expected[3], 21);
    EXPECT_EQ(ids_found("scalar"), expected);
}

TEST_F(SettingsTest, ReadsOldNameOfCatalog) {
    const Result<std::unique_ptr<ServerProcess>> server = ServerProcess::start(
        {.data_directory = data_, .environment = {{"AKIDB_DATABASE_PATH", "sqlite://names.db"}}});
    ASSERT_TRUE(server.has_value()) << server.error().message();
    ASSERT_TRUE((*server)->wait_until_ready().has_value());
    EXPECT_TRUE(std::filesystem::exists(data_ + "/names.db"));
}

TEST_F(SettingsTest, RefusesToListenForOthersWithoutTheFlag) {
    for (const char* key : {"server.host", "metrics.host"}) {
        const Finished ended = serve({std::string("--") + key, "0.0.0.0"});
        EXPECT_EQ(ended.exit_code, kConfiguration);
        EXPECT_THAT(ended.err, AllOf(HasSubstr(key), HasSubstr("--insecure-i-understand")));
        EXPECT_FALSE(std::filesystem::exists(data_));
    }
    const Result<std::unique_ptr<ServerProcess>> server = ServerProcess::start(
        {.data_directory = data_, .flags = {"--server.host", "0.0.0.0", "--insecure-i-understand"}});
    ASSERT_TRUE(server.has_value()) << server.error().message();
}

TEST_F(SettingsTest, ReportsTakenPortsAndUnusableDirectoryTogether) {
    const TakenPort rest;
    const TakenPort metrics;
    const std::string file = write_config("");
    const Finished ended =
        run({"serve", "--storage.data_dir", file + "/data", "--server.rest_port", rest.number(),
             "--server.grpc_port", "0", "--metrics.port", metrics.number()});
    EXPECT_EQ(ended.exit_code, kConfiguration);
    EXPECT_THAT(ended.err, AllOf(HasSubstr("server.rest_port = " + rest.number()),
                                 HasSubstr("metrics.port = " + metrics.number()),
                                 HasSubstr("storage.data_dir"), HasSubstr("Address already in use")));
    EXPECT_THAT(ended.err, Not(HasSubstr("grpc_port")));
}

TEST_F(SettingsTest, RefusesTheSamePortTwice) {
    const Finished ended = serve({"--server.rest_port", "23456", "--server.grpc_port", "23456"});
    EXPECT_EQ(ended.exit_code, kConfiguration);
    EXPECT_THAT(ended.err, HasSubstr("is the same port as server.rest_port"));
}

TEST_F(SettingsTest, TellsConfigurationFileThatIsNotThere) {
    const Finished ended = serve({"--config", files_.path() + "/none.toml"});
    EXPECT_EQ(ended.exit_code, kConfiguration);
    EXPECT_THAT(ended.err, AllOf(HasSubstr("none.toml"), HasSubstr("No such file")));
    EXPECT_FALSE(std::filesystem::exists(data_));
}

TEST_F(SettingsTest, UnknownVerbOrFlagIsFaultOfUsage) {
    EXPECT_EQ(run({"sevre"}).exit_code, kUsage);
    EXPECT_EQ(run({"serve", "--dta", data_}).exit_code, kUsage);
    EXPECT_EQ(run({}).exit_code, kUsage);
    EXPECT_EQ(run({"--help"}).exit_code, kClean);
    EXPECT_EQ(run({"version"}).out, "akidb 0.1.0\n");
    EXPECT_FALSE(std::filesystem::exists(data_));
}

TEST_F(SettingsTest, ReadsTheLevelOfTheLogAgainAtHangup) {
    const std::string config = write_config("[logging]\nlevel = \"info\"\nformat = \"json\"\n");
    const Result<std::unique_ptr<ServerProcess>> started =
        ServerProcess::start({.data_directory = data_, .flags = {"--config", config, "--drain.min_ms", "0"}});
    ASSERT_TRUE(started.has_value()) << started.error().message();
    ServerProcess& server = **started;
    ASSERT_TRUE(server.wait_until_ready().has_value());
    write_config("[logging]\nlevel = \"error\"\nformat = \"json\"\n");
    server.send_signal(SIGHUP);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (server.log().find("setting applied") == std::string::npos &&
           std::chrono::steady_clock::now() < end) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_THAT(server.log(), AllOf(HasSubstr("setting applied"), HasSubstr("logging.level")));
    server.send_signal(SIGTERM);
    EXPECT_TRUE(server.wait_for_exit(30'000).has_value());
    EXPECT_THAT(server.log(), Not(HasSubstr("stopped")));
    std::istringstream lines(server.log());
    for (std::string line; std::getline(lines, line);) {
        EXPECT_FALSE(Json::parse(line, nullptr, false).is_discarded()) << line;
    }
}

}  // namespace
}  // namespace akidb::e2e
