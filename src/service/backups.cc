#include "service/backups.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "backup/repository.h"
#include "base/printable.h"
#include "catalog/tier_store.h"
#include "service/backup_pace.h"
#include "service/tiers.h"

namespace akidb::service {
namespace {

constexpr size_t kStatesMax = 32;
constexpr const char* kCatalogName = "catalog.db";

bool is_gone(const Error& error) {
    return error.code() == Code::kUnavailable || error.code() == Code::kNotFound;
}

}  // namespace

std::string_view name_of(BackupStage stage) {
    constexpr std::string_view kNames[] = {"running", "done", "failed"};
    return kNames[static_cast<size_t>(stage)];
}

/// One backup, from its lock to its manifest.
class Backups::Run {
  public:
    Run(Backups& owner, const Uuid& id, std::string to, uint64_t started_ms)
        : owner_(owner),
          given_(owner.given_),
          to_(std::move(to)),
          pace_({given_.doors.clock, given_.doors.pause, owner.load_, given_.busy_bytes_per_second}) {
        manifest_.id = id;
        manifest_.created_ms = started_ms;
        manifest_.version = given_.version;
        manifest_.timeline = given_.timeline ? given_.timeline() : Uuid{};
        owner_.change(id, [&](BackupState& state) { state.timeline = manifest_.timeline; });
    }

    Result<void> run(const std::stop_token& stop) {
        stop_ = stop;
        if (given_.tenant_keys != nullptr) {
            AKIDB_TRY(given_.tenant_keys->load(backup::TargetUse::kWrite));
        }
        AKIDB_TRY(const auto target, given_.open_target(to_, backup::TargetUse::kWrite));
        repository_.emplace(target->store(), given_.doors.clock);
        AKIDB_TRY(repository_->lock(given_.owner));
        const std::string parent = given_.data + "/staging";
        const std::string name = "backup-" + manifest_.id.to_string();
        staging_ = parent + "/" + name;
        Result<void> done = copy();
        if (done) {
            done = conclude();
        }
        repository_->unlock();
        // What stays is removed by the next start.
        static_cast<void>(io::remove_tree(given_.doors.files, parent, name).has_value());
        return done;
    }

  private:
    Result<void> copy() {
        AKIDB_TRY(manifest_.previous, find_previous());
        AKIDB_TRY(given_.doors.files.make_directory(staging_));
        const std::string path = staging_ + "/" + kCatalogName;
        AKIDB_TRY(given_.catalog.copy_to(path));
        AKIDB_TRY(const auto copy, catalog::Catalog::open(path));
        AKIDB_TRY(const std::vector<catalog::CollectionRow> rows, copy->list_collections());
        owner_.change(manifest_.id, [&](BackupState& state) { state.collections = rows.size(); });
        for (const catalog::CollectionRow& row : rows) {
            if (stop_.stop_requested()) {
                return Error(Code::kUnavailable, "the server is stopping");
            }
            AKIDB_TRY(const bool is_there, copy_collection(row));
            if (!is_there) {
                AKIDB_TRY(copy->remove_collection(row.spec.id));
            }
            owner_.change(manifest_.id, [&](BackupState& state) { ++state.collections_done; });
        }
        AKIDB_TRY(copy->close());
        // Where it is restored all files are there, and the copies are not its own.
        AKIDB_TRY(const auto tiers, catalog::TierStore::open(path));
        AKIDB_TRY(tiers->forget_copies());
        AKIDB_TRY(tiers->close());
        AKIDB_TRY(const auto file, given_.doors.files.open_read(path));
        AKIDB_TRY(manifest_.catalog, send("", *file));
        return {};
    }

    /// A damaged word of which is the newest keeps no backup from being made: it is put anew behind it.
    Result<Uuid> find_previous() {
        const Result<std::optional<Uuid>> latest = repository_->latest();
        if (latest || latest.error().code() != Code::kDataLoss) {
            return latest ? Result<Uuid>(latest->value_or(Uuid{})) : latest.error();
        }
        AKIDB_TRY(const std::vector<Uuid> listed, repository_->list_backups());
        return listed.empty() ? Uuid{} : listed.back();
    }

