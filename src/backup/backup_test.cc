// The form of manifests, and what a repository does, over objects in memory. Backups of whole servers are
// tried where there is one (tests/backup).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "backup/repository.h"
#include "backup/upkeep.h"
#include "io/random.h"
#include "objects/memory_store.h"
#include "objects/sha256.h"
#include "objects/stores_for_tests.h"
#include "storage/layout.h"

namespace akidb::backup {
namespace {

using objects::TextFile;

Uuid made_id(uint8_t number) {
    Uuid id;
    id.bytes.fill(number);
    return id;
}

BackupManifest example() {
    BackupManifest manifest{
        .id = made_id(2),
        .previous = made_id(1),
        .created_ms = 1'700'000'000'000,
        .version = "0.1.0",
        .sent_bytes = 12,
        .catalog = {.name = "", .bytes = 3, .stored_bytes = 3, .sha256 = objects::sha256_hex("abc")}};
    BackedUpCollection words{.id = made_id(7),
                             .name = "words",
                             .dimension = 16,
                             .metric = model::Metric::kDot,
                             .sequence = 41,
                             .documents = 40,
                             .documents_hash = 0x1122334455667788};
    words.files.push_back({.name = "log/" + storage::log_name(1),
                           .bytes = 4096,
                           .stored_bytes = 9,
                           .sha256 = objects::sha256_hex("log bytes")});
    manifest.collections.push_back(words);
    manifest.left_out.push_back({"broken", "a file of it is damaged"});
    return manifest;
}

TEST(BackupManifest, IsReadAsItWasWritten) {
    const std::string bytes = encode_backup_manifest(example());
    const auto read = decode_backup_manifest(bytes);
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(encode_backup_manifest(*read), bytes);
    EXPECT_EQ(read->collections[0].files[0].name, "log/" + storage::log_name(1));
    EXPECT_EQ(read->left_out[0].reason, "a file of it is damaged");
    EXPECT_EQ(read->stored_bytes(), 12u);
    EXPECT_EQ(read->documents(), 40u);
}

TEST(BackupManifest, IsRefusedWithAnyBitFlippedOrCutAnywhere) {
    const std::string bytes = encode_backup_manifest(example());
    for (size_t at = 0; at < bytes.size(); ++at) {
        std::string flipped = bytes;
        flipped[at] = static_cast<char>(flipped[at] ^ 0x04);
        EXPECT_EQ(decode_backup_manifest(flipped).error().code(), Code::kDataLoss) << at;
        EXPECT_EQ(decode_backup_manifest(bytes.substr(0, at)).error().code(), Code::kDataLoss) << at;
    }
}

TEST(BackupManifest, NamesNothingThatCouldBeAnotherPath) {
    for (const char* name : {"../../etc/passwd", "/etc/passwd", "log/../../x", "LOCK", ""}) {
        BackupManifest manifest = example();
        manifest.collections[0].files[0].name = name;
        EXPECT_EQ(decode_backup_manifest(encode_backup_manifest(manifest)).error().code(), Code::kDataLoss)
            << name;
    }
}

BackupManifest example_of_timeline() {
    BackupManifest manifest = example();
    manifest.timeline = made_id(9);
    manifest.pinned_ms = 1'700'000'001'000;
    return manifest;
}

BackupManifest example_of_keys() {
    BackupManifest manifest = example_of_timeline();
    manifest.collections[0].files[0].key = "0123456789abcdef";
    return manifest;
}

TEST(BackupManifest, ReadsTheGoldenFiles) {
    for (const auto& [name, expected] :
         {std::pair("manifest-1", example()), std::pair("manifest-2", example_of_timeline()),
          std::pair("manifest-3", example_of_keys())}) {
        std::ifstream file(std::string(AKIDB_SOURCE_DIR "/tests/golden/backup/") + name, std::ios::binary);
        const std::string golden{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
        EXPECT_EQ(encode_backup_manifest(expected), golden) << name;
        const auto read = decode_backup_manifest(golden);
        ASSERT_TRUE(read) << read.error().message();
        EXPECT_EQ(read->timeline, expected.timeline);
        EXPECT_EQ(read->pinned_ms, expected.pinned_ms);
        EXPECT_EQ(read->collections[0].files[0].key, expected.collections[0].files[0].key);
    }
}

TEST(BackupManifest, OfAKeyNeedsNoTimelineAndTheCatalogHasNoKeyOfItsOwn) {
    BackupManifest manifest = example_of_keys();
    manifest.timeline = {};
    manifest.pinned_ms = 0;
    const auto read = decode_backup_manifest(encode_backup_manifest(manifest));
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->timeline, Uuid{});
    EXPECT_EQ(read->collections[0].files[0].key, "0123456789abcdef");
    manifest.catalog.key = "0123456789abcdef";
    EXPECT_EQ(decode_backup_manifest(encode_backup_manifest(manifest)).error().code(), Code::kDataLoss);
}

class RepositoryTest : public testing::Test {
  protected:
    /// A backup of one file.
    void back_up(uint8_t number, const std::string& content) {
        ASSERT_TRUE(repository_.lock(made_id(number)));
        BackupManifest manifest = example();
        manifest.id = made_id(number);
        manifest.previous = repository_.latest()->value_or(Uuid{});
        manifest.created_ms = time_.unix_ms();
        const auto put = repository_.put_file("log/" + storage::log_name(1), TextFile(content));
        ASSERT_TRUE(put) << put.error().message();
        manifest.collections[0].files = {put->file};
        const auto catalog = repository_.put_file("", TextFile("catalog"));
        ASSERT_TRUE(catalog);
        manifest.catalog = catalog->file;
        ASSERT_TRUE(repository_.put_manifest(manifest));
        repository_.unlock();
    }

