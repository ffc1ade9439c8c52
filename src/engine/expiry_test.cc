// Documents that expire: no read sees one from its moment on, whichever way the read takes, the sweep deletes
// it for good, and files, restarts and rewrites keep the moment.
#include <gtest/gtest.h>

#include "engine/collection_for_tests.h"
#include "engine/query.h"
#include "io/clock_for_tests.h"

namespace akidb::engine {
namespace {

constexpr uint64_t kStartMs = 1'700'000'000'000;

class SetClock final : public io::Clock {
  public:
    uint64_t monotonic_us() const override { return now_ms * 1000; }
    uint64_t unix_ms() const override { return now_ms; }
    uint64_t now_ms = kStartMs;
};

class ExpiryTest : public CollectionFixture {
  protected:
    ExpiryTest() {
        auto made = std::make_unique<SetClock>();
        time_ = made.get();
        clock_ = std::move(made);
        options_.graph_rows_min = 200;
        options_.graph.degree = 16;
        options_.graph.build_ef = 32;
        options_.rewrite_dead_rows_min = 1'000'000;  // only when asked
        spec_.metadata_indexes = {{"n", model::MetadataIndexType::kInteger}};
    }
    /// Ids [first, first + count): the even ones expire in `seconds`, the others never.
    void upsert_half(uint64_t first, uint64_t count, uint64_t seconds) {
        std::vector<model::Document> batch;
        for (uint64_t id = first; id < first + count; ++id) {
            batch.push_back(document(id, id));
            batch.back().expires_at_ms = id % 2 == 0 ? kStartMs + seconds * 1000 : 0;
        }
        ASSERT_TRUE(collection_->upsert(std::move(batch)).has_value());
    }
    void pass(uint64_t seconds) { time_->now_ms += seconds * 1000; }
    static std::shared_ptr<const model::Filter> n_at_least(double bound) {
        auto filter = std::make_shared<model::Filter>();
        model::RangeCondition range;
        range.key = "n";
        range.gte = bound;
        filter->must.emplace_back(std::move(range));
        return filter;
    }
    size_t found(uint64_t id) const { return collection_->get({model::DocumentId(id)}, {})->size(); }
    std::vector<uint64_t> searched(bool exact, bool filtered, uint32_t top_k) const {
        model::SearchRequest request;
        request.vector = document(2, 2).vector;
        request.top_k = top_k;
        request.params.exact = exact;
        request.filter = filtered ? n_at_least(1) : nullptr;
        const auto reply = collection_->search(request);
        EXPECT_TRUE(reply.has_value());
        std::vector<uint64_t> ids;
        for (const model::SearchMatch& match : reply->matches) {
            ids.push_back(std::get<uint64_t>(match.document.id.value()));
        }
        return ids;
    }
    /// Every read of documents 1..count has the odd ones only.
    void expect_only_odd(uint64_t count) {
        EXPECT_EQ(this->count(), count / 2);
        EXPECT_EQ(collection_->stats().documents, count / 2);
        EXPECT_EQ(collection_->count(n_at_least(1).get(), true).value(), count / 2);
        EXPECT_EQ(found(2), 0U);
        EXPECT_EQ(found(3), 1U);
        for (const bool exact : {false, true}) {
            for (const bool filtered : {false, true}) {
                for (const uint32_t top_k : {10U, static_cast<uint32_t>(count)}) {
                    const std::vector<uint64_t> ids = searched(exact, filtered, top_k);
                    EXPECT_EQ(ids.size(), std::min<size_t>(top_k, count / 2)) << exact << filtered;
                    for (const uint64_t id : ids) {
                        EXPECT_EQ(id % 2, 1U);
                    }
                }
            }
        }
        model::ScrollRequest scroll{.limit = static_cast<uint32_t>(count)};
        EXPECT_EQ(collection_->scroll(scroll)->documents.size(), count / 2);
        scroll.order = model::ScrollOrder{.key = "n"};
        EXPECT_EQ(collection_->scroll(scroll)->documents.size(), count / 2);
        EXPECT_EQ(collection_->facet({.key = "n", .limit = 1})->distinct, count / 2);
    }

