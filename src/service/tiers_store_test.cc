// Tiers and the object store: what is owed to it, what it lost, what leaves it, and what a backup has of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "io/pause.h"
#include "service/backups.h"
#include "service/tiers_for_tests.h"

namespace akidb::service {
namespace {

namespace fs = std::filesystem;
using model::StoragePolicy;
using model::Tier;
using model::TierAction;
using testing::HasSubstr;

using TiersStoreTest = TiersFixture;

TEST_F(TiersStoreTest, WhatFailedIsTriedAgainThoughTheClockWasSetBack) {
    TieredServer server(world_);
    server.create(kKinds[0], "notes", StoragePolicy::kMemoryS3);
    write(server, kKinds[0], "notes", rows(1, 20));
    world_.is_down = true;
    server.tiers().run_due({});
    world_.is_down = false;
    world_.clock.set_back_s(uint64_t{365} * 24 * 3600);
    world_.clock.pass_s(65);
    server.tiers().run_due({});
    EXPECT_TRUE(server.tiers().tier_of(server.directory().describe({{}, "notes"}).value()).is_copied);
}

TEST_F(TiersStoreTest, ATaskThatFailsTooOftenIsADeadLetterUntilSomebodySaysSo) {
    auto server = std::make_unique<TieredServer>(world_);
    server->create(kKinds[0], "notes", StoragePolicy::kMemoryS3);
    write(*server, kKinds[0], "notes", rows(1, 20));
    world_.is_down = true;
    for (int i = 0; i < 6; ++i) {
        server->tiers().run_due({});
        world_.clock.pass_s(100);
        if (i == 1) {  // what failed is remembered over a restart
            server.reset();
            server = std::make_unique<TieredServer>(world_);
        }
    }
    auto letters = server->tiers().dead_letters().value();
    ASSERT_EQ(letters.size(), 1U);
    EXPECT_EQ(letters[0].name, "notes");
    EXPECT_EQ(letters[0].tries, 3U);
    EXPECT_THAT(letters[0].error, HasSubstr("the store is down"));
    EXPECT_EQ(server->tiers().state().dead, 1U);
    EXPECT_FALSE(server->tiers().tier_of(server->directory().describe({{}, "notes"}).value()).has_copy);
    world_.is_down = false;
    server->tiers().run_due({});
    EXPECT_TRUE(objects().empty()) << "a dead letter is not tried by itself";
    EXPECT_EQ(server->tiers().retry_dead_letter(99).error().code(), Code::kNotFound);
    ASSERT_TRUE(server->tiers().retry_dead_letter(letters[0].id));
    server->tiers().run_due({});
    EXPECT_EQ(server->tiers().state().dead, 0U);
    EXPECT_TRUE(server->tiers().tier_of(server->directory().describe({{}, "notes"}).value()).is_copied);

    world_.is_down = true;
    write(*server, kKinds[0], "notes", rows(1, 20, 5));
    world_.clock.pass_s(301);
    for (int i = 0; i < 4; ++i) {
        server->tiers().run_due({});
        world_.clock.pass_s(100);
    }
    letters = server->tiers().dead_letters().value();
    ASSERT_EQ(letters.size(), 1U);
    ASSERT_TRUE(server->tiers().drop_dead_letter(letters[0].id));
    world_.is_down = false;
    server->tiers().run_due({});
    EXPECT_FALSE(server->tiers().tier_of(server->directory().describe({{}, "notes"}).value()).is_copied);
    write(*server, kKinds[0], "notes", rows(100, 300));
    ASSERT_TRUE(server->wake("notes").value()->run_maintenance_now());
    world_.clock.pass_s(301);
    server->tiers().run_due({});
    EXPECT_TRUE(server->tiers().tier_of(server->directory().describe({{}, "notes"}).value()).is_copied)
        << "something new is sent again";
}

TEST_F(TiersStoreTest, NothingLocalGoesWhenTheStoreHasLostSomething) {
    TieredServer server(world_);
    server.create(kKinds[0], "notes", StoragePolicy::kS3Only);
    write(server, kKinds[0], "notes", rows(1, 50));
    ASSERT_TRUE(server.act("notes", TierAction::kDemoteToWarm));
    server.tiers().run_due({});
    for (const std::string& key : objects()) {
        if (key.find("/blobs/") != std::string::npos) {
            ASSERT_TRUE(world_.memory->remove(key));
            break;
        }
    }
    const auto refused = server.act("notes", TierAction::kDemoteToCold);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message(), HasSubstr("missing"));
    EXPECT_EQ(server.tier("notes"), Tier::kWarm);
    EXPECT_TRUE(fs::exists(server.path_of("notes")));
    // It is sent again.
    server.tiers().run_due({});
    const auto cold = server.act("notes", TierAction::kDemoteToCold);
    ASSERT_TRUE(cold) << cold.error().message();
    expect_equal(*server.wake("notes").value(), kKinds[0], rows(1, 50));
}

TEST_F(TiersStoreTest, AColdCollectionWithoutItsStoreSaysSoAndComesBackWithIt) {
    TieredServer server(world_);
    server.create(kKinds[0], "notes", StoragePolicy::kS3Only);
    write(server, kKinds[0], "notes", rows(1, 50));
    ASSERT_TRUE(server.act("notes", TierAction::kDemoteToCold));
    world_.is_down = true;
    const auto refused = server.wake("notes");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::kUnavailable);
    EXPECT_THAT(refused.error().message(), HasSubstr("notes is cold: the store is down"));
    EXPECT_EQ(server.tier("notes"), Tier::kCold);
    world_.is_down = false;
    expect_equal(*server.wake("notes").value(), kKinds[0], rows(1, 50));
}

