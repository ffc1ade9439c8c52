#include "engine/rewrite.h"

#include <gmock/gmock.h>

#include <atomic>
#include <cstdio>
#include <map>
#include <thread>
#include <tuple>

#include "engine/audit.h"
#include "engine/collection_for_tests.h"

namespace akidb::engine {
namespace {

class RewriteTest : public CollectionFixture {
  protected:
    RewriteTest() {
        spec_.metric = model::Metric::kL2;
        spec_.metadata_indexes = {{"n", model::MetadataIndexType::kInteger}};
        options_.graph_rows_min = 300;
        options_.checkpoint_linked_rows = 100;
        options_.rewrite_dead_rows_min = 64;
        options_.rewrite_file_bytes = 1;  // a chunk of rows in each file
        create();
    }

    void upsert(uint64_t first, uint64_t count, uint64_t seed_offset = 0) {
        CollectionFixture::upsert(first, count, seed_offset);
        for (uint64_t id = first; id < first + count; ++id) {
            expected_[id] = id + seed_offset;
        }
    }
    void remove(uint64_t first, uint64_t count) {
        std::vector<model::DocumentId> ids;
        for (uint64_t id = first; id < first + count; ++id) {
            ids.emplace_back(id);
            expected_.erase(id);
        }
        ASSERT_TRUE(collection_->remove(ids).has_value());
    }
    /// Every document by every way to it, and no other.
    void expect_all() {
        EXPECT_EQ(collection_->count(nullptr).value(), expected_.size());
        model::Filter all;
        model::RangeCondition range;
        range.key = "n";
        range.gte = 0.0;
        all.must.emplace_back(std::move(range));
        EXPECT_EQ(collection_->count(&all).value(), expected_.size());
        for (const auto& [id, seed] : expected_) {
            const model::Document wanted = document(id, seed);
            const auto got = collection_->get({wanted.id}, {true, true}).value();
            ASSERT_EQ(got.size(), 1u) << id;
            EXPECT_EQ(got[0].vector, wanted.vector);
            EXPECT_EQ(got[0].metadata, wanted.metadata);
        }
        for (auto at = expected_.begin(); at != expected_.end();) {
            for (const bool exact : {false, true}) {
                model::SearchRequest request;
                request.vector = document(at->first, at->second).vector;
                request.top_k = 1;
                request.params.exact = exact;
                const auto reply = collection_->search(request).value();
                ASSERT_EQ(reply.matches.size(), 1u);
                EXPECT_EQ(reply.matches[0].document.id, model::DocumentId(at->first));
            }
            for (int skipped = 0; skipped < 37 && at != expected_.end(); ++skipped) {
                ++at;
            }
        }
    }
    std::vector<std::string> segment_files() const { return storage::names_in(directory() + "/seg"); }

