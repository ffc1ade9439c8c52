// Promise 7 on real file systems: a server on a small ext4 or xfs disk that fills to the last block refuses
// upserts with 507, deletes and answers all the same, starts again after kill -9 while there is no space, and
// goes on by itself when there is some. And what happens when the disk goes away or cannot be written at all.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <set>
#include <thread>

#include "json_requests.h"
#include "loop_disk.h"

namespace akidb::e2e {
namespace {

constexpr int kConfiguration = 78;
constexpr size_t kStart = 400;  // documents before the disk fills
constexpr const char* kUntilReadsAreAsked =
    "2000";  // milliseconds of the drain: a busy machine takes its time
constexpr uint64_t kHard = 4 << 20;
constexpr uint64_t kSoft = 12 << 20;
constexpr uint64_t kBallast = 4 << 20;
const std::string kCollection = "/api/v1/collections/numbers";

class FullDisk : public ::testing::TestWithParam<const char*> {
  protected:
    void SetUp() override {
        if (!disk_.why_unavailable().empty()) {
            GTEST_SKIP() << disk_.why_unavailable();
        }
        options_.data_directory = disk_.path() + "/data";
        options_.flags = {"--storage.disk_hard_free_bytes",
                          std::to_string(kHard),
                          "--storage.disk_soft_free_bytes",
                          std::to_string(kSoft),
                          "--storage.ballast_bytes",
                          std::to_string(kBallast),
                          "--storage.checkpoint_log_bytes",
                          "1048576",
                          "--storage.log_file_bytes",
                          "1048576",
                          "--drain.min_ms",
                          "0"};
    }

    void start() {
        auto started = ServerProcess::start(options_);
        ASSERT_TRUE(started.has_value()) << started.error().message();
        server_ = std::move(started).value();
        ASSERT_TRUE(server_->wait_until_ready().has_value()) << server_->log();
    }
    void start_with_documents() {
        start();
        ASSERT_EQ(ask(*server_, "POST", "/api/v1/collections", collection_named("numbers")).status, 201);
        ASSERT_EQ(ask(*server_, "PUT", kDocuments, documents_up_to(kStart)).status, 200);
        for (size_t number = 0; number < kStart; ++number) {
            present_.insert(number);
        }
    }