TEST_F(TiersStoreTest, WhatIsDeletedOrErasedLeavesTheStoreToo) {
    TieredServer server(world_);
    const DirectoryEntry cold = server.create(kKinds[0], "cold", StoragePolicy::kS3Only);
    const DirectoryEntry copied = server.create(kKinds[0], "copied", StoragePolicy::kMemoryS3);
    const DirectoryEntry back = server.create(kKinds[0], "back", StoragePolicy::kMemoryS3);
    for (const char* name : {"cold", "copied", "back"}) {
        write(server, kKinds[0], name, rows(1, 50));
    }
    ASSERT_TRUE(server.wake("copied").value()->upsert({secret_document(77)}));
    ASSERT_TRUE(server.act("cold", TierAction::kDemoteToCold));
    server.tiers().run_due({});
    EXPECT_TRUE(any_object_has(kSecret));

    ASSERT_TRUE(server.wake("copied").value()->erase({model::DocumentId(uint64_t{77})}));
    const auto renewed = server.tiers().renew_copy(copied.spec.id);
    ASSERT_TRUE(renewed) << renewed.error().message();
    EXPECT_TRUE(*renewed);
    EXPECT_FALSE(any_object_has(kSecret));

    const size_t before = objects().size();
    ASSERT_TRUE(server.tiers().set_policy(back.spec.id, StoragePolicy::kMemory));
    server.tiers().run_due({});
    EXPECT_LT(objects().size(), before);
    EXPECT_FALSE(server.tiers().renew_copy(back.spec.id).value());
    ASSERT_TRUE(server.directory().remove({{}, "cold"}));
    ASSERT_TRUE(server.directory().remove({{}, "copied"}));
    server.tiers().run_due({});
    EXPECT_TRUE(objects().empty()) << objects().front();
    EXPECT_EQ(server.tiers().state().pending, 0U);
}

/// Puts fail from one on, and lists show nothing, until it is well again.
class SickStore final : public objects::ForwardingStore<SickStore> {
  public:
    explicit SickStore(std::unique_ptr<ObjectStore> well) : ForwardingStore(*well), well_(std::move(well)) {}
    template <class Call>
    auto around(uint64_t /*bytes*/, Call call) -> decltype(call()) {
        return call();
    }
    Result<void> put_file(const std::string& key, const objects::FileToPut& source) override {
        if (puts_left == 0) {
            return Error(Code::kUnavailable, "the store is sick");
        }
        --puts_left;
        return well_->put_file(key, source);
    }
    Result<objects::ObjectPage> list(const objects::ListRequest& request) override {
        return is_blind ? Result<objects::ObjectPage>(objects::ObjectPage{}) : well_->list(request);
    }

    uint64_t puts_left = UINT64_MAX;
    bool is_blind = false;

  private:
    std::unique_ptr<ObjectStore> well_;
};

/// Wherever an upload failed: what it left goes with the next one, and with the collection.
TEST_F(TiersStoreTest, WhatAFailedUploadLeftGoesThoughNoListShowsIt) {
    auto made = std::make_unique<SickStore>(std::move(world_.memory));
    SickStore& store = *made;
    world_.memory = std::move(made);
    uint64_t leaked = 0;
    for (uint64_t puts = 0; puts < 6; ++puts) {
        auto server = std::make_unique<TieredServer>(world_);
        const DirectoryEntry notes = server->create(kKinds[0], "notes", StoragePolicy::kMemoryS3);
        write(*server, kKinds[0], "notes", rows(1, 50));
        ASSERT_TRUE(server->wake("notes").value()->upsert({secret_document(77)}));
        store.puts_left = puts;
        server->tiers().run_due({});
        leaked += any_object_has(kSecret) ? 1 : 0;
        server.reset();
        server = std::make_unique<TieredServer>(world_);
        ASSERT_TRUE(server->wake("notes").value()->erase({model::DocumentId(uint64_t{77})}));
        store.puts_left = UINT64_MAX;
        store.is_blind = true;
        const auto renewed = server->tiers().renew_copy(notes.spec.id);
        ASSERT_TRUE(renewed) << renewed.error().message();
        store.is_blind = false;
        EXPECT_FALSE(any_object_has(kSecret)) << puts << " puts before it failed";
        EXPECT_FALSE(objects().empty());

        store.is_blind = true;
        ASSERT_TRUE(server->directory().remove({{}, "notes"}));
        server->tiers().run_due({});
        store.is_blind = false;
        EXPECT_TRUE(objects().empty()) << objects().front();
    }
    EXPECT_GT(leaked, 1U) << "there were uploads that failed behind it";
}

