// Tiers: what moves between memory, disk and store is the same wherever it is, whatever step the process dies
// at, and nothing local goes before the store has it.
#include "service/tiers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "service/service.h"
#include "service/tiers_for_tests.h"

namespace akidb::service {
namespace {

namespace fs = std::filesystem;
using model::StoragePolicy;
using model::Tier;
using model::TierAction;
using testing::HasSubstr;

using TiersTest = TiersFixture;

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

TEST_F(TiersTest, WhatIsWrittenWaitsForRoomInTheCache) {
    const auto make = [this] {
        auto server = std::make_unique<TieredServer>(world_);
        server->tiers().run_due({});
        return server;
    };
    auto server = make();
    for (const char* name : {"used", "unused"}) {
        server->create(kKinds[0], name, StoragePolicy::kS3Only);
        write(*server, kKinds[0], name, rows(1, 200));
    }
    server->create(kKinds[0], "local", StoragePolicy::kMemory);
    server->tiers().run_due({});
    server.reset();
    server = make();
    const uint64_t taken = server->tiers().state().cached_bytes;
    ASSERT_GT(taken, 0U);
    constexpr uint64_t kAhead = 256 << 10;  // a log is allocated ahead
    world_.options.cache_bytes = taken + kAhead + 1000;
    server.reset();
    server = make();
    const auto id_of = [&](const char* name) { return server->directory().describe({{}, name})->spec.id; };
    world_.clock.pass_s(10);
    ASSERT_TRUE(server->wake("used"));
    EXPECT_TRUE(server->tiers().admit_write(id_of("used"), 900));
    EXPECT_FALSE(server->tiers().admit_write(id_of("used"), 900)) << "what was admitted counts";
    const auto refused = server->tiers().admit_write(id_of("used"), 2000);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::kUnavailable);
    EXPECT_EQ(refused.error().retry_after_s(), 1U);
    EXPECT_THAT(refused.error().message(), HasSubstr("tiers.cache_bytes"));
    EXPECT_TRUE(server->tiers().admit_write(id_of("local"), 1 << 30)) << "it takes nothing of the cache";
    server->tiers().run_due({});
    EXPECT_EQ(server->tier("unused"), Tier::kCold);
    EXPECT_EQ(server->tier("used"), Tier::kHot);
    EXPECT_TRUE(server->tiers().admit_write(id_of("used"), 2000));
}

/// Nothing is taken from a cache by a change in place that an upsert of the same documents could not take.
TEST_F(TiersTest, AChangeInPlaceWaitsForRoomAsAnUpsertOfTheSameDocumentsDoes) {
    const Kind& kind = kKinds[0];
    const Model model = rows(1, 200);
    {
        TieredServer server(world_);
        server.create(kind, "notes", StoragePolicy::kS3Only);
        write(server, kind, "notes", model);
        server.tiers().run_due({});
    }
    // Room for the log that is allocated ahead, and for some of the documents.
    uint64_t taken = 0;
    {
        TieredServer server(world_);
        taken = server.tiers().state().cached_bytes;
    }
    constexpr uint64_t kAhead = 256 << 10;
    world_.options.cache_bytes = taken + kAhead + 50'000;
    TieredServer server(world_);
    Service service(server.directory(), world_.clock, *world_.random);
    service.attach(server.tiers());
    const RequestContext context{.principal = operator_principal()};
    std::optional<Result<engine::WriteReply>> reply;  // at return: there is no committer
    const auto answer = [&](Result<engine::WriteReply> done) { reply = std::move(done); };
    std::vector<model::DocumentId> ids;
    std::vector<model::Document> documents;
    std::vector<model::DocumentUpdate> each;
    model::DocumentChange change;
    change.merge = metadata_of(5);
    for (const auto& [id, row] : model) {
        ids.emplace_back(id);
        documents.push_back(document(kind, id, row));
        each.push_back({model::DocumentId(id), change, {}});
    }
    const auto expect_refused = [&](const char* what) {
        ASSERT_TRUE(reply) << what;
        ASSERT_FALSE(*reply) << what;
        EXPECT_EQ(reply->error().code(), Code::kUnavailable) << what;
        EXPECT_THAT(reply->error().message(), HasSubstr("tiers.cache_bytes")) << what;
    };
    service.upsert_documents(context, "notes", documents, answer);
    expect_refused("upsert");
    service.update_documents(context, "notes", model::UpdateAll{ids, change}, answer);
    expect_refused("by ids");
    service.update_documents(context, "notes", each, answer);
    expect_refused("one by one");
    service.update_documents(context, "notes",
                             model::UpdateAll{std::make_shared<const model::Filter>(), change}, answer);
    expect_refused("all of them");
    const std::vector<model::DocumentId> one{ids.front()};
    service.update_documents(context, "notes", model::UpdateAll{one, change}, answer);
    ASSERT_TRUE(*reply) << "there is room for one: " << reply->error().message();
    EXPECT_EQ((*reply)->count, 1U);
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

}  // namespace
}  // namespace akidb::service
