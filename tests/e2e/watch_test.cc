// What a server tells of itself while it works: what its memory is for, after everything that moves memory
// about; which requests there were, once its level is changed while it runs.
#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <thread>

#include "json_requests.h"

namespace akidb::e2e {
namespace {

constexpr const char* kCollection = "/api/v1/collections/c";
constexpr size_t kWatchedBatch = 1'000;
constexpr size_t kWide = 256;  // components of a vector

class Watch : public testing::Test {
  protected:
    void start(std::vector<std::string> flags) {
        flags.insert(flags.end(), {"--drain.min_ms", "0"});
        auto started =
            ServerProcess::start({.data_directory = files_.path() + "/data", .flags = std::move(flags)});
        ASSERT_TRUE(started) << started.error().message();
        server_ = std::move(*started);
        ASSERT_TRUE(server_->wait_until_ready());
    }
    void stop() {
        server_->send_signal(SIGTERM);
        const Result<int> code = server_->wait_for_exit(30'000);
        ASSERT_TRUE(code) << code.error().message();
        EXPECT_EQ(*code, 0) << server_->log();
    }
    /// By name and labels.
    std::map<std::string, double> metrics() const {
        std::map<std::string, double> found;
        std::istringstream text(get_url(server_->metrics_url() + "/metrics").body.get<std::string>());
        for (std::string line; std::getline(text, line);) {
            if (const size_t at = line.rfind(' '); !line.starts_with('#') && at != std::string::npos) {
                found[line.substr(0, at)] = std::stod(line.substr(at + 1));
            }
        }
        return found;
    }
    template <class Condition>
    static bool becomes(Condition condition, int seconds = 60) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
        while (!condition()) {
            if (std::chrono::steady_clock::now() > end) {
                return false;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        return true;
    }

    TemporaryDirectory files_;
    std::unique_ptr<ServerProcess> server_;
};

class WatchMemory : public Watch {
  protected:
    void put(size_t first, size_t count) {
        std::mt19937 random(static_cast<unsigned>(first));
        std::normal_distribution<float> normal;
        for (size_t begin = first; begin < first + count; begin += kWatchedBatch) {
            Json documents = Json::array();
            for (size_t id = begin; id < begin + kWatchedBatch; ++id) {
                std::vector<float> vector(kWide);
                std::generate(vector.begin(), vector.end(), [&] { return normal(random); });
                documents.push_back({{"id", id},
                                     {"vector", std::move(vector)},
                                     {"metadata", {{"n", id}, {"text", std::string(200, 'x')}}}});
            }
            ASSERT_EQ(ask(*server_, "PUT", std::string(kCollection) + "/documents",
                          {{"documents", std::move(documents)}})
                          .status,
                      200);
        }
        ASSERT_TRUE(becomes([&] { return stats()["head_rows"] == 0; }));
    }
    Json stats() const { return ask(*server_, "GET", std::string(kCollection) + "/stats").body; }
    void search(size_t count) {
        for (size_t id = 0; id < count; ++id) {
            const Json query = {{"vector", std::vector<float>(kWide, 0.01F * static_cast<float>(id))}};
            ASSERT_EQ(ask(*server_, "POST", std::string(kCollection) + "/search", query).status, 200);
        }
    }

    static double sum(const std::map<std::string, double>& all) {
        double total = 0;
        for (const auto& [name, value] : all) {
            total += name.starts_with("akidb_memory_bytes{") ? value : 0;
        }
        return total;
    }
    /// Components are counted each five seconds: what was counted before `when` says nothing of it.
    void expect_accounted(const char* when) {
        const auto counted = std::chrono::steady_clock::now() + std::chrono::seconds(6);
        std::map<std::string, double> last;
        const bool is_near = becomes(
            [&] {
                last = metrics();
                return std::chrono::steady_clock::now() > counted &&
                       std::abs(sum(last) / last["process_resident_memory_bytes"] - 1) <= 0.05;
            },
            20);
        const double resident = last["process_resident_memory_bytes"];
        std::printf("%-16s %.1f MiB resident, %.1f %% accounted:", when, resident / (1 << 20),
                    100 * sum(last) / resident);
        for (const auto& [name, value] : last) {
            if (name.starts_with("akidb_memory_bytes{")) {
                std::printf(" %s %.1f", name.substr(30, name.size() - 32).c_str(), value / (1 << 20));
            }
        }
        std::printf("\n");
        EXPECT_TRUE(is_near) << when;
    }
};

TEST_F(WatchMemory, ComponentsAddUpToWhatIsResident) {
    start({"--index.layout", "turbo"});
    expect_accounted("empty");
    ASSERT_EQ(
        ask(*server_, "POST", "/api/v1/collections",
            {{"name", "c"}, {"dimension", kWide}, {"metric", "l2"}, {"metadata_indexes", {{"n", "integer"}}}})
            .status,
        201);
    put(0, 16'000);
    search(200);
    expect_accounted("loaded");
    put(0, 4'000);  // in place of others: these are dead then
    ASSERT_EQ(ask(*server_, "POST", std::string(kCollection) + "/optimize").status, 200);
    search(200);
    expect_accounted("merged");
    Json filter = {{"filter", {{"must", {{{"key", "n"}, {"range", {{"lt", 8'000}}}}}}}}};
    ASSERT_EQ(ask(*server_, "POST", std::string(kCollection) + "/documents/delete", filter).status, 200);
    expect_accounted("half deleted");
    stop();
    start({"--index.layout", "turbo"});
    ASSERT_TRUE(becomes([&] { return stats()["head_rows"] == 0 && stats()["jobs"].empty(); }));
    search(200);
    expect_accounted("restarted");
    ASSERT_EQ(ask(*server_, "DELETE", kCollection).status, 200);
    expect_accounted("collection gone");
    stop();
}

class WatchLog : public Watch {
  protected:
    /// Lines that are events of this kind.
    std::vector<Json> lines(const std::string& event) const {
        std::vector<Json> found;
        std::istringstream text(server_->log());
        for (std::string line; std::getline(text, line);) {
            Json parsed = Json::parse(line, nullptr, false);
            if (!parsed.is_discarded() && parsed["event"] == event) {
                found.push_back(std::move(parsed));
            }
        }
        return found;
    }
    void configure(const std::string& level, int slow_query_ms) const {
        std::ofstream file(files_.path() + "/akidb.toml");
        file << "[logging]\nlevel = \"" << level << "\"\nformat = \"json\"\nslow_query_ms = " << slow_query_ms
             << "\n";
    }
};

TEST_F(WatchLog, RequestsAreLoggedFromWhenTheLevelSaysSo) {
    configure("info", 0);
    start({"--config", files_.path() + "/akidb.toml"});
    ASSERT_EQ(ask(*server_, "POST", "/api/v1/collections", collection_named("c")).status, 201);
    EXPECT_TRUE(lines("request").empty());
    configure("debug", 0);
    server_->send_signal(SIGHUP);
    ASSERT_TRUE(becomes([&] { return !lines("setting applied").empty(); }));
    ASSERT_EQ(ask(*server_, "GET", "/api/v1/collections/elsewhere").status, 404);
    ASSERT_TRUE(becomes([&] { return !lines("request").empty(); }));
    const Json line = lines("request").front();
    EXPECT_EQ(line["status"], "404");
    EXPECT_EQ(line["collection"], "elsewhere");
    EXPECT_EQ(line["tenant"], "default");
    EXPECT_EQ(line["what"], "GET /api/v1/collections/{collection}");
    EXPECT_GT(std::stod(line["ms"].get<std::string>()), 0);
    EXPECT_FALSE(line["request_id"].get<std::string>().empty());
    stop();
}

}  // namespace
}  // namespace akidb::e2e
