// BackupRoom: all that makes backups of this server, put together by its settings: those that are asked for,
// those that run themselves, the archived log, and what they share on the way to S3: one breaker, the keys of
// the machine, one budget, and who counts. Thread-compatible; what it gives out is thread-safe.
#pragma once

#include <memory>
#include <string>

#include "catalog/catalog.h"
#include "io/executor.h"
#include "objects/breaker.h"
#include "objects/instance_credentials.h"
#include "server/backup_access.h"
#include "service/directory.h"
#include "service/scheduled_backups.h"
#include "service/service.h"

namespace akidb::server {

class BackupRoom {
  public:
    struct Dependencies {
        service::Directory& directory;
        catalog::Catalog& catalog;
        backup::TargetDoors doors;
        io::Clock& clock;
        io::Executor& executor;          // outlives this, as the next; stopped before it goes
        io::Executor& archive_executor;  // of its own: it does not wait for a backup
        Logger& logger;
        telemetry::Metrics& metrics;
        const storage::DiskSpace& disk;
        tracing::Tracer* tracer = nullptr;
    };
    BackupRoom(const Dependencies& given, const settings::Effective& effective, std::string_view version);

    service::Backups& backups() { return *backups_; }
    /// How S3 is reached by others than backups: through the same breaker, and counted.
    const backup::S3Access& s3() const { return s3_; }
    objects::Breaker& breaker() { return breaker_; }
    void attach(service::Tiers& tiers) {
        backups_->attach(tiers);
        if (archiver_ != nullptr) {
            archiver_->attach(tiers);
        }
    }
    void attach_to(service::Service& service) const;
    /// To be called every few seconds.
    void tick(bool is_ready);

  private:
    telemetry::Metrics& metrics_;
    objects::Breaker breaker_;
    objects::InstanceCredentials machine_;
    S3Traffic traffic_;
    objects::Pace pace_;
    io::ThreadPool part_senders_;
    backup::S3Access s3_;
    std::unique_ptr<backup::TenantKeys> tenant_keys_;  // null: tenants have none of their own
    std::unique_ptr<service::LogArchiver> archiver_;
    std::unique_ptr<service::Backups> backups_;
    std::unique_ptr<service::ScheduledBackups> scheduled_;
};

}  // namespace akidb::server
