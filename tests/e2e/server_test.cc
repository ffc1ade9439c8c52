// One server from its first start on an empty directory to its end: probes, documents over REST, restart, the
// lock of the data directory, and the ways to stop it.
#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <thread>

#include "grpc_call.h"
#include "json_requests.h"

namespace akidb::e2e {
namespace {

using testing::HasSubstr;

constexpr int kServing = 1;
constexpr int kNotServing = 2;
const std::string kSearch = "/api/v1/collections/numbers/search";
const std::string kCount = "/api/v1/collections/numbers/count";

class ServerTest : public testing::Test {
  protected:
    void start(std::vector<std::string> flags = {"--drain.min_ms", "0"}) {
        server_.reset();
        Result<std::unique_ptr<ServerProcess>> started =
            ServerProcess::start({.data_directory = data_, .flags = std::move(flags)});
        ASSERT_TRUE(started.has_value()) << started.error().message();
        server_ = std::move(*started);
        const Result<void> ready = server_->wait_until_ready();
        ASSERT_TRUE(ready.has_value()) << ready.error().message();
    }

    void fill(size_t count) {
        ASSERT_EQ(ask(*server_, "POST", "/api/v1/collections", collection_named("numbers")).status, 201);
        const JsonReply reply = ask(*server_, "PUT", kDocuments, documents_up_to(count));
        ASSERT_EQ(reply.status, 200) << reply.body;
        EXPECT_EQ(reply.body["upserted"], count);
        EXPECT_EQ(reply.body["durability"], "local");
    }

    JsonReply search(size_t number, const Json& filter = nullptr) {
        Json query = {{"vector", vector_of(number)}, {"top_k", 3}, {"include", Json::array({"metadata"})}};
        if (!filter.is_null()) {
            query["filter"] = filter;
        }
        return ask(*server_, "POST", kSearch, query);
    }

