// DiskWatch: looks at the space on the disk a few times a second, and tells the log when its level changes.
// Thread-compatible.
#pragma once

#include "base/logger.h"
#include "storage/disk_space.h"
#include "telemetry/metrics.h"

namespace akidb::server {

class DiskWatch {
  public:
    /// Both must outlive it.
    DiskWatch(storage::DiskSpace& disk, Logger& logger) : disk_(disk), logger_(logger) {}
    void tick();
    void export_gauges(telemetry::Metrics& metrics) const;

  private:
    storage::DiskSpace& disk_;
    Logger& logger_;
    storage::DiskLevel level_ = storage::DiskLevel::kPlenty;
};

}  // namespace akidb::server
