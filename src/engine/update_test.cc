// Changes in place, through the whole of a collection: what is applied, what a restart brings back, and that
// nobody overwrites what they have not seen.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "engine/collection.h"
#include "engine/collection_for_tests.h"

namespace akidb::engine {
namespace {

class UpdateTest : public CollectionFixture {
  protected:
    static std::string labelled(std::string_view key, int64_t value) {
        model::MetadataWriter writer;
        writer.begin_object();
        writer.key(key);
        writer.put_int(value);
        writer.end();
        return std::move(writer).finish().value();
    }
    static model::DocumentChange merge(std::string_view key, int64_t value) {
        model::DocumentChange change;
        change.merge = labelled(key, value);
        return change;
    }
    model::Document get(uint64_t id) const {
        auto found = collection_->get({model::DocumentId(id)}, {.vector = true, .metadata = true});
        EXPECT_TRUE(found && found->size() == 1);
        return std::move((*found)[0]);
    }
    std::optional<int64_t> value_of(uint64_t id, std::string_view key) const {
        const model::Document document = get(id);
        const auto member = model::MetadataView(document.metadata).member(key);
        return member ? std::optional(member->as_int()) : std::nullopt;
    }
};

TEST_F(UpdateTest, ManyAreChangedByIdsOrByFilterAndTheRestIsAsItWas) {
    create();
    upsert(1, 20);
    const model::Document before = get(3);
    const auto by_ids = collection_->update(model::UpdateAll{
        std::vector{model::DocumentId(3), model::DocumentId(99), model::DocumentId(4)}, merge("seen", 1)});
    ASSERT_TRUE(by_ids) << by_ids.error().message();
    EXPECT_EQ(by_ids->count, 2U) << "an id that is not there is passed over";
    EXPECT_EQ(get(3).vector, before.vector);
    EXPECT_EQ(get(3).version, by_ids->sequence);
    EXPECT_EQ(value_of(3, "n"), 3);
    EXPECT_EQ(value_of(3, "seen"), 1);
    EXPECT_EQ(value_of(5, "seen"), std::nullopt);
    EXPECT_EQ(
        collection_
            ->update(model::UpdateAll{std::make_shared<const model::Filter>(n_below(11)), merge("low", 7)})
            ->count,
        10U);
    EXPECT_EQ(value_of(10, "low"), 7);
    EXPECT_EQ(value_of(11, "low"), std::nullopt);
    EXPECT_EQ(count(), 20U);
    open();
    EXPECT_EQ(value_of(3, "seen"), 1);
    EXPECT_EQ(value_of(10, "low"), 7);
    EXPECT_EQ(count(), 20U);
}

TEST_F(UpdateTest, EachDocumentHasItsOwnChangeAndTheLaterOneOfAnIdBuildsOnTheEarlier) {
    create();
    upsert(1, 3);
    model::DocumentChange vector;
    vector.vector.assign(16, 0.25F);
    const auto updated =
        collection_->update(std::vector<model::DocumentUpdate>{{model::DocumentId(1), merge("a", 1), {}},
                                                               {model::DocumentId(2), vector, {}},
                                                               {model::DocumentId(1), merge("b", 2), {}}});
    ASSERT_TRUE(updated) << updated.error().message();
    EXPECT_EQ(updated->count, 2U);
    EXPECT_EQ(value_of(1, "a"), 1);
    EXPECT_EQ(value_of(1, "b"), 2);
    EXPECT_EQ(get(2).vector, vector.vector);
    EXPECT_EQ(value_of(2, "n"), 2);
}

TEST_F(UpdateTest, AnotherVersionRefusesTheWholeRequest) {
    create();
    upsert(1, 2);
    const uint64_t version = get(1).version;
    const auto wrong = collection_->update(std::vector<model::DocumentUpdate>{
        {model::DocumentId(2), merge("a", 1), {}}, {model::DocumentId(1), merge("a", 1), version + 1}});
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code(), Code::kConflict);
    EXPECT_EQ(wrong.error().field(), "documents[1].if_version");
    EXPECT_EQ(wrong.error().allowed(), std::to_string(version));
    EXPECT_EQ(value_of(2, "a"), std::nullopt);
    EXPECT_TRUE(collection_->update(
        std::vector<model::DocumentUpdate>{{model::DocumentId(1), merge("a", 1), version}}));
}

TEST_F(UpdateTest, AnUpsertMayAskForAVersionOrForNone) {
    create();
    model::Document fresh = document(1, 1);
    fresh.if_version = 0;
    const auto first = collection_->upsert({fresh});
    ASSERT_TRUE(first) << first.error().message();
    const auto second = collection_->upsert({document(2, 2), fresh});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), Code::kConflict);
    EXPECT_EQ(second.error().field(), "documents[1].if_version");
    EXPECT_EQ(count(), 1U) << "all or nothing";
    fresh.if_version = first->sequence;
    EXPECT_TRUE(collection_->upsert({fresh}));
    EXPECT_FALSE(collection_->upsert({fresh}));
}

