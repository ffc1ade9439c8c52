// LogArchiver: copies the logs of all collections, as they go on, to where the backups lie
// (backup/archive.h): every interval what was written since, and the catalog when it changed, so that a
// restore can go to any point after a backup and the loss of the disk costs the writes of one interval. What
// it has not copied yet the collections keep beyond their checkpoints, up to a bound; where that was passed
// there is a gap, which is counted, and a backup is asked for, from which points can be restored again. Which
// timeline this server writes is in DATA/TIMELINE; a data directory that was restored, rolled back or copied
// begins a new one. One round at a time, as a job. Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "backup/archive.h"
#include "backup/target.h"
#include "backup/tenant_keys.h"
#include "base/logger.h"
#include "base/mutex.h"
#include "catalog/catalog.h"
#include "io/executor.h"
#include "service/directory.h"
#include "telemetry/metrics.h"

namespace akidb::service {

struct ArchivePlan {
    std::string to;  // as Backups::start says
    uint64_t interval_ms = 0;
};

class Tiers;

class LogArchiver {
  public:
    struct Dependencies {
        Directory& directory;
        catalog::Catalog& catalog;
        backup::TargetDoors doors;
        io::Executor& executor;  // outlives this; stopped before it goes
        Logger& logger;
        telemetry::Metrics& metrics;
        std::string data{};  // the data directory
        Uuid owner{};        // as of Backups
        backup::OpenTarget open_target{};
        backup::TenantKeys* tenant_keys = nullptr;  // as of Backups
    };
    LogArchiver(Dependencies dependencies, ArchivePlan plan);

    /// Who knows of collections that are asleep. Once, before the first round.
    void attach(const Tiers& tiers) { tiers_ = &tiers; }

    /// Submits a round when one is due. To be called every few seconds while the server is ready; quick.
    void tend() AKIDB_EXCLUDES(mutex_);
    /// A round in the caller's thread.
    Result<void> archive_now(const std::stop_token& stop = {}) AKIDB_EXCLUDES(mutex_);
    /// Whether a round was tried.
    bool has_tried() const AKIDB_EXCLUDES(mutex_);
    /// Zeros before it is known.
    Uuid timeline() const AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        return timeline_;
    }
    /// Only a new backup makes points from here on restorable; so until one of this timeline is told.
    bool wants_backup() const AKIDB_EXCLUDES(mutex_);
    void note_backup(const Uuid& timeline, uint64_t began_ms) AKIDB_EXCLUDES(mutex_);

  private:
    /// Of a collection.
    struct Progress {
        bool is_begun = false;
        uint64_t last = 0;        // archived
        uint64_t through_ms = 0;  // as ArchivedCollection
        std::string key{};        // of its tenant, which pieces are encrypted with; empty: none is known
        /// The newest piece while it is small: it grows until it is worth an object of its own.
        std::optional<backup::LogPiece> tail{};
    };
    class Round;
    friend class Round;
    Result<void> run_round(const std::stop_token& stop) AKIDB_EXCLUDES(mutex_);
    void run(const std::stop_token& stop) AKIDB_EXCLUDES(mutex_);
    void export_lag() AKIDB_EXCLUDES(mutex_);

    const Dependencies given_;
    const ArchivePlan plan_;
    const Tiers* tiers_ = nullptr;

    // Of the round that runs.
    std::map<Uuid, Progress> collections_;
    uint64_t catalog_ms_ = 0;
    std::string catalog_sha256_;
    uint64_t catalog_not_before_us_ = 0;
    std::set<Uuid> catalog_has_;  // collections
    std::string logged_error_;

    mutable Mutex mutex_;
    bool is_busy_ AKIDB_GUARDED_BY(mutex_) = false;
    bool has_tried_ AKIDB_GUARDED_BY(mutex_) = false;
    uint64_t due_us_ AKIDB_GUARDED_BY(mutex_) = 0;  // monotonic
    uint64_t through_ms_ AKIDB_GUARDED_BY(mutex_);  // before the first round: when this was made
    Uuid timeline_ AKIDB_GUARDED_BY(mutex_);
    uint64_t wants_backup_since_ms_ AKIDB_GUARDED_BY(mutex_) = 0;  // 0: it does not
};

}  // namespace akidb::service
