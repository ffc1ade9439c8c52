#include "catalog/tier_store.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "catalog/catalog.h"

namespace akidb::catalog {
namespace {

Uuid uuid(uint8_t byte) {
    Uuid id;
    id.bytes.fill(byte);
    return id;
}

class TierStoreTest : public testing::Test {
  protected:
    void SetUp() override {
        std::filesystem::create_directories(directory_);
        catalog_ = Catalog::open(path_).value();
        store_ = TierStore::open(path_).value();
        model::CollectionSpec spec{.id = uuid(1), .name = "notes", .dimension = 16};
        ASSERT_TRUE(catalog_->insert_collection(spec));
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }

    TierRow row() const {
        return {.collection = uuid(1),
                .policy = model::StoragePolicy::kS3Only,
                .tier = model::Tier::kCold,
                .is_pinned = true,
                .copy = uuid(2),
                .place = "s3://bucket/tiers",
                .copied_version = 7,
                .settled_version = 7,
                .sequence = 41,
                .documents = 12,
                .documents_hash = ~uint64_t{0},
                .bytes = 4096};
    }

    const std::string directory_ = testing::TempDir() + "akidb_tier_store_" +
                                   testing::UnitTest::GetInstance()->current_test_info()->name();
    const std::string path_ = directory_ + "/catalog.db";
    std::unique_ptr<Catalog> catalog_;
    std::unique_ptr<TierStore> store_;
};

TEST_F(TierStoreTest, KeepsRowsAndTasksOverARestart) {
    ASSERT_TRUE(store_->put_row_and_task(
        row(), {.collection = uuid(1), .copy = uuid(2), .place = "s3://bucket/tiers", .queued_at_ms = 5}));
    // One upload of a copy at a time is queued.
    ASSERT_TRUE(store_->put_task({.collection = uuid(1), .copy = uuid(2), .queued_at_ms = 6}));
    TierTask task = store_->list_tasks().value().at(0);
    task.tries = 3;
    task.is_dead = true;
    task.error = "no route";
    task.not_before_ms = 99;
    ASSERT_TRUE(store_->put_task(task));
    ASSERT_TRUE(store_->close());

    store_ = TierStore::open(path_).value();
    const std::vector<TierRow> rows = store_->list_rows().value();
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].policy, model::StoragePolicy::kS3Only);
    EXPECT_EQ(rows[0].tier, model::Tier::kCold);
    EXPECT_TRUE(rows[0].is_pinned);
    EXPECT_EQ(rows[0].copy, uuid(2));
    EXPECT_EQ(rows[0].place, "s3://bucket/tiers");
    EXPECT_EQ(rows[0].settled_version, 7U);
    EXPECT_EQ(rows[0].documents_hash, ~uint64_t{0});
    const std::vector<TierTask> tasks = store_->list_tasks().value();
    ASSERT_EQ(tasks.size(), 1U);
    EXPECT_EQ(tasks[0].tries, 3U);
    EXPECT_TRUE(tasks[0].is_dead);
    EXPECT_EQ(tasks[0].error, "no route");
    EXPECT_EQ(tasks[0].queued_at_ms, 5U);
}

TEST_F(TierStoreTest, QueuesTheRemovalOfACopyWithTheEndOfItsCollection) {
    ASSERT_TRUE(store_->put_row_and_task(row(), {.collection = uuid(1), .copy = uuid(2)}));
    ASSERT_TRUE(catalog_->remove_collection(uuid(1)));
    EXPECT_TRUE(store_->list_rows().value().empty());
    const std::vector<TierTask> tasks = store_->list_tasks().value();
    ASSERT_EQ(tasks.size(), 1U);
    EXPECT_EQ(tasks[0].kind, TierTaskKind::kRemove);
    EXPECT_EQ(tasks[0].copy, uuid(2));
    EXPECT_EQ(tasks[0].place, "s3://bucket/tiers");
    EXPECT_EQ(store_->put_row(row()).error().code(), Code::kNotFound);
}

TEST_F(TierStoreTest, LeavesNothingAsleepInACatalogForElsewhere) {
    ASSERT_TRUE(store_->put_row_and_task(row(), {.collection = uuid(1), .copy = uuid(2)}));
    ASSERT_TRUE(store_->forget_copies());
    const std::vector<TierRow> rows = store_->list_rows().value();
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].policy, model::StoragePolicy::kS3Only);
    EXPECT_EQ(rows[0].tier, model::Tier::kHot);
    EXPECT_EQ(rows[0].copy, Uuid{});
    EXPECT_EQ(rows[0].copied_version, 0U);
    EXPECT_TRUE(store_->list_tasks().value().empty());
    // No copy is removed for it: it is another server's.
    ASSERT_TRUE(catalog_->remove_collection(uuid(1)));
    EXPECT_TRUE(store_->list_tasks().value().empty());
}

TEST_F(TierStoreTest, WhatWasSentIsKnownUntilItIsForgotten) {
    ASSERT_TRUE(store_->put_row(row()));
    ASSERT_TRUE(store_->note_objects(uuid(2), {"manifest-7", "blobs/b"}));
    ASSERT_TRUE(store_->note_objects(uuid(2), {"blobs/b", "blobs/a"}));
    ASSERT_TRUE(store_->note_objects(uuid(3), {"blobs/b"}));
    ASSERT_TRUE(store_->forget_objects(uuid(2), {"blobs/b", "blobs/never"}));
    ASSERT_TRUE(store_->close());
    store_ = TierStore::open(path_).value();
    const std::vector<std::string> left{"blobs/a", "manifest-7"};
    EXPECT_EQ(store_->list_objects(uuid(2)).value(), left);
    EXPECT_EQ(store_->list_objects(uuid(3)).value(), std::vector<std::string>{"blobs/b"});
    ASSERT_TRUE(catalog_->remove_collection(uuid(1)));
    EXPECT_EQ(store_->list_objects(uuid(2)).value(), left) << "its removal is still owed";
    ASSERT_TRUE(store_->forget_copies());
    EXPECT_TRUE(store_->list_objects(uuid(2)).value().empty());
}

}  // namespace
}  // namespace akidb::catalog
