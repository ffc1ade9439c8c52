#include "service/scheduled_backups.h"

#include <algorithm>

#include "service/practice.h"

namespace akidb::service {
namespace {

using telemetry::MetricId;

constexpr uint64_t kDrillRetryMs = 30 * 60 * 1000;
constexpr uint64_t kClockFaultMs = 60 * 60 * 1000;

std::string joined(const std::vector<std::string>& sentences) {
    std::string text;
    for (const std::string& sentence : sentences) {
        text += (text.empty() ? "" : "; ") + sentence;
    }
    return text;
}

}  // namespace

ScheduledBackups::ScheduledBackups(Dependencies dependencies, BackupPlan plan)
    : given_(std::move(dependencies)), plan_(std::move(plan)) {}

void ScheduledBackups::tend() {
    const bool is_wanted = archiver_wants_backup();
    {
        MutexLock lock(mutex_);
        if (is_busy_ || (is_known_ && !backup_is_due(is_wanted) && !drill_is_due()) ||
            (!is_known_ && given_.clock.monotonic_us() < not_before_us_)) {
            return;
        }
        is_busy_ = true;
    }
    const bool is_taken =
        given_.executor.submit("backup", [this](const std::stop_token& stop) { run(stop); });
    if (!is_taken) {  // the server is stopping, or others wait: later
        MutexLock lock(mutex_);
        is_busy_ = false;
    }
}

/// A clock that was set back must not put backups off for as long; gaps in the archived log, one after
/// another, must not make backups all the time.
bool ScheduledBackups::backup_is_due(bool is_wanted) const {
    const uint64_t now_ms = given_.clock.unix_ms();
    const bool was_set_back = last_ms_ > now_ms + kClockFaultMs;
    const bool is_missed = lacks_base_ || (is_wanted && now_ms >= last_ms_ + plan_.times.retry_ms());
    return given_.clock.monotonic_us() >= not_before_us_ &&
           (was_set_back || is_missed || now_ms >= plan_.times.next_ms(last_ms_));
}

uint64_t ScheduledBackups::next_drill_ms() const {
    return std::max(verified_ms_ == 0 ? 0 : verified_ms_ + plan_.drill_interval_ms,
                    in_ms(no_drill_before_us_));
}

bool ScheduledBackups::drill_is_due() const {
    const uint64_t now_ms = given_.clock.unix_ms();
    const bool was_set_back = verified_ms_ > now_ms + kClockFaultMs;
    return plan_.drill_interval_ms > 0 && last_ms_ > 0 &&
           given_.clock.monotonic_us() >= no_drill_before_us_ &&
           (was_set_back || verified_ms_ == 0 || now_ms >= verified_ms_ + plan_.drill_interval_ms);
}

/// The wall clock's time then, if nobody sets it; 0 for what has passed.
uint64_t ScheduledBackups::in_ms(uint64_t monotonic_us) const {
    const uint64_t now_us = given_.clock.monotonic_us();
    return monotonic_us <= now_us ? 0 : given_.clock.unix_ms() + (monotonic_us - now_us) / 1000;
}

void ScheduledBackups::run(const std::stop_token& stop) {
    Result<void> done = look();
    if (!done && !stop.stop_requested()) {
        given_.metrics.counter(MetricId::kBackups, {"failed"}).add();
    }
    bool is_due = false;
    const bool is_wanted = archiver_wants_backup();
    {
        MutexLock lock(mutex_);
        is_due = done && backup_is_due(is_wanted);
    }
    if (is_due) {
        done = back_up(stop);
    }
    bool wants_drill = false;
    {
        MutexLock lock(mutex_);
        if (!done) {
            error_ = done.error().message();
            not_before_us_ = given_.clock.monotonic_us() + plan_.times.retry_ms() * 1000;
            no_drill_before_us_ = std::max(no_drill_before_us_, not_before_us_);
        } else if (is_due) {
            error_.clear();
        }
        wants_drill = done && drill_is_due() && !stop.stop_requested();
    }
    if (!done && !stop.stop_requested()) {
        given_.logger.log(LogLevel::kError, "scheduled backup failed",
                          {{"to", plan_.to}, {"error", done.error().message()}});
    }
    if (wants_drill) {
        drill(stop);
    }
    MutexLock lock(mutex_);
    is_busy_ = false;
}

/// What lies there, from whomever.
Result<void> ScheduledBackups::look() {
    Result<std::unique_ptr<backup::Target>> target = given_.open_target(plan_.to, backup::TargetUse::kRead);
    uint64_t last_ms = 0;
    uint64_t verified_ms = 0;
    const Uuid timeline = given_.archiver == nullptr ? Uuid{} : given_.archiver->timeline();
    bool lacks_base = timeline != Uuid{};
    if (target) {
        backup::Repository repository((*target)->store(), given_.clock);
        AKIDB_TRY(const std::vector<Uuid> ids, repository.list_backups());
        for (const Uuid& id : ids) {
            AKIDB_TRY(const std::optional<uint64_t> at, repository.verified_at_ms(id));
            verified_ms = std::max(verified_ms, at.value_or(0));
        }
        if (!ids.empty()) {
            AKIDB_TRY(const backup::BackupManifest newest, repository.read_manifest(ids.back()));
            last_ms = newest.created_ms;
        }
        for (auto id = ids.rbegin(); lacks_base && id != ids.rend(); ++id) {
            AKIDB_TRY(const backup::BackupManifest manifest, repository.read_manifest(*id));
            lacks_base = manifest.timeline != timeline;
        }
    } else if (target.error().code() != Code::kNotFound) {  // a directory that the first backup makes
        return std::move(target).error();
    }
    MutexLock lock(mutex_);
    if (!is_known_ && last_ms > 0) {
        given_.metrics.gauge(MetricId::kBackupLastSuccess).set(static_cast<double>(last_ms) / 1000);
    }
    if (verified_ms > 0) {
        given_.metrics.gauge(MetricId::kBackupLastVerifiedRestore)
            .set(static_cast<double>(verified_ms) / 1000);
    }
    is_known_ = true;
    lacks_base_ = lacks_base;
    last_ms_ = last_ms;
    verified_ms_ = verified_ms;
    return {};
}

Result<void> ScheduledBackups::back_up(const std::stop_token& stop) {
    const uint64_t began_ms = given_.clock.unix_ms();  // the schedule goes by the clock, as it is
    AKIDB_TRY(const BackupState made, given_.backups.make(plan_.to, stop));
    if (given_.archiver != nullptr) {
        given_.archiver->note_backup(made.timeline, made.started_ms);
    }
    {
        MutexLock lock(mutex_);
        lacks_base_ = false;
        last_ms_ = began_ms;
    }
    return plan_.prunes ? prune() : Result<void>();
}

Result<void> ScheduledBackups::prune() const {
    if (given_.clock.is_in_doubt()) {
        given_.logger.log(LogLevel::kWarning, "old backups stay until the next one: the clock just jumped",
                          {{"to", plan_.to}});
        return {};
    }
    AKIDB_TRY(const auto target, given_.open_target(plan_.to, backup::TargetUse::kWrite));
    backup::Repository repository(target->store(), given_.clock);
    Result<backup::PruneReport> report =
        backup::prune(repository, given_.clock, given_.owner, plan_.retention);
    if (!report) {
        return std::move(report).error().with_context("the backup is made, but old ones could not be pruned");
    }
    if (!report->removed.empty()) {
        given_.logger.log(LogLevel::kInfo, "old backups pruned",
                          {{"to", plan_.to},
                           {"removed", std::to_string(report->removed.size())},
                           {"removed_blobs", std::to_string(report->removed_blobs)},
                           {"kept", std::to_string(report->kept)}});
    }
    return {};
}

/// That it could not be found out is a failure as well: what cannot be restored here is no backup here.
void ScheduledBackups::drill(const std::stop_token& stop) {
    DrillState drill;
    const uint64_t began_us = given_.clock.monotonic_us();
    if (const Result<void> done = practise(drill, stop); !done) {
        if (stop.stop_requested()) {
            return;
        }
        drill.faults.push_back(done.error().message());
    }
    drill.duration_ms = (given_.clock.monotonic_us() - began_us) / 1000;
    drill.ended_ms = given_.clock.unix_ms();
    const bool is_whole = drill.faults.empty();
    given_.metrics.counter(MetricId::kBackupDrills, {is_whole ? "ok" : "failed"}).add();
    if (is_whole) {
        given_.metrics.gauge(MetricId::kBackupDrillLastDuration)
            .set(static_cast<double>(drill.duration_ms) / 1000);
        given_.metrics.gauge(MetricId::kBackupLastVerifiedRestore)
            .set(static_cast<double>(drill.ended_ms) / 1000);
    }
    given_.logger.log(
        is_whole ? LogLevel::kInfo : LogLevel::kError,
        is_whole ? "backup restored for practice" : "a backup could not be restored for practice",
        {{"backup", drill.backup.to_string()},
         {"milliseconds", std::to_string(drill.duration_ms)},
         {"faults", joined(drill.faults)}});
    MutexLock lock(mutex_);
    verified_ms_ = is_whole ? drill.ended_ms : verified_ms_;
    no_drill_before_us_ =
        is_whole ? 0 : given_.clock.monotonic_us() + std::min(plan_.drill_interval_ms, kDrillRetryMs) * 1000;
    last_drill_ = std::move(drill);
}

Result<void> ScheduledBackups::practise(DrillState& drill, const std::stop_token& stop) const {
    if (given_.tenant_keys != nullptr) {
        AKIDB_TRY(given_.tenant_keys->load(backup::TargetUse::kWrite));
    }
    AKIDB_TRY(const auto target, given_.open_target(plan_.to, backup::TargetUse::kRead));
    backup::Repository repository(target->store(), given_.clock,
                                  given_.tenant_keys == nullptr ? nullptr : &given_.tenant_keys->keyring());
    AKIDB_TRY(const std::vector<Uuid> ids, repository.list_backups());
    if (ids.empty()) {
        return Error(Code::kNotFound, "there is no backup in " + plan_.to);
    }
    drill.backup = ids.back();
    AKIDB_TRY(const backup::BackupManifest manifest, repository.read_manifest(drill.backup));
    AKIDB_TRY(expect_space(manifest.stored_bytes()));
    const uint64_t began_us = given_.clock.monotonic_us();
    AKIDB_TRY(const backup::PracticeReport report,
              backup::practise(
                  given_.files, repository, manifest, given_.scratch,
                  [&](const std::string& directory, const model::CollectionSpec& spec) {
                      return open_for_practice(given_.files, given_.clock, directory, spec);
                  },
                  stop));
    drill.faults = report.faults;
    AKIDB_TRY(repository.put_drill_report(
        drill.backup, backup::describe(report, manifest, (given_.clock.monotonic_us() - began_us) / 1000)));
    return report.faults.empty() ? repository.note_verified(drill.backup) : Result<void>();
}

/// Writes go before practice.
Result<void> ScheduledBackups::expect_space(uint64_t bytes) const {
    if (given_.disk == nullptr || given_.disk->free_bytes() >= given_.disk->soft_free_bytes() + bytes) {
        return {};
    }
    return Error(Code::kDiskFull, "to restore " + std::to_string(bytes) +
                                      " bytes for practice would leave less free on the disk of the data "
                                      "directory than storage.disk_soft_free_bytes");
}

HeldCopies ScheduledBackups::find_held_copies(const Uuid& collection) const {
    const auto look = [&]() -> Result<HeldCopies> {
        AKIDB_TRY(const auto target, given_.open_target(plan_.to, backup::TargetUse::kRead));
        backup::Repository repository(
            target->store(), given_.clock,
            given_.tenant_keys == nullptr ? nullptr : &given_.tenant_keys->keyring());
        return service::find_held_copies(repository, plan_, given_.clock.unix_ms(), collection);
    };
    Result<HeldCopies> found = look();
    HeldCopies held = found ? std::move(*found) : HeldCopies{};
    if (!found && found.error().code() != Code::kNotFound) {  // a directory that the first backup makes
        held.error = "where backups lie could not be read: " + std::string(row_of(found.error().code()).name);
        given_.logger.log(LogLevel::kWarning, "what backups hold of what was erased is not known",
                          {{"to", plan_.to}, {"error", found.error().message()}});
    }
    add_remembered(held, given_.backups.list(), &plan_);
    return held;
}

PlanState ScheduledBackups::state() const {
    MutexLock lock(mutex_);
    return {.to = plan_.to,
            .schedule = plan_.times.text(),
            .next_ms = std::max(plan_.times.next_ms(last_ms_), in_ms(not_before_us_)),
            .last_ms = last_ms_,
            .error = error_,
            .verified_ms = verified_ms_,
            .next_drill_ms = plan_.drill_interval_ms == 0 ? 0 : next_drill_ms(),
            .last_drill = last_drill_};
}

}  // namespace akidb::service
