// Searches under a filter against the plain answer: every row held against the filter and compared.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "engine/query.h"
#include "model/filter.h"

namespace akidb::engine {
namespace {

constexpr uint32_t kQueriedDimension = 16;
constexpr uint32_t kRows = 6'000;
constexpr uint32_t kTop = 10;

model::Filter n_between(double gte, double lt) {
    model::Filter filter;
    filter.must.emplace_back(model::RangeCondition{.key = "n", .gte = gte, .lt = lt});
    return filter;
}

// Rows in clusters, each with its ordinal `n`, a permuted one `p` and its cluster's name.
class FilteredQueryTest : public ::testing::Test {
  protected:
    FilteredQueryTest() {
        for (uint32_t row = 0; row < kRows; ++row) {
            const uint32_t cluster = row / (kRows / 20);
            model::MetadataWriter writer;
            writer.begin_object();
            writer.key("n");
            writer.put_int(row);
            writer.key("p");
            writer.put_int((row * 7'919) % kRows);
            writer.key("cluster");
            writer.put_string("c" + std::to_string(cluster));
            writer.end();
            append(row, vector_near(cluster), std::move(writer).finish().value());
        }
        generation_->first().graph.link(
            kRows - 100, [] { return false; }, scratch_);  // the rest is the head
    }
    std::vector<float> vector_near(uint32_t cluster) {
        std::mt19937 place(cluster);
        std::vector<float> vector(kQueriedDimension);
        for (float& component : vector) {
            component =
                static_cast<float>(place() % 1'000) / 250 + static_cast<float>(random_() % 1'000) / 1'000;
        }
        return vector;
    }
    void append(uint64_t id, const std::vector<float>& vector, const std::string& metadata) {
        ASSERT_TRUE(generation_->rows.reserve(1));
        const uint32_t row =
            generation_->rows.append({vector, 1, model::DocumentId(id).encoded(), metadata, kNoRow});
        generation_->ids.insert(row);
    }
    void declare(std::vector<model::MetadataField> fields) {
        generation_->metadata.declare(fields);
        while (generation_->metadata.is_behind(kRows)) {
            generation_->metadata.advance(kRows,
                                          [&](uint32_t row) { return generation_->rows.metadata(row); });
        }
    }
    void declare_all() {
        declare({{"n", model::MetadataIndexType::kInteger},
                 {"p", model::MetadataIndexType::kInteger},
                 {"cluster", model::MetadataIndexType::kKeyword}});
    }
    Snapshot snapshot() const { return {generation_, kSequence, kRows, kRows - dead_}; }
    void kill(uint32_t row) {
        generation_->rows.mark_dead(row, kSequence);
        ++dead_;
    }

    model::SearchReply search(const model::SearchRequest& request, QuerySettings settings, QueryCost& cost) {
        return run_query(snapshot(), request, settings, scratch_, cost);
    }
    model::SearchRequest request(model::Filter filter) {
        model::SearchRequest made;
        made.vector = vector_near(static_cast<uint32_t>(random_() % 20));
        made.top_k = kTop;
        made.filter = std::make_shared<const model::Filter>(std::move(filter));
        return made;
    }
    bool is_match(const model::Filter& filter, uint32_t row) const {
        const RowStore& rows = generation_->rows;
        return model::matches(filter, model::MetadataView(rows.metadata(row)), rows.id(row));
    }
    std::vector<float> expected_scores(const model::SearchRequest& request) const {
        std::vector<float> query(generation_->rows.rows().query_size());
        index::encode_query(model::Metric::kL2, request.vector, query);
        std::vector<float> scores;
        for (uint32_t row = 0; row < kRows; ++row) {
            if (snapshot().sees(row) && is_match(*request.filter, row)) {
                scores.push_back(index::score_of(model::Metric::kL2,
                                                 generation_->rows.rows().distance(query.data(), row)));
            }
        }
        std::sort(scores.begin(), scores.end());
        scores.resize(std::min<size_t>(scores.size(), request.top_k));
        return scores;
    }
    /// The share of the true nearest that came back; as many as there are must come.
    double recall(const model::SearchReply& reply, const model::SearchRequest& request) const {
        const std::vector<float> wanted = expected_scores(request);
        EXPECT_EQ(reply.matches.size(), wanted.size());
        if (wanted.empty()) {
            return 1;
        }
        const auto hits = std::count_if(reply.matches.begin(), reply.matches.end(),
                                        [&](const auto& match) { return match.score <= wanted.back(); });
        return static_cast<double>(hits) / static_cast<double>(wanted.size());
    }

    static constexpr uint64_t kSequence = 5;
    std::mt19937 random_{9};
    std::vector<uint32_t> all_rows_ = [] {
        std::vector<uint32_t> rows(kRows);
        std::iota(rows.begin(), rows.end(), 0u);
        return rows;
    }();
    std::shared_ptr<Generation> generation_ = std::make_shared<Generation>(
        std::vector<model::VectorSpec>{{.dimension = kQueriedDimension, .metric = model::Metric::kL2}},
        index::GraphOptions{}, 77);
    index::SearchScratch scratch_;
    uint32_t dead_ = 0;
};

TEST_F(FilteredQueryTest, FindsTheNearestMatchesAtEverySelectivityIndexedOrNot) {
    for (const bool is_indexed : {false, true}) {
        if (is_indexed) {
            declare_all();
        }
        for (const uint32_t matches : {kRows, kRows / 2, kRows / 5, kRows / 20, kRows / 100, 12u, 3u, 0u}) {
            double sum = 0;
            constexpr int kQueries = 20;
            for (int i = 0; i < kQueries; ++i) {
                model::Filter filter;  // spread evenly by p, of the first clusters by n
                filter.must.emplace_back(
                    model::RangeCondition{.key = i % 2 == 0 ? "p" : "n", .lt = static_cast<double>(matches)});
                const model::SearchRequest asked = request(std::move(filter));
                QueryCost cost;
                sum += recall(search(asked, {.default_ef = 64}, cost), asked);
                EXPECT_NEAR(cost.estimated_matches, matches, matches * 0.3 + 64);
            }
            EXPECT_GE(sum / kQueries, 0.95) << matches << (is_indexed ? " indexed" : "");
        }
    }
}

TEST_F(FilteredQueryTest, EveryPlanThatIsForcedAnswers) {
    declare_all();
    for (const Plan plan : {Plan::kBrute, Plan::kCodes, Plan::kInline, Plan::kTwoHop}) {
        double sum = 0;
        constexpr int kQueries = 20;
        for (int i = 0; i < kQueries; ++i) {
            model::Filter filter;
            filter.must.emplace_back(model::RangeCondition{.key = "p", .lt = kRows * 0.3});
            const model::SearchRequest asked = request(std::move(filter));
            QueryCost cost;
            sum += recall(search(asked, {.default_ef = 100, .forced = plan}, cost), asked);
            EXPECT_EQ(cost.plan, plan);
            EXPECT_FALSE(cost.is_abandoned);
        }
        EXPECT_GE(sum / kQueries, 0.95) << name_of(plan);
    }
}

TEST_F(FilteredQueryTest, NeverFewerThanKWhenKMatchWhateverIsDead) {
    declare_all();
    for (uint32_t row = 0; row < kRows; ++row) {
        if (row % 10 != 3) {
            kill(row);
        }
    }
    for (int i = 0; i < 20; ++i) {
        const model::SearchRequest asked = request(n_between(0, kRows * (i % 2 == 0 ? 0.9 : 0.4)));
        QueryCost cost;
        EXPECT_GE(recall(search(asked, {.default_ef = 32}, cost), asked), 0.9);
    }
}

TEST_F(FilteredQueryTest, AWalkTowardsFarMatchesIsAbandonedForTheExactAnswer) {
    declare_all();
    // Half of the clusters match, and the query lies beside another one.
    model::SearchRequest asked = request(n_between(0, kRows / 2.0));
    asked.vector = vector_near(19);
    QueryCost cost;
    const model::SearchReply reply = search(asked, {.default_ef = 64}, cost);
    EXPECT_EQ(recall(reply, asked), 1);
    EXPECT_EQ(cost.plan, Plan::kBrute);
    EXPECT_TRUE(cost.is_abandoned);
    EXPECT_TRUE(reply.exact);
}

TEST_F(FilteredQueryTest, ResidualConditionsAreHeldAgainstCandidates) {
    declare({{"cluster", model::MetadataIndexType::kKeyword}});
    for (int i = 0; i < 10; ++i) {
        model::Filter filter = n_between(0, kRows / 2.0);  // no index on n
        filter.must.emplace_back(
            model::MatchCondition{.key = "cluster", .any = {std::string("c1"), "c2", "c17"}});
        filter.must_not.emplace_back(model::RangeCondition{.key = "p", .lt = 1'000});
        const model::SearchRequest asked = request(std::move(filter));
        QueryCost cost;
        EXPECT_EQ(recall(search(asked, {.default_ef = 64}, cost), asked), 1);
        EXPECT_EQ(cost.plan, Plan::kBrute);
        EXPECT_LE(cost.candidates, kRows / 20 * 3 + 64) << "only what the index let through";
        EXPECT_EQ(matching_rows(snapshot(), asked.filter.get()).size(),
                  static_cast<size_t>(std::count_if(all_rows_.begin(), all_rows_.end(), [&](uint32_t row) {
                      return is_match(*asked.filter, row);
                  })));
    }
}

TEST_F(FilteredQueryTest, WalksAreMeasuredAsTheGraphDoubles) {
    WalkMeasure& walks = generation_->first().walks;
    EXPECT_FALSE(walks.is_due(1'023));
    EXPECT_TRUE(walks.is_due(1'024));
    walks.measure(generation_->rows.rows(), generation_->first().graph, scratch_);
    const double share = walks.fresh_share();
    EXPECT_GT(share, 0.05);
    EXPECT_LE(share, 1);
    EXPECT_FALSE(walks.is_due(2 * generation_->first().graph.linked() - 1));
    EXPECT_TRUE(walks.is_due(2 * generation_->first().graph.linked()));
    walks.measure(generation_->rows.rows(), generation_->first().graph, scratch_);
    EXPECT_EQ(walks.fresh_share(), share) << "the same graph, the same figure";
}

TEST_F(FilteredQueryTest, ExactAndSmallAnswersAreExact) {
    declare_all();
    model::SearchRequest asked = request(n_between(0, 3'000));
    asked.params.exact = true;
    QueryCost cost;
    EXPECT_TRUE(search(asked, {.default_ef = 64}, cost).exact);
    EXPECT_EQ(cost.plan, Plan::kExact);
    asked.params.exact = false;
    asked.top_k = kRows / 3;
    const model::SearchReply reply = search(asked, {.default_ef = 64}, cost);
    EXPECT_TRUE(reply.exact);
    EXPECT_EQ(cost.plan, Plan::kFlat);
    EXPECT_EQ(reply.matches.size(), kRows / 3);
}

}  // namespace
}  // namespace akidb::engine
