// The log as others copy it: what they were told is written they can read, and it stays until they have it.
#include <gtest/gtest.h>

#include "engine/collection_for_tests.h"

namespace akidb::engine {
namespace {

class LogTest : public CollectionFixture {
  protected:
    LogTest() {
        options_.held_log_bytes_max = 16 << 20;
        options_.checkpoint_log_bytes = 1;
        options_.log.preallocate_bytes_min = 64;
        options_.log.preallocate_bytes_max = 64;
    }

    void checkpoint() { ASSERT_TRUE(collection_->run_maintenance_now()); }

    /// "first-last".
    std::string read(uint64_t from) {
        const LogReach reach = collection_->reach_log().value();
        std::vector<uint64_t> found;
        uint64_t last_ms = 0;
        const auto read =
            collection_->read_log({from, reach.sequence}, [&](const storage::TimedRecord& record) {
                EXPECT_GE(record.unix_ms, last_ms);
                EXPECT_LE(record.unix_ms, reach.unix_ms);
                last_ms = record.unix_ms;
                found.push_back(record.sequence);
                return Result<bool>(true);
            });
        EXPECT_TRUE(read) << read.error().message();
        return found.empty() ? "nothing" : std::to_string(found.front()) + "-" + std::to_string(found.back());
    }
};

TEST_F(LogTest, StaysBeyondCheckpointsAndStartsUntilItIsReleased) {
    create();
    upsert(1, 5);
    upsert(6, 5);
    checkpoint();
    upsert(11, 5);
    checkpoint();
    EXPECT_EQ(collection_->stats().covered_sequence, 3u);
    EXPECT_EQ(read(1), "1-3");
    open();
    EXPECT_EQ(collection_->stats().opened_sequence, 3u);
    EXPECT_EQ(read(1), "1-3");
    EXPECT_EQ(read(3), "3-3");
    upsert(16, 5);
    checkpoint();
    collection_->release_log(3);
    EXPECT_EQ(read(1), "4-4");
    collection_->release_log(4);
    EXPECT_EQ(collection_->reach_log()->sequence, 4u);
    EXPECT_EQ(read(1), "nothing");
}

TEST_F(LogTest, IsNotHeldBeyondItsBoundNorThroughAnErase) {
    create();
    upsert(1, 5);
    checkpoint();
    ASSERT_TRUE(collection_->erase({model::DocumentId(uint64_t{1})}));
    EXPECT_EQ(read(1), "nothing");
    options_.held_log_bytes_max = 1;
    open();
    upsert(6, 5);
    EXPECT_EQ(read(1), "3-3") << "no checkpoint covers it";
    checkpoint();
    EXPECT_EQ(read(1), "nothing");
}

TEST_F(LogTest, WritesBeyondAReachAreStampedLater) {
    create();
    upsert(1, 1);
    for (uint64_t id = 2; id < 50; ++id) {
        const LogReach reach = collection_->reach_log().value();
        upsert(id, 1);
        ASSERT_TRUE(collection_->read_log({id, id}, [&](const storage::TimedRecord& record) {
            EXPECT_GT(record.unix_ms, reach.unix_ms);
            return Result<bool>(true);
        }));
    }
}

class WallAlone final : public io::Clock {
  public:
    uint64_t monotonic_us() const override { return now_us; }
    uint64_t unix_ms() const override { return wall_ms; }
    uint64_t now_us = 1'000'000;
    uint64_t wall_ms = 1'700'000'000'000;
};

/// Not in a process, and not from one to the next that finds the log.
TEST_F(LogTest, TimesDoNotGoBackWithTheClock) {
    constexpr uint64_t kDayMs = uint64_t{24} * 3'600'000;
    const auto set = [this](uint64_t wall_ms) {
        auto made = std::make_unique<WallAlone>();
        made->wall_ms = wall_ms;
        collection_.reset();
        clock_ = std::move(made);
    };
    const uint64_t start_ms = WallAlone().wall_ms;
    set(start_ms);
    create();
    upsert(1, 1);
    static_cast<WallAlone&>(*clock_).wall_ms = start_ms - kDayMs;
    upsert(2, 1);
    const LogReach reach = collection_->reach_log().value();
    EXPECT_GE(reach.unix_ms, start_ms);
    set(start_ms - 2 * kDayMs);
    open();
    upsert(3, 1);
    EXPECT_EQ(read(1), "1-3");  // expects them in order
    EXPECT_GE(collection_->reach_log()->unix_ms, start_ms);
    EXPECT_GE(clock_->stamp_ms(), start_ms) << "nor do those of what is written elsewhere";
}

}  // namespace
}  // namespace akidb::engine
