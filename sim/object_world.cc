#include "sim/object_world.h"

#include "objects/encrypted_store.h"
#include "objects/retrying_store.h"
#include "sim/machine.h"

namespace akidb::sim {
namespace {

constexpr const char* kKey = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
constexpr uint64_t kHeldLogBytes = 1 << 20;
// Fewer than in the product, so that what fails shows.
constexpr uint64_t kTriesMax = 3;

service::TierOptions tier_options() {
    return {.place = kPlace,
            .warm_after_us = 60'000'000,
            .cold_after_us = 600'000'000,
            .copy_interval_us = 300'000'000,
            .tries_max = 3};
}

}  // namespace

ObjectWorld::ObjectWorld(uint64_t seed, telemetry::Metrics& counted)
    : dice(seed),
      random(io::make_seeded_random(dice.next())),
      metrics(counted),
      store(dice.next(), power, clock),
      retrying(objects::make_retrying_store(store, *random, pause,
                                            {.tries = 1 + static_cast<uint32_t>(dice.below(kTriesMax))})),
      sqlite(seed, power, clock),
      disk(std::make_unique<SimFileSystem>(dice.next())),
      options(collection_options(Sizes::kSmall)) {
    if (dice.one_in(3)) {
        encrypted =
            objects::make_encrypted_store(*retrying, objects::EncryptionKey::parse(kKey).value(), *random);
    }
    options.held_log_bytes_max = kHeldLogBytes;
    attach_disk();
}

void ObjectWorld::attach_disk() {
    sqlite.mount(*disk);
    disk->before_each_call([this](uint64_t call, Verb verb) {
        if (mutates(verb) ? !power.step() : power.is_off()) {
            disk->crash_after(call);
        }
    });
}

void ObjectWorld::cut_power(CrashModel model) {
    disk = disk->crash_image(model, dice.next());
    attach_disk();
    power.turn_on();
}

Result<void> ObjectWorld::make_data() {
    const std::string data(kRoot);
    for (const char* made : {"", "/collections", "/staging"}) {
        AKIDB_TRY(disk->make_directory(data + made));
    }
    AKIDB_TRY(disk->sync_directory(data));
    return disk->sync_directory("/");
}

Result<std::unique_ptr<backup::Target>> ObjectWorld::open_target() {
    return backup::Target::over(std::make_unique<SharedStore>(objects()));
}

Result<std::unique_ptr<ObjectServer>> ObjectServer::start(ObjectWorld& world) {
    std::unique_ptr<ObjectServer> server(new ObjectServer(world));
    AKIDB_TRY(server->begin());
    return server;
}

Result<void> ObjectServer::begin() {
    const std::string data(kRoot);
    io::FileSystem& files = *world_.disk;
    AKIDB_TRY(catalog_, catalog::Catalog::open(data + "/" + backup::kRestoredCatalog));
    AKIDB_TRY(io::remove_tree(files, data, "staging"));
    AKIDB_TRY(files.make_directory(data + "/staging"));
    AKIDB_TRY(tier_store_, catalog::TierStore::open(data + "/" + backup::kRestoredCatalog));
    directory_ = std::make_unique<service::Directory>(
        engine::Dependencies{files, world_.clock, world_.nobody, world_.logger, world_.metrics},
        *world_.random, *catalog_, data + "/collections", world_.options);
    const backup::OpenTarget open_target = [&world = world_](const std::string&, backup::TargetUse) {
        return world.open_target();
    };
    tiers_ = std::make_unique<service::Tiers>(service::Tiers::Dependencies{.directory = *directory_,
                                                                           .store = *tier_store_,
                                                                           .files = files,
                                                                           .clock = world_.clock,
                                                                           .random = *world_.random,
                                                                           .logger = world_.logger,
                                                                           .metrics = world_.metrics,
                                                                           .openers = world_.at_once,
                                                                           .movers = world_.nobody,
                                                                           .fetchers = world_.nobody,
                                                                           .readers = world_.nobody,
                                                                           .data = data,
                                                                           .open_target = open_target},
                                              tier_options());
    AKIDB_TRY(const std::vector<service::Asleep> asleep, tiers_->begin());
    AKIDB_TRY(directory_->start_loading(world_.at_once, asleep));
    service::LogArchiver::Dependencies of_log{*directory_,   *catalog_,     world_.doors(),
                                              world_.nobody, world_.logger, world_.metrics};
    of_log.data = data;
    of_log.owner.bytes.fill(1);
    of_log.open_target = open_target;
    service::Backups::Dependencies of_backups{*directory_,   *catalog_,     world_.doors(),
                                              world_.nobody, world_.logger, world_.metrics};
    of_backups.data = data;
    of_backups.version = "simulated";
    of_backups.owner = of_log.owner;
    of_backups.open_target = open_target;
    of_backups.timeline = [this] { return archiver_->timeline(); };
    archiver_ =
        std::make_unique<service::LogArchiver>(std::move(of_log), service::ArchivePlan{kPlace, 20'000});
    archiver_->attach(*tiers_);
    backups_ = std::make_unique<service::Backups>(std::move(of_backups));
    backups_->attach(*tiers_);
    return {};
}

Result<void> ObjectServer::stop(bool checkpoint) {
    tiers_->stop();
    return directory_->close_all(checkpoint);
}

ObjectServer::~ObjectServer() {
    if (tiers_ != nullptr) {
        tiers_->stop();
    }
}

}  // namespace akidb::sim
