// Schedules, and backups that run themselves: made when due, pruned, restored for practice, known again after
// a restart, and tried again when they fail.
#include "service/scheduled_backups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "io/random.h"
#include "service/directory.h"
#include "storage/files_for_tests.h"

namespace akidb::service {
namespace {

namespace fs = std::filesystem;
using telemetry::MetricId;
using testing::HasSubstr;

constexpr uint64_t kHourMs = uint64_t{3600} * 1000;
constexpr uint64_t kDayMs = 24 * kHourMs;

TEST(BackupTimes, AnIntervalCountsFromTheBeginningOfTheLast) {
    const BackupTimes times = BackupTimes::parse("6h").value();
    EXPECT_EQ(times.next_ms(0), 0u) << "at once when there is none";
    EXPECT_EQ(times.next_ms(1000), 1000 + 6 * kHourMs);
    EXPECT_EQ(BackupTimes::parse("90s")->next_ms(1), 90'001u);
    EXPECT_EQ(BackupTimes::parse("366d")->next_ms(1), 366 * kDayMs + 1);
    EXPECT_EQ(BackupTimes::parse("5s")->retry_ms(), 5'000u);
    EXPECT_EQ(times.retry_ms(), 600'000u);
}

TEST(BackupTimes, ATimeOfDayComesOnceADayAndIsMadeUpFor) {
    const BackupTimes times = BackupTimes::parse("03:30").value();
    const uint64_t at = 3 * kHourMs + kHourMs / 2;
    EXPECT_EQ(times.next_ms(0), 0u);
    EXPECT_EQ(times.next_ms(10 * kDayMs), 10 * kDayMs + at);
    EXPECT_EQ(times.next_ms(10 * kDayMs + at - 1), 10 * kDayMs + at);
    EXPECT_EQ(times.next_ms(10 * kDayMs + at), 11 * kDayMs + at);
    EXPECT_EQ(times.next_ms(10 * kDayMs + at + 1), 11 * kDayMs + at);
    EXPECT_EQ(BackupTimes::parse("00:00")->next_ms(kDayMs - 1), kDayMs);
}

TEST(BackupTimes, WhatIsNoScheduleIsRefused) {
    for (const char* text : {"", "h", "0h", "6", "6w", "-6h", "367d", "99999999999d", "3:30", "24:00",
                             "03:60", "03:3", "03:300", "03:30 ", "1h30m"}) {
        EXPECT_FALSE(BackupTimes::parse(text)) << text;
    }
}

/// Time that passes when the test says so.
class SetClock final : public io::Clock {
  public:
    uint64_t monotonic_us() const override { return now_ms_ * 1000; }
    uint64_t unix_ms() const override { return zero_ms_ + now_ms_; }
    void pass_ms(uint64_t duration_ms) { now_ms_ += duration_ms; }
    void jump_ms(int64_t by) { zero_ms_ += static_cast<uint64_t>(by); }

  private:
    std::atomic<uint64_t> now_ms_{1000};
    std::atomic<uint64_t> zero_ms_{1'700'000'000'000};
};

/// Jobs run when they are submitted.
class AtOnce final : public io::Executor {
  public:
    bool submit(std::string, Job job) override {
        job(stop.get_token());
        return true;
    }
    std::stop_source stop;
};

/// The worst that was logged.
class Loudest final : public Logger {
  public:
    void log(LogLevel level, std::string_view, std::initializer_list<LogField>) override {
        worst = std::max(worst, level);
    }
    LogLevel worst = LogLevel::kDebug;
};

class Idle final : public io::Executor {
  public:
    bool submit(std::string, Job) override { return false; }
};

class ScheduledBackupsTest : public testing::Test {
  protected:
    void SetUp() override {
        for (const char* name : {"", "/collections", "/staging"}) {
            ASSERT_TRUE(files_->make_directory(root_ / "data" + name)) << name;
        }
        catalog_ = catalog::Catalog::open(root_ / "data/akidb.db").value();
        directory_ = std::make_unique<Directory>(
            engine::Dependencies{*files_, clock_, idle_, logger_, metrics_}, *random_, *catalog_,
            root_ / "data/collections", engine::CollectionOptions{});
        ASSERT_TRUE(directory_->start_loading(now_));
        ASSERT_TRUE(directory_->create({}, {.name = "words", .dimension = 16}));
        write(1);
        start();
    }
    void TearDown() override { EXPECT_TRUE(directory_->close_all(false)); }

    void start(uint64_t drill_interval_ms = kDayMs) {
        const backup::OpenTarget open = [this](const std::string& place, backup::TargetUse use) {
            return backup::Target::open({*files_, clock_, *random_, *pause_}, place, {}, use);
        };
        Backups::Dependencies asked{*directory_, *catalog_, {*files_, clock_, *random_, *pause_},
                                    now_,        logger_,   metrics_};
        asked.data = root_ / "data";
        asked.owner.bytes.fill(1);
        asked.open_target = open;
        asked.busy_bytes_per_second = 32 << 20;
        backups_ = std::make_unique<Backups>(std::move(asked));
        ScheduledBackups::Dependencies given{*backups_, *files_, clock_, now_, logger_, metrics_};
        given.open_target = open;
        given.scratch = root_ / "data/staging";
        given.owner.bytes.fill(1);
        scheduled_ = std::make_unique<ScheduledBackups>(std::move(given),
                                                        BackupPlan{.to = root_ / "backups",
                                                                   .times = BackupTimes::parse("6h").value(),
                                                                   .retention = {.keep_last = 3},
                                                                   .drill_interval_ms = drill_interval_ms});
    }

    void write(uint64_t id) {
        model::Document made;
        made.id = model::DocumentId(id);
        made.vector.assign(16, static_cast<float>(id));
        ASSERT_TRUE(directory_->find({{}, "words"}).value()->upsert({made}));
    }

    size_t backups_there() const {
        size_t count = 0;
        for (const auto& entry : fs::directory_iterator(root_ / "backups/backups")) {
            count += entry.is_regular_file() ? 1 : 0;
        }
        return count;
    }
    std::string some_blob() const {
        for (const auto& entry : fs::recursive_directory_iterator(root_ / "backups/blobs")) {
            if (entry.is_regular_file() && entry.file_size() > 0) {
                return entry.path().string();
            }
        }
        return {};
    }
    std::string exposed() const { return metrics_.expose(); }

    storage::TempDirectory root_;
    std::unique_ptr<io::FileSystem> files_ = io::make_posix_file_system();
    SetClock clock_;
    std::unique_ptr<io::Random> random_ = io::make_system_random();
    std::unique_ptr<io::Pause> pause_ = io::make_system_pause();
    AtOnce now_;
    Idle idle_;
    Loudest logger_;
    telemetry::Metrics metrics_;
    std::unique_ptr<catalog::Catalog> catalog_;
    std::unique_ptr<Directory> directory_;
    std::unique_ptr<Backups> backups_;
    std::unique_ptr<ScheduledBackups> scheduled_;
};

TEST_F(ScheduledBackupsTest, AreMadeWhenDueAndPrunedAndRestoredForPractice) {
    scheduled_->tend();
    EXPECT_EQ(backups_there(), 1u) << "there was none, so it was due";
    const PlanState first = scheduled_->state();
    EXPECT_EQ(first.error, "");
    EXPECT_EQ(first.next_ms, first.last_ms + 6 * kHourMs);
    ASSERT_TRUE(first.last_drill) << "the first shows at once that it can be restored";
    EXPECT_THAT(first.last_drill->faults, testing::IsEmpty());
    EXPECT_EQ(first.next_drill_ms, first.verified_ms + kDayMs);
    EXPECT_THAT(exposed(), HasSubstr("akidb_backup_drills_total{outcome=\"ok\"} 1"));
    EXPECT_TRUE(fs::is_empty(root_ / "data/staging"));
    const std::string report =
        storage::read_bytes(root_ / "backups/drills/" + first.last_drill->backup.to_string());
    EXPECT_THAT(report, HasSubstr("1 collection, 1 document,"));
    EXPECT_THAT(report, HasSubstr("the backup is whole"));

    clock_.pass_ms(6 * kHourMs - 1);
    scheduled_->tend();
    EXPECT_EQ(backups_there(), 1u);
    clock_.pass_ms(1);
    scheduled_->tend();
    EXPECT_EQ(backups_there(), 2u);
    EXPECT_THAT(exposed(), HasSubstr("akidb_backup_drills_total{outcome=\"ok\"} 1"));
    for (uint64_t i = 0; i < 8; ++i) {
        clock_.pass_ms(6 * kHourMs);
        write(i + 2);
        scheduled_->tend();
    }
    EXPECT_EQ(backups_there(), 3u) << "keep_last";
    EXPECT_THAT(exposed(), HasSubstr("akidb_backups_total{outcome=\"ok\"} 10"));
    EXPECT_THAT(exposed(), HasSubstr("akidb_backup_drills_total{outcome=\"ok\"} 3"));
}

TEST_F(ScheduledBackupsTest, TellWhichOfThemHoldWhatWasErasedUntilWhen) {
    const Uuid words = directory_->describe({{}, "words"})->spec.id;
    EXPECT_TRUE(scheduled_->find_held_copies(words).backups.empty()) << "there is none yet";
    scheduled_->tend();
    clock_.pass_ms(6 * kHourMs);
    scheduled_->tend();
    ASSERT_TRUE(backups_->start(root_ / "by-hand"));
    const HeldCopies held = scheduled_->find_held_copies(words);
    EXPECT_EQ(held.error, "");
    EXPECT_FALSE(held.log_until_ms) << "nothing is archived";
    ASSERT_EQ(held.backups.size(), 3u);
    EXPECT_EQ(held.backups[2].until_ms, 0u) << "nobody prunes the one that was made by hand";
    Uuid other;
    other.bytes.fill(7);
    EXPECT_EQ(scheduled_->find_held_copies(other).backups.size(), 1u)
        << "what was made elsewhere is not looked at, so it may hold it";
    for (size_t i = 0; i < 2; ++i) {
        const std::string manifest = root_ / "backups/backups/" + held.backups[i].id.to_string();
        while (clock_.unix_ms() + 6 * kHourMs < held.backups[i].until_ms) {
            clock_.pass_ms(6 * kHourMs);
            scheduled_->tend();
            EXPECT_TRUE(fs::exists(manifest));
        }
        clock_.pass_ms(6 * kHourMs);
        scheduled_->tend();
        EXPECT_FALSE(fs::exists(manifest)) << "it is gone when it was said to be";
    }
    fs::remove_all(root_ / "backups");
    storage::write_bytes(root_ / "backups", "no directory");
    EXPECT_THAT(scheduled_->find_held_copies(words).error, HasSubstr("could not be read"));
    EXPECT_EQ(logger_.worst, LogLevel::kWarning);
}

TEST_F(ScheduledBackupsTest, ThatMakeWayForSearchesEndAndAreWhole) {
    SearchLoad load;
    const SearchLoad::Running endless(load);
    backups_->attach(load);
    for (uint64_t i = 2; i < 10; ++i) {
        write(i);
    }
    scheduled_->tend();
    EXPECT_EQ(backups_there(), 1u);
    ASSERT_TRUE(scheduled_->state().last_drill);
    EXPECT_THAT(scheduled_->state().last_drill->faults, testing::IsEmpty());
}

TEST_F(ScheduledBackupsTest, KnowAfterARestartWhenTheLastWas) {
    scheduled_->tend();
    const PlanState before = scheduled_->state();
    clock_.pass_ms(kHourMs);
    start();
    scheduled_->tend();
    EXPECT_EQ(backups_there(), 1u);
    EXPECT_EQ(scheduled_->state().last_ms, before.last_ms);
    EXPECT_EQ(scheduled_->state().verified_ms, before.verified_ms);
    EXPECT_EQ(scheduled_->state().next_ms, before.next_ms);
}

TEST_F(ScheduledBackupsTest, WhatFailsIsToldAndTriedAgain) {
    std::ofstream(root_ / "backups") << "a file where a directory should be";
    scheduled_->tend();
    EXPECT_THAT(scheduled_->state().error, HasSubstr("backups"));
    EXPECT_THAT(exposed(), HasSubstr("akidb_backups_total{outcome=\"failed\"} 1"));
    scheduled_->tend();
    EXPECT_THAT(exposed(), HasSubstr("akidb_backups_total{outcome=\"failed\"} 1")) << "not at once";
    fs::remove(root_ / "backups");
    clock_.pass_ms(600'000);
    scheduled_->tend();
    EXPECT_EQ(backups_there(), 1u);
    EXPECT_EQ(scheduled_->state().error, "");
}

constexpr int64_t kYearMs = int64_t{365} * 24 * 3600 * 1000;

TEST_F(ScheduledBackupsTest, AClockSetBackPutsNothingOff) {
    scheduled_->tend();
    ASSERT_EQ(backups_there(), 1u);
    clock_.jump_ms(-kYearMs);
    for (size_t made = 2; made < 5; ++made) {
        write(made);
        scheduled_->tend();
        EXPECT_EQ(backups_there(), std::min<size_t>(made, 3)) << "one at once, and then as scheduled";
        scheduled_->tend();
        clock_.pass_ms(6 * kHourMs - 1);
        scheduled_->tend();
        EXPECT_EQ(backups_there(), std::min<size_t>(made, 3));
        EXPECT_EQ(scheduled_->state().error, "");
        clock_.pass_ms(1);
    }
    EXPECT_EQ(backups_->list().size(), 4u);
    EXPECT_THAT(scheduled_->state().last_drill->faults, testing::IsEmpty());
}

TEST_F(ScheduledBackupsTest, AFailureIsTriedAgainInTimeWhateverTheClockSays) {
    std::ofstream(root_ / "backups") << "a file where a directory should be";
    scheduled_->tend();
    fs::remove(root_ / "backups");
    clock_.jump_ms(-kYearMs);
    clock_.pass_ms(599'999);
    scheduled_->tend();
    EXPECT_NE(scheduled_->state().error, "");
    clock_.pass_ms(1);
    scheduled_->tend();
    EXPECT_EQ(backups_there(), 1u);
}

TEST_F(ScheduledBackupsTest, AJumpForwardsPrunesNothingBeforeItHasLasted) {
    for (uint64_t i = 1; i <= 3; ++i) {
        scheduled_->tend();
        clock_.pass_ms(6 * kHourMs);
        write(i + 1);
    }
    EXPECT_EQ(backups_there(), 3u);
    clock_.jump_ms(kYearMs);
    scheduled_->tend();
    EXPECT_EQ(backups_there(), 4u) << "keep_last is three";
    EXPECT_EQ(scheduled_->state().error, "");
    clock_.pass_ms(6 * kHourMs);
    scheduled_->tend();
    EXPECT_EQ(backups_there(), 3u);
}

/// A server that starts with a wrong clock makes backups that would go first.
TEST_F(ScheduledBackupsTest, NothingIsPrunedBehindABackupOfTheFuture) {
    for (uint64_t i = 1; i <= 3; ++i) {
        scheduled_->tend();
        clock_.pass_ms(6 * kHourMs);
        write(i + 1);
    }
    const std::unique_ptr<backup::Target> target =
        backup::Target::open({*files_, clock_, *random_, *pause_}, root_ / "backups", {},
                             backup::TargetUse::kWrite)
            .value();
    class WrongClock final : public io::Clock {
      public:
        uint64_t monotonic_us() const override { return 0; }
        uint64_t unix_ms() const override { return 1'600'000'000'000; }
    } wrong;
    backup::Repository repository(target->store(), wrong);
    const auto refused = backup::prune(repository, wrong, Uuid{}, {.keep_last = 1});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::kConflict);
    EXPECT_THAT(refused.error().message(), HasSubstr("which is to come"));
    EXPECT_EQ(backups_there(), 3u);
}

TEST_F(ScheduledBackupsTest, OneThatAStopCutsShortIsNoFailure) {
    now_.stop.request_stop();
    scheduled_->tend();
    EXPECT_EQ(backups_->list().front().stage, BackupStage::kFailed) << "it is not there all the same";
    EXPECT_THAT(backups_->list().front().error, HasSubstr("stopping"));
    EXPECT_LT(logger_.worst, LogLevel::kWarning);
    EXPECT_THAT(exposed(), testing::Not(HasSubstr("akidb_backups_total{outcome=\"failed\"} 1")));
}

TEST_F(ScheduledBackupsTest, ADrillThatFailsNamesWhatIsDamagedAndIsRepeated) {
    start(2 * kHourMs);
    scheduled_->tend();
    const std::string blob = some_blob();
    const std::string whole = storage::read_bytes(blob);
    storage::write_bytes(blob, storage::with_flipped_bit(whole, 9));
    clock_.pass_ms(2 * kHourMs);
    scheduled_->tend();
    const PlanState state = scheduled_->state();
    ASSERT_EQ(backups_there(), 1u);
    ASSERT_TRUE(state.last_drill);
    ASSERT_EQ(state.last_drill->faults.size(), 1u);
    EXPECT_THAT(state.last_drill->faults[0], HasSubstr(fs::path(blob).filename().string()));
    EXPECT_THAT(exposed(), HasSubstr("akidb_backup_drills_total{outcome=\"failed\"} 1"));
    EXPECT_EQ(state.next_drill_ms, state.last_drill->ended_ms + kHourMs / 2);
    const std::string report =
        storage::read_bytes(root_ / "backups/drills/" + state.last_drill->backup.to_string());
    EXPECT_THAT(report, HasSubstr("the backup is NOT whole"));
    EXPECT_TRUE(fs::is_empty(root_ / "data/staging"));
    storage::write_bytes(blob, whole);
    clock_.pass_ms(kHourMs / 2);
    scheduled_->tend();
    EXPECT_THAT(scheduled_->state().last_drill->faults, testing::IsEmpty());
    EXPECT_THAT(exposed(), HasSubstr("akidb_backup_drills_total{outcome=\"failed\"} 1"));
}

}  // namespace
}  // namespace akidb::service