    std::map<uint64_t, uint64_t> expected_;  // id → seed of its vector
};

TEST_F(RewriteTest, IsDueAtTheShareOfDeadRowsAndEndsThem) {
    upsert(1, 1000);
    remove(1, 190);
    ASSERT_TRUE(collection_->run_maintenance_now());
    EXPECT_EQ(collection_->stats().rows, 1000u) << "19 % are dead";
    remove(191, 60);
    ASSERT_TRUE(collection_->run_maintenance_now());
    const CollectionStats stats = collection_->stats();
    EXPECT_EQ(stats.rows, 750u);
    EXPECT_EQ(stats.linked_rows, 750u);
    EXPECT_TRUE(stats.jobs.empty());
    EXPECT_TRUE(stats.metadata_indexes.at(0).is_ready);
    expect_all();
    open();
    EXPECT_EQ(collection_->stats().rows, 750u) << "and so it was stored";
    EXPECT_EQ(collection_->stats().linked_rows, 750u);
    expect_all();
}

/// The audit at the end of a rewrite refuses one with a row that walks cannot reach.
TEST_F(RewriteTest, SeveralThreadsLinkRowsAndLinkThemAnew) {
    io::ThreadPool builders({.name = "build", .threads = 3});
    options_.link_threads = 3;
    open(builders);
    upsert(1, 4000);
    ASSERT_TRUE(collection_->run_maintenance_now());
    expect_all();
    remove(1, 1500);
    ASSERT_TRUE(collection_->run_maintenance_now());
    EXPECT_EQ(collection_->stats().rows, 2500u);
    EXPECT_EQ(collection_->stats().linked_rows, 2500u);
    expect_all();
    open();
    expect_all();
}

TEST_F(RewriteTest, ManyFilesOverwritesAndReinsertionsComeThrough) {
    upsert(1, 6000);
    ASSERT_TRUE(collection_->run_maintenance_now());
    upsert(1000, 2500, 50'000);
    remove(2000, 100);
    upsert(2050, 20, 90'000);
    const auto report = collection_->rewrite();
    ASSERT_TRUE(report.has_value()) << report.error().message();
    EXPECT_EQ(report->dropped_rows, 2600u);
    EXPECT_EQ(collection_->stats().rows, expected_.size());
    EXPECT_EQ(segment_files(), report->written);
    EXPECT_GE(report->written.size(), 3u);
    EXPECT_FALSE(report->removed.empty());
    for (const std::string& gone : report->removed) {
        EXPECT_THAT(report->written, ::testing::Not(::testing::Contains(gone)));
    }
    expect_all();
    open();
    expect_all();
    EXPECT_EQ(collection_->rewrite().value().dropped_rows, 0u) << "nothing is dead: nothing is done";
}

TEST_F(RewriteTest, ACollectionWithoutGraphIsRewrittenToo) {
    upsert(1, 200);
    remove(1, 100);
    ASSERT_TRUE(collection_->run_maintenance_now());
    EXPECT_EQ(collection_->stats().rows, 100u);
    EXPECT_EQ(collection_->stats().linked_rows, 0u);
    expect_all();
    remove(101, 100);
    ASSERT_TRUE(collection_->rewrite().has_value());
    EXPECT_EQ(collection_->stats().rows, 0u);
    open();
    expect_all();
    upsert(1, 10);
    expect_all();
}

TEST_F(RewriteTest, WritesMeanwhileAreFollowed) {
    for (uint64_t first = 1; first < 8000; first += 2000) {
        upsert(first, 2000);
    }
    remove(1, 2000);
    std::atomic<bool> is_over{false};
    std::thread writer([&] {
        // A machine that is slow at rewriting must not let so many wait for the graph that writes are
        // refused.
        constexpr uint64_t kRoundsMax = 10'000;
        for (uint64_t round = 0; (!is_over.load() && round < kRoundsMax) || round < 20; ++round) {
            const uint64_t id = 2001 + round % 6000;
            upsert(id, 3, 100'000 * (round + 1));
            remove(id + 1, 1);
            upsert(20'000 + round, 1);
        }
    });
    for (int times = 0; times < 2; ++times) {
        const auto report = collection_->rewrite();
        ASSERT_TRUE(report.has_value()) << report.error().message();
    }
    is_over = true;
    writer.join();
    expect_all();
    open();
    expect_all();
}

TEST_F(RewriteTest, OldSnapshotsAreServedToTheEnd) {
    upsert(1, 500);
    ASSERT_TRUE(collection_->run_maintenance_now());
    std::atomic<bool> is_over{false};
    std::thread reader([&] {
        while (!is_over.load()) {
            model::SearchRequest request;
            request.vector = document(400, 400).vector;
            request.top_k = 5;
            const auto reply = collection_->search(request);
            ASSERT_TRUE(reply.has_value());
            EXPECT_EQ(reply->matches.at(0).document.id, model::DocumentId(uint64_t{400}));
            EXPECT_EQ(reply->matches.size(), 5u);
            std::ignore = collection_->stats();
        }
    });
    for (uint64_t first = 1; first <= 301; first += 50) {
        remove(first, 50);
        upsert(1000 + first, 50);
        ASSERT_TRUE(collection_->rewrite().has_value());
    }
    is_over = true;
    reader.join();
    expect_all();
}

TEST_F(RewriteTest, DamageIsNotCopied) {
    upsert(1, 5000);
    ASSERT_TRUE(collection_->run_maintenance_now());
    ASSERT_TRUE(collection_->close(true).has_value());
    open();
    for (const std::string& name : segment_files()) {
        if (name.ends_with(".rows")) {
            const std::string path = directory() + "/seg/" + name;
            std::FILE* file = std::fopen(path.c_str(), "r+b");
            ASSERT_NE(file, nullptr);
            std::fseek(file, 4096 + 100, SEEK_SET);
            const int byte = std::fgetc(file);
            std::fseek(file, 4096 + 100, SEEK_SET);
            std::fputc(byte ^ 1, file);
            std::fclose(file);
        }
    }
    remove(1, 2000);
    const auto report = collection_->rewrite();
    ASSERT_FALSE(report.has_value());
    EXPECT_EQ(report.error().code(), Code::kDataLoss);
    EXPECT_EQ(collection_->stats().rows, 5000u);
}

TEST(AuditTest, CountsWhatASnapshotSees) {
    constexpr uint32_t kRewrittenDimension = 16;
    auto generation = std::make_shared<Generation>(
        std::vector<model::VectorSpec>{{.dimension = kRewrittenDimension, .metric = model::Metric::kL2}},
        index::GraphOptions{}, 7);
    ASSERT_TRUE(generation->rows.reserve(3).has_value());
    const std::vector<float> vector(kRewrittenDimension, 1.0f);
    for (const std::string_view id : {"a", "b", "c"}) {
        generation->ids.insert(generation->rows.append({vector, 1, id, "", kNoRow}));
    }
    generation->rows.mark_dead(1, 5);
    const AuditReport before = audit({generation, 4, 3, 3});
    EXPECT_TRUE(before.faults.empty());
    EXPECT_EQ(before.live, 3u);
    const AuditReport after = audit({generation, 5, 3, 2});
    EXPECT_TRUE(after.faults.empty());
    Audit slow(std::make_shared<const Snapshot>(Snapshot{generation, 5, 3, 2}));
    while (!slow.is_done()) {
        slow.advance(1);
    }
    EXPECT_EQ(slow.report().documents_hash, after.documents_hash);
    EXPECT_EQ(slow.report().live, after.live);
    EXPECT_NE(after.documents_hash, before.documents_hash);
    EXPECT_EQ(audit({generation, 5, 3, 3}).faults.size(), 1u) << "a count that is wrong";
    generation->ids.insert(generation->rows.append({vector, 6, "a", "", kNoRow}));
    EXPECT_EQ(audit({generation, 6, 4, 3}).faults.size(), 1u)
        << "row 0 is alive and no longer found under its id";
}

}  // namespace
}  // namespace akidb::engine
