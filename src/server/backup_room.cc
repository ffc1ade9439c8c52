#include "server/backup_room.h"

namespace akidb::server {

BackupRoom::BackupRoom(const Dependencies& given, const settings::Effective& effective,
                       std::string_view version)
    : metrics_(given.metrics),
      breaker_(
          given.clock,
          {.cool_down_us = static_cast<uint64_t>(effective.integer("s3.breaker_cool_down_s")) * 1'000'000}),
      traffic_(given.metrics),
      s3_(s3_access(effective)) {
    const std::string& data = effective.text("storage.data_dir");
    s3_.breaker = &breaker_;
    s3_.observer = &traffic_;
    const backup::OpenTarget open = [doors = given.doors, s3 = s3_,
                                     key_file = effective.text("backup.key_file")](const std::string& place,
                                                                                   backup::TargetUse use) {
        return backup::Target::open(doors, place, s3, use, key_file);
    };
    const Uuid owner = lock_owner_of(data);
    service::Backups::Dependencies asked{given.directory, given.catalog, given.doors,
                                         given.executor,  given.logger,  given.metrics};
    asked.data = data;
    asked.version = version;
    asked.owner = owner;
    asked.open_target = open;
    asked.tracer = given.tracer;
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
    scheduled_ = std::make_unique<service::ScheduledBackups>(std::move(by_itself), std::move(*plan));
}

void BackupRoom::attach_to(service::Service& service) const {
    if (scheduled_ != nullptr) {
        service.attach(*scheduled_);
    }
}

void BackupRoom::tick(bool is_ready) {
    metrics_.gauge(telemetry::MetricId::kS3BreakerState).set(static_cast<double>(breaker_.state()));
    if (scheduled_ != nullptr && is_ready) {
        scheduled_->tend();
    }
}

}  // namespace akidb::server
