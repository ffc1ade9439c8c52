#include "server/backup_room.h"

#include "server/layer_options.h"
#include "server/load_settings.h"

namespace akidb::server {
namespace {

// Parts of large files that are sent at once, of all uploads together.
constexpr size_t kPartSenders = 4;
constexpr size_t kPartQueueMax = 64;

/// Null: tenants have none of their own.
std::unique_ptr<backup::TenantKeys> open_tenant_keys(const backup::TargetDoors& doors,
                                                     const backup::S3Access& s3, const std::string& place,
                                                     const std::string& key_file) {
    if (place.empty()) {
        return nullptr;
    }
    return std::make_unique<backup::TenantKeys>(
        [doors, s3, place, key_file](backup::TargetUse use) {
            return backup::Target::open(doors, place, s3, use, key_file);
        },
        doors.clock, doors.random);
}

}  // namespace

BackupRoom::BackupRoom(const Dependencies& given, const settings::Effective& effective,
                       std::string_view version)
    : metrics_(given.metrics),
      breaker_(
          given.clock,
          {.cool_down_us = static_cast<uint64_t>(effective.integer("s3.breaker_cool_down_s")) * 1'000'000}),
      machine_(s3_environment(), given.clock, &given.logger),
      traffic_(given.metrics),
      pace_(given.clock, given.doors.pause,
            {.requests_per_second = number_of<uint64_t>(effective, "s3.requests_per_second"),
             .bytes_per_second = number_of<uint64_t>(effective, "s3.bandwidth_bytes_per_s")}),
      part_senders_({"parts", kPartSenders, kPartQueueMax, 10}),
      s3_(s3_access(effective)) {
    const std::string& data = effective.text("storage.data_dir");
    s3_.breaker = &breaker_;
    s3_.observer = &traffic_;
    s3_.pace = &pace_;
    s3_.part_senders = &part_senders_;
    s3_.credentials.instance = effective.boolean("s3.instance_credentials") ? &machine_ : nullptr;
    const std::string& key_file = effective.text("backup.key_file");
    const std::string& place_of_keys = effective.text("backup.tenant_keys");
    tenant_keys_ = open_tenant_keys(given.doors, s3_, place_of_keys, key_file);
    const backup::OpenTarget open = [doors = given.doors, s3 = s3_, key_file, keys = tenant_keys_.get()](
                                        const std::string& place, backup::TargetUse use) {
        return backup::Target::open(doors, place, s3, use, key_file,
                                    keys == nullptr ? nullptr : &keys->keyring());
    };
    const Uuid owner = lock_owner_of(data);
    if (archives_log(effective)) {
        service::LogArchiver::Dependencies of_log{given.directory,        given.catalog, given.doors,
                                                  given.archive_executor, given.logger,  given.metrics};
        of_log.data = data;
        of_log.owner = owner;
        of_log.open_target = open;
        of_log.tenant_keys = tenant_keys_.get();
        archiver_ = std::make_unique<service::LogArchiver>(
            std::move(of_log),
            service::ArchivePlan{
                effective.text("backup.to"),
                static_cast<uint64_t>(effective.integer("backup.archive_interval_s")) * 1000});
    }
    service::Backups::Dependencies asked{given.directory, given.catalog, given.doors,
                                         given.executor,  given.logger,  given.metrics};
    asked.data = data;
    asked.version = version;
    asked.owner = owner;
    asked.open_target = open;
    asked.tracer = given.tracer;
    asked.tenant_keys = tenant_keys_.get();
    asked.place_of_keys = place_of_keys;
    asked.busy_bytes_per_second = number_of<uint64_t>(effective, "backup.busy_bytes_per_second");
    if (archiver_ != nullptr) {
        asked.timeline = [archiver = archiver_.get()] { return archiver->timeline(); };
    }
    backups_ = std::make_unique<service::Backups>(std::move(asked));
    std::optional<service::BackupPlan> plan = backup_plan(effective);
    if (!plan) {
        return;
    }
    service::ScheduledBackups::Dependencies by_itself{*backups_,      given.doors.files, given.clock,
                                                      given.executor, given.logger,      given.metrics};
    by_itself.disk = &given.disk;
    by_itself.open_target = open;
    by_itself.scratch = data + "/staging";
    by_itself.owner = owner;
    by_itself.archiver = archiver_.get();
    by_itself.tenant_keys = tenant_keys_.get();
    scheduled_ = std::make_unique<service::ScheduledBackups>(std::move(by_itself), std::move(*plan));
}

void BackupRoom::attach_to(service::Service& service) const {
    backups_->attach(service.search_load());
    if (scheduled_ != nullptr) {
        service.attach(*scheduled_);
    }
}

void BackupRoom::tick(bool is_ready) {
    metrics_.gauge(telemetry::MetricId::kS3BreakerState).set(static_cast<double>(breaker_.state()));
    if (!is_ready) {
        return;
    }
    if (archiver_ != nullptr) {
        archiver_->tend();
    }
    // The first round finds out which timeline this is, and so whether a backup is due at once.
    if (scheduled_ != nullptr && (archiver_ == nullptr || archiver_->has_tried())) {
        scheduled_->tend();
    }
}

}  // namespace akidb::server
