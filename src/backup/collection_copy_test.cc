// The copy of a collection in an object store, over objects in memory that fail at every request in turn.
#include "backup/collection_copy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "io/posix_file_system.h"
#include "objects/memory_store.h"
#include "objects/sha256.h"
#include "objects/stores_for_tests.h"
#include "storage/layout.h"

namespace akidb::backup {
namespace {

using objects::TextFile;
using testing::HasSubstr;

class InlineExecutor final : public io::Executor {
  public:
    bool submit(std::string, Job) override { return false; }
};

class CollectionCopyTest : public testing::Test {
  protected:
    CollectionCopyTest() { copy_id_.bytes.fill(3); }
    ~CollectionCopyTest() override { std::filesystem::remove_all(directory_); }

    static BackedUpCollection described(uint64_t sequence) {
        BackedUpCollection collection{.name = "words", .dimension = 16, .sequence = sequence};
        collection.id.bytes.fill(7);
        return collection;
    }
    CollectionCopy copy() { return {faulty_, copy_id_}; }
    Result<CollectionCopy::Put> put(uint64_t version, const std::vector<BackupFile>& known = {}) {
        const std::string rows = "seg/" + storage::rows_name(0, version, version);
        return copy().put(
            described(version),
            {{storage::manifest_name(version),
              *manifests_.emplace_back(std::make_unique<TextFile>("manifest " + std::to_string(version)))},
             {"seg/" + storage::rows_name(0, 1, 1), rows_},
             {rows,
              *manifests_.emplace_back(std::make_unique<TextFile>("rows of " + std::to_string(version)))}},
            known,
            [&](const std::vector<std::string>& names) {
                sent_.insert(sent_.end(), names.begin(), names.end());
                return Result<void>();
            },
            {});
    }
    std::string read_file(const std::string& name) const {
        std::ifstream in(directory_ + "/" + name, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    }

    const std::string directory_ =
        testing::TempDir() + "akidb_copy_" + testing::UnitTest::GetInstance()->current_test_info()->name();
    Uuid copy_id_;
    const TextFile rows_{std::string(100'000, 'r')};
    std::vector<std::unique_ptr<TextFile>> manifests_;
    std::vector<std::string> sent_;  // names within the copy
    std::unique_ptr<objects::ObjectStore> memory_ = objects::make_memory_store();
    objects::FaultyStore faulty_{*memory_};
    std::unique_ptr<io::FileSystem> files_ = io::make_posix_file_system();
    InlineExecutor executor_;
};

TEST_F(CollectionCopyTest, SendsWhatIsNotThereYetAndIsFetchedWhole) {
    const auto first = put(2);
    ASSERT_TRUE(first) << first.error().message();
    EXPECT_GT(first->sent_bytes, 100'000U);
    const auto second = put(3, copy().read(2)->files);
    ASSERT_TRUE(second) << second.error().message();
    EXPECT_LT(second->sent_bytes, 1'000U);
    ASSERT_TRUE(copy().remove_others(3, second->files, sent_));
    const auto there = copy().read(3);
    ASSERT_TRUE(there) << there.error().message();
    EXPECT_EQ(there->sequence, 3U);
    EXPECT_EQ(copy().read(2).error().code(), Code::kDataLoss);
    ASSERT_TRUE(copy().verify(there->files));
    EXPECT_EQ(memory_->list({})->objects.size(), 4U);

    std::filesystem::create_directories(directory_ + "/seg");
    ASSERT_TRUE(copy().fetch(*files_, executor_, directory_, there->files, {}));
    EXPECT_EQ(read_file(storage::manifest_name(3)), "manifest 3");
    EXPECT_EQ(read_file("seg/" + storage::rows_name(0, 1, 1)), std::string(100'000, 'r'));
    ASSERT_TRUE(copy().remove_all({}));
    EXPECT_TRUE(memory_->list({})->objects.empty());
    EXPECT_EQ(copy().read(3).error().code(), Code::kDataLoss);
}

/// Fails one request, the one of that number from now on; `when` says whether it was done.
class FailingOnce final : public objects::ForwardingStore<FailingOnce> {
  public:
    FailingOnce(ObjectStore& store, size_t at, objects::When when)
        : ForwardingStore(store), left_(at), when_(when) {}
    bool has_failed() const { return has_failed_; }
    template <class Call>
    auto around(uint64_t /*bytes*/, Call call) -> decltype(call()) {
        if (has_failed_ || left_-- > 0) {
            return call();
        }
        has_failed_ = true;
        if (when_ == objects::When::kAfter) {
            static_cast<void>(call().has_value());
        }
        return Error(Code::kUnavailable, "planned");
    }

  private:
    size_t left_;
    const objects::When when_;
    bool has_failed_ = false;
};

const auto note_nothing = [](const std::vector<std::string>&) { return Result<void>(); };

/// Whatever request fails, and whether it was done: the copy of before stays, and the new one is whole or is
/// not there.
TEST_F(CollectionCopyTest, IsThereWholeOrNotWhereverItFails) {
    ASSERT_TRUE(put(2));
    uint64_t version = 2;
    uint64_t counts = 2;  // the newest that was told to be there
    size_t failed = 0;
    for (const objects::When when : {objects::When::kBefore, objects::When::kAfter}) {
        for (size_t at = 0;; ++at) {
            const auto before = copy().read(counts);
            ASSERT_TRUE(before);
            FailingOnce failing(*memory_, at, when);
            const TextFile manifest("manifest of " + std::to_string(++version));
            const auto put = CollectionCopy(failing, copy_id_)
                                 .put(described(version),
                                      {{storage::manifest_name(version), manifest},
                                       {"seg/" + storage::rows_name(0, 1, 1), rows_}},
                                      before->files, note_nothing, {});
            EXPECT_EQ(put.has_value(), !failing.has_failed());
            for (const uint64_t there : {counts, version}) {
                const auto after = copy().read(there);
                ASSERT_TRUE(after || (there == version && !put));
                ASSERT_TRUE(!after || after->sequence == there);
                const auto verified = after ? copy().verify(after->files) : Result<void>();
                EXPECT_TRUE(verified) << verified.error().message();
            }
            counts = put ? version : counts;
            failed += failing.has_failed() ? 1 : 0;
            if (!failing.has_failed()) {
                break;
            }
        }
    }
    EXPECT_GE(failed, 10U);
}

TEST_F(CollectionCopyTest, NamesWhatIsMissingOrDamaged) {
    const auto made = put(2);
    ASSERT_TRUE(made);
    const std::string key = copy_id_.to_string() + "/blobs/" + made->files[1].sha256;
    ASSERT_TRUE(memory_->put(key, "too short", objects::PutMode::kOverwrite));
    auto verified = copy().verify(made->files);
    EXPECT_EQ(verified.error().code(), Code::kDataLoss);
    EXPECT_THAT(verified.error().message(), HasSubstr(key));
    // The same size, other bytes: found when it is fetched at the latest.
    ASSERT_TRUE(memory_->put(key, std::string(100'000, 'x'), objects::PutMode::kOverwrite));
    std::filesystem::create_directories(directory_ + "/seg");
    const auto fetched = copy().fetch(*files_, executor_, directory_, made->files, {});
    ASSERT_FALSE(fetched);
    EXPECT_EQ(fetched.error().code(), Code::kDataLoss);
    EXPECT_THAT(fetched.error().message(), HasSubstr(key));
    ASSERT_TRUE(memory_->remove(key));
    EXPECT_THAT(copy().verify(made->files).error().message(), HasSubstr("missing"));
    // It is sent again, though it was known.
    ASSERT_TRUE(put(3, made->files));
    EXPECT_TRUE(copy().verify(copy().read(3)->files));
}

/// A put whose client gave up long ago arrives behind the one that took its place.
TEST_F(CollectionCopyTest, APutThatArrivesLateTakesNothingsPlace) {
    ASSERT_TRUE(put(2));
    const std::string key = copy_id_.to_string() + "/manifest-2";
    const std::string late = memory_->get(key, 1 << 20).value();
    const auto newer = put(3, copy().read(2)->files);
    ASSERT_TRUE(newer);
    ASSERT_TRUE(copy().remove_others(3, newer->files, sent_));
    ASSERT_TRUE(memory_->put(key, late, objects::PutMode::kOverwrite));
    const auto there = copy().read(3);
    ASSERT_TRUE(there) << there.error().message();
    EXPECT_TRUE(copy().verify(there->files));
    ASSERT_TRUE(copy().remove_others(3, newer->files, {}));
    EXPECT_FALSE(memory_->get(key, 1 << 20)) << "it goes with the next upload";
}

/// Its lists are of before anything was there.
class BlindStore final : public objects::ForwardingStore<BlindStore> {
  public:
    using ForwardingStore::ForwardingStore;
    template <class Call>
    auto around(uint64_t /*bytes*/, Call call) -> decltype(call()) {
        return call();
    }
    Result<objects::ObjectPage> list(const objects::ListRequest& /*request*/) override {
        return objects::ObjectPage{};
    }
};

/// Names are told before anything is sent, so what a put leaves that fails at whatever request is known.
TEST_F(CollectionCopyTest, WhatWasSentGoesThoughNoListShowsIt) {
    BlindStore blind(*memory_);
    const auto keys = [&] {
        std::set<std::string> found;
        const auto page = memory_->list({});
        for (const objects::ObjectFacts& object : page->objects) {
            found.insert(object.key);
        }
        return found;
    };
    uint64_t version = 0;
    for (bool has_failed = true; has_failed;) {
        FailingOnce failing(*memory_, ++version, objects::When::kAfter);
        const TextFile manifest("manifest of " + std::to_string(version));
        std::vector<std::string> sent;
        const auto put = CollectionCopy(failing, copy_id_)
                             .put(described(version), {{storage::manifest_name(version), manifest}}, {},
                                  [&](const std::vector<std::string>& names) {
                                      EXPECT_TRUE(sent.empty() && keys().size() <= 2) << "before it is sent";
                                      sent = names;
                                      return Result<void>();
                                  },
                                  {});
        has_failed = failing.has_failed();
        const auto kept =
            CollectionCopy(*memory_, copy_id_)
                .put(described(99), {{storage::manifest_name(99), rows_}}, {}, note_nothing, {});
        ASSERT_TRUE(kept);
        EXPECT_GT(keys().size(), 2U);
        const auto removed = CollectionCopy(blind, copy_id_).remove_others(99, kept->files, sent);
        ASSERT_TRUE(removed);
        EXPECT_EQ(removed->size(), sent.size());
        EXPECT_EQ(keys().size(), 2U) << "when request " << version << " failed";
        EXPECT_TRUE(copy().verify(copy().read(99)->files));
    }
    EXPECT_GT(version, 3U);
    ASSERT_TRUE(
        CollectionCopy(blind, copy_id_).remove_all(CollectionCopy::names_of(99, copy().read(99)->files)));
    EXPECT_TRUE(keys().empty());
}

/// A wrong bit of one answer must not be hashed and then sent as what was hashed.
TEST_F(CollectionCopyTest, AFileOfTheStoreIsReadAnewWithEachPass) {
    const auto made = put(2);
    ASSERT_TRUE(made);
    const auto file = copy().open(made->files[1]);
    const std::string key = copy_id_.to_string() + "/blobs/" + made->files[1].sha256;
    const size_t calls = faulty_.calls();
    std::string first;
    std::string second;
    for (uint64_t at = 0; at < file->size(); at += 1000) {
        ASSERT_TRUE(file->read_at(at, 1000, first));
    }
    EXPECT_EQ(faulty_.calls() - calls, 1U) << "many little pieces are one request";
    ASSERT_TRUE(memory_->put(key, std::string(100'000, 'x'), objects::PutMode::kOverwrite));
    ASSERT_TRUE(file->read_at(0, 1000, second));
    EXPECT_NE(first, second);
}

TEST_F(CollectionCopyTest, NothingIsSentThatCouldNotBeNoted) {
    const auto put = copy().put(
        described(2), {{storage::manifest_name(2), rows_}}, {},
        [](const std::vector<std::string>&) { return Result<void>(Error(Code::kDiskFull, "no room")); }, {});
    ASSERT_FALSE(put);
    EXPECT_EQ(put.error().code(), Code::kDiskFull);
    EXPECT_TRUE(memory_->list({})->objects.empty());
}

}  // namespace
}  // namespace akidb::backup
