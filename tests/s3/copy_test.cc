// The copy of a collection on a real server (s3_test.sh starts one), through a proxy that spoils every third
// request: a copy that counts is there whole, and the one before stays whole until then.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "backup/collection_copy.h"
#include "fault_proxy.h"
#include "io/posix_file_system.h"
#include "objects/credentials.h"
#include "objects/retrying_store.h"
#include "objects/s3_store.h"
#include "objects/sha256.h"
#include "objects/stores_for_tests.h"
#include "storage/layout.h"

namespace akidb::s3_test {
namespace {

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

class InCaller final : public io::Executor {
  public:
    bool submit(std::string, Job) override { return false; }
};

class CopyTest : public testing::Test {
  protected:
    ~CopyTest() override { std::filesystem::remove_all(directory_); }

    std::unique_ptr<objects::ObjectStore> store(uint16_t port, uint32_t timeout_ms) const {
        const auto found =
            objects::find_credentials({{},
                                       {{"AWS_ACCESS_KEY_ID", variable("AWS_ACCESS_KEY_ID")},
                                        {"AWS_SECRET_ACCESS_KEY", variable("AWS_SECRET_ACCESS_KEY")}}});
        EXPECT_TRUE(found);
        auto made = objects::make_s3_store(
            {.endpoint = "http://127.0.0.1:" + std::to_string(port),
             .bucket = "akidb-test",
             .prefix = "copies",
             .timeout_ms = timeout_ms},
            *found, *clock_, [] { return io::make_curl_http_client({.refuses_link_local = true}); });
        EXPECT_TRUE(made);
        return std::move(made).value();
    }

    /// What is there, fetched by its own hashes.
    void expect_whole(objects::ObjectStore& clean, const Uuid& id) {
        std::filesystem::remove_all(directory_);
        std::filesystem::create_directories(directory_ + "/seg");
        backup::CollectionCopy copy(clean, id);
        const auto there = copy.read();
        ASSERT_TRUE(there) << there.error().message();
        const auto fetched = copy.fetch(*files_, executor_, directory_, there->files, {});
        ASSERT_TRUE(fetched) << fetched.error().message();
    }

    const std::string directory_ = testing::TempDir() + "akidb_s3_copy";
    std::unique_ptr<io::Clock> clock_ = io::make_system_clock();
    std::unique_ptr<io::Random> random_ = io::make_system_random();
    std::unique_ptr<io::FileSystem> files_ = io::make_posix_file_system();
    InCaller executor_;
};

TEST_F(CopyTest, WhatCountsAsCopiedIsThereWhateverTheNetworkDid) {
    constexpr uint64_t kFaultsMin = 400;
    const auto port = static_cast<uint16_t>(std::stoul(variable("AKIDB_S3_PORT")));
    const std::string given = variable("AKIDB_S3_SEED");
    const uint64_t seed = given.empty() ? random_->next_u64() : std::stoull(given);
    std::printf("seed %llu (AKIDB_S3_SEED)\n", static_cast<unsigned long long>(seed));
    FaultProxy proxy(port, 33, seed);
    const auto clean = store(port, 10'000);
    const auto spoilt = store(proxy.port(), 400);
    objects::PassingTime time;
    const auto random = io::make_seeded_random(seed);
    const auto retrying = objects::make_retrying_store(*spoilt, *random, time, {.tries = 3});
    const Uuid id = io::make_uuid(*random_, *clock_);
    const objects::TextFile kept(std::string(200'000, 'k'));
    backup::BackedUpCollection described{.name = "words", .dimension = 16};
    std::vector<backup::BackupFile> known;
    uint64_t version = 0;
    uint64_t copied = 0;
    while (proxy.faults() < kFaultsMin && !HasFatalFailure()) {
        ++version;
        described.sequence = version;
        const objects::TextFile manifest("manifest " + std::to_string(version));
        const objects::TextFile rows(std::string(5'000 + version, static_cast<char>('a' + version % 26)));
        backup::CollectionCopy copy(version % 3 == 0 ? *spoilt : *retrying, id);
        const auto put = copy.put(described,
                                  {{storage::manifest_name(version), manifest},
                                   {"seg/" + storage::rows_name(0, 1, 1), kept},
                                   {"seg/" + storage::rows_name(1, version, version), rows}},
                                  known, {});
        if (!put) {
            if (copied > 0) {
                expect_whole(*clean, id);
            }
            continue;
        }
        ++copied;
        const auto there = backup::CollectionCopy(*clean, id).read();
        ASSERT_TRUE(there) << "told to be copied: " << there.error().message();
        EXPECT_EQ(there->sequence, version);
        expect_whole(*clean, id);
        known = put->files;
        // What cannot be removed now is removed behind the next one; nothing that counts goes.
        std::ignore = copy.remove_others(put->files).has_value();
        expect_whole(*clean, id);
    }
    std::printf("%llu faults of %zu kinds, %llu of %llu copies counted\n",
                static_cast<unsigned long long>(proxy.faults()), proxy.kinds(),
                static_cast<unsigned long long>(copied), static_cast<unsigned long long>(version));
    EXPECT_GE(proxy.kinds(), 15U);
    EXPECT_GT(copied, 3U);
    ASSERT_TRUE(backup::CollectionCopy(*clean, id).remove_all());
    EXPECT_TRUE(clean->list({.prefix = id.to_string()})->objects.empty());
}

}  // namespace
}  // namespace akidb::s3_test