    std::vector<std::string> faults(uint8_t number, VerifyDepth depth) {
        const auto manifest = repository_.read_manifest(made_id(number));
        EXPECT_TRUE(manifest);
        const auto report = verify(repository_, *manifest, depth);
        EXPECT_TRUE(report);
        return report->faults;
    }

    objects::PassingTime time_;
    std::unique_ptr<objects::ObjectStore> store_ = objects::make_memory_store();
    Repository repository_{*store_, time_};
};

TEST_F(RepositoryTest, SendsEachBlobOnceAndLeavesZerosAtTheEndOut) {
    ASSERT_TRUE(repository_.lock(made_id(1)));
    const std::string content = std::string("one\0two", 7);
    const auto first = repository_.put_file("log/a", TextFile(content + std::string(9'000'000, '\0')));
    ASSERT_TRUE(first) << first.error().message();
    EXPECT_EQ(first->sent_bytes, 7u);
    EXPECT_EQ(first->file.bytes, 9'000'007u);
    EXPECT_EQ(first->file.stored_bytes, 7u);
    EXPECT_EQ(repository_.put_file("log/b", TextFile(content))->sent_bytes, 0u);
    EXPECT_EQ(repository_.put_file("log/c", TextFile(std::string(100, '\0')))->file.stored_bytes, 0u);
    std::string read;
    EXPECT_TRUE(repository_.read_blob(first->file, [&](std::string_view piece) {
        read += piece;
        return Result<void>();
    }));
    EXPECT_EQ(read, content);
}

TEST_F(RepositoryTest, NamesTheBlobThatIsMissingOrDamaged) {
    back_up(1, "content");
    EXPECT_THAT(faults(1, VerifyDepth::kBytes), testing::IsEmpty());
    const std::string hash = objects::sha256_hex("content");
    ASSERT_TRUE(store_->put(blob_key(hash), "Content", objects::PutMode::kOverwrite));
    EXPECT_THAT(faults(1, VerifyDepth::kBytes), testing::ElementsAre(testing::HasSubstr(hash)));
    ASSERT_TRUE(store_->put(blob_key(hash), "conten", objects::PutMode::kOverwrite));
    EXPECT_THAT(faults(1, VerifyDepth::kSizes), testing::ElementsAre(testing::HasSubstr(hash)));
    ASSERT_TRUE(store_->remove(blob_key(hash)));
    EXPECT_THAT(
        faults(1, VerifyDepth::kSizes),
        testing::ElementsAre(testing::AllOf(testing::HasSubstr(hash), testing::HasSubstr("is missing"),
                                            testing::HasSubstr("collection words"))));
    // The next backup sends it again.
    back_up(2, "content");
    EXPECT_THAT(faults(1, VerifyDepth::kBytes), testing::IsEmpty());
}

TEST_F(RepositoryTest, PrunesByCountAndAgeAndNeverABlobThatIsNamed) {
    for (uint8_t number = 1; number <= 5; ++number) {
        back_up(number, number % 2 == 0 ? "even" : "odd " + std::to_string(number));
        time_.pass_us(uint64_t{24} * 3600 * 1'000'000);
    }
    const auto by_age = prune(repository_, time_, made_id(9), {.keep_last = 1, .keep_days = 4});
    ASSERT_TRUE(by_age) << by_age.error().message();
    EXPECT_EQ(by_age->removed, (std::vector<Uuid>{made_id(1), made_id(2)}));
    EXPECT_EQ(by_age->kept, 3u);
    EXPECT_EQ(by_age->removed_blobs, 1u);  // "odd 1"; "even" is of the fourth as well
    for (uint8_t number = 3; number <= 5; ++number) {
        EXPECT_THAT(faults(number, VerifyDepth::kBytes), testing::IsEmpty());
    }
    const auto to_one = prune(repository_, time_, made_id(9), {.keep_last = 1});
    ASSERT_TRUE(to_one);
    EXPECT_EQ(to_one->removed.size(), 2u);
    EXPECT_THAT(faults(5, VerifyDepth::kBytes), testing::IsEmpty());
    EXPECT_EQ(repository_.list_backups()->size(), 1u);
}

TEST_F(RepositoryTest, TheLockIsRenewedThoughTheClockWasSetBack) {
    class SetBack final : public io::Clock {
      public:
        uint64_t monotonic_us() const override { return now_us; }
        uint64_t unix_ms() const override { return wall_ms; }
        uint64_t now_us = 0;
        uint64_t wall_ms = 1'700'000'000'000;
    } clock;
    Repository repository(*store_, clock);
    ASSERT_TRUE(repository.lock(made_id(1)));
    const auto content = [&] { return store_->get("lock", 1 << 20).value(); };
    const std::string before = content();
    ASSERT_NE(before, "");
    clock.wall_ms -= 1'000'000'000;
    ASSERT_TRUE(repository.keep_lock());
    EXPECT_EQ(content(), before) << "not yet";
    clock.now_us += uint64_t{24} * 3'600'000'000;
    ASSERT_TRUE(repository.keep_lock());
    EXPECT_NE(content(), before);
    repository.unlock();
}

TEST_F(RepositoryTest, PrunesNothingWhenAManifestIsDamagedOrHidden) {
    back_up(1, "one");
    back_up(2, "two");
    back_up(3, "three");
    const std::string key = "backups/" + made_id(2).to_string();
    const std::string whole = store_->get(key, 1 << 20).value();
    ASSERT_TRUE(store_->put(key, "damaged", objects::PutMode::kOverwrite));
    EXPECT_EQ(prune(repository_, time_, made_id(9), {.keep_last = 1}).error().code(), Code::kDataLoss);
    ASSERT_TRUE(store_->put(key, whole, objects::PutMode::kOverwrite));
    EXPECT_EQ(repository_.list_backups()->size(), 3u);
    /// As a server whose lists lag behind.
    class Hiding final : public objects::ObjectStore {
      public:
        Hiding(objects::ObjectStore& store, std::string key) : store_(store), key_(std::move(key)) {}
        Result<void> put(const std::string& name, std::string_view bytes, objects::PutMode mode) override {
            return store_.put(name, bytes, mode);
        }
        Result<void> put_file(const std::string& name, const objects::FileToPut& source) override {
            return store_.put_file(name, source);
        }
        Result<std::string> get(const std::string& name, uint64_t bytes_max) override {
            return store_.get(name, bytes_max);
        }
        Result<std::string> get_range(const std::string& name, objects::ByteRange range) override {
            return store_.get_range(name, range);
        }
        Result<objects::ObjectFacts> head(const std::string& name) override { return store_.head(name); }
        Result<objects::ObjectPage> list(const objects::ListRequest& request) override {
            AKIDB_TRY(objects::ObjectPage page, store_.list(request));
            std::erase_if(page.objects, [&](const auto& object) { return object.key == key_; });
            return page;
        }
        Result<void> remove(const std::string& name) override { return store_.remove(name); }

      private:
        objects::ObjectStore& store_;
        const std::string key_;
    };
    for (const uint8_t hidden : {uint8_t{2}, uint8_t{3}}) {
        Hiding hiding(*store_, "backups/" + made_id(hidden).to_string());
        Repository repository(hiding, time_);
        const auto pruned = prune(repository, time_, made_id(9), {.keep_last = 1});
        ASSERT_FALSE(pruned) << int{hidden};
        EXPECT_THAT(pruned.error().message(), testing::HasSubstr(made_id(hidden).to_string()));
    }
    EXPECT_EQ(repository_.list_backups()->size(), 3u);
}

/// Of a backup that was cut short: the next one may go on with it.
TEST_F(RepositoryTest, KeepsABlobThatNoManifestNamesForADay) {
    back_up(1, "one");
    ASSERT_TRUE(repository_.lock(made_id(2)));
    const auto stray = repository_.put_file("log/a", TextFile("cut short"));
    ASSERT_TRUE(stray);
    repository_.unlock();
    const auto prune_once = [&] { return prune(repository_, time_, made_id(9), {.keep_last = 1}).value(); };
    EXPECT_EQ(prune_once().waiting_blobs, 1u);
    time_.pass_us((kStrayMs - 1) * 1000);
    EXPECT_EQ(prune_once().removed_blobs, 0u);
    EXPECT_TRUE(repository_.check_blob(stray->file));
    time_.pass_us(1000);
    EXPECT_EQ(prune_once().removed_blobs, 1u);
    EXPECT_FALSE(repository_.check_blob(stray->file));
    EXPECT_EQ(prune_once().waiting_blobs, 0u);
    EXPECT_THAT(faults(1, VerifyDepth::kBytes), testing::IsEmpty());
}

TEST_F(RepositoryTest, LetsOneWriteAtATimeAndForgetsWhoSaysNothing) {
    ASSERT_TRUE(repository_.lock(made_id(1)));
    ASSERT_TRUE(repository_.lock(made_id(1))) << "after a crash of its own";
    Repository other(*store_, time_);
    EXPECT_EQ(other.lock(made_id(2)).error().code(), Code::kConflict);
    EXPECT_EQ(prune(other, time_, made_id(2), {}).error().code(), Code::kConflict);
    time_.pass_us((kLockMs - 1) * 1000);
    ASSERT_TRUE(repository_.keep_lock());
    time_.pass_us((kLockMs - 1) * 1000);
    EXPECT_FALSE(other.lock(made_id(2)));
    time_.pass_us(1000);
    ASSERT_TRUE(other.lock(made_id(2)));
    EXPECT_EQ(repository_.keep_lock().error().code(), Code::kConflict);
    BackupManifest manifest = example();
    EXPECT_EQ(repository_.put_manifest(manifest).error().code(), Code::kConflict);
    repository_.unlock();  // not its own any more
    EXPECT_TRUE(other.put_manifest(manifest));
    other.unlock();
    EXPECT_TRUE(repository_.lock(made_id(3)));
}

}  // namespace
}  // namespace akidb::backup
