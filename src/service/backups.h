// Backups: makes backups of the whole server while it serves: the catalog as of one moment, then collection
// after collection its files at one sequence number (engine::Collection::pin_files), sent to a directory or
// to S3 as far as they are not there yet, and the manifest last. One at a time, as a job; the states of the
// last ones are kept in memory. Collections that are not in service are left out, and the backup says so.
// What is half-made when the process dies is never listed, and what was sent is not sent again. Thread-safe.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backup/manifest.h"
#include "backup/target.h"
#include "backup/tenant_keys.h"
#include "base/logger.h"
#include "base/mutex.h"
#include "catalog/catalog.h"
#include "io/executor.h"
#include "service/directory.h"
#include "service/search_load.h"
#include "telemetry/metrics.h"
#include "tracing/tracer.h"

namespace akidb::service {

enum class BackupStage : uint8_t { kRunning, kDone, kFailed };
std::string_view name_of(BackupStage stage);

struct BackupState {
    Uuid id;
    std::string to;
    BackupStage stage = BackupStage::kRunning;
    std::string error{};  // of kFailed
    uint64_t started_ms = 0;
    uint64_t ended_ms = 0;  // 0: it runs
    uint64_t collections = 0;
    uint64_t collections_done = 0;
    uint64_t documents = 0;   // of those done
    uint64_t bytes = 0;       // of those done, in blobs
    uint64_t sent_bytes = 0;  // of them those that were not there yet
    std::vector<backup::LeftOut> left_out{};
    Uuid timeline{};  // of which it is; zeros: the log was not archived
};

/// An absolute path outside the data directory `data`, or s3://BUCKET/PREFIX; else kInvalidArgument on field
/// "to".
Result<void> check_backup_place(const std::string& to, const std::string& data);
/// Whether neither of two places is the other, or lies in it, by their names.
bool are_places_apart(const std::string& one, const std::string& other);

class Tiers;

class Backups {
  public:
    struct Dependencies {
        Directory& directory;
        catalog::Catalog& catalog;
        backup::TargetDoors doors;
        io::Executor& executor;
        Logger& logger;
        telemetry::Metrics& metrics;
        std::string data{};  // the data directory
        std::string version{};
        Uuid owner{};  // of locks: always the same for this data directory, and no other's
        backup::OpenTarget open_target{};
        tracing::Tracer* tracer = nullptr;   // null: nobody is told of backups
        std::function<Uuid()> timeline{};    // of the archived log; null: none is
        uint64_t busy_bytes_per_second = 0;  // of BackupPace
        /// What it holds of collections is encrypted with; open_target gives stores that know them. Null: all
        /// goes by the key of the place, if there is one.
        backup::TenantKeys* tenant_keys = nullptr;
        std::string place_of_keys{};  // theirs, where no backup may go
    };
    explicit Backups(Dependencies dependencies);
    /// Before the first; it must outlive this. Without it, what is asleep is left out.
    void attach(Tiers& tiers) { tiers_ = &tiers; }
    /// Which backups make way for; the same. Without it nobody searches.
    void attach(const SearchLoad& load) { load_ = &load; }

    /// `to`: an absolute path outside the data directory, whose parent is there, or s3://BUCKET/PREFIX. What
    /// can be refused at once is, on field "to"; kConflict while one runs, kUnavailable when the server
    /// stops.
    Result<BackupState> start(const std::string& to) AKIDB_EXCLUDES(mutex_);
    /// The same in the caller's thread, to its end; the error is that of the backup, too.
    Result<BackupState> make(const std::string& to, const std::stop_token& stop) AKIDB_EXCLUDES(mutex_);
    /// The newest first.
    std::vector<BackupState> list() const AKIDB_EXCLUDES(mutex_);
    /// So that no backup can be read of what it holds of the tenant's collections; how many keys there were.
    /// kConflict when tenants have none here.
    Result<uint64_t> destroy_tenant_keys(const Uuid& tenant);
    /// kConflict, as that.
    Result<void> expect_tenant_keys() const;
    /// kNotFound: none of this process, or too long ago.
    Result<BackupState> get(std::string_view id) const AKIDB_EXCLUDES(mutex_);

  private:
    class Run;
    friend class Run;
    Result<BackupState> begin(const std::string& to) AKIDB_EXCLUDES(mutex_);
    Result<void> run(const BackupState& begun, const std::stop_token& stop) AKIDB_EXCLUDES(mutex_);
    /// kCutShort: by the end of the server, which is no failure to be woken for.
    enum class End : uint8_t { kItsOwn, kCutShort };
    void end(const Uuid& id, const Result<void>& outcome, End how) AKIDB_EXCLUDES(mutex_);
    template <class Change>
    void change(const Uuid& id, Change change) AKIDB_EXCLUDES(mutex_);

    const Dependencies given_;
    Tiers* tiers_ = nullptr;
    const SearchLoad* load_ = nullptr;
    mutable Mutex mutex_;
    std::deque<BackupState> states_ AKIDB_GUARDED_BY(mutex_);  // the newest first
};

}  // namespace akidb::service
