#include "service/log_archiver.h"

namespace akidb::service {

using telemetry::MetricId;

LogArchiver::LogArchiver(Dependencies dependencies, ArchivePlan plan)
    : given_(std::move(dependencies)), plan_(std::move(plan)), through_ms_(given_.doors.clock.stamp_ms()) {
    given_.metrics.counter(MetricId::kLogArchiveGaps).add(0);
    for (const std::string_view outcome : {"ok", "failed"}) {
        given_.metrics.counter(MetricId::kLogArchiveRounds, {outcome}).add(0);
    }
}

void LogArchiver::tend() {
    export_lag();
    const uint64_t now_us = given_.doors.clock.monotonic_us();
    {
        MutexLock lock(mutex_);
        if (is_busy_ || now_us < due_us_) {
            return;
        }
        is_busy_ = true;
        due_us_ = now_us + plan_.interval_ms * 1000;
    }
    const bool is_taken =
        given_.executor.submit("archive", [this](const std::stop_token& stop) { run(stop); });
    if (!is_taken) {  // the server is stopping
        MutexLock lock(mutex_);
        is_busy_ = false;
    }
}

void LogArchiver::run(const std::stop_token& stop) {
    const Result<void> done = archive_now(stop);
    // Once each, not every few seconds.
    if (!done && !stop.stop_requested() && done.error().message() != logged_error_) {
        given_.logger.log(LogLevel::kError, "the log could not be archived",
                          {{"to", plan_.to}, {"error", done.error().message()}});
    } else if (done && !logged_error_.empty()) {
        given_.logger.log(LogLevel::kInfo, "the log is archived again", {{"to", plan_.to}});
    }
    logged_error_ = done ? std::string() : done.error().message();
    MutexLock lock(mutex_);
    is_busy_ = false;
}

Result<void> LogArchiver::archive_now(const std::stop_token& stop) {
    Result<void> done = run_round(stop);
    if (done || !stop.stop_requested()) {
        given_.metrics.counter(MetricId::kLogArchiveRounds, {done ? "ok" : "failed"}).add();
    }
    {
        MutexLock lock(mutex_);
        has_tried_ = true;
    }
    export_lag();
    return done;
}

void LogArchiver::export_lag() {
    const uint64_t now_ms = given_.doors.clock.stamp_ms();
    uint64_t through_ms = 0;
    {
        MutexLock lock(mutex_);
        through_ms = through_ms_;
    }
    given_.metrics.gauge(MetricId::kLogArchiveLag)
        .set(now_ms > through_ms ? static_cast<double>(now_ms - through_ms) / 1000 : 0);
}

bool LogArchiver::has_tried() const {
    MutexLock lock(mutex_);
    return has_tried_;
}

bool LogArchiver::wants_backup() const {
    MutexLock lock(mutex_);
    return wants_backup_since_ms_ > 0;
}

void LogArchiver::note_backup(const Uuid& timeline, uint64_t began_ms) {
    MutexLock lock(mutex_);
    if (timeline == timeline_ && began_ms >= wants_backup_since_ms_) {
        wants_backup_since_ms_ = 0;
    }
}

}  // namespace akidb::service
