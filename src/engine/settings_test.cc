// What is said of a collection in place of the server's settings, what its statistics say in return, and what
// a search may be told to leave out.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/collection_for_tests.h"

namespace akidb::engine {
namespace {

class SettingsTest : public CollectionFixture {
  protected:
    SettingsTest() {
        options_.graph_rows_min = 200;
        options_.graph.degree = 16;
        options_.graph.build_ef = 32;
        options_.graph.layout = index::Layout::kSplit;
        options_.rewrite_dead_rows_min = 1'000'000;  // only when asked
    }
    void create_linked(uint64_t count) {
        create();
        upsert(1, count);
        ASSERT_TRUE(collection_->run_maintenance_now().has_value());
        ASSERT_EQ(collection_->stats().linked_rows, count);
    }
    model::SearchRequest like(uint64_t id, uint32_t top_k) const {
        model::SearchRequest request;
        request.vector = document(id, id).vector;
        request.top_k = top_k;
        return request;
    }
    std::vector<uint64_t> found(const model::SearchRequest& request) const {
        const auto reply = collection_->search(request);
        EXPECT_TRUE(reply.has_value());
        std::vector<uint64_t> ids;
        for (const model::SearchMatch& match : reply->matches) {
            ids.push_back(std::get<uint64_t>(match.document.id.value()));
        }
        return ids;
    }
    uint64_t rewrites() const {
        return metrics_.expose().find("akidb_rewrites_total{outcome=\"ok\"} 1") != std::string::npos ? 1 : 0;
    }
    static std::shared_ptr<const model::Filter> n_at_least(double bound) {
        auto filter = std::make_shared<model::Filter>();
        model::RangeCondition range;
        range.key = "n";
        range.gte = bound;
        filter->must.emplace_back(std::move(range));
        return filter;
    }
};

TEST_F(SettingsTest, EfAndRecallTargetAreThoseOfSearchesThatNameNone) {
    create_linked(1'200);
    model::SearchRequest request = like(5, 3);
    request.explain = true;
    const auto ef = [&] { return collection_->search(request)->explanation->ef; };
    collection_->change_settings({.ef = 123});
    EXPECT_EQ(ef(), 123U);
    request.params.ef = 77;
    EXPECT_EQ(ef(), 77U);
    request.params.ef.reset();
    collection_->change_settings({.ef = 123, .recall_target = 0.8});
    EXPECT_LT(ef(), 123U) << "the graph was measured, and the target needs less";
    spec_.settings = {.ef = 99};
    open();
    ASSERT_TRUE(collection_->run_maintenance_now().has_value());  // nothing was checkpointed
    EXPECT_EQ(ef(), 99U) << "what a collection is opened with";
}

TEST_F(SettingsTest, AnotherLayoutBuildsTheGraphAnewAndLosesNothing) {
    create_linked(400);
    const std::vector<uint64_t> before = found(like(7, 10));
    collection_->change_settings({.layout = model::IndexLayout::kSplit});
    ASSERT_TRUE(collection_->run_maintenance_now().has_value());
    EXPECT_EQ(rewrites(), 0U) << "it is the layout that there is";
    collection_->change_settings({.layout = model::IndexLayout::kTurbo});
    EXPECT_EQ(found(like(7, 10)), before) << "until then searches go by the old one";
    ASSERT_TRUE(collection_->run_maintenance_now().has_value());
    EXPECT_EQ(rewrites(), 1U);
    EXPECT_EQ(collection_->stats().linked_rows, 400U);
    EXPECT_EQ(count(), 400U);
    EXPECT_EQ(found(like(7, 10)), before);
    open();
    EXPECT_EQ(count(), 400U);
    EXPECT_EQ(found(like(7, 10)), before);
}

TEST_F(SettingsTest, StatisticsNameWhatWasFilteredOnWithoutIndex) {
    create_linked(400);
    ASSERT_EQ(collection_->count(n_at_least(100).get()).value(), 301U);
    model::SearchRequest request = like(5, 3);
    request.filter = n_at_least(390);
    ASSERT_EQ(found(request).size(), 3U);
    ASSERT_TRUE(collection_->facet({.key = "n", .limit = 1, .filter = n_at_least(1)}).has_value());
    const auto named = collection_->stats().unindexed_fields;
    ASSERT_EQ(named.size(), 1U);
    EXPECT_EQ(named[0].wanted, (model::MetadataField{"n", model::MetadataIndexType::kInteger}));
    EXPECT_EQ(named[0].reads, 3U);
    EXPECT_GE(named[0].evaluated, 1'200U - 400U);
    collection_->declare_metadata_indexes({{"n", model::MetadataIndexType::kInteger}});
    EXPECT_TRUE(collection_->stats().unindexed_fields.empty());
}

TEST_F(SettingsTest, AReadThatIsNotDoneByItsDeadlineSaysSo) {
    create_linked(400);
    const uint64_t past_us = clock_->monotonic_us();
    EXPECT_EQ(collection_->count(n_at_least(1).get(), true, past_us).error().code(), Code::kDeadlineExceeded);
    const auto page = collection_->scroll({.limit = 10, .filter = n_at_least(300), .deadline_us = past_us});
    EXPECT_TRUE(page.has_value() || page.error().field() == "deadline_ms");
    EXPECT_EQ(collection_->facet({.key = "n", .limit = 1, .deadline_us = past_us}).error().field(),
              "deadline_ms");
    const uint64_t later_us = past_us + 3'600'000'000;
    EXPECT_EQ(collection_->count(n_at_least(1).get(), true, later_us).value(), 400U);
}

TEST_F(SettingsTest, WhatIsExcludedIsNoAnswerByAnyPlan) {
    create_linked(400);
    upsert(401, 20);  // a head
    for (const bool exact : {false, true}) {
        for (const double bound : {0.0, 1.0, 380.0}) {
            SCOPED_TRACE(std::to_string(exact) + " " + std::to_string(bound));
            model::SearchRequest request = like(7, 5);
            request.params.exact = exact;
            request.filter = bound > 0 ? n_at_least(bound) : nullptr;
            const std::vector<uint64_t> all = found(request);
            ASSERT_EQ(all.size(), 5U);
            request.excluded = {model::DocumentId(all[0]), model::DocumentId(all[2]),
                                model::DocumentId(9'999)};
            const std::vector<uint64_t> rest = found(request);
            ASSERT_EQ(rest.size(), 5U);
            EXPECT_EQ(rest[0], all[1]);
            EXPECT_EQ(rest[1], all[3]);
            EXPECT_EQ(rest[2], all[4]);
            EXPECT_EQ(std::count(rest.begin(), rest.end(), all[0]), 0);
            request.top_k = 1'000;
            EXPECT_EQ(found(request).size(), (bound > 1 ? 41U : 420U) - 2U);
        }
    }
}

}  // namespace
}  // namespace akidb::engine
