// How backups of this server are reached and locked, by its settings. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "backup/target.h"
#include "objects/breaker.h"
#include "service/scheduled_backups.h"
#include "settings/settings.h"
#include "telemetry/metrics.h"

namespace akidb::server {

/// s3.*, and what the environment says of credentials.
backup::S3Access s3_access(const settings::Effective& effective);
/// Always the same for a data directory of this machine: whoever holds its lock is alone with it, so that
/// what a crash left locked elsewhere is his own.
Uuid lock_owner_of(const std::string& data);

/// backup.*; none without backup.to. What is wrong with them, check_backup_settings has said.
std::optional<service::BackupPlan> backup_plan(const settings::Effective& effective);
void check_backup_settings(const settings::Effective& effective, std::vector<settings::Finding>& findings);

/// S3 requests in the metrics.
class S3Traffic final : public objects::TrafficObserver {
  public:
    explicit S3Traffic(telemetry::Metrics& metrics);
    void note_ended(const objects::EndedRequest& request) override;
    void note_retry() override;

  private:
    telemetry::Metrics& metrics_;
};

}  // namespace akidb::server