    Result<void> conclude() {
        manifest_.sent_bytes = sent_bytes_;
        manifest_.pinned_ms = std::max(manifest_.pinned_ms, manifest_.created_ms);
        AKIDB_TRY(repository_->put_manifest(manifest_));
        tell_verified();
        return {};
    }

    /// How long ago somebody last restored from here; that it cannot be told fails no backup.
    void tell_verified() {
        const Result<std::vector<Uuid>> ids = repository_->list_backups();
        uint64_t newest_ms = 0;
        for (const Uuid& id : ids ? *ids : std::vector<Uuid>()) {
            const Result<std::optional<uint64_t>> at = repository_->verified_at_ms(id);
            newest_ms = std::max(newest_ms, at ? at->value_or(0) : 0);
        }
        if (newest_ms > 0) {
            given_.metrics.gauge(telemetry::MetricId::kBackupLastVerifiedRestore)
                .set(static_cast<double>(newest_ms) / 1000);
        }
    }

    std::optional<DirectoryEntry> find(const Uuid& id) const {
        for (DirectoryEntry& entry : given_.directory.list_all()) {
            if (entry.spec.id == id) {
                return std::move(entry);
            }
        }
        return std::nullopt;
    }

    /// False: it was deleted since the catalog was copied, or is about to be.
    Result<bool> copy_collection(const catalog::CollectionRow& row) {
        const std::optional<DirectoryEntry> entry = find(row.spec.id);
        if (!entry || row.state != catalog::CollectionState::kActive) {
            return false;
        }
        const std::string& name = row.spec.name;
        if (entry->condition == Condition::kLoading) {
            return Error(Code::kUnavailable, "collection " + name + " is still being opened")
                .with_retry_after(5);
        }
        if (entry->condition == Condition::kAsleep && owner_.tiers_ != nullptr) {
            return copy_sleeper(row);
        }
        if (entry->condition != Condition::kServing) {
            leave_out(name, entry->reason);
            return true;
        }
        const Result<engine::PinnedFiles> pinned = entry->collection->pin_files();
        if (!pinned) {
            if (is_gone(pinned.error()) && !find(row.spec.id)) {
                return false;
            }
            if (pinned.error().code() != Code::kDataLoss) {
                return Error(pinned.error()).with_context("collection " + name);
            }
            leave_out(name, pinned.error().message());
            return true;
        }
        note_pinned();
        backup::BackedUpCollection made{.id = row.spec.id,
                                        .tenant = row.tenant,
                                        .name = name,
                                        .dimension = row.spec.dimension,
                                        .metric = row.spec.metric,
                                        .sequence = pinned->sequence,
                                        .documents = pinned->documents,
                                        .documents_hash = pinned->documents_hash};
        AKIDB_TRY(const std::string key, key_of(row.tenant));
        for (const engine::PinnedFile& file : pinned->files) {
            AKIDB_TRY(backup::BackupFile sent, send(file.name, *file.file, key));
            made.files.push_back(std::move(sent));
        }
        owner_.change(manifest_.id, [&](BackupState& state) { state.documents += made.documents; });
        manifest_.collections.push_back(std::move(made));
        return true;
    }

