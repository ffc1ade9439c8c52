// Scrubs: damage on the disk under a running collection is found, made good from memory where memory has it,
// and else ends the service of the collection.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "engine/collection_for_tests.h"
#include "engine/scrub_pace.h"
#include "storage/segment_container.h"

namespace akidb::engine {
namespace {

/// Moves only when told.
class TestClock final : public io::Clock {
  public:
    uint64_t monotonic_us() const override { return now_us; }
    uint64_t unix_ms() const override { return 1'700'000'000'000 + now_us / 1000; }
    uint64_t now_us = 1;
};

class ScrubTest : public CollectionFixture {
  protected:
    ScrubTest() {
        options_.graph_rows_min = 200;
        options_.checkpoint_linked_rows = 100;
        options_.scrub_interval_us = 1'000'000;
        auto clock = std::make_unique<TestClock>();
        time_ = clock.get();
        clock_ = std::move(clock);
        create();
        upsert(1, 1'500);
        remove(7);
        EXPECT_TRUE(collection_->run_maintenance_now());
        EXPECT_EQ(faults(), 0);
    }

    void remove(uint64_t id) {
        model::WriteKey key;
        key.key = Digester().add("a client's key").finish();
        ASSERT_TRUE(collection_->remove({model::DocumentId(id)}, key).has_value());
    }
    void scrub() {
        time_->now_us += options_.scrub_interval_us;
        ASSERT_TRUE(collection_->run_maintenance_now());
    }
    double metric(const std::string& name) {
        const std::string page = metrics_.expose();
        const size_t at = page.find("\n" + name + " ");
        return at == std::string::npos ? 0 : std::stod(page.substr(at + name.size() + 2));
    }
    double faults() { return metric("akidb_scrub_faults_total{where=\"file\"}"); }
    std::string path_of(const std::string& suffix) {
        const auto entries = files_->list(directory() + "/seg");
        for (const io::DirectoryEntry& entry : *entries) {
            if (entry.name.ends_with(suffix)) {
                return directory() + "/seg/" + entry.name;
            }
        }
        ADD_FAILURE() << "no file " << suffix;
        return {};
    }
    /// A bit of this byte; counted from the end when negative.
    void flip(const std::string& path, int64_t at) {
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        const auto from = at < 0 ? std::ios::end : std::ios::beg;
        file.seekg(at, from);
        const auto byte = static_cast<char>(file.get() ^ 0x10);
        file.seekp(at, from);
        file.put(byte);
        ASSERT_TRUE(file.good());
    }
    void expect_refused() {
        EXPECT_NE(collection_->damage(), "");
        EXPECT_EQ(collection_->count(nullptr).error().code(), Code::kDataLoss);
        model::SearchRequest request;
        request.vector = std::vector<float>(spec_.dimension, 0.5F);
        EXPECT_EQ(collection_->search(request).error().code(), Code::kDataLoss);
        EXPECT_EQ(collection_->get({model::DocumentId(uint64_t{1})}, {}).error().code(), Code::kDataLoss);
        EXPECT_EQ(collection_->upsert({document(9'999, 1)}).error().code(), Code::kDataLoss);
        EXPECT_EQ(collection_->rewrite().error().code(), Code::kDataLoss);
    }

    TestClock* time_ = nullptr;
};

TEST_F(ScrubTest, ReadsEveryByteOnceAnInterval) {
    scrub();
    uint64_t bytes = 0;
    const auto entries = files_->list(directory() + "/seg");
    for (const io::DirectoryEntry& entry : *entries) {
        bytes += entry.size;
    }
    EXPECT_EQ(metric("akidb_scrub_bytes_total"), static_cast<double>(bytes));
    EXPECT_EQ(metric("akidb_scrubs_total{outcome=\"ok\"}"), 1);
    EXPECT_EQ(collection_->stats().scrubbed_at_ms, clock_->unix_ms());
    ASSERT_TRUE(collection_->run_maintenance_now());
    EXPECT_EQ(metric("akidb_scrubs_total{outcome=\"ok\"}"), 1) << "not before the next interval";
    scrub();
    EXPECT_EQ(metric("akidb_scrubs_total{outcome=\"ok\"}"), 2);
}

TEST_F(ScrubTest, BringsWhatTheLogHoldsIntoFilesThatItReads) {
    upsert(5'000, 10);
    EXPECT_LT(collection_->stats().covered_sequence, collection_->stats().last_sequence);
    scrub();
    EXPECT_EQ(collection_->stats().covered_sequence, collection_->stats().last_sequence);
    EXPECT_EQ(metric("akidb_scrubs_total{outcome=\"ok\"}"), 1);
}

TEST_F(ScrubTest, WritesAnewWhatMemoryHolds) {
    double found = 0;
    for (const std::string suffix : {".rows", ".graph", ".dead", ".keys"}) {
        for (const int64_t at : {int64_t{4'100}, int64_t{-40}, int64_t{20}}) {
            flip(path_of(suffix), at);
            scrub();
            EXPECT_EQ(faults(), ++found) << suffix << " at " << at;
            EXPECT_EQ(collection_->damage(), "") << suffix << " at " << at;
        }
    }
    EXPECT_EQ(metric("akidb_scrubs_total{outcome=\"failed\"}"), found);
    open();
    EXPECT_EQ(count(), 1'499u);
    EXPECT_EQ(collection_->stats().linked_rows, 1'500u);
    scrub();
    EXPECT_EQ(metric("akidb_scrubs_total{outcome=\"ok\"}"), 1);
}

TEST_F(ScrubTest, WritesAnewAFileThatACheckpointMadeOfRowsOpenedAndNew) {
    open();
    upsert(20'000, 3'000);  // more than there are, so the next segment swallows the one that is mapped
    scrub();
    flip(path_of(".rows"), 4'100);
    scrub();
    EXPECT_EQ(faults(), 1);
    EXPECT_EQ(collection_->damage(), "");
    open();
    EXPECT_EQ(count(), 4'499u);
}

TEST_F(ScrubTest, WritesADamagedManifestAnew) {
    const auto entries = files_->list(directory());
    for (const io::DirectoryEntry& entry : *entries) {
        if (entry.name.starts_with("MANIFEST")) {
            flip(directory() + "/" + entry.name, 30);
        }
    }
    scrub();
    EXPECT_EQ(faults(), 1);
    open();
    EXPECT_EQ(count(), 1'499u);
}

TEST_F(ScrubTest, EndsTheServiceWhenOnlyTheFileHasTheRows) {
    open();
    const std::string path = path_of(".rows");
    flip(path, 4'100);
    scrub();
    EXPECT_EQ(faults(), 1);
    EXPECT_NE(collection_->damage().find(path), std::string::npos) << collection_->damage();
    expect_refused();
    ASSERT_TRUE(collection_->close(true));
    EXPECT_EQ(Collection::open({*files_, *clock_, executor_, logger_, metrics_}, directory(), spec_, options_)
                  .error()
                  .code(),
              Code::kDataLoss);
}

TEST_F(ScrubTest, EndsTheServiceWhenListsWentBadThatWereStillReadFromTheirFile) {
    options_.graph.lent_bytes_min = 0;
    open();
    const std::string path = path_of(".graph");
    flip(path, 4'100);
    scrub();
    EXPECT_NE(collection_->damage().find(path), std::string::npos) << collection_->damage();
    expect_refused();
}

TEST_F(ScrubTest, WritesListsAnewOnceMemoryHasTheirCopy) {
    options_.graph.lent_bytes_min = 0;
    open();
    ASSERT_TRUE(collection_->run_maintenance_now());
    flip(path_of(".graph"), 4'100);
    scrub();
    EXPECT_EQ(faults(), 1);
    EXPECT_EQ(collection_->damage(), "");
    open();
    EXPECT_EQ(collection_->stats().linked_rows, 1'500u);
}

TEST_F(ScrubTest, ACheckpointGivesNoDamageGoodChecksums) {
    open();
    flip(path_of(".rows"), 4'100);
    upsert(10'000, 3'000);  // so many that the next checkpoint writes the elder segment again
    ASSERT_TRUE(collection_->run_maintenance_now());
    expect_refused();
    EXPECT_EQ(collection_->stats().is_poisoned, false) << "the log is whole";
}

TEST_F(ScrubTest, ARewriteThatFindsDamageEndsTheServiceToo) {
    open();
    flip(path_of(".rows"), 4'100);
    EXPECT_EQ(collection_->rewrite().error().code(), Code::kDataLoss);
    expect_refused();
}

TEST_F(ScrubTest, FindsABitAtBothEndsOfEachSection) {
    for (const std::string suffix : {".rows", ".graph", ".dead", ".keys"}) {
        const auto container = storage::SegmentContainer::open_alone(*files_, path_of(suffix));
        ASSERT_TRUE(container.has_value());
        for (const storage::Section& section : container->sections()) {
            for (const uint64_t at : {section.offset, section.offset + section.length - 1}) {
                flip(path_of(suffix), static_cast<int64_t>(at));
                const double before = faults();
                scrub();
                EXPECT_EQ(faults(), before + 1) << suffix << " at " << at;
            }
        }
    }
}

TEST_F(ScrubTest, GoesOnLaterWhenTheDiskCannotBeAsked) {
    const std::string path = path_of(".graph");
    const std::string aside = root_ / "aside";
    std::filesystem::rename(path, aside);
    std::filesystem::create_directory(path);  // opens, but is no file
    scrub();
    EXPECT_EQ(metric("akidb_scrub_faults_total{where=\"read\"}"), 1);
    EXPECT_EQ(collection_->damage(), "");
    EXPECT_EQ(metric("akidb_scrubs_total{outcome=\"failed\"}"), 1);
    EXPECT_EQ(collection_->stats().scrubbed_at_ms, 0u);
    std::filesystem::remove(path);
    std::filesystem::rename(aside, path);
    scrub();
    EXPECT_EQ(metric("akidb_scrubs_total{outcome=\"ok\"}"), 1);
}

TEST(ScrubPace, GivesNoMoreThanItsRate) {
    ScrubPace pace(1 << 20);
    uint64_t taken = 0;
    for (uint64_t us = 0; us <= 10'000'000; us += 10'000) {
        taken += pace.take(us, 1 << 20);
    }
    EXPECT_LE(taken, 10u << 20);
    EXPECT_GE(taken, (10u << 20) - (64 << 10));
    EXPECT_EQ(pace.take(1'000'000'000, UINT64_MAX), 4u << 20) << "what a long pause leaves is bounded";
    EXPECT_FALSE(pace.has_any(1'000'000'000));
}

}  // namespace
}  // namespace akidb::engine
