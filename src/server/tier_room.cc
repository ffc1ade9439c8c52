#include "server/tier_room.h"

#include <algorithm>

#include "server/backup_access.h"
#include "server/layer_options.h"
#include "server/load_settings.h"
#include "service/backups.h"

namespace akidb::server {
namespace {

using settings::Effective;

// Collections that open at once, and files that are fetched at once.
constexpr size_t kOpeners = 2;
constexpr size_t kFetchers = 4;
// Ranges that searches of cold collections read at once: as many as a store keeps connections for.
constexpr size_t kReaders = 16;
constexpr size_t kOpenQueueMax = 256;
constexpr size_t kFetchQueueMax = 1 << 16;

service::TierOptions tier_options(const Effective& effective) {
    constexpr uint64_t kSecondUs = 1'000'000;
    return {.place = effective.text("tiers.to"),
            .cache_bytes = number_of<uint64_t>(effective, "tiers.cache_bytes"),
            .warm_after_us = number_of<uint64_t>(effective, "tiers.warm_after_s") * kSecondUs,
            .cold_after_us = number_of<uint64_t>(effective, "tiers.cold_after_s") * kSecondUs,
            .copy_interval_us = number_of<uint64_t>(effective, "tiers.copy_interval_s") * kSecondUs,
            .tries_max = number_of<uint64_t>(effective, "tiers.tries"),
            .wait_us = number_of<uint64_t>(effective, "tiers.wait_ms") * 1000,
            .waiters_max = std::max<size_t>(1, number_of<size_t>(effective, "server.worker_threads") / 2),
            .promote_after = number_of<uint64_t>(effective, "tiers.promote_after"),
            .cold_memory_bytes = number_of<uint64_t>(effective, "tiers.cold_memory_bytes")};
}

}  // namespace

void check_tier_settings(const Effective& effective, std::vector<settings::Finding>& findings) {
    const std::string& to = effective.text("tiers.to");
    if (!to.empty()) {
        const Result<void> place = service::check_backup_place(to, effective.text("storage.data_dir"));
        if (!place) {
            findings.push_back(
                finding_at("tiers.to", effective, place.error().message(), place.error().allowed()));
        }
        if (to == effective.text("backup.to")) {
            findings.push_back(finding_at("tiers.to", effective, "is where backups go (backup.to)",
                                          "a bucket, prefix or directory of its own"));
        }
    }
    if (effective.integer("tiers.cold_after_s") < effective.integer("tiers.warm_after_s")) {
        findings.push_back(finding_at("tiers.cold_after_s", effective, "is less than tiers.warm_after_s",
                                      std::to_string(effective.integer("tiers.warm_after_s")) + " and more"));
    }
}

Result<std::unique_ptr<TierRoom>> TierRoom::open(const Dependencies& given, const Effective& effective) {
    AKIDB_TRY(auto store, catalog::TierStore::open(catalog_path(effective)));
    auto room = std::make_unique<TierRoom>(given, effective, std::move(store));
    AKIDB_TRY(room->asleep_, room->tiers_->begin());
    return room;
}

TierRoom::TierRoom(const Dependencies& given, const Effective& effective,
                   std::unique_ptr<catalog::TierStore> store)
    : store_(std::move(store)),
      fetchers_({"fetch", kFetchers, kFetchQueueMax, 0}),
      readers_({"range", kReaders, kFetchQueueMax, 0}),
      openers_({"open", kOpeners, kOpenQueueMax, 0}),
      movers_({"tiers", 1, 1, 10}) {
    // Whoever waits for a collection waits for these tries, too; the queue has tries of its own.
    backup::S3Access s3 = given.backups.s3();
    s3.retry = {.tries = 3, .base_us = 200'000, .cap_us = 2'000'000};
    tiers_ = std::make_unique<service::Tiers>(
        service::Tiers::Dependencies{.directory = given.directory,
                                     .store = *store_,
                                     .files = given.doors.files,
                                     .clock = given.clock,
                                     .random = given.doors.random,
                                     .logger = given.logger,
                                     .metrics = given.metrics,
                                     .openers = openers_,
                                     .movers = movers_,
                                     .fetchers = fetchers_,
                                     .readers = readers_,
                                     .data = effective.text("storage.data_dir"),
                                     .open_target =
                                         [doors = given.doors, s3, key = effective.text("tiers.key_file")](
                                             const std::string& place, backup::TargetUse use) {
                                             return backup::Target::open(doors, place, s3, use, key);
                                         },
                                     .breaker = &given.backups.breaker(),
                                     .disk = &given.disk},
        tier_options(effective));
}

TierRoom::~TierRoom() {
    stop();
}

void TierRoom::tick(bool is_ready) {
    if (is_ready) {
        tiers_->tick();
    }
}

void TierRoom::stop() {
    tiers_->stop();
    fetchers_.stop();
    readers_.stop();
    openers_.stop();
    movers_.stop();
}

}  // namespace akidb::server
