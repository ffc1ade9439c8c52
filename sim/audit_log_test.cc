// The audit log on a simulated disk: the power is cut before every call that changes the disk, under every
// model of what a crash leaves, and every call fails in every way. Whatever happens: an acknowledged entry is
// there when the log opens again, a refused one is not promised, the log goes on, and its survey finds no
// fault.
#include "access/audit_log.h"

#include <gtest/gtest.h>

#include "access/audit_survey.h"
#include "sim/sim_clock.h"
#include "sim/sim_file_system.h"

namespace akidb::sim {
namespace {

using access::AuditLog;

constexpr const char* kDirectory = "/data/audit";

struct Acknowledged {
    uint64_t last = 0;
    uint64_t refused = 0;
    std::vector<std::string> checkpoints;
};

class AuditHistory {
  public:
    Result<std::unique_ptr<AuditLog>> open(SimFileSystem& disk) {
        return AuditLog::open(
            disk, *clock_, *random_, kDirectory, key_,
            {.file_bytes = 6 << 10,
             .checkpoint_ms = 3000,
             .retention_ms = 20'000,
             .on_checkpoint = [this](const std::string& line) { done.checkpoints.push_back(line); }});
    }

    /// Starts, appends, rotates, expires, stops and starts again, as far as the disk lets it.
    void play(SimFileSystem& disk) {
        for (int start = 0; start < 2; ++start) {
            Result<std::unique_ptr<AuditLog>> log = open(disk);
            if (!log) {
                EXPECT_NE(log.error().code(), Code::kDataLoss) << log.error().message();
                continue;
            }
            for (int i = 0; i < 40; ++i) {
                step(**log, i);
            }
            if (start == 0) {
                static_cast<void>((*log)->close().has_value());
            }
        }
    }

    void step(AuditLog& log, int i) {
        clock_->advance_us(700'000);
        if (i % 5 == 0) {
            log.note(
                {.actor = "nobody", .action = "document::search", .outcome = access::AuditOutcome::kDenied});
        }
        const Result<uint64_t> sequence = log.append({.actor = "user:ada", .action = "user::read"});
        if (sequence) {
            EXPECT_GT(*sequence, done.last);
            done.last = *sequence;
        } else {
            ++done.refused;
        }
        static_cast<void>(log.tick().has_value());
    }

    /// What the disk holds now must be a log with all that was acknowledged, and it must go on.
    void check(SimFileSystem& disk, const std::string& where) {
        const std::vector<std::string> outside = done.checkpoints;
        Result<std::unique_ptr<AuditLog>> log = open(disk);
        ASSERT_TRUE(log.has_value()) << where << ": " << log.error().message();
        ASSERT_GE((*log)->figures().entries, done.last) << where;
        for (int i = 0; i < 3; ++i) {
            ASSERT_TRUE((*log)->append({.actor = "user:ada", .action = "user::delete"}).has_value()) << where;
        }
        const auto found = access::survey_audit(disk, kDirectory, key_.public_key(), outside);
        ASSERT_TRUE(found.has_value()) << where;
        ASSERT_TRUE(found->faults.empty())
            << where << ": " << found->faults.front().file << ": " << found->faults.front().what;
        ASSERT_EQ((*log)->query({.action = "user::delete"}).value().entries.size(), 3u) << where;
    }

    Acknowledged done;

  private:
    std::shared_ptr<SimClock> clock_ = std::make_shared<SimClock>();
    std::shared_ptr<io::Random> random_ = io::make_seeded_random(7);
    access::AuditKey key_ = access::AuditKey::make(*random_);
};

std::unique_ptr<SimFileSystem> new_disk() {
    auto disk = std::make_unique<SimFileSystem>(1);
    EXPECT_TRUE(disk->make_directory("/data").has_value());
    EXPECT_TRUE(disk->sync_directory("/").has_value());
    return disk;
}

uint64_t calls_of_a_history() {
    const auto disk = new_disk();
    AuditHistory history;
    history.play(*disk);
    EXPECT_EQ(history.done.refused, 0u);
    EXPECT_GT(history.done.last, 90u);
    EXPECT_GE(history.done.checkpoints.size(), 5u);
    return disk->calls();
}

TEST(AuditLogUnderCrashes, KeepsWhatWasAcknowledgedWhereverThePowerIsCut) {
    const uint64_t calls = calls_of_a_history();
    uint64_t crashes = 0;
    for (uint64_t call = 2; call <= calls; call += AKIDB_SIM_SHARE > 1 ? 23 : 1) {
        const auto disk = new_disk();
        AuditHistory history;
        disk->crash_after(call);
        history.play(*disk);
        for (const CrashModel model : kCrashModels) {
            AuditHistory after(history);
            const auto image = disk->crash_image(model, call);
            after.check(*image, "call " + std::to_string(call) + ", " + name_of(model));
            ++crashes;
            if (::testing::Test::HasFatalFailure()) {
                return;
            }
        }
    }
    std::printf("%llu crashes, no acknowledged entry lost\n", static_cast<unsigned long long>(crashes));
}

TEST(AuditLogUnderCrashes, StandsOnWhatAKilledProcessLeftInMemory) {
    const uint64_t calls = calls_of_a_history();
    for (uint64_t call = 2; call <= calls; call += AKIDB_SIM_SHARE > 1 ? 43 : 5) {
        const auto disk = new_disk();
        AuditHistory history;
        disk->crash_after(call);
        history.play(*disk);
        disk->revive();  // killed, not cut off: what was not synced is still to be seen
        history.play(*disk);
        for (const CrashModel model : {CrashModel::kAllUnsyncedLost, CrashModel::kRandomSectors}) {
            AuditHistory after(history);
            const auto image = disk->crash_image(model, call);
            after.check(*image, "killed at call " + std::to_string(call) + ", " + name_of(model));
            if (::testing::Test::HasFatalFailure()) {
                return;
            }
        }
    }
}

TEST(AuditLogUnderFaults, RefusesWhatItCannotKeepAndGoesOn) {
    const uint64_t calls = calls_of_a_history();
    uint64_t refused = 0;
    for (const Fault fault : {Fault::kIoError, Fault::kDiskFull, Fault::kFailedSync, Fault::kShortWrite,
                              Fault::kReadOnly, Fault::kTooManyFiles, Fault::kFailedClose}) {
        for (uint64_t call = 2; call <= calls; call += AKIDB_SIM_SHARE > 1 ? 89 : 7) {
            const auto disk = new_disk();
            AuditHistory history;
            disk->fail_call(call, fault, call % 2 == 0);
            history.play(*disk);
            refused += history.done.refused;
            disk->clear_faults();
            history.play(*disk);
            const auto image = disk->crash_image(CrashModel::kAllUnsyncedLost, call);
            history.check(*image, std::string(name_of(fault)) + " at call " + std::to_string(call));
            if (::testing::Test::HasFatalFailure()) {
                return;
            }
        }
    }
    EXPECT_GT(refused, AKIDB_SIM_SHARE > 1 ? 10u : 500u);
}

}  // namespace
}  // namespace akidb::sim
