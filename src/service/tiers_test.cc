// Tiers: what moves between memory, disk and store is the same wherever it is, whatever step the process dies
// at, and nothing local goes before the store has it.
#include "service/tiers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

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

class TiersTest : public testing::Test {
  protected:
    static Model rows(uint64_t first, uint64_t count, uint64_t seed = 0) {
        Model model;
        for (uint64_t id = first; id < first + count; ++id) {
            model[id] = {static_cast<int64_t>(id + seed), id * 1000 + seed};
        }
        return model;
    }
    static void write(TieredServer& server, const Kind& kind, const std::string& name, const Model& model) {
        std::vector<model::Document> documents;
        for (const auto& [id, row] : model) {
            documents.push_back(document(kind, id, row));
        }
        const auto collection = server.wake(name);
        ASSERT_TRUE(collection) << collection.error().message();
        ASSERT_TRUE((*collection)->upsert(std::move(documents)));
    }
    /// Every document, and no other.
    static void expect_equal(engine::Collection& collection, const Kind& kind, const Model& model) {
        EXPECT_EQ(collection.count(nullptr).value(), model.size());
        for (const auto& [id, row] : model) {
            const auto found = collection.get({model::DocumentId(id)}, {.vector = true, .metadata = true});
            ASSERT_TRUE(found) << found.error().message();
            ASSERT_EQ(found->size(), 1U) << id;
            EXPECT_EQ(found->front().metadata, metadata_of(row.number));
            if (kind.storage == model::VectorStorage::kF32 && kind.metric != model::Metric::kCosine) {
                EXPECT_EQ(found->front().vector, vector_of(kind.dimension, row.seed));
            }
        }
        model::SearchRequest request;
        request.vector = vector_of(kind.dimension, model.empty() ? 1 : model.begin()->second.seed);
        request.top_k = 3;
        const auto answer = collection.search(request);
        ASSERT_TRUE(answer) << answer.error().message();
        EXPECT_EQ(answer->matches.size(), std::min<size_t>(3, model.size()));
    }
    std::vector<std::string> objects() const {
        std::vector<std::string> keys;
        const auto page = world_.memory->list({});
        for (const auto& object : page->objects) {
            keys.push_back(object.key);
        }
        return keys;
    }
    bool any_object_has(const std::string& text) const {
        for (const std::string& key : objects()) {
            if (world_.memory->get(key, 64 << 20)->find(text) != std::string::npos) {
                return true;
            }
        }
        return false;
    }

    TierWorld world_;
};

TEST_F(TiersTest, MovesOfEveryKindLeaveEveryDocumentAsItWas) {
    auto server = std::make_unique<TieredServer>(world_);
    Models models;
    for (const Kind& kind : kKinds) {
        server->create(kind, kind.name, StoragePolicy::kS3Only);
        models[kind.name] = rows(1, 300);
        write(*server, kind, kind.name, models[kind.name]);
    }
    for (uint64_t round = 1; round <= 3; ++round) {
        for (const Kind& kind : kKinds) {
            ASSERT_TRUE(server->act(kind.name, TierAction::kDemoteToWarm));
            EXPECT_EQ(server->tier(kind.name), Tier::kWarm);
            EXPECT_EQ(server->directory().describe({{}, kind.name})->asleep_documents,
                      models[kind.name].size());
            const auto demoted = server->act(kind.name, TierAction::kDemoteToCold);
            ASSERT_TRUE(demoted) << demoted.error().message();
            EXPECT_EQ(server->tier(kind.name), Tier::kCold);
            EXPECT_FALSE(fs::exists(server->path_of(kind.name)));
        }
        server.reset();
        server = std::make_unique<TieredServer>(world_);
        for (const Kind& kind : kKinds) {
            EXPECT_EQ(server->tier(kind.name), Tier::kCold) << "a start opens nothing that is cold";
            const auto woken = server->wake(kind.name);
            ASSERT_TRUE(woken) << woken.error().message();
            expect_equal(**woken, kind, models[kind.name]);
            EXPECT_EQ(server->tier(kind.name), Tier::kHot);
            for (const auto& [id, row] : rows(200 * round, 150, round)) {
                models[kind.name][id] = row;
            }
            write(*server, kind, kind.name, rows(200 * round, 150, round));
            ASSERT_TRUE(server->wake(kind.name).value()->remove({model::DocumentId(round)}));
            models[kind.name].erase(round);
        }
        server.reset();
        server = std::make_unique<TieredServer>(world_);
        for (const Kind& kind : kKinds) {
            expect_equal(*server->wake(kind.name).value(), kind, models[kind.name]);
        }
    }
}

