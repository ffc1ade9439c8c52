// Searches of collections whose files are in the store alone: right as those of open ones, in few round
// trips, within their memory; and where the store has no right answer, the collection is opened.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
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

class ColdSearchesTest : public TiersFixture {
  protected:
    static model::SearchRequest nearest_to(const Kind& kind, uint64_t seed, uint32_t top_k = 10) {
        model::SearchRequest request;
        request.vector = vector_of(kind.dimension, seed);
        request.top_k = top_k;
        request.include = {.vector = true, .metadata = true};
        return request;
    }
    static std::optional<Result<model::SearchReply>> ask(TieredServer& server, const std::string& name,
                                                         const model::SearchRequest& request) {
        return server.tiers().search_cold({{}, name}, request);
    }
    /// By comparing with all; the collection is opened for it.
    static model::SearchReply exact(TieredServer& server, const std::string& name,
                                    model::SearchRequest request) {
        request.params.exact = true;
        return server.wake(name).value()->search(request).value();
    }
    static void expect_equal_answers(const model::SearchReply& one, const model::SearchReply& other) {
        ASSERT_EQ(one.matches.size(), other.matches.size());
        for (size_t i = 0; i < one.matches.size(); ++i) {
            EXPECT_EQ(one.matches[i].document.id, other.matches[i].document.id);
            EXPECT_EQ(one.matches[i].document.vector, other.matches[i].document.vector);
            EXPECT_EQ(one.matches[i].document.metadata, other.matches[i].document.metadata);
            EXPECT_EQ(one.matches[i].score, other.matches[i].score);
        }
    }
    void make_cold(TieredServer& server, const Kind& kind, const std::string& name, uint64_t count = 200) {
        server.create(kind, name, StoragePolicy::kS3Only);
        write(server, kind, name, rows(1, count));
        const auto cold = server.act(name, TierAction::kDemoteToCold);
        ASSERT_TRUE(cold) << cold.error().message();
    }
    std::vector<std::string> cold_objects() const {
        std::vector<std::string> keys = objects();
        std::erase_if(keys, [](const std::string& key) { return key.find("/cold/") == std::string::npos; });
        return keys;
    }
};

TEST_F(ColdSearchesTest, AnswerAsOpenCollectionsDoInThreeRoundTripsAtMost) {
    auto server = std::make_unique<TieredServer>(world_);
    const Kind kinds[] = {
        kKinds[0], kKinds[1], {"short", 24, model::Metric::kL2, model::VectorStorage::kF16}, kKinds[2]};
    for (const Kind& kind : kinds) {
        server->create(kind, kind.name, StoragePolicy::kS3Only);
        write(*server, kind, kind.name, rows(1, 300));
        write(*server, kind, kind.name, rows(5, 40, 9));
        ASSERT_TRUE(server->wake(kind.name).value()->remove({model::DocumentId(uint64_t{50})}));
        std::vector<model::SearchReply> expected;
        for (uint64_t seed = 1; seed <= 8; ++seed) {
            expected.push_back(exact(*server, kind.name, nearest_to(kind, seed * 1000)));
        }
        ASSERT_TRUE(server->act(kind.name, TierAction::kDemoteToCold));
        server.reset();
        server = std::make_unique<TieredServer>(world_);
        if (kind.has_side) {
            EXPECT_FALSE(ask(*server, kind.name, nearest_to(kind, 1000)));
            EXPECT_EQ(cold_objects().size(), 1U) << "that of floats alone";
            continue;
        }
        const uint64_t serving = world_.serving_targets;
        uint64_t round_trips = 0;
        for (uint64_t seed = 1; seed <= 8; ++seed) {
            const auto reply = ask(*server, kind.name, nearest_to(kind, seed * 1000));
            ASSERT_TRUE(reply && *reply) << kind.name;
            expect_equal_answers(**reply, expected[seed - 1]);
            EXPECT_EQ((*reply)->explanation->plan, "cold");
            EXPECT_LE((*reply)->explanation->round_trips, seed == 1 ? 3U : 1U);
            EXPECT_GT((*reply)->explanation->fetched_bytes, 0U);
            round_trips += (*reply)->explanation->round_trips;
        }
        EXPECT_EQ(world_.serving_targets, serving + 1) << "what somebody waits for has a way of its own";
        EXPECT_EQ(round_trips, 9U) << "codes once, then the records of each";
        EXPECT_EQ(server->tier(kind.name), Tier::kCold);
        EXPECT_FALSE(fs::exists(server->path_of(kind.name)));
        EXPECT_EQ(server->tiers().state().cached_bytes, 0U);
        EXPECT_GT(server->tiers().cold_memory_bytes(), 0U);
    }
    const std::string scraped = server->metrics().expose();
    EXPECT_THAT(scraped, HasSubstr("akidb_cold_searches_total{outcome=\"ok\"} 8"));
    EXPECT_THAT(scraped, HasSubstr("akidb_cold_round_trips_total 9"));
}

