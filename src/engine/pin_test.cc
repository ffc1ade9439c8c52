// Pinned files, put elsewhere and opened, are the collection as it was at their sequence number.
#include <filesystem>
#include <fstream>
#include <thread>

#include "engine/collection_for_tests.h"

namespace akidb::engine {
namespace {

class Pin : public CollectionFixture {
  protected:
    /// What was pinned, as a collection of its own.
    std::shared_ptr<Collection> open_copy(const PinnedFiles& pinned) { return open_copy(pinned.files); }

    std::shared_ptr<Collection> open_copy(const std::vector<PinnedFile>& files) {
        const std::string copy = root_ / ("copy-" + std::to_string(++copies_));
        EXPECT_TRUE(Collection::create(*files_, root_.path(), copy));
        for (const PinnedFile& file : files) {
            std::string bytes;
            EXPECT_TRUE(file.file->read_at(0, file.file->size(), bytes));
            std::ofstream(copy + "/" + file.name, std::ios::binary) << bytes;
        }
        auto opened =
            Collection::open({*files_, *clock_, executor_, logger_, metrics_}, copy, spec_, options_);
        EXPECT_TRUE(opened) << opened.error().message();
        return std::move(opened).value();
    }

    void expect_equal(Collection& copy, const PinnedFiles& pinned) {
        const auto again = copy.pin_files();
        ASSERT_TRUE(again) << again.error().message();
        EXPECT_EQ(again->sequence, pinned.sequence);
        EXPECT_EQ(again->documents, pinned.documents);
        EXPECT_EQ(again->documents_hash, pinned.documents_hash);
    }

    int copies_ = 0;
};

TEST_F(Pin, HoldsTheFilesOfOneSequenceWhileTheCollectionGoesOn) {
    options_.checkpoint_log_bytes = 1 << 20;
    create();
    const auto empty = collection_->pin_files();
    ASSERT_TRUE(empty) << empty.error().message();
    expect_equal(*open_copy(*empty), *empty);
    for (uint64_t round = 0; round < 4; ++round) {
        upsert(1, 300, round);
        upsert(1000 * round + 1000, 500);
        ASSERT_TRUE(collection_->remove({model::DocumentId(1000 * round + 1000)}));
        const auto pinned = collection_->pin_files();
        ASSERT_TRUE(pinned) << pinned.error().message();
        EXPECT_EQ(pinned->documents, 300 + 499 * (round + 1));
        EXPECT_EQ(pinned->documents, count());
        // What comes later is not in it, though it replaces files.
        upsert(1, 300, round + 100);
        ASSERT_TRUE(collection_->rewrite());
        ASSERT_TRUE(collection_->run_maintenance_now());
        expect_equal(*open_copy(*pinned), *pinned);
    }
}

TEST_F(Pin, IsExactAmongWriters) {
    options_.checkpoint_log_bytes = 1 << 20;
    create();
    std::atomic<uint64_t> acknowledged{0};
    std::jthread writer([&](const std::stop_token& stop) {
        for (uint64_t id = 1; !stop.stop_requested(); ++id) {
            ASSERT_TRUE(collection_->upsert({document(id, id)}));
            acknowledged = id;
        }
    });
    for (int round = 0; round < 10; ++round) {
        const uint64_t before = acknowledged;
        const auto pinned = collection_->pin_files();
        const uint64_t after = acknowledged;
        ASSERT_TRUE(pinned) << pinned.error().message();
        // Each write is one document of a new id, so the sequence tells which are there.
        EXPECT_GE(pinned->sequence, before);
        EXPECT_LE(pinned->sequence, after + 1);
        EXPECT_EQ(pinned->documents, pinned->sequence);
        const auto copy = open_copy(*pinned);
        expect_equal(*copy, *pinned);
        EXPECT_EQ(copy->get({model::DocumentId(pinned->sequence)}, {})->size(),
                  pinned->sequence == 0 ? 0u : 1u);
        ASSERT_TRUE(collection_->run_maintenance_now());
    }
}

TEST_F(Pin, OfACheckpointNeedsNoLog) {
    create();
    const auto empty = collection_->pin_checkpoint(Cover::kAsItIs);
    ASSERT_TRUE(empty) << empty.error().message();
    EXPECT_GT(empty->version, 0U);
    upsert(1, 300);
    ASSERT_TRUE(collection_->remove({model::DocumentId(7)}));
    // As it is: nothing of it is in a checkpoint yet.
    EXPECT_EQ(collection_->pin_checkpoint(Cover::kAsItIs)->version, empty->version);
    const auto whole = collection_->pin_checkpoint(Cover::kAll);
    ASSERT_TRUE(whole) << whole.error().message();
    const CheckpointState state = collection_->checkpoint_state();
    EXPECT_EQ(whole->version, state.manifest_version);
    EXPECT_EQ(whole->sequence, state.last_sequence);
    upsert(1, 300, 1);
    const auto copy = open_copy(whole->files);
    EXPECT_EQ(copy->stats().documents, 299U);
    EXPECT_EQ(copy->stats().last_sequence, whole->sequence);
    // Covered already: no other one is written.
    ASSERT_TRUE(copy->pin_checkpoint(Cover::kAll));
    EXPECT_EQ(copy->checkpoint_state().manifest_version, whole->version);
}

TEST_F(Pin, SettlesSoThatItsCheckpointIsAllThereIs) {
    create();
    upsert(1, 300);
    ASSERT_TRUE(collection_->remove({model::DocumentId(7)}));
    const auto pinned = collection_->pin_files();
    const auto settled = collection_->settle_and_close();
    ASSERT_TRUE(settled) << settled.error().message();
    EXPECT_EQ(settled->sequence, pinned->sequence);
    EXPECT_EQ(settled->documents, 299U);
    EXPECT_EQ(settled->documents_hash, pinned->documents_hash);
    EXPECT_FALSE(collection_->settle_and_close());
    EXPECT_EQ(collection_->upsert({document(1, 1)}).error().code(), Code::kUnavailable);
    std::filesystem::remove_all(directory() + "/log");
    std::filesystem::create_directory(directory() + "/log");
    open();
    expect_equal(*collection_, *pinned);
    EXPECT_EQ(collection_->checkpoint_state().manifest_version, settled->version);
}

TEST_F(Pin, IsRefusedByAClosedCollection) {
    create();
    ASSERT_TRUE(collection_->close(false));
    EXPECT_EQ(collection_->pin_files().error().code(), Code::kUnavailable);
    EXPECT_EQ(collection_->pin_checkpoint(Cover::kAll).error().code(), Code::kUnavailable);
    EXPECT_EQ(collection_->settle_and_close().error().code(), Code::kUnavailable);
}

}  // namespace
}  // namespace akidb::engine