/// A collection goes cold, is opened, written, and goes cold again; the process dies at each step of that in
/// turn. Whatever was acknowledged is there afterwards, and it can go cold and come back once more.
TEST_F(TiersTest, NothingIsLostWhereverTheProcessDies) {
    const Kind& kind = kKinds[0];
    uint64_t died = 0;
    for (uint64_t step = 1;; ++step) {
        TierWorld world;
        Model model = rows(1, 40);
        {
            TieredServer server(world);
            server.create(kind, "notes", StoragePolicy::kS3Only);
            write(server, kind, "notes", model);
        }
        bool has_died = false;
        {
            TieredServer server(world);
            server.doom().plan(step);
            std::ignore = server.act("notes", TierAction::kDemoteToCold).has_value();
            if (auto woken = server.wake("notes")) {
                if ((*woken)->upsert({document(kind, 7, {70, 70})})) {
                    model[7] = {70, 70};
                }
            }
            std::ignore = server.act("notes", TierAction::kDemoteToCold).has_value();
            std::ignore = server.act("notes", TierAction::kPromoteToHot).has_value();
            has_died = server.doom().is_dead();
        }
        died += has_died ? 1 : 0;
        TieredServer server(world);
        {
            const auto woken = server.wake("notes");
            ASSERT_TRUE(woken) << step << ": " << woken.error().message();
            // A write that was not acknowledged may be there.
            const auto seventh = (*woken)->get({model::DocumentId(uint64_t{7})}, {.metadata = true});
            ASSERT_TRUE(seventh);
            ASSERT_EQ(seventh->size(), 1U) << step;
            if (model[7].number != 70 && seventh->front().metadata == metadata_of(70)) {
                model[7] = {70, 70};
            }
            expect_equal(**woken, kind, model);
        }
        const auto cold = server.act("notes", TierAction::kDemoteToCold);
        ASSERT_TRUE(cold) << step << ": " << cold.error().message();
        EXPECT_FALSE(fs::exists(server.path_of("notes")));
        expect_equal(*server.wake("notes").value(), kind, model);
        if (testing::Test::HasFailure()) {
            FAIL() << "at step " << step;
        }
        if (!has_died) {
            break;
        }
    }
    std::printf("the process died at each of %llu steps\n", static_cast<unsigned long long>(died));
    EXPECT_GE(died, 60U);
}

TEST_F(TiersTest, IdleCollectionsGoWarmThenColdAndPinnedOnesStay) {
    TieredServer server(world_);
    server.create(kKinds[0], "idle", StoragePolicy::kS3Only);
    server.create(kKinds[0], "pinned", StoragePolicy::kS3Only);
    server.create(kKinds[0], "copied", StoragePolicy::kMemoryS3);
    server.create(kKinds[0], "local", StoragePolicy::kMemory);
    for (const char* name : {"idle", "pinned", "copied", "local"}) {
        write(server, kKinds[0], name, rows(1, 20));
    }
    ASSERT_TRUE(server.act("pinned", TierAction::kPin));
    server.tiers().run_due({});
    EXPECT_EQ(server.tier("idle"), Tier::kHot);
    world_.clock.pass_s(61);
    server.tiers().run_due({});
    EXPECT_EQ(server.tier("idle"), Tier::kWarm);
    world_.clock.pass_s(540);
    server.tiers().run_due({});
    EXPECT_EQ(server.tier("idle"), Tier::kCold);
    for (const char* name : {"pinned", "copied", "local"}) {
        EXPECT_EQ(server.tier(name), Tier::kHot) << name;
    }
    const TiersState state = server.tiers().state();
    EXPECT_EQ(state.cold, 1U);
    EXPECT_EQ(state.hot, 3U);
    EXPECT_EQ(state.pending, 0U);
    // What is asked for is not idle.
    ASSERT_TRUE(server.wake("idle"));
    world_.clock.pass_s(59);
    ASSERT_TRUE(server.wake("idle"));
    world_.clock.pass_s(59);
    server.tiers().run_due({});
    EXPECT_EQ(server.tier("idle"), Tier::kHot);
    const auto refused = server.act("copied", TierAction::kDemoteToCold);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::kConflict);
    EXPECT_THAT(refused.error().message(), HasSubstr("memory_s3"));
    EXPECT_EQ(server.act("pinned", TierAction::kDemoteToWarm).error().code(), Code::kConflict);
}

