// ScheduledBackups: backups that nobody has to ask for: made when they are due, followed by a prune, and the
// newest restored for practice now and then (backup/practice.h). When the last ones were is read from where
// they lie, so it outlives the process and needs no file here. One is due at once where the archived log has
// no backup to go on from: on a new timeline, and after a gap. What fails is logged and counted, and tried
// again after BackupTimes::retry_ms. One thing at a time, as a job. Thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "backup/practice.h"
#include "backup/target.h"
#include "backup/upkeep.h"
#include "base/logger.h"
#include "base/mutex.h"
#include "io/executor.h"
#include "service/backup_times.h"
#include "service/backups.h"
#include "service/held_copies.h"
#include "service/log_archiver.h"
#include "storage/disk_space.h"
#include "telemetry/metrics.h"

namespace akidb::service {

struct BackupPlan {
    std::string to;  // as Backups::start says
    BackupTimes times;
    bool prunes = true;
    backup::Retention retention{};
    uint64_t drill_interval_ms = 0;  // 0: nothing is restored for practice
};

/// A restore for practice.
struct DrillState {
    Uuid backup;
    uint64_t ended_ms = 0;
    uint64_t duration_ms = 0;
    std::vector<std::string> faults{};  // none: the backup is whole
};

struct PlanState {
    std::string to;
    std::string schedule;
    uint64_t next_ms = 0;      // 0: at once
    uint64_t last_ms = 0;      // when the newest backup there began; 0: none is known
    std::string error{};       // of the last attempt, if it failed
    uint64_t verified_ms = 0;  // when one there was last restored for practice; 0: never
    uint64_t next_drill_ms = 0;
    std::optional<DrillState> last_drill{};  // of this process
};

class ScheduledBackups {
  public:
    struct Dependencies {
        Backups& backups;
        io::FileSystem& files;
        io::Clock& clock;
        io::Executor& executor;  // outlives this; stopped before it goes
        Logger& logger;
        telemetry::Metrics& metrics;
        const storage::DiskSpace* disk = nullptr;  // null: only the disk itself says when it is full
        backup::OpenTarget open_target{};
        std::string scratch{};                      // a directory that is there
        Uuid owner{};                               // of locks, as of Backups
        LogArchiver* archiver = nullptr;            // null: the log is not archived
        backup::TenantKeys* tenant_keys = nullptr;  // as of Backups
    };
    ScheduledBackups(Dependencies dependencies, BackupPlan plan);

    /// Submits what is due. To be called every few seconds while the server is ready; quick.
    void tend() AKIDB_EXCLUDES(mutex_);
    PlanState state() const AKIDB_EXCLUDES(mutex_);
    /// Reads all manifests where the backups lie. What cannot be found out is logged, and told as `error`.
    HeldCopies find_held_copies(const Uuid& collection) const;

  private:
    void run(const std::stop_token& stop) AKIDB_EXCLUDES(mutex_);
    Result<void> look() AKIDB_EXCLUDES(mutex_);
    Result<void> back_up(const std::stop_token& stop) AKIDB_EXCLUDES(mutex_);
    Result<void> prune() const;
    void drill(const std::stop_token& stop) AKIDB_EXCLUDES(mutex_);
    Result<void> practise(DrillState& drill, const std::stop_token& stop) const;
    Result<void> expect_space(uint64_t bytes) const;
    bool backup_is_due(bool is_wanted) const AKIDB_REQUIRES(mutex_);
    bool archiver_wants_backup() const {
        return given_.archiver != nullptr && given_.archiver->wants_backup();
    }
    bool drill_is_due() const AKIDB_REQUIRES(mutex_);
    uint64_t next_drill_ms() const AKIDB_REQUIRES(mutex_);
    uint64_t in_ms(uint64_t monotonic_us) const;

    const Dependencies given_;
    const BackupPlan plan_;
    mutable Mutex mutex_;
    bool is_busy_ AKIDB_GUARDED_BY(mutex_) = false;
    bool is_known_ AKIDB_GUARDED_BY(mutex_) = false;    // what lies there
    bool lacks_base_ AKIDB_GUARDED_BY(mutex_) = false;  // of the timeline that is written
    uint64_t last_ms_ AKIDB_GUARDED_BY(mutex_) = 0;
    uint64_t verified_ms_ AKIDB_GUARDED_BY(mutex_) = 0;
    uint64_t not_before_us_ AKIDB_GUARDED_BY(mutex_) = 0;       // after what failed
    uint64_t no_drill_before_us_ AKIDB_GUARDED_BY(mutex_) = 0;  // the same
    std::string error_ AKIDB_GUARDED_BY(mutex_);
    std::optional<DrillState> last_drill_ AKIDB_GUARDED_BY(mutex_);
};

}  // namespace akidb::service
