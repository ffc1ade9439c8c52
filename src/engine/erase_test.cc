// Erasing: after the receipt no byte of the documents is in any file of the collection, whatever state they
// were in, and the others are all there.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "engine/collection_for_tests.h"

namespace akidb::engine {
namespace {

constexpr uint32_t kDimension = 16;
constexpr float kCanaryFloat = 1234.5678F;
const std::string kCanary = "canary-7f3a";

class EraseTest : public ::testing::Test {
  protected:
    EraseTest() {
        spec_.name = "words";
        spec_.dimension = kDimension;
        spec_.metric = model::Metric::kL2;
        spec_.id = storage::test_collection();
        EXPECT_TRUE(Collection::create(files_, root_.path(), directory_).has_value());
        open();
    }

    void open() {
        collection_.reset();
        auto opened =
            Collection::open({files_, *clock_, executor_, logger_, metrics_}, directory_, spec_, {});
        ASSERT_TRUE(opened.has_value()) << opened.error().message();
        collection_ = std::move(opened).value();
    }

    static model::Document document(const std::string& id, float first, const std::string& word) {
        model::Document made;
        made.id = model::DocumentId::from_text(id).value();
        made.vector.assign(kDimension, 0.5F);
        made.vector[3] = first;
        model::MetadataWriter writer;
        writer.begin_object();
        writer.key("word");
        writer.put_string(word);
        writer.end();
        made.metadata = std::move(writer).finish().value();
        return made;
    }

    void upsert_others(int from, int count) {
        std::vector<model::Document> batch;
        for (int i = from; i < from + count; ++i) {
            batch.push_back(document("other" + std::to_string(i), static_cast<float>(i), "plain"));
        }
        ASSERT_TRUE(collection_->upsert(std::move(batch)).has_value());
        others_ += static_cast<uint64_t>(count);
    }
    void upsert_canaries() {
        ASSERT_TRUE(collection_
                        ->upsert({document(kCanary + "-1", kCanaryFloat, kCanary),
                                  document(kCanary + "-2", kCanaryFloat, kCanary)})
                        .has_value());
    }
    std::vector<model::DocumentId> canary_ids() const {
        return {model::DocumentId::from_text(kCanary + "-1").value(),
                model::DocumentId::from_text(kCanary + "-2").value()};
    }

    /// Files with a trace of the canaries: by id or metadata, or by vector.
    std::vector<std::string> files_with_traces() const {
        char raw[sizeof(float)];
        std::memcpy(raw, &kCanaryFloat, sizeof(raw));
        std::vector<std::string> found;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_)) {
            if (!entry.is_regular_file()) {
                continue;
            }
            const std::string bytes = storage::read_bytes(entry.path());
            if (bytes.find(kCanary) != std::string::npos ||
                bytes.find(std::string_view(raw, sizeof(raw))) != std::string::npos) {
                found.push_back(entry.path());
            }
        }
        return found;
    }

    /// Writes all into segments, as a server that stops does when there is enough.
    void checkpoint() {
        CollectionOptions options;
        options.checkpoint_log_bytes = 0;
        ASSERT_TRUE(collection_->close(false).has_value());
        collection_.reset();
        auto opened =
            Collection::open({files_, *clock_, executor_, logger_, metrics_}, directory_, spec_, options);
        ASSERT_TRUE(opened.has_value()) << opened.error().message();
        ASSERT_TRUE((*opened)->upsert({document("other", 0, "plain")}).has_value());
        ASSERT_TRUE((*opened)->run_maintenance_now().has_value());
        ASSERT_GT((*opened)->stats().segment_files, 0u);
        collection_ = std::move(*opened);
    }

    storage::TempDirectory root_;
    std::string directory_ = root_ / "c";
    storage::FaultyFileSystem files_;
    std::unique_ptr<io::Clock> clock_ = io::make_system_clock();
    IdleExecutor executor_;
    NullLogger logger_;
    telemetry::Metrics metrics_;
    model::CollectionSpec spec_;
    std::shared_ptr<Collection> collection_;
    uint64_t others_ = 0;
};