    /// Its files are a checkpoint of everything, here or in the store of tiers. What the backup has already
    /// is not fetched from there.
    Result<bool> copy_sleeper(const catalog::CollectionRow& row) {
        Result<Tiers::SleepingFiles> asleep = owner_.tiers_->files_of_sleeper(row.spec.id);
        if (!asleep) {
            const std::optional<DirectoryEntry> now = find(row.spec.id);
            if (!now) {
                return false;
            }
            if (now->condition != Condition::kAsleep) {
                return copy_collection(row);  // it was opened meanwhile
            }
            leave_out(row.spec.name, "it is asleep: " + asleep.error().message());
            return true;
        }
        note_pinned();
        backup::BackedUpCollection made{.id = row.spec.id,
                                        .tenant = row.tenant,
                                        .name = row.spec.name,
                                        .dimension = row.spec.dimension,
                                        .metric = row.spec.metric,
                                        .sequence = asleep->row.sequence,
                                        .documents = asleep->row.documents,
                                        .documents_hash = asleep->row.documents_hash};
        AKIDB_TRY(const std::string key, key_of(row.tenant));
        for (const Tiers::SleepingFiles::File& one : asleep->files) {
            backup::BackupFile known{.name = one.name,
                                     .bytes = one.file->size(),
                                     .stored_bytes = one.file->size(),
                                     .sha256 = one.sha256,
                                     .key = key};
            const bool is_there = !one.sha256.empty() && repository_->check_blob(known).has_value();
            if (!is_there) {
                AKIDB_TRY(known, send(one.name, *one.file, key));
            }
            if (!one.sha256.empty() && known.sha256 != one.sha256) {
                // A backup would keep it under a hash that fits. What was sent is a stray, and a prune's.
                leave_out(row.spec.name, "it is cold, and its file " + one.name +
                                             " is damaged in the object store: it is not what was put");
                return true;
            }
            made.files.push_back(std::move(known));
        }
        owner_.change(manifest_.id, [&](BackupState& state) { state.documents += made.documents; });
        manifest_.collections.push_back(std::move(made));
        return true;
    }

    /// A group is stamped at most one beyond the clock (Collection::reach_log).
    void note_pinned() {
        manifest_.pinned_ms = std::max(manifest_.pinned_ms, given_.doors.clock.stamp_ms() + 1);
    }

    void leave_out(const std::string& name, const std::string& reason) {
        manifest_.left_out.push_back({name, reason.substr(0, backup::kBackupTextBytesMax)});
        given_.logger.log(LogLevel::kWarning, "collection left out of the backup",
                          {{"collection", name}, {"reason", reason}});
        owner_.change(manifest_.id,
                      [&](BackupState& state) { state.left_out.push_back(manifest_.left_out.back()); });
    }

    /// Empty: that of the place.
    Result<std::string> key_of(const Uuid& tenant) {
        if (given_.tenant_keys == nullptr) {
            return std::string();
        }
        AKIDB_TRY(const backup::TenantKeys::Current current, given_.tenant_keys->key_of(tenant));
        return current.id;
    }

    Result<backup::BackupFile> send(const std::string& name, const io::ReadFile& file,
                                    const std::string& key = {}) {
        AKIDB_TRY(const backup::Repository::PutBlob put,
                  repository_->put_file(name, PacedFile(file, pace_, stop_), key));
        sent_bytes_ += put.sent_bytes;
        given_.metrics.counter(telemetry::MetricId::kBackupBytes).add(static_cast<double>(put.sent_bytes));
        owner_.change(manifest_.id, [&](BackupState& state) {
            state.bytes += put.file.stored_bytes;
            state.sent_bytes += put.sent_bytes;
        });
        return put.file;
    }