TEST_F(ColdSearchesTest, OneThatIsAskedOftenIsOpenedTooAndItsCodesGo) {
    world_.options.promote_after = 3;
    TieredServer server(world_);
    make_cold(server, kKinds[0], "notes");
    for (int i = 0; i < 2; ++i) {
        ASSERT_TRUE(ask(server, "notes", nearest_to(kKinds[0], 7)));
        EXPECT_EQ(server.tier("notes"), Tier::kCold);
    }
    world_.clock.pass_s(3'601);  // others that are long ago do not count
    for (int i = 0; i < 2; ++i) {
        ASSERT_TRUE(ask(server, "notes", nearest_to(kKinds[0], 7)));
        EXPECT_EQ(server.tier("notes"), Tier::kCold);
    }
    const auto third = ask(server, "notes", nearest_to(kKinds[0], 7));
    ASSERT_TRUE(third && *third);
    EXPECT_EQ(server.tier("notes"), Tier::kHot);
    EXPECT_EQ(server.tiers().cold_memory_bytes(), 0U);
    EXPECT_FALSE(ask(server, "notes", nearest_to(kKinds[0], 7)));
    expect_equal_answers(**third, exact(server, "notes", nearest_to(kKinds[0], 7)));
}

TEST_F(ColdSearchesTest, WhatItCannotAnswerIsLeftToTheOpenCollection) {
    TieredServer server(world_);
    make_cold(server, kKinds[0], "notes");
    const model::SearchRequest plain = nearest_to(kKinds[0], 7);
    model::SearchRequest other = plain;
    other.params.exact = true;
    EXPECT_FALSE(ask(server, "notes", other));
    other = plain;
    model::RangeCondition range;
    range.key = "n";
    range.lt = 5;
    auto filter = std::make_shared<model::Filter>();
    filter->must.emplace_back(range);
    other.filter = filter;
    EXPECT_FALSE(ask(server, "notes", other));
    other = plain;
    other.top_k = engine::kColdTopKMax + 1;
    EXPECT_FALSE(ask(server, "notes", other));
    EXPECT_FALSE(ask(server, "nothing", plain));
    // A client's mistake opens nothing, and neither does what comes too late.
    other = plain;
    other.vector.pop_back();
    const auto wrong = ask(server, "notes", other);
    ASSERT_TRUE(wrong && !*wrong);
    EXPECT_EQ(wrong->error().code(), Code::kInvalidArgument);
    other = plain;
    other.deadline_us = world_.clock.monotonic_us();
    const auto late = ask(server, "notes", other);
    ASSERT_TRUE(late && !*late);
    EXPECT_EQ(late->error().code(), Code::kDeadlineExceeded);
    EXPECT_EQ(server.tier("notes"), Tier::kCold);
}

/// Who may see only some documents must not see the others because they are in the store.
TEST_F(ColdSearchesTest, ARowRuleIsNotPassedBy) {
    TieredServer server(world_);
    make_cold(server, kKinds[0], "notes");
    Service service(server.directory(), world_.clock, *world_.random);
    service.attach(server.tiers());
    const model::SearchRequest request = nearest_to(kKinds[0], 7, 50);
    const auto all = service.search({.principal = operator_principal()}, "notes", request);
    ASSERT_TRUE(all) << all.error().message();
    EXPECT_EQ(all->matches.size(), 50U);
    EXPECT_FALSE(all->explanation) << "nobody asked for it";
    EXPECT_EQ(server.tier("notes"), Tier::kCold);
    model::RangeCondition few;
    few.key = "n";
    few.lte = 3;
    auto rule = std::make_shared<model::Filter>();
    rule->must.emplace_back(few);
    auto guest = std::make_shared<Principal>();
    guest->row_rule = rule;
    const auto some = service.search({.principal = guest}, "notes", request);
    ASSERT_TRUE(some) << some.error().message();
    EXPECT_EQ(some->matches.size(), 3U);
    EXPECT_EQ(server.tier("notes"), Tier::kHot);
}

/// The object is missing, as in copies of a server before, or not what was put: the collection is opened, and
/// when it goes cold again, there is a right one.
TEST_F(ColdSearchesTest, WithoutARightIndexTheCollectionIsOpenedAndGetsAnother) {
    for (const bool is_missing : {true, false}) {
        auto server = std::make_unique<TieredServer>(world_);
        const std::string name = is_missing ? "missing" : "damaged";
        make_cold(*server, kKinds[0], name);
        const std::string key = cold_objects().back();
        const std::string right = world_.memory->get(key, 64 << 20).value();
        if (is_missing) {
            ASSERT_TRUE(world_.memory->remove(key));
        } else {
            std::string wrong = right;
            wrong[wrong.size() / 8] ^= 1;
            ASSERT_TRUE(world_.memory->put(key, wrong, objects::PutMode::kOverwrite));
        }
        const model::SearchRequest request = nearest_to(kKinds[0], 7);
        EXPECT_FALSE(ask(*server, name, request));
        const uint64_t calls = world_.store_calls;
        EXPECT_FALSE(ask(*server, name, request));
        EXPECT_EQ(world_.store_calls, calls) << "what is not there is not asked for again";
        const model::SearchReply expected = exact(*server, name, request);
        ASSERT_TRUE(server->act(name, TierAction::kDemoteToCold));
        EXPECT_EQ(world_.memory->get(key, 64 << 20).value(), right);
        const auto reply = ask(*server, name, request);
        ASSERT_TRUE(reply && *reply);
        expect_equal_answers(**reply, expected);
        ASSERT_TRUE(server->directory().remove({{}, name}));
        server->tiers().run_due({});
    }
}

TEST_F(ColdSearchesTest, ACopyMadeWithoutOneGetsOneWhileItIsWarm) {
    world_.options.promote_after = 0;
    {
        TieredServer before(world_);
        make_cold(before, kKinds[0], "notes");
        EXPECT_TRUE(cold_objects().empty());
        EXPECT_FALSE(ask(before, "notes", nearest_to(kKinds[0], 7)));
        ASSERT_TRUE(before.wake("notes"));
        ASSERT_TRUE(before.act("notes", TierAction::kDemoteToWarm));
    }
    world_.options.promote_after = 10;
    TieredServer server(world_);
    world_.clock.pass_s(10'000);
    server.tiers().run_due({});
    EXPECT_EQ(server.tier("notes"), Tier::kWarm) << "the index is still owed";
    EXPECT_EQ(cold_objects().size(), 1U);
    server.tiers().run_due({});
    EXPECT_EQ(server.tier("notes"), Tier::kCold);
    EXPECT_TRUE(ask(server, "notes", nearest_to(kKinds[0], 7)));
}

TEST_F(ColdSearchesTest, ItLeavesTheStoreWithWhatItIsOf) {
    TieredServer server(world_);
    const DirectoryEntry entry = server.create(kKinds[0], "notes", StoragePolicy::kS3Only);
    write(server, kKinds[0], "notes", rows(1, 50));
    ASSERT_TRUE(server.wake("notes").value()->upsert({secret_document(77)}));
    ASSERT_TRUE(server.act("notes", TierAction::kDemoteToCold));
    ASSERT_EQ(cold_objects().size(), 1U);
    EXPECT_THAT(world_.memory->get(cold_objects()[0], 64 << 20).value(), HasSubstr(kSecret));
    ASSERT_TRUE(server.wake("notes").value()->erase({model::DocumentId(uint64_t{77})}));
    ASSERT_TRUE(server.tiers().renew_copy(entry.spec.id));
    EXPECT_FALSE(any_object_has(kSecret));
    ASSERT_TRUE(server.act("notes", TierAction::kDemoteToCold));
    const auto reply = ask(server, "notes", nearest_to(kKinds[0], 1, 60));
    ASSERT_TRUE(reply && *reply);
    EXPECT_EQ((*reply)->matches.size(), 50U);
    ASSERT_TRUE(server.directory().remove({{}, "notes"}));
    server.tiers().run_due({});
    EXPECT_TRUE(objects().empty());
    EXPECT_EQ(server.tiers().cold_memory_bytes(), 0U);
}

TEST_F(ColdSearchesTest, CodesStayWithinTheirMemory) {
    const engine::ColdIdentity identity{.rows = 200,
                                        .shape = {kKinds[0].metric, kKinds[0].dimension, kKinds[0].storage}};
    world_.options.cold_memory_bytes = engine::ColdIndex::bytes_of(identity) * 5 / 2;
    world_.options.promote_after = 1'000;
    TieredServer server(world_);
    std::vector<std::string> names;
    for (int i = 0; i < 5; ++i) {
        names.push_back("notes" + std::to_string(i));
        make_cold(server, kKinds[0], names.back());
    }
    const auto random = io::make_seeded_random(3);
    for (int round = 0; round < 60; ++round) {
        const auto reply = ask(server, names[random->next_u64() % names.size()], nearest_to(kKinds[0], 7));
        ASSERT_TRUE(reply && *reply);
        EXPECT_EQ((*reply)->matches.size(), 10U);
        EXPECT_LE(server.tiers().cold_memory_bytes(), world_.options.cold_memory_bytes);
    }
    EXPECT_GT(server.tiers().cold_memory_bytes(), world_.options.cold_memory_bytes / 2);
    make_cold(server, kKinds[0], "large", 1'000);
    EXPECT_FALSE(ask(server, "large", nearest_to(kKinds[0], 7))) << "it does not fit, so it is opened";
}

TEST_F(ColdSearchesTest, WithoutItsStoreTheCollectionSaysSo) {
    TieredServer server(world_);
    make_cold(server, kKinds[0], "notes");
    world_.is_down = true;
    EXPECT_FALSE(ask(server, "notes", nearest_to(kKinds[0], 7)));
    EXPECT_THAT(server.wake("notes").error().message(), HasSubstr("notes is cold: the store is down"));
    world_.is_down = false;
    const auto reply = ask(server, "notes", nearest_to(kKinds[0], 7));
    ASSERT_TRUE(reply && *reply) << "that it was away is not remembered";
}

TEST_F(ColdSearchesTest, OneReadsTheCodesAndTheOthersWait) {
    TieredServer server(world_);
    make_cold(server, kKinds[0], "notes");
    const model::SearchRequest request = nearest_to(kKinds[0], 7);
    std::atomic<uint64_t> round_trips{0};
    std::vector<std::jthread> askers;
    for (int i = 0; i < 8; ++i) {
        askers.emplace_back([&] {
            const auto reply = ask(server, "notes", request);
            ASSERT_TRUE(reply && *reply);
            EXPECT_EQ((*reply)->matches.size(), 10U);
            round_trips += (*reply)->explanation->round_trips;
        });
    }
    askers.clear();
    EXPECT_EQ(round_trips, 9U);
}

}  // namespace
}  // namespace akidb::service
