// Writes with an Idempotency-Key: applied once, whatever comes between a write and its retry.
#include "engine/remembered_keys.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "engine/collection_for_tests.h"
#include "io/clock_for_tests.h"

namespace akidb::engine {
namespace {

constexpr uint64_t kHourMs = 3'600'000;
constexpr uint64_t kRememberedFromMs = 1'700'000'000'000;

model::WriteKey key_of(std::string_view text, std::string_view write = "w") {
    return {Digester().add(text).finish(), Digester().add(write).finish(),
            make_uuid_v7(kRememberedFromMs, 1, std::hash<std::string_view>()(text))};
}

class RememberedKeysTest : public CollectionFixture {
  protected:
    RememberedKeysTest() {
        clock_ = std::make_unique<io::HandClock>();
        options_.graph_rows_min = 100;
    }
    io::HandClock& clock() { return static_cast<io::HandClock&>(*clock_); }

    Result<WriteReply> put(uint64_t id, std::string_view key, std::string_view write = "w") {
        return collection_->upsert({document(id, id)}, key_of(key, write));
    }
    Result<WriteReply> take(uint64_t id, std::string_view key) {
        return collection_->remove({model::DocumentId(id)}, key_of(key, "delete"));
    }
    void expect_replay(const Result<WriteReply>& reply, const WriteReply& first) {
        ASSERT_TRUE(reply.has_value()) << reply.error().message();
        EXPECT_TRUE(reply->is_replay);
        EXPECT_EQ(reply->sequence, first.sequence);
        EXPECT_EQ(reply->count, first.count);
    }
    void checkpoint() {
        options_.checkpoint_log_bytes = 0;
        open();
        ASSERT_TRUE(collection_->run_maintenance_now().has_value());
        ASSERT_GT(collection_->stats().covered_sequence, 0u);
    }
    double replays() { return metrics_value("akidb_writes_replayed_total "); }
    double metrics_value(const std::string& name) {
        const std::string text = metrics_.expose();
        const size_t at = text.find("\n" + name);
        return at == std::string::npos ? -1 : std::stod(text.substr(at + 1 + name.size()));
    }
};

TEST_F(RememberedKeysTest, RetryGetsTheFirstAnswerAndIsNotApplied) {
    create();
    const WriteReply first = put(1, "a").value();
    EXPECT_FALSE(first.is_replay);
    const WriteReply gone = take(1, "b").value();
    EXPECT_EQ(gone.count, 1u);
    expect_replay(put(1, "a"), first);
    EXPECT_EQ(count(), 0u) << "the document came back";
    expect_replay(take(1, "b"), gone);
    model::Filter all;
    const WriteReply by_filter = collection_->remove_matching(all, key_of("c")).value();
    upsert(5, 1);
    expect_replay(collection_->remove_matching(all, key_of("c")), by_filter);
    EXPECT_EQ(count(), 1u);
    EXPECT_EQ(replays(), 3.0);
    EXPECT_EQ(put(1, "a").value().first_made_id, key_of("a").first_made_id);
}

TEST_F(RememberedKeysTest, AnotherWriteUnderTheSameKeyIsAConflict) {
    create();
    ASSERT_TRUE(put(1, "a").has_value());
    const auto other = put(2, "a", "another");
    ASSERT_FALSE(other.has_value());
    EXPECT_EQ(other.error().code(), Code::kConflict);
    EXPECT_EQ(other.error().field(), "Idempotency-Key");
    EXPECT_EQ(count(), 1u);
}

TEST_F(RememberedKeysTest, SurvivesKillCheckpointTrimmedLogRewriteAndErase) {
    create();
    const WriteReply first = put(1, "a").value();
    const WriteReply second = take(1, "b").value();
    open();  // as after kill -9: from the log
    expect_replay(put(1, "a"), first);
    checkpoint();
    ASSERT_TRUE(put(2, "c").has_value());
    ASSERT_TRUE(collection_->run_maintenance_now().has_value());
    open();  // from the file that the manifest names
    expect_replay(put(1, "a"), first);
    expect_replay(take(1, "b"), second);
    ASSERT_TRUE(collection_->rewrite().has_value());
    ASSERT_TRUE(collection_->erase({model::DocumentId(2)}).has_value());
    open();
    expect_replay(put(1, "a"), first);
    expect_replay(take(1, "b"), second);
    EXPECT_EQ(count(), 0u);
}

TEST_F(RememberedKeysTest, RefusedWritesAreNotRemembered) {
    create();
    model::Document wrong = document(1, 1);
    wrong.vector.pop_back();
    ASSERT_FALSE(collection_->upsert({wrong}, key_of("a")).has_value());
    const auto right = put(1, "a", "mended");
    ASSERT_TRUE(right.has_value()) << right.error().message();
    EXPECT_FALSE(right->is_replay);
}

TEST_F(RememberedKeysTest, TwoAtOnceApplyOnce) {
    create();
    constexpr int kThreads = 8;
    constexpr int kKeys = 200;
    std::atomic<int> applied{0};
    std::vector<std::jthread> writers;
    for (int thread = 0; thread < kThreads; ++thread) {
        writers.emplace_back([&] {
            for (int i = 0; i < kKeys; ++i) {
                const auto reply = put(static_cast<uint64_t>(i), "key" + std::to_string(i));
                if (reply.has_value() && !reply->is_replay) {
                    ++applied;
                }
            }
        });
    }
    writers.clear();
    EXPECT_EQ(applied, kKeys);
    EXPECT_EQ(collection_->stats().rows, static_cast<uint64_t>(kKeys));
    EXPECT_EQ(replays(), (kThreads - 1.0) * kKeys);
}

TEST_F(RememberedKeysTest, TwoInOneGroupApplyOnceAndAConflictIsTold) {
    create();
    RememberedKeys keys(*clock_, 10, metrics_);
    keys.start();
    PendingWrite first;
    first.key = key_of("a");
    PendingWrite same;
    same.key = key_of("a");
    PendingWrite other;
    other.key = key_of("a", "another");
    PendingWrite plain;
    std::vector<PendingWrite*> group{&first, &same, &other, &plain};
    const auto repeats = keys.settle(group);
    EXPECT_EQ(group, (std::vector<PendingWrite*>{&first, &plain}));
    first.reply = WriteReply{7, 1};
    keys.add({*first.key, kRememberedFromMs, 7, 1});
    keys.answer(repeats);
    expect_replay(*same.reply, {7, 1});
    ASSERT_FALSE(other.reply->has_value());
    EXPECT_EQ(other.reply->error().code(), Code::kConflict);
}

TEST_F(RememberedKeysTest, ARefusedFirstRefusesItsRepeatsToo) {
    create();
    RememberedKeys keys(*clock_, 10, metrics_);
    keys.start();
    PendingWrite first;
    first.key = key_of("a");
    PendingWrite same;
    same.key = key_of("a");
    std::vector<PendingWrite*> group{&first, &same};
    const auto repeats = keys.settle(group);
    first.reply = Error(Code::kDiskFull, "full");
    keys.answer(repeats);
    ASSERT_FALSE(same.reply->has_value());
    EXPECT_EQ(same.reply->error().code(), Code::kDiskFull);
    EXPECT_FALSE(keys.find(key_of("a"), 100).has_value());
}

TEST_F(RememberedKeysTest, ForgottenAfterExactlyADay) {
    create();
    const WriteReply first = put(1, "a").value();
    clock().pass_ms(24 * kHourMs - 1);
    expect_replay(put(1, "a"), first);
    clock().pass_ms(1);
    const WriteReply again = put(1, "a").value();
    EXPECT_FALSE(again.is_replay);
    EXPECT_GT(again.sequence, first.sequence);
    expect_replay(put(1, "a"), again);
    checkpoint();
    expect_replay(put(1, "a"), again);
}

TEST_F(RememberedKeysTest, BeyondTheLimitNewKeysAreRefusedAndNoneIsForgotten) {
    options_.remembered_keys_max = 3;
    create();
    const WriteReply first = put(1, "1").value();
    clock().pass_ms(kHourMs);
    ASSERT_TRUE(put(2, "2").has_value());
    ASSERT_TRUE(put(3, "3").has_value());
    const auto refused = put(4, "4");
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code(), Code::kRateLimited);
    EXPECT_EQ(refused.error().retry_after_s(), 23 * 3600u);
    expect_replay(put(1, "1"), first);
    upsert(9, 1);  // without a key all goes on
    clock().pass_ms(23 * kHourMs);
    EXPECT_TRUE(put(4, "4").has_value());
}

TEST_F(RememberedKeysTest, AJumpOfTheWallClockForgetsNothingWhileTheServerRuns) {
    create();
    const WriteReply first = put(1, "a").value();
    for (const uint64_t wall :
         {kRememberedFromMs + 10 * 365 * 24 * kHourMs, kRememberedFromMs - kHourMs, uint64_t{0}}) {
        clock().wall_ms = wall;
        expect_replay(put(1, "a"), first);
    }
    clock().now_us += 24 * kHourMs * 1000;  // and it is forgotten by time that passed, with a frozen clock
    EXPECT_FALSE(put(1, "a").value().is_replay);
}

TEST_F(RememberedKeysTest, AClockSetBackOverARestartForgetsNothing) {
    create();
    const WriteReply first = put(1, "a").value();
    clock().wall_ms = kRememberedFromMs - 365 * 24 * kHourMs;
    open();
    expect_replay(put(1, "a"), first);
    clock().pass_ms(24 * kHourMs - 1);
    expect_replay(put(1, "a"), first);
    clock().pass_ms(1);
    EXPECT_FALSE(put(1, "a").value().is_replay) << "and nothing is remembered for ever";
}

TEST(WriteKey, MadeIdsCountUpWithinTheirRandomBits) {
    const Uuid first = make_uuid_v7(kRememberedFromMs, 7, UINT64_MAX);
    EXPECT_EQ(model::next_id(first, 0), first);
    std::set<Uuid> seen;
    for (uint64_t i = 0; i < 10'000; ++i) {
        const Uuid made = model::next_id(first, i);
        EXPECT_EQ(made.bytes[8] & 0xc0, 0x80);
        EXPECT_TRUE(std::equal(made.bytes.begin(), made.bytes.begin() + 8, first.bytes.begin()));
        seen.insert(made);
    }
    EXPECT_EQ(seen.size(), 10'000u);
}

}  // namespace
}  // namespace akidb::engine
