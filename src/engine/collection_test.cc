#include "engine/collection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <thread>

#include "engine/collection_for_tests.h"

namespace akidb::engine {
namespace {

class CollectionTest : public CollectionFixture {
  protected:
    CollectionTest() {
        options_.graph_rows_min = 200;
        options_.checkpoint_linked_rows = 100;
    }

    model::SearchReply search(const std::vector<float>& vector, uint32_t k, bool exact = false) {
        model::SearchRequest request;
        request.vector = vector;
        request.top_k = k;
        request.params.exact = exact;
        auto reply = collection_->search(request);
        EXPECT_TRUE(reply.has_value());
        return std::move(reply).value();
    }
};

TEST_F(CollectionTest, MetadataIndexesAreBuiltAsRowsComeAndAnewAfterARestart) {
    spec_.metadata_indexes = {{"n", model::MetadataIndexType::kInteger}};
    create();
    upsert(1, 500);
    ASSERT_EQ(collection_->stats().metadata_indexes.size(), 1u);
    EXPECT_FALSE(collection_->stats().metadata_indexes[0].is_ready);
    const model::Filter below = n_below(50.5);
    EXPECT_EQ(collection_->count(&below).value(), 50u) << "before it is built too";
    ASSERT_TRUE(collection_->run_maintenance_now());
    EXPECT_TRUE(collection_->stats().metadata_indexes[0].is_ready);
    EXPECT_EQ(collection_->stats().metadata_indexes[0].indexed_rows, 500u);
    EXPECT_EQ(collection_->count(&below).value(), 50u);
    upsert(1, 20);  // again: the older versions are dead
    EXPECT_EQ(collection_->count(&below).value(), 50u);
    open();
    EXPECT_EQ(collection_->stats().metadata_indexes[0].indexed_rows, 0u);
    EXPECT_EQ(collection_->count(&below).value(), 50u);
    ASSERT_TRUE(collection_->run_maintenance_now());
    EXPECT_EQ(collection_->count(&below).value(), 50u);
    collection_->declare_metadata_indexes({{"m", model::MetadataIndexType::kKeyword}});
    EXPECT_EQ(collection_->stats().metadata_indexes[0].field.key, "m");
    EXPECT_EQ(collection_->count(&below).value(), 50u);
    EXPECT_EQ(collection_->remove_matching(below).value().count, 50u);
    EXPECT_EQ(count(), 450u);
}

TEST_F(CollectionTest, ExplainsHowAFilteredAnswerWasFound) {
    spec_.metadata_indexes = {{"n", model::MetadataIndexType::kInteger}};
    create();
    upsert(1, 600);
    ASSERT_TRUE(collection_->run_maintenance_now());
    model::SearchRequest request;
    request.vector = document(1, 1).vector;
    request.filter = std::make_shared<const model::Filter>(n_below(30.5));
    request.explain = true;
    const model::SearchReply reply = collection_->search(request).value();
    ASSERT_TRUE(reply.explanation.has_value());
    EXPECT_EQ(reply.explanation->plan, "brute");
    EXPECT_NEAR(static_cast<double>(reply.explanation->estimated_matches), 30, 32);
    EXPECT_LE(reply.explanation->distances, 94u);
    EXPECT_FALSE(reply.explanation->abandoned);
    EXPECT_EQ(reply.matches.size(), 10u);
    request.filter = nullptr;
    EXPECT_EQ(collection_->search(request).value().explanation->plan, "graph");
}

TEST_F(CollectionTest, ReadsItsWritesAndForgetsItsDeletes) {
    create();
    upsert(1, 10);
    const model::Document one = document(1, 1);
    const auto got = collection_->get({one.id, model::DocumentId(uint64_t{99})}, {true, true}).value();
    ASSERT_EQ(got.size(), 1u);
    EXPECT_EQ(got[0].vector, one.vector);
    EXPECT_EQ(got[0].metadata, one.metadata);
    EXPECT_EQ(search(one.vector, 1).matches.at(0).document.id, one.id);
    EXPECT_NEAR(search(one.vector, 1).matches.at(0).score, 1.0f, 1e-5f);

    EXPECT_EQ(collection_->remove({one.id, model::DocumentId(uint64_t{99})}).value().count, 1u);
    EXPECT_TRUE(collection_->get({one.id}, {}).value().empty());
    EXPECT_NE(search(one.vector, 1).matches.at(0).document.id, one.id);
    EXPECT_EQ(count(), 9u);
    EXPECT_EQ(collection_->remove({one.id}).value().count, 0u);
}

TEST_F(CollectionTest, OverwritesReplaceTheOldVersionEverywhere) {
    create();
    upsert(1, 10);
    upsert(1, 1, 1000);
    EXPECT_EQ(count(), 10u);
    const auto old_place = search(document(1, 1).vector, 10).matches;
    EXPECT_EQ(std::count_if(old_place.begin(), old_place.end(),
                            [](const auto& m) { return m.document.id == model::DocumentId(uint64_t{1}); }),
              1);
    EXPECT_EQ(collection_->get({model::DocumentId(uint64_t{1})}, {true, false}).value().at(0).vector,
              document(1, 1001).vector);
}

TEST_F(CollectionTest, LaterDuplicatesWithinOneBatchWin) {
    create();
    std::vector<model::Document> batch{document(1, 1), document(1, 2)};
    ASSERT_TRUE(collection_->upsert(batch).has_value());
    EXPECT_EQ(count(), 1u);
    EXPECT_EQ(collection_->get({batch[0].id}, {true, false}).value().at(0).vector, batch[1].vector);
}

TEST_F(CollectionTest, RefusesABadBatchWhole) {
    create();
    std::vector<model::Document> batch{document(1, 1), document(2, 2)};
    batch[1].vector[3] = NAN;
    const auto refused = collection_->upsert(batch);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().field(), "documents[1].vector[3]");
    EXPECT_EQ(count(), 0u);
}

TEST_F(CollectionTest, RecoversFromTheLogAlone) {
    create();
    upsert(1, 50);
    ASSERT_TRUE(collection_->remove({model::DocumentId(uint64_t{7})}).has_value());
    open();
    EXPECT_EQ(count(), 49u);
    EXPECT_TRUE(collection_->get({model::DocumentId(uint64_t{7})}, {}).value().empty());
    EXPECT_EQ(search(document(8, 8).vector, 1).matches.at(0).document.id, model::DocumentId(uint64_t{8}));
}

TEST_F(CollectionTest, EstimatesWhatASearchReads) {
    create();
    upsert(1, 6000);
    model::SearchRequest request;
    request.params.ef = 10;
    EXPECT_EQ(collection_->estimate_floats(request), 6000u * spec_.dimension) << "nothing is linked yet";
    ASSERT_TRUE(collection_->run_maintenance_now().has_value());
    ASSERT_EQ(collection_->stats().linked_rows, 6000u);
    EXPECT_EQ(collection_->estimate_floats(request), 10u * options_.graph.degree * spec_.dimension);
    request.params.ef = 4096;
    EXPECT_EQ(collection_->estimate_floats(request), 6000u * spec_.dimension) << "never more than there are";
    request.params.ef = 10;
    request.params.exact = true;
    EXPECT_EQ(collection_->estimate_floats(request), 6000u * spec_.dimension);
    request.params.exact = false;
    upsert(10'000, 100);
    EXPECT_EQ(collection_->estimate_floats(request), (100u + 10u * options_.graph.degree) * spec_.dimension);
}

TEST_F(CollectionTest, RecoversFromSegmentsAndWhatTheLogAdds) {
    create();
    for (uint64_t round = 0; round < 6; ++round) {
        upsert(1 + round * 1000, 1000);
        ASSERT_TRUE(collection_->run_maintenance_now().has_value());
    }
    ASSERT_TRUE(collection_->remove_matching(n_below(101)).has_value());
    EXPECT_EQ(collection_->stats().linked_rows, 6000u);
    EXPECT_GT(collection_->stats().covered_sequence, 0u);
    EXPECT_LE(collection_->stats().segment_files, 4u);
    upsert(50'000, 10);
    open();
    EXPECT_EQ(count(), 5910u);
    EXPECT_GE(collection_->stats().linked_rows, 6000u) << "nothing is rebuilt that was built before";
    for (const uint64_t id : {101u, 3000u, 6000u, 50'003u}) {
        EXPECT_EQ(search(document(id, id).vector, 1).matches.at(0).document.id, model::DocumentId(id));
    }
    EXPECT_TRUE(collection_->get({model::DocumentId(uint64_t{100})}, {}).value().empty());
    // Overwriting and deleting what came from a segment, and once more across a restart.
    upsert(3000, 1, 77);
    ASSERT_TRUE(collection_->close(true).has_value());
    open();
    EXPECT_EQ(collection_->get({model::DocumentId(uint64_t{3000})}, {true, false}).value().at(0).vector,
              document(3000, 3077).vector);
    EXPECT_EQ(count(), 5910u);
}

TEST_F(CollectionTest, GraphSearchAgreesWithExactSearch) {
    create();
    upsert(1, 5000);
    ASSERT_TRUE(collection_->run_maintenance_now().has_value());
    size_t hits = 0;
    for (uint64_t query = 0; query < 50; ++query) {
        const auto vector = document(0, 900'000 + query).vector;
        const auto approximate = search(vector, 10).matches;
        const auto exact = search(vector, 10, true).matches;
        ASSERT_EQ(approximate.size(), 10u);
        for (const auto& match : exact) {
            hits += static_cast<size_t>(
                std::count_if(approximate.begin(), approximate.end(),
                              [&](const auto& other) { return other.document.id == match.document.id; }));
        }
    }
    EXPECT_GE(hits, 475u);
}

TEST_F(CollectionTest, FiltersReturnExactlyWhatMatches) {
    create();
    upsert(1, 3000);
    ASSERT_TRUE(collection_->run_maintenance_now().has_value());
    for (const double bound : {5.0, 50.0, 2500.0}) {
        const model::Filter filter = n_below(bound);
        EXPECT_EQ(collection_->count(&filter).value(), static_cast<uint64_t>(bound) - 1);
        model::SearchRequest request;
        request.vector = document(0, 12345).vector;
        request.top_k = 10;
        request.filter = std::make_shared<model::Filter>(n_below(bound));
        const auto reply = collection_->search(request).value();
        EXPECT_EQ(reply.matches.size(), std::min<size_t>(10, static_cast<size_t>(bound) - 1));
        for (const auto& match : reply.matches) {
            EXPECT_LT(std::get<uint64_t>(match.document.id.value()), static_cast<uint64_t>(bound));
        }
    }
}

TEST_F(CollectionTest, OffsetAndThresholdCutTheSameRanking) {
    create();
    upsert(1, 100);
    model::SearchRequest request;
    request.vector = document(0, 5).vector;
    request.top_k = 10;
    const auto first = collection_->search(request).value().matches;
    request.offset = 4;
    request.top_k = 6;
    const auto rest = collection_->search(request).value().matches;
    ASSERT_EQ(rest.size(), 6u);
    EXPECT_EQ(rest[0].document.id, first[4].document.id);
    request.offset = 0;
    request.top_k = 10;
    request.score_threshold = first[2].score;
    EXPECT_EQ(collection_->search(request).value().matches.size(), 3u);
}

TEST_F(CollectionTest, EqualScoresAreOrderedById) {
    create();
    std::vector<model::Document> batch;
    for (const uint64_t id : {5u, 3u, 9u, 1u}) {
        batch.push_back(document(id, 42));
    }
    ASSERT_TRUE(collection_->upsert(batch).has_value());
    const auto matches = search(batch[0].vector, 2).matches;
    EXPECT_EQ(matches.at(0).document.id, model::DocumentId(uint64_t{1}));
    EXPECT_EQ(matches.at(1).document.id, model::DocumentId(uint64_t{3}));
}

TEST_F(CollectionTest, RefusesWritesWhenTooManyRowsWaitToBeLinked) {
    options_.head_rows_max = 300;
    create();
    upsert(1, 400);
    const auto refused = collection_->upsert({document(9000, 1)});
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code(), Code::kRateLimited);
    EXPECT_GT(refused.error().retry_after_s(), 0u);
    ASSERT_TRUE(collection_->run_maintenance_now().has_value());
    EXPECT_TRUE(collection_->upsert({document(9000, 1)}).has_value());
}

TEST_F(CollectionTest, ManyWritersAndReadersSeeWholeBatches) {
    create();
    io::ThreadPool builders({.name = "build", .threads = 1});
    open(builders);
    constexpr uint64_t kBatch = 20;
    std::vector<std::thread> threads;
    for (uint64_t writer = 0; writer < 4; ++writer) {
        threads.emplace_back([&, writer] {
            for (uint64_t round = 0; round < 15; ++round) {
                upsert(writer * 1000 + round * kBatch, kBatch);
            }
        });
    }
    threads.emplace_back([&] {
        for (int i = 0; i < 300; ++i) {
            EXPECT_EQ(count() % kBatch, 0u);
            search(document(0, static_cast<uint64_t>(i)).vector, 10);
        }
    });
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(count(), 4u * 15u * kBatch);
    ASSERT_TRUE(collection_->close(true).has_value());
    EXPECT_EQ(collection_->upsert({document(1, 1)}).error().code(), Code::kUnavailable);
    open();
    EXPECT_EQ(count(), 4u * 15u * kBatch);
}

}  // namespace
}  // namespace akidb::engine
