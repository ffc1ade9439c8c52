#include "engine/rewrite.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <map>
#include <set>
#include <thread>

#include "engine/audit.h"
#include "engine/collection.h"
#include "io/posix_file_system.h"
#include "io/random.h"

namespace akidb::engine {
namespace {

constexpr uint32_t kDimension = 16;

/// Jobs never run by themselves: the tests say when.
class IdleExecutor final : public io::Executor {
  public:
    bool submit(std::string, Job) override { return true; }
};

class RewriteTest : public ::testing::Test {
  protected:
    RewriteTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "akidb-rewrite-XXXXXX").string();
        root_ = ::mkdtemp(pattern.data());
        spec_.name = "words";
        spec_.dimension = kDimension;
        spec_.metric = model::Metric::kL2;
        spec_.id = io::make_uuid(*random_, *clock_);
        spec_.metadata_indexes = {{"n", model::MetadataIndexType::kInteger}};
        options_.graph_rows_min = 300;
        options_.checkpoint_linked_rows = 100;
        options_.rewrite_dead_rows_min = 64;
        options_.rewrite_file_bytes = 1;  // a chunk of rows in each file
        EXPECT_TRUE(Collection::create(*files_, root_, root_ + "/c").has_value());
        open();
    }
    ~RewriteTest() override {
        collection_.reset();
        std::filesystem::remove_all(root_);
    }

    void open() {
        collection_.reset();
        auto opened =
            Collection::open({*files_, *clock_, executor_, logger_, metrics_}, root_ + "/c", spec_, options_);
        ASSERT_TRUE(opened.has_value()) << opened.error().message();
        collection_ = std::move(opened).value();
    }

    static model::Document document(uint64_t id, uint64_t seed) {
        model::Document made;
        made.id = model::DocumentId(id);
        auto source = io::make_seeded_random(seed);
        for (uint32_t i = 0; i < kDimension; ++i) {
            made.vector.push_back(static_cast<float>(source->next_u64() % 2001) / 1000.0f - 1.0f);
        }
        model::MetadataWriter writer;
        writer.begin_object();
        writer.key("n");
        writer.put_int(static_cast<int64_t>(id));
        writer.end();
        made.metadata = std::move(writer).finish().value();
        return made;
    }
    void upsert(uint64_t first, uint64_t count, uint64_t seed_offset = 0) {
        std::vector<model::Document> batch;
        for (uint64_t id = first; id < first + count; ++id) {
            batch.push_back(document(id, id + seed_offset));
            expected_[id] = id + seed_offset;
        }
        ASSERT_TRUE(collection_->upsert(std::move(batch)).has_value());
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
    std::set<std::string> segment_files() const {
        std::set<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(root_ + "/c/seg")) {
            names.insert(entry.path().filename().string());
        }
        return names;
    }

    std::string root_;
    std::unique_ptr<io::FileSystem> files_ = io::make_posix_file_system();
    std::unique_ptr<io::Clock> clock_ = io::make_system_clock();
    std::unique_ptr<io::Random> random_ = io::make_seeded_random(1);
    IdleExecutor executor_;
    NullLogger logger_;
    telemetry::Metrics metrics_;
    model::CollectionSpec spec_;
    CollectionOptions options_;
    std::shared_ptr<Collection> collection_;
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
    const std::set<std::string> files = segment_files();
    EXPECT_EQ(files, std::set<std::string>(report->written.begin(), report->written.end()));
    EXPECT_GE(files.size(), 3u);
    for (const std::string& gone : report->removed) {
        EXPECT_FALSE(files.contains(gone));
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
        for (uint64_t round = 0; !is_over.load() || round < 20; ++round) {
            const uint64_t id = 2001 + round % 6000;
            upsert(id, 3, 100'000 * (round + 1));
            remove(id + 1, 1);
            upsert(20'000 + round, 1);
        }
    });
    for (int times = 0; times < 3; ++times) {
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
            const std::string path = root_ + "/c/seg/" + name;
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
    auto generation = std::make_shared<Generation>(model::Metric::kL2, kDimension, index::GraphOptions{}, 7);
    ASSERT_TRUE(generation->rows.reserve(3).has_value());
    const std::vector<float> vector(kDimension, 1.0f);
    for (const std::string_view id : {"a", "b", "c"}) {
        generation->ids.insert(generation->rows.append({vector, 1, id, "", kNoRow}));
    }
    generation->rows.mark_dead(1, 5);
    const auto never = [] { return false; };
    const AuditReport before = audit({generation, 4, 3, 3}, never);
    EXPECT_TRUE(before.faults.empty());
    EXPECT_EQ(before.live, 3u);
    const AuditReport after = audit({generation, 5, 3, 2}, never);
    EXPECT_TRUE(after.faults.empty());
    EXPECT_NE(after.documents_hash, before.documents_hash);
    EXPECT_EQ(audit({generation, 5, 3, 3}, never).faults.size(), 1u) << "a count that is wrong";
    generation->ids.insert(generation->rows.append({vector, 6, "a", "", kNoRow}));
    EXPECT_EQ(audit({generation, 6, 4, 3}, never).faults.size(), 1u)
        << "row 0 is alive and no longer found under its id";
    EXPECT_FALSE(audit({generation, 6, 4, 3}, [] { return true; }).is_complete);
}

}  // namespace
}  // namespace akidb::engine