    Backups& owner_;
    const Dependencies& given_;
    const std::string to_;
    BackupPace pace_;
    std::stop_token stop_;
    std::string staging_;
    std::optional<backup::Repository> repository_;
    backup::BackupManifest manifest_;
    uint64_t sent_bytes_ = 0;
};

Backups::Backups(Dependencies dependencies) : given_(std::move(dependencies)) {}

Result<BackupState> Backups::begin(const std::string& to) {
    AKIDB_TRY(check_backup_place(to, given_.data));
    if (given_.tenant_keys != nullptr && !are_places_apart(to, given_.place_of_keys)) {
        return invalid_argument("to", "the tenants' keys lie there (backup.tenant_keys)",
                                "a place apart from them");
    }
    BackupState state{.id = io::make_uuid(given_.doors.random, given_.doors.clock),
                      .to = to,
                      .started_ms = given_.doors.clock.stamp_ms()};
    {
        MutexLock lock(mutex_);
        if (!states_.empty() && states_.front().stage == BackupStage::kRunning) {
            return Error(Code::kConflict, "backup " + states_.front().id.to_string() + " is under way");
        }
        states_.push_front(state);
        if (states_.size() > kStatesMax) {
            states_.pop_back();
        }
    }
    return state;
}

Result<void> Backups::expect_tenant_keys() const {
    return given_.tenant_keys != nullptr
               ? Result<void>()
               : Error(Code::kConflict,
                       "tenants have no keys of their own here: backup.tenant_keys is not set");
}

Result<uint64_t> Backups::destroy_tenant_keys(const Uuid& tenant) {
    AKIDB_TRY(expect_tenant_keys());
    AKIDB_TRY(const uint64_t count, given_.tenant_keys->destroy(tenant));
    given_.logger.log(LogLevel::kWarning, "keys of a tenant in backups destroyed",
                      {{"tenant", tenant.to_string()}, {"keys", std::to_string(count)}});
    return count;
}

Result<void> Backups::run(const BackupState& begun, const std::stop_token& stop) {
    given_.logger.log(LogLevel::kInfo, "backup began", {{"backup", begun.id.to_string()}, {"to", begun.to}});
    const uint64_t began_us = given_.doors.clock.monotonic_us();
    Result<void> outcome = Run(*this, begun.id, begun.to, begun.started_ms).run(stop);
    if (given_.tracer != nullptr) {
        given_.tracer->note_job({"backup", began_us, outcome, {{"akidb.backup", begun.id.to_string()}}});
    }
    end(begun.id, outcome, !outcome && stop.stop_requested() ? End::kCutShort : End::kItsOwn);
    return outcome;
}

Result<BackupState> Backups::make(const std::string& to, const std::stop_token& stop) {
    AKIDB_TRY(const BackupState state, begin(to));
    AKIDB_TRY(run(state, stop));
    return get(state.id.to_string());
}

Result<BackupState> Backups::start(const std::string& to) {
    AKIDB_TRY(const BackupState state, begin(to));
    const bool is_taken = given_.executor.submit(
        "backup", [this, state](const std::stop_token& stop) { std::ignore = run(state, stop); });
    if (!is_taken) {
        const Error stopping(Code::kUnavailable, "the server is stopping");
        end(state.id, stopping, End::kCutShort);
        return stopping;
    }
    return state;
}

void Backups::end(const Uuid& id, const Result<void>& outcome, End how) {
    const uint64_t now_ms = given_.doors.clock.stamp_ms();
    BackupState ended;
    change(id, [&](BackupState& state) {
        state.ended_ms = now_ms;
        state.stage = outcome ? BackupStage::kDone : BackupStage::kFailed;
        state.error = outcome ? std::string() : outcome.error().message();
        ended = state;
    });
    if (how == End::kCutShort) {
        given_.logger.log(LogLevel::kInfo, "backup cut short by the end of the server",
                          {{"backup", id.to_string()}, {"to", ended.to}});
        return;
    }
    given_.metrics.counter(telemetry::MetricId::kBackups, {outcome ? "ok" : "failed"}).add();
    if (outcome) {
        given_.metrics.gauge(telemetry::MetricId::kBackupLastSuccess).set(static_cast<double>(now_ms) / 1000);
        given_.metrics.gauge(telemetry::MetricId::kBackupLastDuration)
            .set(static_cast<double>(now_ms - ended.started_ms) / 1000);
    }
    given_.logger.log(outcome ? LogLevel::kInfo : LogLevel::kError, outcome ? "backup done" : "backup failed",
                      {{"backup", id.to_string()},
                       {"to", ended.to},
                       {"bytes", std::to_string(ended.bytes)},
                       {"sent_bytes", std::to_string(ended.sent_bytes)},
                       {"milliseconds", std::to_string(ended.ended_ms - ended.started_ms)},
                       {"error", ended.error}});
}

template <class Change>
void Backups::change(const Uuid& id, Change change) {
    MutexLock lock(mutex_);
    const auto found = std::find_if(states_.begin(), states_.end(),
                                    [&](const BackupState& state) { return state.id == id; });
    if (found != states_.end()) {
        change(*found);
    }
}

std::vector<BackupState> Backups::list() const {
    MutexLock lock(mutex_);
    return {states_.begin(), states_.end()};
}

Result<BackupState> Backups::get(std::string_view id) const {
    MutexLock lock(mutex_);
    for (const BackupState& state : states_) {
        if (state.id.to_string() == id) {
            return state;
        }
    }
    return Error(Code::kNotFound, "this process made no backup " + printable(id));
}

}  // namespace akidb::service
