// Lifecycle: the one answer to "are you alive, ready, started?", asked by the HTTP probes and by
// grpc.health.v1, so that they never disagree. Ready means: loading finished, not draining, catalog open. A
// quarantined collection is listed but does not flip the probe (rule R12); a poisoned log does. A full disk
// is told, and the protocol that is asked about writes in particular says no. Peers, S3 and load never decide
// it. Thread-safe, cheap.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "io/clock.h"
#include "service/directory.h"
#include "storage/disk_space.h"

namespace akidb::service {

struct Readiness {
    bool is_ready = false;
    std::string reason;  // "", "loading_collections", "draining", "log_poisoned"
    storage::DiskLevel disk = storage::DiskLevel::kPlenty;  // kFull: ready for all but writes
    LoadProgress progress;
    std::vector<std::string> quarantined;  // names
};

class Lifecycle {
  public:
    explicit Lifecycle(const io::Clock& clock);
    /// Once, when the catalog is open and the directory loads; before that the server is starting. Must
    /// outlive this.
    void attach(const Directory& directory);
    /// Before the directory is destroyed; readiness is then as at the start.
    void detach();
    /// Before the first question about readiness after it; must outlive this.
    void attach_disk(const storage::DiskSpace& disk);
    void begin_draining();
    bool is_draining() const;
    bool is_started() const;  // attached and finished loading once
    Readiness readiness() const;
    uint64_t uptime_s() const;

  private:
    const io::Clock& clock_;
    uint64_t started_us_;
    std::atomic<const Directory*> directory_{nullptr};
    std::atomic<const storage::DiskSpace*> disk_{nullptr};
    std::atomic<bool> draining_{false};
};

}  // namespace akidb::service