TEST_F(UpdateTest, WhatItWillWriteIsToldBeforeAsWholeDocuments) {
    create();
    upsert(1, 20);
    const auto ids = std::vector{model::DocumentId(3), model::DocumentId(99), model::DocumentId(4)};
    const model::DocumentChange change = merge("seen", 1);
    const auto now = [&] { return uint64_t{get(3).metadata.size() + get(4).metadata.size()}; };
    const uint64_t before = now();
    const WriteSize told = collection_->estimate_update(model::UpdateAll{ids, change});
    EXPECT_EQ(told.documents, 2U) << "one is not there";
    EXPECT_EQ(told.metadata_bytes, before + 2 * change.merge->size());
    const WriteSize each = collection_->estimate_update(
        std::vector<model::DocumentUpdate>{{ids[0], change, {}}, {ids[1], change, {}}, {ids[2], change, {}}});
    EXPECT_EQ(each.documents, told.documents);
    EXPECT_EQ(each.metadata_bytes, told.metadata_bytes);
    ASSERT_TRUE(collection_->update(model::UpdateAll{ids, change}));
    EXPECT_LE(now(), told.metadata_bytes);
    EXPECT_GT(now(), before);

    model::DocumentChange vector;
    vector.vector = get(1).vector;
    EXPECT_EQ(collection_->estimate_update(model::UpdateAll{ids, vector}).metadata_bytes, now())
        << "all of a document is written, whatever changes";
    model::DocumentChange set;
    set.set = labelled("n", 1);
    EXPECT_EQ(collection_->estimate_update(model::UpdateAll{ids, set}).metadata_bytes, 2 * set.set->size());

    const WriteSize matching = collection_->estimate_update(
        model::UpdateAll{std::make_shared<const model::Filter>(n_below(11)), set});
    EXPECT_NEAR(static_cast<double>(matching.documents), 10, 3);
    EXPECT_EQ(matching.metadata_bytes, matching.documents * set.set->size());
    const WriteSize kept = collection_->estimate_update(
        model::UpdateAll{std::make_shared<const model::Filter>(n_below(11)), vector});
    EXPECT_GT(kept.metadata_bytes, 0U);
    const WriteSize all =
        collection_->estimate_update(model::UpdateAll{std::make_shared<const model::Filter>(), vector});
    EXPECT_EQ(all.documents, 20U);
}

TEST_F(UpdateTest, AnIdThatIsThereTwiceHasNoVersionToAskFor) {
    create();
    model::Document fresh = document(1, 1);
    fresh.if_version = 0;
    EXPECT_EQ(collection_->upsert({fresh, document(1, 2)}).error().field(), "documents[1].id");
    EXPECT_EQ(count(), 0U);
    upsert(1, 1);
    const uint64_t version = get(1).version;
    EXPECT_EQ(collection_
                  ->update(std::vector<model::DocumentUpdate>{{model::DocumentId(1), merge("a", 1), {}},
                                                              {model::DocumentId(1), merge("b", 1), version}})
                  .error()
                  .field(),
              "documents[1].id");
}

TEST_F(UpdateTest, ARetryWithItsKeyIsAnsweredAndNotRefusedForTheVersionItMadeItself) {
    create();
    upsert(1, 1);
    const std::vector<model::DocumentUpdate> request{{model::DocumentId(1), merge("a", 1), get(1).version}};
    model::WriteKey key;
    key.key = Digester().add("once").finish();
    const auto first = collection_->update(request, key);
    ASSERT_TRUE(first);
    const auto again = collection_->update(request, key);
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_TRUE(again->is_replay);
    EXPECT_EQ(again->sequence, first->sequence);
}

TEST_F(UpdateTest, ManyWhoCountInOneDocumentLoseNoStep) {
    create();
    upsert(1, 1);
    constexpr int kThreads = 4;
    constexpr int kSteps = 25;
    std::atomic<int> conflicts{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&] {
            for (int step = 0; step < kSteps;) {
                const model::Document found = get(1);
                const auto steps = model::MetadataView(found.metadata).member("steps");
                const int64_t seen = steps ? steps->as_int() : 0;
                const auto done = collection_->update(std::vector<model::DocumentUpdate>{
                    {model::DocumentId(1), merge("steps", seen + 1), found.version}});
                done ? ++step : ++conflicts;
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(value_of(1, "steps"), kThreads * kSteps);
}

}  // namespace
}  // namespace akidb::engine
