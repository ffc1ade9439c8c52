// Collections that leave the built server for an object store and come back: by themselves, by an operator,
// and with kill -9 at any moment.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <thread>

#include "json_requests.h"

namespace akidb::e2e {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// Ids and the number of each vector.
using Model = std::map<uint64_t, size_t>;

class TiersTest : public testing::Test {
  protected:
    std::string path(const std::string& name) const { return files_.path() + "/" + name; }

    std::unique_ptr<ServerProcess> start(std::vector<std::string> flags = {}) {
        for (const char* flag : {"--drain.min_ms", "0", "--storage.checkpoint_log_bytes", "1048576",
                                 "--index.graph_rows_min", "1000"}) {
            flags.emplace_back(flag);
        }
        if (std::find(flags.begin(), flags.end(), "--tiers.to") == flags.end()) {
            flags.insert(flags.end(), {"--tiers.to", path("store")});
        }
        auto started = ServerProcess::start({.data_directory = path("data"), .flags = flags});
        EXPECT_TRUE(started) << started.error().message();
        EXPECT_TRUE((*started)->wait_until_ready());
        return std::move(*started);
    }

    static JsonReply create(ServerProcess& server, const std::string& name, const std::string& policy) {
        return ask(server, "POST", "/api/v1/collections",
                   {{"name", name}, {"dimension", kDimension}, {"metric", "l2"}, {"policy", policy}});
    }
    static int write(ServerProcess& server, const std::string& name, const Model& documents) {
        Json body = {{"documents", Json::array()}};
        for (const auto& [id, number] : documents) {
            body["documents"].push_back({{"id", id}, {"vector", vector_of(number)}});
        }
        return ask(server, "PUT", "/api/v1/collections/" + name + "/documents", body).status;
    }
    static Model read(ServerProcess& server, const std::string& name) {
        Model found;
        Json body = {{"limit", 5000}, {"include", {"vector"}}};
        while (true) {
            const JsonReply reply = ask(server, "POST", "/api/v1/collections/" + name + "/scroll", body);
            EXPECT_EQ(reply.status, 200) << reply.body;
            for (const Json& document : reply.body.value("documents", Json::array())) {
                found[document["id"]] = static_cast<size_t>(document["vector"][0].get<double>());
            }
            if (!reply.body.contains("next_cursor") || reply.body["next_cursor"].is_null()) {
                return found;
            }
            body["cursor"] = reply.body["next_cursor"];
        }
    }
    static JsonReply move(ServerProcess& server, const std::string& name, const std::string& action) {
        return ask(server, "POST", "/api/v1/collections/" + name + "/tier", {{"action", action}});
    }
    static Json tier(ServerProcess& server, const std::string& name) {
        return ask(server, "GET", "/api/v1/collections/" + name + "/tier").body;
    }
    static void wait_for_tier(ServerProcess& server, const std::string& name, const std::string& wanted) {
        for (int tries = 0; tries < 600 && tier(server, name).value("tier", "") != wanted; ++tries) {
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
        EXPECT_EQ(tier(server, name).value("tier", ""), wanted) << tier(server, name) << server.log();
    }
    bool has_local_files(const ServerProcess& server, const std::string& name) const {
        const std::string id = ask(server, "GET", "/api/v1/collections/" + name).body["id"];
        return fs::exists(path("data") + "/collections/" + id);
    }
    static Model rows(uint64_t count, size_t offset) {
        Model model;
        for (uint64_t id = 1; id <= count; ++id) {
            model[id] = id + offset;
        }
        return model;
    }

    TemporaryDirectory files_;
};

TEST_F(TiersTest, ACollectionLeavesByItselfAnswersFromThereAndComesBackForMore) {
    const std::vector<std::string> eager{"--tiers.warm_after_s", "1", "--tiers.cold_after_s", "1"};
    auto server = start(eager);
    ASSERT_EQ(create(*server, "archive", "s3_only").status, 201);
    ASSERT_EQ(create(*server, "local", "memory").status, 201);
    ASSERT_EQ(write(*server, "archive", rows(3000, 10)), 200);
    ASSERT_EQ(write(*server, "local", rows(10, 10)), 200);
    wait_for_tier(*server, "archive", "cold");
    for (int tries = 0; tries < 600 && has_local_files(*server, "archive"); ++tries) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));  // the catalog says so first
    }
    EXPECT_FALSE(has_local_files(*server, "archive"));
    const Json described = ask(*server, "GET", "/api/v1/collections/archive").body;
    EXPECT_EQ(described["condition"], "asleep");
    EXPECT_EQ(described["count"], 3000);
    EXPECT_EQ(described["policy"], "s3_only");
    EXPECT_EQ(tier(*server, "local")["tier"], "hot");
    server.reset();
    server = start();
    EXPECT_EQ(tier(*server, "archive")["tier"], "cold");
    for (const int round_trips : {2, 1}) {
        const JsonReply found =
            ask(*server, "POST", "/api/v1/collections/archive/search",
                {{"vector", vector_of(1500 + 10)}, {"top_k", 1}, {"explain", true}, {"include", {"vector"}}});
        ASSERT_EQ(found.status, 200) << found.body;
        EXPECT_EQ(found.body["matches"][0]["id"], 1500);
        EXPECT_EQ(found.body["matches"][0]["vector"], Json(vector_of(1500 + 10)));
        EXPECT_EQ(found.body["explain"]["plan"], "cold");
        EXPECT_EQ(found.body["explain"]["round_trips"], round_trips);
    }
    EXPECT_EQ(tier(*server, "archive")["tier"], "cold");
    EXPECT_FALSE(has_local_files(*server, "archive")) << "a search alone brings nothing back";
    EXPECT_EQ(read(*server, "archive"), rows(3000, 10));
    const auto status = run_akidb({"tiers", "status", "--url", server->rest_url()});
    ASSERT_TRUE(status);
    EXPECT_EQ(status->exit_code, 0) << status->err;
    EXPECT_THAT(status->out, HasSubstr("closed"));
    const auto demoted =
        run_akidb({"tiers", "demote", "archive", "--to", "cold", "--url", server->rest_url()});
    ASSERT_TRUE(demoted);
    EXPECT_EQ(demoted->exit_code, 0) << demoted->err;
    EXPECT_THAT(demoted->out, HasSubstr("cold"));
    EXPECT_EQ(ask(*server, "DELETE", "/api/v1/collections/archive").status, 200);
    const auto is_empty = [&] {
        std::error_code gone;  // what is listed may go meanwhile
        for (fs::recursive_directory_iterator at(path("store"), gone), end; at != end; at.increment(gone)) {
            if (at->is_regular_file(gone)) {
                return false;
            }
        }
        return true;
    };
    for (int tries = 0; tries < 600 && !is_empty(); ++tries) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    EXPECT_TRUE(is_empty()) << "a deleted collection leaves the store";
}

