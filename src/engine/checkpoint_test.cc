// What a checkpoint leaves of the log.
#include <gtest/gtest.h>

#include "engine/collection_for_tests.h"
#include "storage/layout.h"

namespace akidb::engine {
namespace {

class CheckpointTest : public CollectionFixture {
  protected:
    CheckpointTest() {
        options_.graph_rows_min = 200;
        options_.checkpoint_linked_rows = 100;
    }

    /// First sequences of the files of the log.
    std::vector<uint64_t> log_files() {
        std::vector<uint64_t> firsts;
        const auto entries = files_->list(directory() + "/" + std::string(storage::kLogDirectory));
        EXPECT_TRUE(entries.has_value());
        for (const io::DirectoryEntry& entry : *entries) {
            firsts.push_back(storage::parse_log_name(entry.name).value());
        }
        return firsts;
    }
};

TEST_F(CheckpointTest, LeavesNoLogOfWhatItCovers) {
    create();
    upsert(1, 300);
    upsert(301, 300);
    ASSERT_TRUE(collection_->run_maintenance_now());
    ASSERT_EQ(collection_->stats().covered_sequence, 2u);
    EXPECT_EQ(log_files(), std::vector<uint64_t>{3});
    EXPECT_EQ(collection_->stats().log_bytes, options_.log.preallocate_bytes_min);
    upsert(1, 10);
    open();
    EXPECT_EQ(count(), 600u);
}

TEST_F(CheckpointTest, AtAnOrderlyStopLeavesNoLogEither) {
    options_.graph_rows_min = 100'000;
    create();
    upsert(1, 10'000);
    upsert(10'001, 10'000);
    ASSERT_TRUE(collection_->close(true));
    EXPECT_EQ(log_files(), std::vector<uint64_t>{3});
    open();
    EXPECT_EQ(count(), 20'000u);
    EXPECT_EQ(collection_->stats().covered_sequence, 2u);
}

TEST_F(CheckpointTest, AStartRemovesTheLogThatTheManifestCovers) {
    create();
    upsert(1, 300);
    ASSERT_TRUE(collection_->run_maintenance_now());
    upsert(301, 1);
    for (int restart = 0; restart < 3; ++restart) {
        open();
    }
    EXPECT_EQ(count(), 301u);
    EXPECT_LE(log_files().size(), 2u) << "what was written since, and the file that the log goes on in";
}

}  // namespace
}  // namespace akidb::engine
