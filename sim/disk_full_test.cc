// Histories on a simulated disk that fills, is full, crashes while it is full, and has space again: an upsert
// is done or refused with kDiskFull and without a trace, a delete is done as long as there is a ballast,
// nothing acknowledged is lost, the collection opens, and everything is accepted again without a restart.
#include <gtest/gtest.h>

#include "sim/oracle.h"
#include "sim/sim_clock.h"
#include "sim/sim_executor.h"
#include "sim/sim_file_system.h"
#include "storage/disk_space.h"

namespace akidb::sim {
namespace {

constexpr uint64_t kBallast = 32 << 10;
constexpr uint64_t kHard = 4 << 10;
constexpr uint64_t kUnlimited = UINT64_MAX;
constexpr uint64_t kHistories = 60;

engine::CollectionOptions small_options() {
    engine::CollectionOptions options;
    options.graph_rows_min = 60;
    options.graph.degree = 16;
    options.graph.build_ef = 32;
    options.checkpoint_log_bytes = 4 << 10;
    options.checkpoint_linked_rows = 40;
    options.maintenance_slice_rows = 16;
    options.log.file_bytes = 8 << 10;
    options.log.preallocate_bytes_min = 2 << 10;
    options.log.preallocate_bytes_max = 4 << 10;
    return options;
}

model::CollectionSpec spec() {
    model::CollectionSpec made;
    made.id = make_uuid_v7(1, 2, 3);
    made.name = "simulated";
    made.dimension = kDimension;
    made.metric = model::Metric::kL2;
    return made;
}

/// A process on a disk: what is made anew at every start.
class Process {
  public:
    Process(SimFileSystem& disk, uint64_t seed)
        : executor(seed),
          space(disk, clock, "/data",
                {.soft_free_bytes = 2 * kHard, .hard_free_bytes = kHard, .ballast_bytes = kBallast}),
          opened(engine::Collection::open({disk, clock, executor, logger, metrics, &space}, "/data/c", spec(),
                                          small_options())) {}

    SimClock clock;
    SimExecutor executor;
    NullLogger logger;
    telemetry::Metrics metrics;
    storage::DiskSpace space;
    Result<std::shared_ptr<engine::Collection>> opened;
};

class History {
  public:
    explicit History(uint64_t seed) : dice_(seed), disk_(seed) {
        EXPECT_TRUE(disk_.make_directory("/data").has_value());
        EXPECT_TRUE(disk_.sync_directory("/").has_value());
        EXPECT_TRUE(engine::Collection::create(disk_, "/data", "/data/c").has_value());
    }

    void play() {
        Process process(disk_, dice_.next());
        ASSERT_TRUE(process.opened.has_value());
        write(process, 30);
        disk_.set_capacity(disk_.total_bytes() + dice_.below(8 << 10));
        write(process, 40);
        check(**process.opened, oracle_);
        if (dice_.coin()) {
            crash();
        }
        disk_.set_capacity(kUnlimited);
        process.space.tend();
        EXPECT_EQ(process.space.ballast_bytes(), kBallast);
        const uint64_t refused = refused_;
        write(process, 20);
        EXPECT_EQ(refused_, refused) << "there is space again";
        check(**process.opened, oracle_);
    }

    uint64_t refused_ = 0;
    uint64_t ballasts_used_ = 0;

  private:
    void write(Process& process, int count) {
        for (int i = 0; i < count; ++i) {
            const Operation operation = random_operation(dice_, stamp_, kSimStartMs);
            const bool had_ballast = process.space.ballast_bytes() > 0;
            const auto reply = perform(operation, **process.opened);
            if (reply.has_value()) {
                oracle_.acknowledged(operation);
            } else {
                ++refused_;
                ASSERT_EQ(reply.error().code(), Code::kDiskFull) << reply.error().message();
                ASSERT_TRUE(operation.kind == Operation::Kind::kUpsert || !had_ballast)
                    << "a delete was refused: " << reply.error().message();
            }
            ballasts_used_ += had_ballast && process.space.ballast_bytes() == 0 ? 1 : 0;
            if (dice_.one_in(3)) {
                process.executor.run_one();
            }
        }
        EXPECT_FALSE((*process.opened)->stats().is_poisoned) << "a full disk passes";
    }

    void check(const engine::Collection& collection, Oracle oracle) {
        Dice dice(dice_.next());
        EXPECT_EQ(oracle.check(collection, dice), "");
    }

    /// Opens what the disk holds, as full as it is; what does not fit opens when there is space.
    void crash() {
        for (const CrashModel model : kCrashModels) {
            const std::unique_ptr<SimFileSystem> image = disk_.crash_image(model, dice_.next());
            auto process = std::make_unique<Process>(*image, dice_.next());
            if (!process->opened.has_value()) {
                EXPECT_EQ(process->opened.error().code(), Code::kDiskFull)
                    << process->opened.error().message();
                EXPECT_EQ(process->space.ballast_bytes(), 0u)
                    << "there was a ballast for the copy of the log";
                image->set_capacity(kUnlimited);
                process = std::make_unique<Process>(*image, dice_.next());
            }
            ASSERT_TRUE(process->opened.has_value()) << process->opened.error().message();
            check(**process->opened, oracle_);
        }
    }

    Dice dice_;
    SimFileSystem disk_;
    Oracle oracle_;
    int64_t stamp_ = 1;
};

TEST(DiskFull, RefusesUpsertsKeepsDeletingAndRecovers) {
    uint64_t refused = 0;
    uint64_t ballasts_used = 0;
    for (uint64_t seed = 1; seed <= kHistories && !::testing::Test::HasFailure(); ++seed) {
        SCOPED_TRACE(seed);
        History history(seed);
        history.play();
        refused += history.refused_;
        ballasts_used += history.ballasts_used_;
    }
    EXPECT_GT(refused, 10 * kHistories) << "the histories must get as far as a full disk";
    EXPECT_GT(ballasts_used, kHistories / 10) << "some deletes must need the ballast";
}

}  // namespace
}  // namespace akidb::sim
