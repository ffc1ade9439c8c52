#include "engine/recall_probe.h"

#include <gtest/gtest.h>

#include <functional>

#include "engine/collection_for_tests.h"

namespace akidb::engine {
namespace {

/// Keeps one job until the test runs it.
class HeldExecutor final : public io::Executor {
  public:
    bool submit(std::string, Job job) override {
        if (is_taking) {
            held = std::move(job);
        }
        return is_taking;
    }
    void run() { std::exchange(held, nullptr)(std::stop_token()); }

    Job held;
    bool is_taking = true;
};

class HandClock final : public io::Clock {
  public:
    uint64_t unix_ms() const override { return 1'700'000'000'000; }
    uint64_t monotonic_us() const override { return now_us; }
    uint64_t thread_us() const override {
        now_us += waited_us;
        return used_us += step_us;
    }

    mutable uint64_t now_us = 1;
    mutable uint64_t used_us = 1;
    uint64_t step_us = 0;    // used from one look to the next
    uint64_t waited_us = 0;  // for the processor, meanwhile
};

class RecallProbeTest : public CollectionFixture {
  protected:
    RecallProbeTest() {
        options_.graph_rows_min = 200;
        options_.graph.degree = 16;
        options_.graph.build_ef = 32;
        options_.graph.layout = index::Layout::kSplit;
    }
    void open_probed() {
        ASSERT_TRUE(Collection::create(*files_, root_.path(), directory()).has_value());
        Dependencies given{*files_, hand_, executor_, logger_, metrics_};
        given.recall_probe = &probe_;
        auto opened = Collection::open(given, directory(), spec_, options_);
        ASSERT_TRUE(opened.has_value());
        collection_ = std::move(opened).value();
        upsert(1, 1'500);
        ASSERT_TRUE(collection_->run_maintenance_now());
    }
    model::SearchRequest like(uint64_t id) const {
        model::SearchRequest request;
        request.vector = document(id, id + 100'000).vector;
        return request;
    }
    void search(uint64_t count, const std::function<void(model::SearchRequest&)>& change) {
        for (uint64_t id = 1; id <= count; ++id) {
            model::SearchRequest request = like(id);
            change(request);
            ASSERT_TRUE(collection_->search(request));
            if (probing_.held != nullptr) {
                probing_.run();
            }
        }
    }
    double total(const std::string& outcome) const {
        const std::string text = metrics_.expose();
        const std::string name = "akidb_recall_probes_total{outcome=\"" + outcome + "\"} ";
        return std::stod(text.substr(text.find(name) + name.size()));
    }

    HandClock hand_;
    HeldExecutor probing_;
    RecallProbe probe_{probing_, hand_, metrics_, {.share_permille = 1000, .processors = 2}};
};

TEST_F(RecallProbeTest, FindsThatALargeBeamFindsAndASmallOneMisses) {
    open_probed();
    search(9, [](model::SearchRequest& request) { request.params.ef = 400; });
    EXPECT_TRUE(collection_->stats().recall.empty()) << "nine searches tell nothing";
    search(1, [](model::SearchRequest& request) { request.params.ef = 400; });
    ASSERT_EQ(collection_->stats().recall.size(), 1u);
    EXPECT_GT(collection_->stats().recall[0].ratio, 0.99);
    EXPECT_EQ(collection_->stats().recall[0].searches, 10u);
    search(100, [](model::SearchRequest& request) { request.params.ef = 10; });
    EXPECT_LT(collection_->stats().recall[0].ratio, 0.97) << "the hundred that came last count";
    EXPECT_EQ(collection_->stats().recall[0].searches, 100u);
    EXPECT_EQ(total("done"), 110);
    ASSERT_TRUE(collection_->remove({model::DocumentId(uint64_t{1})}));
    ASSERT_TRUE(collection_->rewrite());
    EXPECT_TRUE(collection_->stats().recall.empty()) << "another graph is judged by itself";
}

TEST_F(RecallProbeTest, LeavesOutWhatComparesWithAllThatMatches) {
    open_probed();
    search(12, [](model::SearchRequest& request) { request.params.exact = true; });
    search(12, [](model::SearchRequest& request) {
        request.filter = std::make_shared<const model::Filter>(n_below(3));
    });
    EXPECT_EQ(total("done") + total("skipped"), 0);
}

TEST(RecallWindow, TellsKindsOfFiltersApartAndForgetsAfterAnHour) {
    constexpr uint64_t kHourUs = uint64_t{3600} * 1'000'000;
    RecallWindow window;
    for (uint64_t i = 0; i < 10; ++i) {
        window.add(FilterKind::kNarrow, 5, 10, i);
        window.add(FilterKind::kBroad, 9, 10, i);
        window.add(FilterKind::kBroad, 1, 1, i);
    }
    const std::vector<RecallState> states = window.read(kHourUs);
    ASSERT_EQ(states.size(), 2u);
    EXPECT_EQ(states[0].filter, FilterKind::kBroad);
    EXPECT_DOUBLE_EQ(states[0].ratio, 100.0 / 110) << "each document counts alike, not each search";
    EXPECT_EQ(states[0].searches, 20u);
    EXPECT_DOUBLE_EQ(states[1].ratio, 0.5);
    EXPECT_EQ(window.read(kHourUs + 1).size(), 1u) << "nine narrow ones are left";
    EXPECT_TRUE(window.read(2 * kHourUs).empty());
    for (uint64_t i = 0; i < 250; ++i) {
        window.add(FilterKind::kNone, i < 150 ? 0 : 7, 7, kHourUs);
    }
    EXPECT_EQ(window.read(kHourUs).front().ratio, 1) << "the last hundred";
}

TEST_F(RecallProbeTest, SeesWhatTheSearchSaw) {
    open_probed();
    std::vector<model::DocumentId> all;
    for (uint64_t id = 1; id <= 1'500; ++id) {
        all.emplace_back(id);
    }
    for (uint64_t id = 1; id <= 10; ++id) {
        model::SearchRequest request = like(id);
        request.params.ef = 400;
        ASSERT_TRUE(collection_->search(request));
        const std::vector<model::DocumentId> some(all.begin() + static_cast<std::ptrdiff_t>(id * 100),
                                                  all.begin() + static_cast<std::ptrdiff_t>(id * 100 + 100));
        ASSERT_TRUE(collection_->remove(some));
        probing_.run();
    }
    EXPECT_GT(collection_->stats().recall[0].ratio, 0.99);
}

TEST_F(RecallProbeTest, TakesNoMoreThanItsShareOfTheProcessors) {
    open_probed();
    hand_.step_us = 50;
    hand_.waited_us = 1'000'000;
    ASSERT_TRUE(collection_->search(like(1)));
    ASSERT_NE(probing_.held, nullptr);
    ASSERT_TRUE(collection_->search(like(2)));
    EXPECT_EQ(total("skipped"), 1) << "one at a time";
    probing_.run();
    hand_.waited_us = 0;
    hand_.now_us += hand_.step_us * 100 - 1;  // two processors, half a percent of each; not of the wait
    ASSERT_TRUE(collection_->search(like(3)));
    EXPECT_EQ(probing_.held, nullptr);
    EXPECT_EQ(total("skipped"), 2);
    ++hand_.now_us;
    ASSERT_TRUE(collection_->search(like(4)));
    EXPECT_NE(probing_.held, nullptr);
    probing_.run();
    probing_.is_taking = false;
    hand_.now_us += 1'000'000;
    ASSERT_TRUE(collection_->search(like(5)));
    EXPECT_EQ(total("skipped"), 3) << "the queue was full";
    probing_.is_taking = true;
    ASSERT_TRUE(collection_->search(like(6)));
    probing_.run();
    EXPECT_EQ(total("done"), 3);
}

TEST_F(RecallProbeTest, ChoosesTheShareThatIsAskedFor) {
    probe_.set_share(100);
    probing_.is_taking = false;  // refused at once, so the next may be chosen
    int chosen = 0;
    for (int i = 0; i < 10'000; ++i) {
        if (probe_.wants_next()) {
            ++chosen;
            probe_.take({}, {});
        }
    }
    EXPECT_NEAR(chosen, 1'000, 120);
    probe_.set_share(0);
    EXPECT_FALSE(probe_.wants_next());
}

}  // namespace
}  // namespace akidb::engine