    /// Some 100 KB each, all or nothing.
    int upsert_large(size_t number) {
        Json document = document_of(number);
        document["metadata"]["padding"] = std::string(100'000, 'x');
        const JsonReply reply = ask(*server_, "PUT", kDocuments, {{"documents", Json::array({document})}});
        last_ = reply.body;
        if (reply.status == 200) {
            present_.insert(number);
        }
        return reply.status;
    }
    template <class Condition>
    ::testing::AssertionResult comes_true(Condition condition) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (!condition()) {
            if (std::chrono::steady_clock::now() > end) {
                return ::testing::AssertionFailure() << server_->log();
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        return ::testing::AssertionSuccess();
    }
    std::string storage_backends() {
        const JsonReply ready = ask(*server_, "GET", "/ready");
        return ready.status == 200 ? ready.body["storage_backends"].get<std::string>() : "not ready";
    }
    bool has_ballast() const {
        struct stat status {};
        return ::stat((options_.data_directory + "/BALLAST").c_str(), &status) == 0;
    }
    /// Every acknowledged document is there, every deleted one is not, and nothing else.
    void expect_all_is_kept() {
        EXPECT_EQ(ask(*server_, "POST", kCollection + "/count", Json::object()).body["count"],
                  present_.size());
        Json ids = Json::array();
        for (const size_t number : present_) {
            ids.push_back(number);
        }
        const JsonReply got = ask(*server_, "POST", kDocuments + "/get", {{"ids", ids}});
        ASSERT_EQ(got.status, 200);
        EXPECT_EQ(got.body["documents"].size(), present_.size());
        const size_t one = *present_.rbegin();
        const JsonReply found =
            ask(*server_, "POST", kCollection + "/search", {{"vector", vector_of(one)}, {"top_k", 1}});
        ASSERT_EQ(found.status, 200);
        EXPECT_EQ(found.body["matches"][0]["id"], one);
    }
    void delete_much_by_id() {
        // Ten thousand unknown ids a request: the log grows by 1.3 MB, over the end of its file.
        for (size_t request = 0; request < 10; ++request) {
            if (has_ballast()) {
                disk_.take_the_rest();  // xfs gives the space of removed files back later than at once
            }
            Json ids = Json::array({request});
            for (size_t i = 1; i < 10'000; ++i) {
                ids.push_back(1'000'000 + i);
            }
            const JsonReply reply = ask(*server_, "POST", kDocuments + "/delete", {{"ids", ids}});
            ASSERT_EQ(reply.status, 200) << reply.body << server_->log();
            EXPECT_EQ(reply.body["deleted"], 1);
            present_.erase(request);
        }
    }
    void delete_odd_by_filter() {
        const Json odd = {{"must", Json::array({{{"key", "parity"}, {"match", {{"value", 1}}}}})}};
        const JsonReply reply = ask(*server_, "POST", kDocuments + "/delete", {{"filter", odd}});
        ASSERT_EQ(reply.status, 200) << reply.body << server_->log();
        std::erase_if(present_, [](size_t number) { return number % 2 == 1; });
    }

    LoopDisk disk_{GetParam()};
    ServerOptions options_;
    std::unique_ptr<ServerProcess> server_;
    std::set<size_t> present_;
    Json last_;
};

TEST_P(FullDisk, RefusesUpsertsAndDeletesAndRecoversByItself) {
    start_with_documents();
    EXPECT_EQ(storage_backends(), "healthy");
    EXPECT_TRUE(has_ballast());

    disk_.leave_free(kSoft - (1 << 20));
    EXPECT_TRUE(comes_true([&] { return storage_backends() == "disk_low"; }));
    EXPECT_EQ(upsert_large(1'000), 200) << "below the soft mark writes go on: " << last_;
    size_t next = 1'002;
    while (next < 2'000 && upsert_large(next) == 200) {
        next += 2;
    }
    ASSERT_EQ(last_["error"]["code"], "DISK_FULL") << last_ << server_->log();
    EXPECT_GT(disk_.free_bytes(), kHard / 2) << "refused before the disk was full";
    disk_.leave_free(kHard - (1 << 20));  // a smaller document could still have passed
    EXPECT_TRUE(comes_true([&] { return storage_backends() == "disk_full"; }));
    EXPECT_EQ(ask(*server_, "GET", "/ready?for=write").status, 503);
    EXPECT_EQ(ask(*server_, "GET", "/ready?for=read").status, 200);
    EXPECT_EQ(ask(*server_, "GET", "/ready?for=all").status, 400);
    EXPECT_EQ(ask(*server_, "POST", "/api/v1/collections", collection_named("another")).status, 507);

    disk_.take_the_rest();
    EXPECT_EQ(upsert_large(3'000), 507);
    expect_all_is_kept();
    delete_much_by_id();
    delete_odd_by_filter();
    EXPECT_FALSE(has_ballast()) << "deletes beyond the log's reserve come from the ballast";
    EXPECT_EQ(upsert_large(3'000), 507) << "the ballast is not for upserts";
    expect_all_is_kept();

    server_->kill_now();
    start();
    expect_all_is_kept();
    EXPECT_EQ(upsert_large(3'000), 507);

    disk_.give_back();
    EXPECT_TRUE(comes_true([&] { return upsert_large(4'000) == 200; }));
    EXPECT_TRUE(comes_true([&] { return has_ballast() && storage_backends() == "healthy"; }));
    EXPECT_EQ(ask(*server_, "GET", "/ready?for=write").status, 200);
    EXPECT_EQ(ask(*server_, "POST", "/api/v1/collections", collection_named("another")).status, 201);
    server_->kill_now();
    start();
    expect_all_is_kept();
}

TEST_P(FullDisk, EndsWith74WhenTheDiskGoesAway) {
    options_.flags.back() = kUntilReadsAreAsked;
    start_with_documents();
    ASSERT_TRUE(disk_.shut_down());
    EXPECT_EQ(upsert_large(1'000), 503) << last_;
    EXPECT_EQ(ask(*server_, "GET", kDocuments + "/1").status, 200) << "reads go on until the ports close";
    const Result<int> exit_code = server_->wait_for_exit(60'000);
    ASSERT_TRUE(exit_code.has_value()) << exit_code.error().message();
    EXPECT_EQ(*exit_code, kIo) << server_->log();
}

// What ext4 does by itself when it finds its own structures damaged (errors=remount-ro).
TEST_P(FullDisk, BecomesReadOnlyUnderAServerAndLosesNothing) {
    if (std::string_view(GetParam()) != "ext4") {
        GTEST_SKIP() << "only ext4 can be told to give up";
    }
    options_.flags.back() = kUntilReadsAreAsked;
    start_with_documents();
    ASSERT_TRUE(disk_.remount("abort"));
    EXPECT_EQ(upsert_large(1'000), 503) << last_;
    EXPECT_EQ(ask(*server_, "GET", kDocuments + "/1").status, 200) << "reads go on until the ports close";
    const Result<int> exit_code = server_->wait_for_exit(60'000);
    ASSERT_TRUE(exit_code.has_value()) << exit_code.error().message();
    EXPECT_EQ(*exit_code, kIo) << server_->log();
    ASSERT_TRUE(disk_.mend());
    start();
    expect_all_is_kept();
    EXPECT_EQ(upsert_large(1'000), 200) << last_;
}

TEST_P(FullDisk, ReadOnlyAtTheStartIsNamedAndEndsWith78) {
    ASSERT_TRUE(disk_.remount("ro"));
    const Result<Finished> finished = run_akidb({"serve", "--data", options_.data_directory});
    ASSERT_TRUE(finished.has_value()) << finished.error().message();
    EXPECT_EQ(finished->exit_code, kConfiguration);
    EXPECT_THAT(finished->err, ::testing::HasSubstr("storage.data_dir"));
    EXPECT_THAT(finished->err, ::testing::HasSubstr("Read-only file system"));
}

INSTANTIATE_TEST_SUITE_P(FileSystems, FullDisk, ::testing::Values("ext4", "xfs"),
                         [](const auto& named) { return std::string(named.param); });

}  // namespace
}  // namespace akidb::e2e
