#include "server/backup_access.h"

#include <unistd.h>

#include <filesystem>

#include "base/digest.h"
#include "server/load_settings.h"

namespace akidb::server {
namespace {

constexpr int64_t kBusyBytesMin = 1 << 20;
constexpr int64_t kBandwidthMin = 64 << 10;  // a part of 16 MiB takes four minutes then

/// backup.tenant_keys.
void check_place_of_keys(const settings::Effective& effective, std::vector<settings::Finding>& findings) {
    const std::string& keys = effective.text("backup.tenant_keys");
    if (keys.empty()) {
        return;
    }
    const auto find = [&](const std::string& message, const std::string& allowed) {
        findings.push_back(finding_at("backup.tenant_keys", effective, message, allowed));
    };
    const Result<void> place = service::check_backup_place(keys, effective.text("storage.data_dir"));
    if (!place) {
        find(place.error().message(), place.error().allowed());
    }
    if (effective.text("backup.key_file").empty()) {
        find("needs backup.key_file, which encrypts what lies there", "backup.key_file beside it");
    }
    for (const std::string_view other : {"backup.to", "tiers.to"}) {
        const std::string& to = effective.text(other);
        if (!to.empty() && !service::are_places_apart(keys, to)) {
            find("is not apart from " + std::string(other) + ", whose copies would hold the keys, too",
                 "a bucket, prefix or directory of its own");
        }
    }
}

}  // namespace

Uuid lock_owner_of(const std::string& data) {
    char host[256] = {};
    static_cast<void>(::gethostname(host, sizeof(host) - 1));
    std::error_code failed;
    const std::filesystem::path whole = std::filesystem::weakly_canonical(data, failed);
    return Uuid{Digester().add(host).add(":").add(failed ? data : whole.string()).finish().bytes};
}

backup::S3Access s3_access(const settings::Effective& effective) {
    return {.endpoint = effective.text("s3.endpoint"),
            .region = effective.text("s3.region"),
            .addressing = effective.text("s3.addressing") == "host" ? objects::Addressing::kHost
                                                                    : objects::Addressing::kPath,
            .ca_file = effective.text("s3.ca_file"),
            .credentials = {effective.text("s3.credentials_file"), s3_environment()}};
}

std::optional<service::BackupPlan> backup_plan(const settings::Effective& effective) {
    const std::string& to = effective.text("backup.to");
    Result<service::BackupTimes> times = service::BackupTimes::parse(effective.text("backup.schedule"));
    if (to.empty() || !times) {
        return std::nullopt;
    }
    const auto keep_last = static_cast<uint64_t>(effective.integer("backup.keep_last"));
    return service::BackupPlan{
        .to = to,
        .times = std::move(*times),
        .prunes = keep_last > 0,
        .retention = {.keep_last = keep_last,
                      .keep_days = static_cast<uint64_t>(effective.integer("backup.keep_days"))},
        .drill_interval_ms = static_cast<uint64_t>(effective.integer("backup.drill_interval_s")) * 1000};
}

void check_backup_settings(const settings::Effective& effective, std::vector<settings::Finding>& findings) {
    const auto times = service::BackupTimes::parse(effective.text("backup.schedule"));
    if (!times) {
        findings.push_back(
            finding_at("backup.schedule", effective, "is no schedule", times.error().allowed()));
    }
    const int64_t bandwidth = effective.integer("s3.bandwidth_bytes_per_s");
    if (bandwidth != 0 && bandwidth < kBandwidthMin) {
        findings.push_back(finding_at("s3.bandwidth_bytes_per_s", effective,
                                      "is so little that a part of a file would take minutes",
                                      "0, or " + std::to_string(kBandwidthMin) + " and more"));
    }
    const int64_t busy = effective.integer("backup.busy_bytes_per_second");
    if (busy != 0 && busy < kBusyBytesMin) {
        findings.push_back(finding_at("backup.busy_bytes_per_second", effective,
                                      "is so little that a backup of a busy server would hardly end",
                                      "0, or " + std::to_string(kBusyBytesMin) + " and more"));
    }
    check_place_of_keys(effective, findings);
    const std::string& to = effective.text("backup.to");
    if (to.empty()) {
        return;
    }
    const Result<void> place = service::check_backup_place(to, effective.text("storage.data_dir"));
    if (!place) {
        findings.push_back(
            finding_at("backup.to", effective, place.error().message(), place.error().allowed()));
    }
}

S3Traffic::S3Traffic(telemetry::Metrics& metrics) : metrics_(metrics) {
    for (const std::string_view operation : objects::kOperationNames) {
        metrics_.counter(telemetry::MetricId::kS3Requests, {operation, "ok"}).add(0);
    }
}

void S3Traffic::note_ended(const objects::EndedRequest& request) {
    using telemetry::MetricId;
    metrics_
        .counter(MetricId::kS3Requests, {objects::kOperationNames[static_cast<size_t>(request.operation)],
                                         objects::kTrafficOutcomeNames[static_cast<size_t>(request.outcome)]})
        .add();
    metrics_.histogram(MetricId::kS3RequestDuration).observe(static_cast<double>(request.duration_us) / 1e6);
    metrics_.counter(MetricId::kS3Bytes, {"sent"}).add(static_cast<double>(request.sent_bytes));
    metrics_.counter(MetricId::kS3Bytes, {"received"}).add(static_cast<double>(request.received_bytes));
}

void S3Traffic::note_retry() {
    metrics_.counter(telemetry::MetricId::kS3Retries).add();
}

}  // namespace akidb::server
