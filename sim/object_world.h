// ObjectWorld: what outlives a simulated server that keeps its backups, its archived log and its tiers in a
// simulated object store: the disk, the store, the time, and one switch for the power of all that is the
// machine's. ObjectServer: one process on it, put together as server/wiring does, with no threads: background
// work is done where the history says so. Single-threaded.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "backup/restore.h"
#include "io/pause.h"
#include "objects/forwarding_store.h"
#include "service/backups.h"
#include "service/log_archiver.h"
#include "service/tiers.h"
#include "sim/sim_object_store.h"
#include "sim/sim_sqlite.h"

namespace akidb::sim {

inline constexpr const char* kPlace = "s3://simulated/objects";
inline constexpr const char* kRestored = "/restored";

/// Waiting is time passing.
class SimPause final : public io::Pause {
  public:
    explicit SimPause(SimClock& clock) : clock_(clock) {}
    bool wait_us(uint64_t duration_us) override {
        clock_.advance_us(duration_us);
        return true;
    }
    void stop() override {}

  private:
    SimClock& clock_;
};

/// Does no work: whoever submits some does it himself, where that is in his power, or the history has it
/// done.
class NoExecutor final : public io::Executor {
  public:
    bool submit(std::string, Job) override { return false; }
};

class AtOnceExecutor final : public io::Executor {
  public:
    bool submit(std::string, Job job) override {
        job({});
        return true;
    }
};

/// Lets several owners have one store.
class SharedStore final : public objects::ForwardingStore<SharedStore> {
  public:
    using ForwardingStore::ForwardingStore;
    template <class Call>
    auto around(uint64_t /*bytes*/, Call call) -> decltype(call()) {
        return call();
    }
};

class ObjectWorld {
  public:
    ObjectWorld(uint64_t seed, telemetry::Metrics& counted);

    /// The machine dies, and its disk is what the crash model leaves of it. No server may be there.
    void cut_power(CrashModel model);
    /// The data directory of a new machine.
    Result<void> make_data();
    backup::TargetDoors doors() { return {*disk, clock, *random, pause}; }
    Result<std::unique_ptr<backup::Target>> open_target();
    /// The same without an owner: with retries, encrypted if backups are.
    objects::ObjectStore& objects() { return encrypted == nullptr ? *retrying : *encrypted; }

    Dice dice;
    SimPower power;
    SimClock clock;
    SimPause pause{clock};
    std::unique_ptr<io::Random> random;
    telemetry::Metrics& metrics;
    SimObjectStore store;
    std::unique_ptr<objects::ObjectStore> retrying;
    std::unique_ptr<objects::ObjectStore> encrypted;  // null: plain
    SimSqlite sqlite;
    std::unique_ptr<SimFileSystem> disk;
    NoExecutor nobody;
    AtOnceExecutor at_once;
    NullLogger logger;
    engine::CollectionOptions options;

  private:
    void attach_disk();
};

class ObjectServer {
  public:
    /// As a start does, to where it would be ready.
    static Result<std::unique_ptr<ObjectServer>> start(ObjectWorld& world);
    ~ObjectServer();

    service::Directory& directory() { return *directory_; }
    service::Tiers& tiers() { return *tiers_; }
    service::Backups& backups() { return *backups_; }
    service::LogArchiver& archiver() { return *archiver_; }
    catalog::TierStore& tier_store() { return *tier_store_; }
    Result<void> stop(bool checkpoint);

  private:
    explicit ObjectServer(ObjectWorld& world) : world_(world) {}
    Result<void> begin();

    ObjectWorld& world_;
    std::unique_ptr<catalog::Catalog> catalog_;
    std::unique_ptr<catalog::TierStore> tier_store_;
    std::unique_ptr<service::Directory> directory_;
    std::unique_ptr<service::Tiers> tiers_;
    std::unique_ptr<service::LogArchiver> archiver_;
    std::unique_ptr<service::Backups> backups_;
};

}  // namespace akidb::sim