    SetClock* time_ = nullptr;
};

TEST_F(ExpiryTest, NoReadSeesADocumentFromItsMomentOn) {
    for (const bool linked : {false, true}) {
        SCOPED_TRACE(linked);
        spec_.id.bytes[0] = linked ? 1 : 2;
        ASSERT_TRUE(Collection::create(*files_, root_.path(), directory() + (linked ? "l" : "")).has_value());
        collection_.reset();
        auto opened = Collection::open({*files_, *clock_, executor_, logger_, metrics_},
                                       directory() + (linked ? "l" : ""), spec_, options_);
        ASSERT_TRUE(opened.has_value());
        collection_ = std::move(opened).value();
        time_->now_ms = kStartMs;
        upsert_half(1, 600, 60);
        if (linked) {
            ASSERT_TRUE(collection_->run_maintenance_now().has_value());
        }
        pass(59);
        EXPECT_EQ(count(), 600U);
        EXPECT_EQ(searched(false, false, 1), (std::vector<uint64_t>{2}));
        EXPECT_EQ(collection_->get({model::DocumentId(2)}, {})->front().expires_at_ms, kStartMs + 60'000);
        pass(1);
        expect_only_odd(600);
        ASSERT_TRUE(collection_->run_maintenance_now().has_value());
        EXPECT_EQ(collection_->stats().rows, 600U);
        expect_only_odd(600);
        time_->now_ms = kStartMs;  // the sweep deleted them: a clock that goes back brings nothing back
        expect_only_odd(600);
    }
}

TEST_F(ExpiryTest, TheSweepDeletesInTheLogAndCountsWhatItDid) {
    create();
    upsert_half(1, 10, 60);
    const uint64_t before = collection_->stats().last_sequence;
    ASSERT_TRUE(collection_->run_maintenance_now().has_value());
    EXPECT_EQ(collection_->stats().last_sequence, before) << "nothing has expired";
    pass(60);
    ASSERT_TRUE(collection_->run_maintenance_now().has_value());
    EXPECT_EQ(collection_->stats().last_sequence, before + 1);
    EXPECT_NE(metrics_.expose().find("akidb_documents_expired_total 5\n"), std::string::npos);
    pass(60);
    ASSERT_TRUE(collection_->run_maintenance_now().has_value());
    EXPECT_EQ(collection_->stats().last_sequence, before + 1) << "a sweep without work writes nothing";
    open();
    time_->now_ms = kStartMs;
    EXPECT_EQ(count(), 5U);
}

TEST_F(ExpiryTest, TheMomentOutlivesRestartCheckpointAndRewrite) {
    options_.checkpoint_log_bytes = 1'000;
    create();
    upsert_half(1, 300, 60);
    const auto all_have_it = [&](const char* when) {
        SCOPED_TRACE(when);
        EXPECT_EQ(count(), 300U);
        EXPECT_EQ(collection_->get({model::DocumentId(2)}, {})->front().expires_at_ms, kStartMs + 60'000);
        EXPECT_EQ(collection_->get({model::DocumentId(3)}, {})->front().expires_at_ms, 0U);
        pass(60);
        expect_only_odd(300);
        time_->now_ms = kStartMs;
    };
    open();
    all_have_it("from the log");
    ASSERT_TRUE(collection_->run_maintenance_now().has_value());
    ASSERT_TRUE(collection_->close(true).has_value());
    open();
    EXPECT_GT(collection_->stats().segment_files, 0U);
    all_have_it("from a segment");
    ASSERT_TRUE(collection_->remove({model::DocumentId(1), model::DocumentId(299)}).has_value());
    ASSERT_TRUE(collection_->rewrite().has_value());
    upsert_half(1, 1, 60);
    upsert_half(299, 1, 60);
    all_have_it("from a rewrite");
    open();
    all_have_it("from a rewrite, after a kill");
}

TEST_F(ExpiryTest, AJumpForwardsDeletesNothingBeforeItHasLasted) {
    auto made = std::make_unique<io::HandClock>(1'000'000, kStartMs);
    io::HandClock& clock = *made;
    clock_ = std::move(made);
    create();
    upsert_half(1, 10, 3'600);
    ASSERT_TRUE(collection_->run_maintenance_now());
    const uint64_t before = collection_->stats().last_sequence;
    clock.wall_ms += 365 * 24 * uint64_t{3'600'000};
    EXPECT_EQ(count(), 5U) << "by the clock they have expired";
    collection_->tend();
    ASSERT_TRUE(collection_->run_maintenance_now());
    EXPECT_EQ(collection_->stats().last_sequence, before);
    clock.wall_ms -= 365 * 24 * uint64_t{3'600'000};
    EXPECT_EQ(count(), 10U) << "it was wrong, and nothing is lost";

    clock.wall_ms += 24 * uint64_t{3'600'000};
    EXPECT_EQ(count(), 5U);
    ASSERT_TRUE(collection_->run_maintenance_now());
    EXPECT_EQ(collection_->stats().last_sequence, before);
    clock.advance_us(io::kClockDoubtUs);
    ASSERT_TRUE(collection_->run_maintenance_now());
    EXPECT_EQ(collection_->stats().last_sequence, before + 1) << "it stayed so: they go";
    clock.wall_ms = kStartMs;
    EXPECT_EQ(count(), 5U) << "for good";
}

TEST_F(ExpiryTest, ASmallStepBackBringsNothingBack) {
    auto made = std::make_unique<io::HandClock>(1'000'000, kStartMs);
    io::HandClock& clock = *made;
    clock_ = std::move(made);
    create();
    upsert_half(1, 10, 60);
    clock.advance_us(60'000'000);
    EXPECT_EQ(count(), 5U);
    clock.wall_ms -= io::kClockJumpMs - 1;
    EXPECT_EQ(count(), 5U);
    EXPECT_EQ(found(2), 0U);
    clock.advance_us(1'000'000);
    EXPECT_EQ(count(), 5U);
}

TEST_F(ExpiryTest, WritesTakeWhatHasExpiredForNotThere) {
    create();
    upsert_half(1, 4, 60);
    const uint64_t version = collection_->get({model::DocumentId(2)}, {})->front().version;
    pass(60);
    model::DocumentUpdate update{.id = model::DocumentId(2), .change = {}};
    update.change.expires_at_ms = 0;
    EXPECT_EQ(collection_->update(std::vector{update})->count, 0U);
    update.if_version = version;
    EXPECT_EQ(collection_->update(std::vector{update}).error().code(), Code::kConflict);
    EXPECT_EQ(collection_->remove({model::DocumentId(2)})->count, 0U);
    EXPECT_EQ(collection_->remove_matching(*n_at_least(1))->count, 2U);
    model::Document again = document(4, 4);
    again.if_version = 0;
    EXPECT_EQ(collection_->upsert({again})->count, 1U);
    EXPECT_EQ(count(), 1U);
    EXPECT_EQ(found(4), 1U);
}

TEST_F(ExpiryTest, AChangeGivesAndTakesTheMomentAndOtherChangesKeepIt) {
    create();
    upsert_half(2, 1, 60);
    const auto change = [&](std::optional<uint64_t> expires_at_ms, bool with_merge) {
        model::DocumentChange made;
        made.expires_at_ms = expires_at_ms;
        if (with_merge) {
            made.merge = document(9, 9).metadata;
        }
        ASSERT_TRUE(
            collection_->update(model::UpdateAll{std::vector{model::DocumentId(2)}, made}).has_value());
    };
    change(std::nullopt, true);
    pass(60);
    EXPECT_EQ(found(2), 0U) << "a change of metadata keeps the moment";
    time_->now_ms = kStartMs;
    change(kStartMs + 90'000, false);
    pass(60);
    EXPECT_EQ(found(2), 1U);
    // The sweep's turn comes after the change that gave it more time.
    ASSERT_TRUE(collection_->run_maintenance_now().has_value());
    EXPECT_EQ(found(2), 1U);
    change(0, false);
    pass(1'000'000);
    ASSERT_TRUE(collection_->run_maintenance_now().has_value());
    EXPECT_EQ(found(2), 1U);
    upsert_half(2, 1, 60);
    EXPECT_EQ(found(2), 0U) << "what is written with a moment that has passed was never there";
    EXPECT_EQ(count(), 0U);
}

}  // namespace
}  // namespace akidb::engine