TEST_F(TiersStoreTest, PoliciesNeedAStore) {
    world_.options.place.clear();
    TieredServer server(world_);
    const auto made = server.directory().create({}, {.name = "notes", .dimension = 16});
    const auto refused = server.tiers().set_policy(made->spec.id, StoragePolicy::kS3Only);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::kInvalidArgument);
    EXPECT_EQ(refused.error().field(), "policy");
    EXPECT_THAT(refused.error().message(), HasSubstr("tiers.to"));
}

class TiersBackupTest : public TiersStoreTest {
  protected:
    std::unique_ptr<Backups> backups_of(TieredServer& server) {
        Backups::Dependencies given{server.directory(), server.catalog(), doors_, idle_,
                                    server.logger(),    server.metrics()};
        given.data = world_.data();
        given.owner.bytes.fill(1);
        given.open_target = [this](const std::string& place, backup::TargetUse use) {
            return backup::Target::open(doors_, place, {}, use);
        };
        auto backups = std::make_unique<Backups>(std::move(given));
        backups->attach(server.tiers());
        return backups;
    }

    JoblessExecutor idle_;
    const std::unique_ptr<io::Pause> pause_ = io::make_system_pause();
    const backup::TargetDoors doors_{*world_.real_files, world_.clock, *world_.random, *pause_};
    const std::string to_ = world_.root / "backups";
};

/// A hash of what was read would fit what was read.
TEST_F(TiersBackupTest, LeavesOutWhatIsDamagedInTheStore) {
    TieredServer server(world_);
    for (const char* name : {"hot", "cold"}) {
        server.create(kKinds[0], name, StoragePolicy::kS3Only);
        write(server, kKinds[0], name, rows(1, 60));
    }
    ASSERT_TRUE(server.act("cold", TierAction::kDemoteToCold));
    for (const std::string& key : objects()) {
        if (key.find("/blobs/") != std::string::npos) {
            const std::string whole = world_.memory->get(key, 1 << 20).value();
            ASSERT_TRUE(world_.memory->put(key, storage::with_flipped_bit(whole, whole.size() * 4),
                                           objects::PutMode::kOverwrite));
        }
    }
    const std::unique_ptr<Backups> backups = backups_of(server);
    const auto made = backups->make(to_, {});
    ASSERT_TRUE(made) << made.error().message();
    EXPECT_EQ(made->stage, BackupStage::kDone) << made->error;
    ASSERT_EQ(made->left_out.size(), 1u);
    EXPECT_EQ(made->left_out[0].name, "cold");
    EXPECT_THAT(made->left_out[0].reason, HasSubstr("damaged in the object store"));
    EXPECT_EQ(made->documents, 60U);
}

/// What is asleep is in a backup without being opened, and what the backup has is not fetched again.
TEST_F(TiersBackupTest, HasWhatIsAsleep) {
    TieredServer server(world_);
    for (const char* name : {"hot", "warm", "cold"}) {
        server.create(kKinds[0], name, StoragePolicy::kS3Only);
        write(server, kKinds[0], name, rows(1, 60));
    }
    ASSERT_TRUE(server.act("warm", TierAction::kDemoteToWarm));
    ASSERT_TRUE(server.act("cold", TierAction::kDemoteToCold));
    const std::unique_ptr<Backups> backups = backups_of(server);
    const auto made = backups->make(to_, {});
    ASSERT_TRUE(made) << made.error().message();
    EXPECT_EQ(made->stage, BackupStage::kDone) << made->error;
    EXPECT_TRUE(made->left_out.empty());
    EXPECT_EQ(made->documents, 180U);
    EXPECT_EQ(server.tier("cold"), Tier::kCold);
    EXPECT_EQ(server.tier("warm"), Tier::kWarm);
    const uint64_t calls = world_.store_calls;
    const auto again = backups->make(to_, {});
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(world_.store_calls - calls, 1U) << "but for its manifest, nothing is read of the cold one";

    const auto target = backup::Target::open(doors_, to_, {}, backup::TargetUse::kRead);
    ASSERT_TRUE(target);
    backup::Repository repository((*target)->store(), world_.clock);
    const std::string restored = world_.root / "restored";
    ASSERT_TRUE(backup::restore(*world_.real_files, repository, {.backup = again->id, .data = restored}));
    Opened opened(*world_.real_files, world_.clock, *world_.random, restored);
    for (const char* name : {"hot", "warm", "cold"}) {
        expect_equal(*opened.find(name), kKinds[0], rows(1, 60));
    }
}

}  // namespace
}  // namespace akidb::service