TEST_F(TiersTest, ACollectionInUseIsNotClosed) {
    TieredServer server(world_);
    server.create(kKinds[0], "notes", StoragePolicy::kS3Only);
    write(server, kKinds[0], "notes", rows(1, 20));
    {
        const auto used = server.wake("notes");
        world_.clock.pass_s(10'000);
        server.tiers().run_due({});
        EXPECT_EQ(server.tier("notes"), Tier::kHot);
        EXPECT_EQ(server.act("notes", TierAction::kDemoteToWarm).error().code(), Code::kConflict);
        EXPECT_TRUE((*used)->upsert({document(kKinds[0], 1, {2, 2})}));
    }
    EXPECT_TRUE(server.act("notes", TierAction::kDemoteToWarm));
}

TEST_F(TiersTest, WhatIsFetchedNeverTakesMoreThanTheCache) {
    std::vector<std::string> names;
    {
        TieredServer make(world_);
        for (int i = 0; i < 8; ++i) {
            names.push_back("notes" + std::to_string(i));
            make.create(kKinds[0], names.back(), StoragePolicy::kS3Only);
            write(make, kKinds[0], names.back(), rows(1, 200, static_cast<uint64_t>(i)));
            ASSERT_TRUE(make.act(names.back(), TierAction::kDemoteToCold));
        }
        world_.options.cache_bytes =
            make.tiers().tier_of(make.directory().describe({{}, names[0]}).value()).bytes * 5 / 2;
    }
    TieredServer server(world_);
    const auto random = io::make_seeded_random(3);
    for (int round = 0; round < 60; ++round) {
        const auto i = static_cast<size_t>(random->next_u64() % names.size());
        world_.clock.pass_s(1);
        const auto woken = server.wake(names[i]);
        ASSERT_TRUE(woken) << woken.error().message();
        expect_equal(**woken, kKinds[0], rows(1, 200, i));
        uint64_t here = 0;
        for (const std::string& name : names) {
            if (fs::exists(server.path_of(name) + "/seg")) {
                for (const auto& file : fs::directory_iterator(server.path_of(name) + "/seg")) {
                    here += file.file_size();
                }
            }
        }
        EXPECT_LE(here, world_.options.cache_bytes);
        EXPECT_LE(server.tiers().state().cached_bytes, world_.options.cache_bytes);
    }
    // Two are in use: there is no room for a third, and it says so.
    const auto first = server.wake(names[0]);
    const auto second = server.wake(names[1]);
    const auto third = server.wake(names[2]);
    ASSERT_FALSE(third);
    EXPECT_EQ(third.error().code(), Code::kUnavailable);
    EXPECT_THAT(third.error().message(), HasSubstr("tiers.cache_bytes"));
}

TEST_F(TiersTest, ATaskThatFailsTooOftenIsADeadLetterUntilSomebodySaysSo) {
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

TEST_F(TiersTest, NothingLocalGoesWhenTheStoreHasLostSomething) {
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

TEST_F(TiersTest, AColdCollectionWithoutItsStoreSaysSoAndComesBackWithIt) {
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

TEST_F(TiersTest, OneOpensAndTheOthersWait) {
    io::ThreadPool openers({.name = "open", .threads = 2});
    {
        TieredServer server(world_, &openers);
        server.create(kKinds[0], "notes", StoragePolicy::kS3Only);
        write(server, kKinds[0], "notes", rows(1, 50));
        ASSERT_TRUE(server.act("notes", TierAction::kDemoteToCold));
        EXPECT_TRUE(server.tiers().has_sleepers());
        EXPECT_FALSE(server.tiers().is_awake({{}, "notes"}));
        const uint64_t before = world_.store_calls;
        std::vector<std::jthread> askers;
        for (int i = 0; i < 8; ++i) {
            askers.emplace_back([&] {
                const auto woken = server.wake("notes");
                ASSERT_TRUE(woken) << woken.error().message();
                EXPECT_EQ((*woken)->count(nullptr).value(), 50U);
            });
        }
        askers.clear();
        // The manifest once, and each file once.
        EXPECT_LE(world_.store_calls - before, 1U + 4U);
        EXPECT_TRUE(server.tiers().is_awake({{}, "notes"}));
        server.tiers().stop();
    }
    openers.stop();
}

TEST_F(TiersTest, ADeadlineEndsTheWaitingAndNotTheOpening) {
    class Held final : public io::Executor {
      public:
        bool submit(std::string, Job job) override {
            jobs.push_back(std::move(job));
            ++count;
            return true;
        }
        std::vector<Job> jobs;
        std::atomic<int> count{0};
    } held;
    TieredServer server(world_, &held);
    server.create(kKinds[0], "notes", StoragePolicy::kS3Only);
    write(server, kKinds[0], "notes", rows(1, 50));
    ASSERT_TRUE(server.act("notes", TierAction::kDemoteToCold));
    {
        std::jthread passes([&] {
            while (held.count == 0) {
                std::this_thread::yield();
            }
            world_.clock.pass_s(10);
        });
        const auto late = server.tiers().wake({{}, "notes"}, world_.clock.monotonic_us() + 1'000'000);
        ASSERT_FALSE(late);
        EXPECT_EQ(late.error().code(), Code::kDeadlineExceeded);
        EXPECT_EQ(server.tier("notes"), Tier::kCold);
    }
    const auto later = server.tiers().wake({{}, "notes"}, world_.clock.monotonic_us());
    ASSERT_FALSE(later);
    EXPECT_EQ(later.error().code(), Code::kDeadlineExceeded);
    ASSERT_EQ(held.jobs.size(), 1U) << "one opening for both";
    held.jobs[0]({});
    EXPECT_EQ((*server.wake("notes"))->count(nullptr).value(), 50U);
}

TEST_F(TiersTest, WhatIsDeletedOrErasedLeavesTheStoreToo) {
    TieredServer server(world_);
    const DirectoryEntry cold = server.create(kKinds[0], "cold", StoragePolicy::kS3Only);
    const DirectoryEntry copied = server.create(kKinds[0], "copied", StoragePolicy::kMemoryS3);
    const DirectoryEntry back = server.create(kKinds[0], "back", StoragePolicy::kMemoryS3);
    for (const char* name : {"cold", "copied", "back"}) {
        write(server, kKinds[0], name, rows(1, 50));
    }
    model::MetadataWriter writer;
    writer.begin_object();
    writer.key("secret");
    writer.put_string("of-which-nothing-may-stay");
    writer.end();
    model::Document secret = document(kKinds[0], 77, {1, 1});
    secret.metadata = std::move(writer).finish().value();
    ASSERT_TRUE(server.wake("copied").value()->upsert({secret}));
    ASSERT_TRUE(server.act("cold", TierAction::kDemoteToCold));
    server.tiers().run_due({});
    EXPECT_TRUE(any_object_has("of-which-nothing-may-stay"));

    ASSERT_TRUE(server.wake("copied").value()->erase({model::DocumentId(uint64_t{77})}));
    const auto renewed = server.tiers().renew_copy(copied.spec.id);
    ASSERT_TRUE(renewed) << renewed.error().message();
    EXPECT_TRUE(*renewed);
    EXPECT_FALSE(any_object_has("of-which-nothing-may-stay"));

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

TEST_F(TiersTest, PoliciesNeedAStore) {
    world_.options.place.clear();
    TieredServer server(world_);
    const auto made = server.directory().create({}, {.name = "notes", .dimension = 16});
    const auto refused = server.tiers().set_policy(made->spec.id, StoragePolicy::kS3Only);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::kInvalidArgument);
    EXPECT_EQ(refused.error().field(), "policy");
    EXPECT_THAT(refused.error().message(), HasSubstr("tiers.to"));
}

/// What is asleep is in a backup without being opened, and what the backup has is not fetched again.
TEST_F(TiersTest, ABackupHasWhatIsAsleep) {
    TieredServer server(world_);
    for (const char* name : {"hot", "warm", "cold"}) {
        server.create(kKinds[0], name, StoragePolicy::kS3Only);
        write(server, kKinds[0], name, rows(1, 60));
    }
    ASSERT_TRUE(server.act("warm", TierAction::kDemoteToWarm));
    ASSERT_TRUE(server.act("cold", TierAction::kDemoteToCold));
    JoblessExecutor idle;
    const auto pause = io::make_system_pause();
    const backup::TargetDoors doors{*world_.real_files, world_.clock, *world_.random, *pause};
    Backups::Dependencies given{server.directory(), server.catalog(), doors, idle,
                                server.logger(),    server.metrics()};
    given.data = world_.data();
    given.owner.bytes.fill(1);
    given.open_target = [&](const std::string& place, backup::TargetUse use) {
        return backup::Target::open(doors, place, {}, use);
    };
    Backups backups(std::move(given));
    backups.attach(server.tiers());
    const std::string to = world_.root / "backups";
    const auto made = backups.make(to, {});
    ASSERT_TRUE(made) << made.error().message();
    EXPECT_EQ(made->stage, BackupStage::kDone) << made->error;
    EXPECT_TRUE(made->left_out.empty());
    EXPECT_EQ(made->documents, 180U);
    EXPECT_EQ(server.tier("cold"), Tier::kCold);
    EXPECT_EQ(server.tier("warm"), Tier::kWarm);
    const uint64_t calls = world_.store_calls;
    const auto again = backups.make(to, {});
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(world_.store_calls - calls, 1U) << "but for its manifest, nothing is read of the cold one";

    const auto target = backup::Target::open(doors, to, {}, backup::TargetUse::kRead);
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