TEST_F(TiersTest, RefusesByNameWhatItCannotDo) {
    auto server = start({"--tiers.to", ""});
    const JsonReply refused = create(*server, "archive", "s3_only");
    EXPECT_EQ(refused.status, 400);
    EXPECT_EQ(refused.body["error"]["field"], "policy");
    EXPECT_THAT(refused.body["error"]["message"].get<std::string>(), HasSubstr("tiers.to"));
    ASSERT_EQ(create(*server, "local", "memory").status, 201);
    EXPECT_EQ(ask(*server, "PATCH", "/api/v1/collections/local", {{"policy", "s3"}}).status, 400);
    const JsonReply both = ask(*server, "PATCH", "/api/v1/collections/local",
                               {{"policy", "memory"}, {"settings", {{"ef", 100}}}});
    EXPECT_EQ(both.status, 400);
    EXPECT_EQ(both.body["error"]["field"], "policy");
    EXPECT_EQ(move(*server, "local", "demote_to_cold").status, 409);
    EXPECT_EQ(move(*server, "local", "freeze").status, 400);
    EXPECT_EQ(move(*server, "local", "demote_to_warm").status, 200);
    EXPECT_EQ(tier(*server, "local")["tier"], "warm");
    EXPECT_EQ(write(*server, "local", rows(5, 0)), 200) << "a write opens it, too";
    EXPECT_EQ(tier(*server, "local")["tier"], "hot");
}

