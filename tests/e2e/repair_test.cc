// A collection whose files were damaged under a stopped server: quarantined with file, offset and way out,
// while another one serves; told by inspect, mended by repair, and served again without what was lost and
// nothing else missing.
#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <thread>

#include "json_requests.h"

namespace akidb::e2e {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr int kLockHeld = 75;
constexpr size_t kRows = 3000;

// So much that the server thinks a checkpoint worth its while when it stops.
Json heavy_documents() {
    Json body = documents_up_to(kRows);
    for (Json& document : body["documents"]) {
        document["metadata"]["text"] = std::string(500, 'x');
    }
    return body;
}

class RepairTest : public testing::Test {
  protected:
    void start(const std::vector<std::string>& more = {}) {
        std::vector<std::string> flags{"--drain.min_ms", "0", "--index.graph_rows_min", "256"};
        flags.insert(flags.end(), more.begin(), more.end());
        Result<std::unique_ptr<ServerProcess>> started =
            ServerProcess::start({.data_directory = data(), .flags = flags});
        ASSERT_TRUE(started.has_value()) << started.error().message();
        server_ = std::move(*started);
        ASSERT_TRUE(server_->wait_until_ready().has_value());
    }
    void stop() {
        server_->send_signal(SIGTERM);
        EXPECT_EQ(server_->wait_for_exit(30'000).value_or(-1), 0);
    }
    std::string data() const { return files_.path() + "/data"; }

    JsonReply request(std::string_view method, const std::string& path, const Json& body = nullptr) {
        return ask(*server_, method, "/api/v1/collections" + path, body);
    }

    void fill(const char* name) {
        ASSERT_EQ(request("POST", "", collection_named(name)).status, 201);
        ASSERT_EQ(request("PUT", std::string("/") + name + "/documents", heavy_documents()).status, 200);
        ids_[name] = request("GET", std::string("/") + name).body["id"];
    }

    void wait_until(const std::function<bool()>& condition) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (!condition()) {
            ASSERT_LT(std::chrono::steady_clock::now(), deadline) << server_->log();
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
    }
    void wait_until_linked() {
        wait_until([&] { return request("GET", "/torn").body["linked_rows"] == kRows; });
    }
    bool metrics_say(const std::string& line) {
        return get_url(server_->metrics_url() + "/metrics").body.get<std::string>().find(line) !=
               std::string::npos;
    }

    std::string directory(const std::string& name) { return data() + "/collections/" + ids_[name]; }

    Finished repair(std::vector<std::string> more = {}) {
        std::vector<std::string> words{"repair", "--data", data(), "--collection", "torn"};
        words.insert(words.end(), more.begin(), more.end());
        return run_akidb(words).value_or(Finished{});
    }

    /// In a file of the collection's seg/ whose name ends so: the largest one.
    std::string damage_segment(const std::string& ending, uint64_t offset) {
        std::filesystem::path largest;
        for (const auto& entry : std::filesystem::directory_iterator(directory("torn") + "/seg")) {
            if (entry.path().extension() == ending &&
                (largest.empty() || file_size(entry.path()) > file_size(largest))) {
                largest = entry.path();
            }
        }
        EXPECT_FALSE(largest.empty()) << ending;
        std::fstream file(largest, std::ios::in | std::ios::out | std::ios::binary);
        file.seekg(static_cast<std::streamoff>(offset));
        const char byte = static_cast<char>(file.get() ^ 0x10);
        file.seekp(static_cast<std::streamoff>(offset));
        file.put(byte);
        return largest;
    }

    bool exists(const std::string& id) { return request("GET", "/torn/documents/" + id).status == 200; }

    TemporaryDirectory files_;
    std::unique_ptr<ServerProcess> server_;
    std::map<std::string, std::string> ids_;
};

TEST_F(RepairTest, QuarantinedThenServedWithoutWhatWasLost) {
    start();
    fill("torn");
    fill("whole");
    // Deleted and checkpointed documents must stay so.
    ASSERT_EQ(request("POST", "/torn/documents/delete", {{"ids", {1, 2, 3, 2999}}}).status, 200);
    EXPECT_EQ(repair().exit_code, kLockHeld) << "a server has the directory";
    stop();
    EXPECT_EQ(repair().exit_code, kClean);
    const uint64_t offset = 4096 + 65536;
    const std::string path = damage_segment(".rows", offset + 123);

    start();
    const std::string told = request("GET", "/torn").body.dump();
    EXPECT_THAT(
        told, AllOf(HasSubstr("quarantined"), HasSubstr(path), HasSubstr("offset " + std::to_string(offset)),
                    HasSubstr("akidb repair --collection torn")));
    EXPECT_EQ(request("POST", "/torn/search", {{"vector", vector_of(7)}}).status, 503);
    EXPECT_EQ(request("POST", "/whole/search", {{"vector", vector_of(7)}}).status, 200);
    stop();

    const Finished seen = run_akidb({"inspect", directory("torn")}).value_or(Finished{});
    EXPECT_EQ(seen.exit_code, kDamaged);
    EXPECT_THAT(seen.out, HasSubstr(path + " at offset " + std::to_string(offset)));
    EXPECT_EQ(run_akidb({"inspect", directory("whole")}).value_or(Finished{}).exit_code, kClean);
    const Finished told_only = repair({"--json"});
    EXPECT_EQ(told_only.exit_code, kDamaged);
    const Json report = Json::parse(told_only.out);
    std::set<std::string> lost;
    for (const Json& rows : report["lost_rows"]) {
        for (const Json& id : rows["ids"]) {
            lost.insert(id.get<std::string>());
        }
    }
    ASSERT_EQ(lost.size(), report["lost_documents"].get<size_t>());
    ASSERT_GT(lost.size(), 0u);
    EXPECT_EQ(repair({"--accept-loss"}).exit_code, kClean);
    EXPECT_EQ(run_akidb({"inspect", directory("torn")}).value_or(Finished{}).exit_code, kClean);

    start();
    size_t served = 0;
    for (size_t row = 0; row < kRows; ++row) {
        const std::string id = std::to_string(row);
        const bool was_deleted = row == 1 || row == 2 || row == 3 || row == 2999;
        ASSERT_EQ(exists(id), !was_deleted && !lost.contains(id)) << id;
        served += was_deleted || lost.contains(id) ? 0 : 1;
    }
    EXPECT_EQ(request("POST", "/torn/count", Json::object()).body["count"], served);
    EXPECT_EQ(request("PUT", "/torn/documents", documents_up_to(10)).status, 200);
    EXPECT_TRUE(exists("1"));
    stop();
    EXPECT_TRUE(std::filesystem::exists(directory("torn") + "/lost"));
}

TEST_F(RepairTest, ADamagedGraphIsBuiltAnewAndNothingElseIsLost) {
    start();
    fill("torn");
    wait_until_linked();
    stop();
    damage_segment(".graph", 5000);
    start();
    EXPECT_THAT(request("GET", "/torn").body.dump(), HasSubstr("quarantined"));
    stop();
    const Finished repaired = repair({"--accept-loss"});
    EXPECT_EQ(repaired.exit_code, kClean) << repaired.out;
    EXPECT_THAT(repaired.out, HasSubstr("no document is lost"));
    start();
    EXPECT_EQ(request("POST", "/torn/count", Json::object()).body["count"], kRows);
    stop();
}

TEST_F(RepairTest, AScrubTakesADamagedCollectionOutOfServiceWhileTheServerRuns) {
    start();
    fill("torn");
    fill("whole");
    stop();
    start({"--storage.scrub_interval_s", "1"});  // what was opened lies in the files alone
    wait_until([&] { return metrics_say("akidb_scrubs_total{outcome=\"ok\"}"); });
    EXPECT_EQ(request("POST", "/torn/search", {{"vector", vector_of(7)}}).status, 200);
    const std::string path = damage_segment(".rows", 4096 + 65536 + 123);

    wait_until([&] { return request("GET", "/torn").body["condition"] == "quarantined"; });
    const std::string told = request("GET", "/torn").body.dump();
    EXPECT_THAT(told, AllOf(HasSubstr(path), HasSubstr("offset " + std::to_string(4096 + 65536)),
                            HasSubstr("akidb repair --collection torn")));
    EXPECT_THAT(server_->log(), AllOf(HasSubstr(path), HasSubstr("docs/repair.md")));
    EXPECT_EQ(request("POST", "/torn/search", {{"vector", vector_of(7)}}).status, 503);
    EXPECT_EQ(request("PUT", "/torn/documents", documents_up_to(10)).status, 503);
    EXPECT_EQ(request("POST", "/whole/search", {{"vector", vector_of(7)}}).status, 200);
    EXPECT_TRUE(metrics_say("akidb_scrub_faults_total{where=\"file\"} 1"));
    wait_until([&] { return metrics_say("akidb_collections_quarantined 1"); });
    const JsonReply ready = get_url(server_->metrics_url() + "/ready");
    EXPECT_EQ(ready.status, 200) << "the others serve";
    EXPECT_EQ(ready.body["quarantined"], Json::array({"torn"}));
    stop();
}

TEST_F(RepairTest, AScrubMakesGoodWhatMemoryHolds) {
    start({"--storage.scrub_interval_s", "1"});
    fill("torn");
    // The scrub itself brings the log's rows into files, before it reads those.
    wait_until([&] { return request("GET", "/torn").body["segment_files"] == 1; });
    damage_segment(".rows", 4096 + 65536 + 123);
    wait_until([&] { return metrics_say("akidb_scrub_faults_total{where=\"file\"} 1"); });
    EXPECT_EQ(request("POST", "/torn/search", {{"vector", vector_of(7)}}).status, 200);
    wait_until([&] { return run_akidb({"inspect", directory("torn")}).value_or(Finished{}).exit_code == 0; });
    stop();
    start();
    EXPECT_EQ(request("POST", "/torn/count", Json::object()).body["count"], kRows);
    stop();
}

}  // namespace
}  // namespace akidb::e2e