TEST_F(EraseTest, LeavesNoTraceOfWhatIsInTheLogOnly) {
    upsert_others(0, 20);
    upsert_canaries();
    upsert_others(20, 20);
    ASSERT_FALSE(files_with_traces().empty());
    const auto receipt = collection_->erase(canary_ids());
    ASSERT_TRUE(receipt.has_value()) << receipt.error().message();
    EXPECT_EQ(receipt->erased, 2u);
    EXPECT_FALSE(receipt->removed.empty());
    EXPECT_FALSE(receipt->rewritten.empty());
    EXPECT_EQ(files_with_traces(), std::vector<std::string>());
    EXPECT_EQ(collection_->count(nullptr).value(), others_);
    for (const std::string& name : receipt->rewritten) {
        EXPECT_TRUE(std::filesystem::exists(directory_ + "/" + name)) << name;
    }
    for (const std::string& name : receipt->removed) {
        EXPECT_FALSE(std::filesystem::exists(directory_ + "/" + name)) << name;
    }
    open();
    EXPECT_EQ(collection_->count(nullptr).value(), others_);
    EXPECT_TRUE(collection_->get(canary_ids(), {true, true}).value().empty());
}

TEST_F(EraseTest, LeavesNoTraceInSegmentsNorOfReplacedVersionsNorOfARepair) {
    upsert_others(0, 20);
    upsert_canaries();
    checkpoint();
    upsert_canaries();
    std::filesystem::create_directories(directory_ + "/lost/00000000000000000001");
    storage::write_bytes(directory_ + "/lost/00000000000000000001/old.rows", kCanary);
    ASSERT_GE(files_with_traces().size(), 3u);
    model::Filter filter;
    model::MatchCondition match;
    match.key = "word";
    match.any.emplace_back(kCanary);
    filter.must.emplace_back(std::move(match));
    const auto receipt = collection_->erase_matching(filter);
    ASSERT_TRUE(receipt.has_value()) << receipt.error().message();
    EXPECT_EQ(receipt->erased, 2u);
    EXPECT_EQ(files_with_traces(), std::vector<std::string>());
    EXPECT_FALSE(std::filesystem::exists(directory_ + "/lost"));
    open();
    EXPECT_EQ(collection_->count(nullptr).value(), others_ + 1);
}

TEST_F(EraseTest, AnInterruptedPurgeIsFinishedByAskingAgain) {
    upsert_others(0, 20);
    checkpoint();
    upsert_canaries();
    files_.fail(storage::FaultyFileSystem::Call::kRemove, Code::kInternal);
    const auto failed = collection_->erase(canary_ids());
    ASSERT_FALSE(failed.has_value()) << "a receipt for files that are there";
    EXPECT_TRUE(collection_->get(canary_ids(), {true, true}).value().empty()) << "deleted all the same";
    files_.heal();
    ASSERT_FALSE(files_with_traces().empty());
    open();  // a crash: nobody is told
    EXPECT_TRUE(collection_->get(canary_ids(), {true, true}).value().empty());
    const auto receipt = collection_->erase(canary_ids());
    ASSERT_TRUE(receipt.has_value()) << receipt.error().message();
    EXPECT_EQ(receipt->erased, 0u);
    EXPECT_EQ(files_with_traces(), std::vector<std::string>());
    EXPECT_EQ(collection_->count(nullptr).value(), others_ + 1);
}

TEST_F(EraseTest, RefusesWhatADeleteRefuses) {
    EXPECT_EQ(collection_->erase(std::vector<model::DocumentId>()).error().code(), Code::kInvalidArgument);
    ASSERT_TRUE(collection_->close(false).has_value());
    EXPECT_EQ(collection_->erase(canary_ids()).error().code(), Code::kUnavailable);
}

}  // namespace
}  // namespace akidb::engine
