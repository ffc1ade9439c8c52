#include "server/disk_watch.h"

#include <string>
#include <string_view>

namespace akidb::server {

void DiskWatch::tick() {
    const storage::DiskLevel before = level_;
    level_ = disk_.tend();
    if (level_ == before) {
        return;
    }
    constexpr std::string_view kNames[] = {"plenty", "low", "full"};
    logger_.log(level_ == storage::DiskLevel::kPlenty ? LogLevel::kInfo : LogLevel::kWarning,
                "space on the disk",
                {{"level", std::string(kNames[static_cast<size_t>(level_)])},
                 {"free_bytes", std::to_string(disk_.free_bytes())},
                 {"soft_free_bytes", std::to_string(disk_.soft_free_bytes())},
                 {"hard_free_bytes", std::to_string(disk_.hard_free_bytes())}});
}

void DiskWatch::export_gauges(telemetry::Metrics& metrics) const {
    using telemetry::MetricId;
    metrics.gauge(MetricId::kDiskFree).set(static_cast<double>(disk_.free_bytes()));
    metrics.gauge(MetricId::kDiskSoftFree).set(static_cast<double>(disk_.soft_free_bytes()));
    metrics.gauge(MetricId::kDiskHardFree).set(static_cast<double>(disk_.hard_free_bytes()));
    metrics.gauge(MetricId::kBallastBytes).set(static_cast<double>(disk_.ballast_bytes()));
}

}  // namespace akidb::server