    /// Whether it came true within 10 s.
    static bool becomes(const std::function<bool()>& condition) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (!condition()) {
            if (std::chrono::steady_clock::now() > end) {
                return false;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        return true;
    }

    void expect_clean_exit() {
        const Result<int> code = server_->wait_for_exit(30'000);
        ASSERT_TRUE(code.has_value()) << code.error().message();
        EXPECT_EQ(*code, 0) << server_->log();
    }

    TemporaryDirectory files_;
    std::string data_ = files_.path() + "/data";
    std::unique_ptr<ServerProcess> server_;
};

const Json kEven = {{"must", Json::array({{{"key", "parity"}, {"match", {{"value", 0}}}}})}};

TEST_F(ServerTest, IsReadyOnFreshDirectoryAndAnswersProbesOnBothListeners) {
    start();
    for (const std::string& url : {server_->rest_url(), server_->metrics_url()}) {
        const JsonReply ready = get_url(url + "/ready");
        EXPECT_EQ(ready.status, 200);
        EXPECT_EQ(ready.body, Json({{"status", "ready"},
                                    {"database", "connected"},
                                    {"collections_loaded", 0},
                                    {"storage_backends", "healthy"}}));
        EXPECT_EQ(get_url(url + "/startup").body, Json({{"status", "started"}}));
        const JsonReply health = get_url(url + "/health");
        EXPECT_EQ(health.status, 200);
        EXPECT_EQ(health.body["status"], "ok");
        EXPECT_TRUE(health.body["uptime_seconds"].is_number_unsigned());
        const JsonReply metrics = get_url(url + "/metrics");
        EXPECT_EQ(metrics.status, 200);
        EXPECT_THAT(metrics.body.get<std::string>(), HasSubstr("# TYPE akidb_build_info gauge"));
    }
    EXPECT_EQ(get_url(server_->metrics_url() + "/api/v1/collections").status, 404);
    EXPECT_EQ(ask(*server_, "GET", "/api/v1/collections").body, Json({{"collections", Json::array()}}));
}

TEST_F(ServerTest, SaysThatItIsReadyWhenItIs) {
    start();
    fill(20);
    server_.reset();  // kill -9: there is a log to replay
    for (int round = 0; round < 5; ++round) {
        auto started = ServerProcess::start({.data_directory = data_, .flags = {"--drain.min_ms", "0"}});
        ASSERT_TRUE(started) << started.error().message();
        ASSERT_TRUE((*started)->wait_until_told_ready());
        EXPECT_EQ(ask(**started, "GET", "/ready").status, 200);
        EXPECT_EQ(ask(**started, "POST", kCount, Json::object()).body["count"], 20);
    }
}

TEST_F(ServerTest, KeepsDocumentsOverRestart) {
    start();
    fill(100);
    EXPECT_EQ(search(42).body["matches"][0]["id"], 42);
    EXPECT_EQ(search(43, kEven).body["matches"][0]["metadata"]["parity"], 0);
    EXPECT_EQ(ask(*server_, "GET", kDocuments + "/7").body["vector"], Json(vector_of(7)));
    EXPECT_EQ(ask(*server_, "DELETE", kDocuments + "/42").body["deleted"], 1);
    EXPECT_EQ(ask(*server_, "POST", kDocuments + "/delete", {{"ids", {1, 3, 1000}}}).body["deleted"], 2);
    const auto expect_state = [&] {
        EXPECT_EQ(ask(*server_, "GET", kDocuments + "/42").status, 404);
        EXPECT_EQ(ask(*server_, "POST", kCount, Json::object()).body["count"], 97);
        EXPECT_EQ(ask(*server_, "POST", kCount, {{"filter", kEven}}).body["count"], 49);
        EXPECT_NE(search(42).body["matches"][0]["id"], 42);
        EXPECT_EQ(search(50).body["matches"][0]["id"], 50);
        EXPECT_EQ(ask(*server_, "GET", kDocuments + "/7").body["vector"], Json(vector_of(7)));
    };
    expect_state();
    server_->send_signal(SIGTERM);
    expect_clean_exit();
    start();
    EXPECT_EQ(ask(*server_, "GET", "/ready").body["collections_loaded"], 1);
    expect_state();
    EXPECT_EQ(ask(*server_, "DELETE", "/api/v1/collections/numbers").status, 200);
    server_->kill_now();
    start();
    EXPECT_EQ(ask(*server_, "GET", "/api/v1/collections/numbers").status, 404);
}

TEST_F(ServerTest, RefusesDataDirectoryOfRunningServerAndNamesIt) {
    start();
    const Result<Finished> second = run_akidb({"serve", "--data", data_, "--server.rest_port", "0",
                                               "--server.grpc_port", "0", "--metrics.port", "0"});
    ASSERT_TRUE(second.has_value()) << second.error().message();
    EXPECT_EQ(second->exit_code, 75);
    EXPECT_THAT(second->err, HasSubstr(std::to_string(server_->pid())));
    EXPECT_EQ(ask(*server_, "GET", "/ready").status, 200);
}

TEST_F(ServerTest, NamesRunningServerEvenWhenItsPortsAreTakenToo) {
    start();
    const std::string port = server_->rest_url().substr(server_->rest_url().rfind(':') + 1);
    const Result<Finished> second = run_akidb({"serve", "--data", data_, "--server.rest_port", port});
    ASSERT_TRUE(second.has_value()) << second.error().message();
    EXPECT_EQ(second->exit_code, 75) << second->err;
}

TEST_F(ServerTest, StopsWhenIdleAsSoonAsDrainAllows) {
    start({"--drain.min_ms", "300"});
    const auto begin = std::chrono::steady_clock::now();
    server_->send_signal(SIGTERM);
    expect_clean_exit();
    const auto took = std::chrono::steady_clock::now() - begin;
    EXPECT_GE(took, std::chrono::milliseconds(300));
    EXPECT_LT(took, std::chrono::seconds(5));
}

TEST_F(ServerTest, SkipsTheWaitOfDrainAtSecondSignal) {
    start({"--drain.min_ms", "20000"});
    fill(100);
    const auto begin = std::chrono::steady_clock::now();
    server_->send_signal(SIGTERM);
    ASSERT_TRUE(becomes([&] { return get_url(server_->metrics_url() + "/ready").status == 503; }));
    server_->send_signal(SIGTERM);
    expect_clean_exit();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
    start();
    EXPECT_EQ(ask(*server_, "POST", kCount, Json::object()).body["count"], 100);
}

TEST_F(ServerTest, TellsDrainingByReadinessAndGrpcHealthWhileItStillServes) {
    start({"--drain.min_ms", "20000"});
    fill(10);
    ASSERT_TRUE(becomes([&] { return grpc_health_status(server_->grpc_address()) == kServing; }));
    server_->send_signal(SIGTERM);
    ASSERT_TRUE(becomes([&] { return grpc_health_status(server_->grpc_address()) == kNotServing; }));
    const JsonReply ready = ask(*server_, "GET", "/ready");
    EXPECT_EQ(ready.status, 503);
    EXPECT_EQ(ready.body["reason"], "draining");
    EXPECT_EQ(ask(*server_, "GET", "/health").status, 200);
    EXPECT_EQ(search(4).body["matches"][0]["id"], 4);
    EXPECT_EQ(ask(*server_, "PUT", kDocuments, documents_up_to(11)).status, 200);
    server_->send_signal(SIGINT);
    expect_clean_exit();
}

TEST_F(ServerTest, GoesOnAtHangup) {
    start();
    server_->send_signal(SIGHUP);
    ASSERT_TRUE(becomes([&] { return ask(*server_, "GET", "/ready").status == 200; }));
    server_->send_signal(SIGTERM);
    expect_clean_exit();
}

}  // namespace
}  // namespace akidb::e2e