/// The process is killed while collections are written, go cold and are opened; whatever was acknowledged is
/// there afterwards.
TEST_F(TiersTest, LosesNothingKilledAtAnyMoment) {
    std::mt19937_64 random(20261130);
    auto server = start();
    ASSERT_EQ(create(*server, "archive", "s3_only").status, 201);
    Model model = rows(1500, 0);
    ASSERT_EQ(write(*server, "archive", model), 200);
    uint64_t cold = 0;
    for (int round = 0; round < 12; ++round) {
        Model sent;
        std::jthread works([&] {
            for (size_t step = 1; server->is_running(); ++step) {
                const JsonReply demoted = move(*server, "archive", "demote_to_cold");
                cold += demoted.status == 200 ? 1 : 0;
                const size_t number = static_cast<size_t>(round) * 1000 + step + 5000;
                sent = {{1 + step % 1500, number}};
                const int status = write(*server, "archive", sent);
                if (status == 200) {
                    model[sent.begin()->first] = number;
                    sent.clear();
                } else if (status == 0) {
                    return;
                }
            }
        });
        std::this_thread::sleep_for(std::chrono::milliseconds(50 + random() % 900));
        ::kill(server->pid(), SIGKILL);
        works.join();
        server->kill_now();
        server = start();
        Model there = read(*server, "archive");
        for (const auto& [id, number] : sent) {  // it was not acknowledged, and may be there
            if (there[id] == number) {
                model[id] = number;
            }
        }
        ASSERT_EQ(there, model) << "round " << round;
    }
    std::printf("12 kills, %llu times cold\n", static_cast<unsigned long long>(cold));
    EXPECT_EQ(move(*server, "archive", "demote_to_cold").status, 200) << server->log();
    EXPECT_EQ(read(*server, "archive"), model);
}

class TiersS3Test : public TiersTest {
  protected:
    std::unique_ptr<ServerProcess> start_on(const std::string& port) {
        const std::string credentials = path("credentials");
        std::ofstream(credentials) << "[default]\naws_access_key_id = " << environment("AWS_ACCESS_KEY_ID")
                                   << "\naws_secret_access_key = " << environment("AWS_SECRET_ACCESS_KEY")
                                   << "\n";
        EXPECT_EQ(::chmod(credentials.c_str(), 0600), 0);
        return start({"--tiers.to", "s3://akidb-test" + files_.path(), "--s3.endpoint",
                      "http://127.0.0.1:" + port, "--s3.credentials_file", credentials, "--tiers.wait_ms",
                      "20000"});
    }
};

TEST_F(TiersS3Test, MovesThroughARealServerAndSaysWhenItIsNotThere) {
    const std::string port = environment("AKIDB_S3_PORT");
    auto server = start_on(port);
    ASSERT_EQ(create(*server, "archive", "s3_only").status, 201);
    ASSERT_EQ(create(*server, "local", "memory").status, 201);
    ASSERT_EQ(write(*server, "local", rows(10, 0)), 200);
    Model model = rows(5000, 7);
    ASSERT_EQ(write(*server, "archive", model), 200);
    const JsonReply demoted = move(*server, "archive", "demote_to_cold");
    ASSERT_EQ(demoted.status, 200) << demoted.body;
    EXPECT_FALSE(has_local_files(*server, "archive"));
    for (int i = 0; i < 2; ++i) {
        const auto began = std::chrono::steady_clock::now();
        const JsonReply cold = ask(*server, "POST", "/api/v1/collections/archive/search",
                                   {{"vector", vector_of(1500 + 7)}, {"top_k", 10}, {"explain", true}});
        ASSERT_EQ(cold.status, 200) << cold.body;
        EXPECT_EQ(cold.body["matches"][0]["id"], 1500);
        EXPECT_EQ(cold.body["explain"]["plan"], "cold") << server->log();
        EXPECT_LE(cold.body["explain"]["round_trips"], 3);
        std::printf(
            "cold search over S3: %s round trips, %s bytes, %.1f ms\n",
            cold.body["explain"]["round_trips"].dump().c_str(),
            cold.body["explain"]["fetched_bytes"].dump().c_str(),
            std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count());
    }
    EXPECT_EQ(read(*server, "archive"), model);
    ASSERT_EQ(write(*server, "archive", {{1, 4711}}), 200);
    model[1] = 4711;
    ASSERT_EQ(move(*server, "archive", "demote_to_cold").status, 200);
    server.reset();

    server = start_on("1");  // nobody is there
    const JsonReply refused =
        ask(*server, "POST", "/api/v1/collections/archive/search", {{"vector", vector_of(8)}, {"top_k", 1}});
    EXPECT_EQ(refused.status, 503) << refused.body;
    EXPECT_EQ(refused.body["error"]["code"], "UNAVAILABLE");
    EXPECT_THAT(refused.body["error"]["message"].get<std::string>(), HasSubstr("archive is cold"));
    EXPECT_EQ(read(*server, "local"), rows(10, 0)) << "the others go on";
    EXPECT_EQ(tier(*server, "archive")["tier"], "cold");
    server.reset();

    server = start_on(port);
    EXPECT_EQ(read(*server, "archive"), model);
}

}  // namespace
}  // namespace akidb::e2e
