// TierRoom: all that moves collections between tiers, put together by the settings: the queue in the catalog,
// the store, and the threads that open, fetch and move. What is wrong with the settings,
// check_tier_settings has said. Thread-compatible; what it gives out is thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "catalog/tier_store.h"
#include "io/executor.h"
#include "server/backup_room.h"
#include "service/service.h"
#include "service/tiers.h"
#include "settings/settings.h"

namespace akidb::server {

void check_tier_settings(const settings::Effective& effective, std::vector<settings::Finding>& findings);

class TierRoom {
  public:
    struct Dependencies {
        service::Directory& directory;
        backup::TargetDoors doors;
        io::Clock& clock;
        Logger& logger;
        telemetry::Metrics& metrics;
        storage::DiskSpace& disk;
        BackupRoom& backups;
    };
    /// After the catalog was opened, and before collections are loaded.
    static Result<std::unique_ptr<TierRoom>> open(const Dependencies& given,
                                                  const settings::Effective& effective);
    TierRoom(const Dependencies& given, const settings::Effective& effective,
             std::unique_ptr<catalog::TierStore> store);
    ~TierRoom();

    service::Tiers& tiers() { return *tiers_; }
    const std::vector<service::Asleep>& asleep() const { return asleep_; }
    /// Of what collections that are cold take.
    engine::MemoryUse memory_use() const {
        const uint64_t codes = tiers_->cold_memory_bytes();
        return {.cold_codes = codes, .heap = codes};
    }
    /// To be called every few seconds.
    void tick(bool is_ready);
    /// Ends all moves at a safe point; before the collections close. Idempotent.
    void stop();
    /// After they closed.
    Result<void> close() { return store_->close(); }

  private:
    std::unique_ptr<catalog::TierStore> store_;
    std::vector<service::Asleep> asleep_;
    std::unique_ptr<service::Tiers> tiers_;
    io::ThreadPool fetchers_;
    io::ThreadPool readers_;
    io::ThreadPool openers_;
    io::ThreadPool movers_;
};

}  // namespace akidb::server
