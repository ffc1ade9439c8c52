// What a filter of any kind selects in a snapshot, by indexes, ids and evaluation together, against every row
// held against the filter: with rows replaced and deleted, before the snapshot and after.
#include "engine/filter_matches.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "engine/query.h"
#include "model/filters_for_tests.h"

namespace akidb::engine {
namespace {

constexpr uint32_t kMatchedDimension = 16;

class FilterMatchesTest : public ::testing::Test {
  protected:
    /// As the write lane applies it.
    void write(uint64_t number) {
        ASSERT_TRUE(generation_->rows.reserve(1));
        const std::string id = model::DocumentId(number).encoded();
        const uint32_t previous = generation_->ids.find(id);
        ++sequence_;
        std::vector<float> vector(kMatchedDimension);
        for (float& component : vector) {
            component = static_cast<float>(draw_.below(1'000)) / 250;
        }
        const uint32_t row =
            generation_->rows.append({vector, sequence_, id, draw_.object(2).encoded(), previous});
        generation_->ids.insert(row);
        if (previous == kNoRow || generation_->rows.dead_at(previous) != 0) {
            ++live_;
        } else {
            generation_->rows.mark_dead(previous, sequence_);
        }
    }
    void remove(uint64_t number) {
        const uint32_t row = generation_->ids.find(model::DocumentId(number).encoded());
        if (row != kNoRow && generation_->rows.dead_at(row) == 0) {
            generation_->rows.mark_dead(row, ++sequence_);
            --live_;
        }
    }
    void write_some(int count) {
        for (int i = 0; i < count; ++i) {
            write(draw_.below(40) == 0 ? 1'000 + draw_.below(1'000) : draw_.below(60));
            if (draw_.below(4) == 0) {
                remove(draw_.below(60));
            }
        }
    }
    void index_some() {
        std::vector<model::MetadataField> fields;
        for (const char* key : {"a", "b", "a.b", "c[]"}) {
            if (draw_.below(5) != 0) {
                fields.push_back(
                    {key, static_cast<model::MetadataIndexType>(draw_.below(2) * draw_.below(6))});
            }
        }
        generation_->metadata.declare(fields);
        const uint32_t rows = generation_->rows.size();
        while (generation_->metadata.is_behind(rows)) {
            generation_->metadata.advance(rows,
                                          [&](uint32_t row) { return generation_->rows.metadata(row); });
        }
    }
    Snapshot snapshot() const { return {generation_, sequence_, generation_->rows.size(), live_}; }

    static std::vector<uint32_t> expected(const Snapshot& snapshot, const model::Filter& filter) {
        std::vector<uint32_t> matching;
        const RowStore& rows = snapshot.generation->rows;
        for (uint32_t row = 0; row < snapshot.rows; ++row) {
            if (snapshot.sees(row) &&
                model::matches(filter, model::MetadataView(rows.metadata(row)), rows.id(row))) {
                matching.push_back(row);
            }
        }
        return matching;
    }
    model::SearchReply search(const Snapshot& snapshot, std::shared_ptr<const model::Filter> filter,
                              uint32_t top_k, std::optional<Plan> forced) {
        model::SearchRequest request;
        request.vector.assign(kMatchedDimension, 1.5F);
        request.top_k = top_k;
        request.filter = std::move(filter);
        QueryCost cost;
        return run_query(snapshot, request, {.default_ef = 32, .forced = forced}, scratch_, cost);
    }
    static std::vector<std::string> sorted_ids(const model::SearchReply& reply) {
        std::vector<std::string> ids;
        for (const model::SearchMatch& match : reply.matches) {
            ids.push_back(match.document.id.encoded());
        }
        std::sort(ids.begin(), ids.end());
        return ids;
    }

    model::RandomTrees draw_{31};
    std::shared_ptr<Generation> generation_ = std::make_shared<Generation>(
        std::vector<model::VectorSpec>{{.dimension = kMatchedDimension, .metric = model::Metric::kL2}},
        index::GraphOptions{}, 77);
    index::SearchScratch scratch_;
    uint64_t sequence_ = 0;
    uint64_t live_ = 0;
};

TEST_F(FilterMatchesTest, AnswersEveryKindOfConditionAsEvaluationDoes) {
    model::RandomFilters filters(32);
    write_some(400);
    index_some();
    const Snapshot early = snapshot();
    write_some(200);
    const Snapshot late = snapshot();
    write_some(200);
    size_t found = 0;
    constexpr int kRounds = 4'000;
    for (int round = 0; round < kRounds; ++round) {
        if (round % 50 == 0) {
            index_some();
        }
        model::Filter filter = filters.filter(2);
        if (round % 2 == 0) {
            model::prepare(filter);
        }
        for (const Snapshot& seen : {early, late}) {
            const std::vector<uint32_t> wanted = expected(seen, filter);
            ASSERT_EQ(matching_rows(seen, &filter), wanted) << "round " << round;
            found += wanted.size();
        }
    }
    EXPECT_GT(found, size_t{kRounds});
}

TEST_F(FilterMatchesTest, SearchesReturnWhatMatchesByEveryPlan) {
    model::RandomFilters filters(33);
    write_some(600);
    index_some();
    generation_->first().graph.link(
        generation_->rows.size() - 50, [] { return false; }, scratch_);
    const Snapshot seen = snapshot();
    write_some(100);
    for (int round = 0; round < 1'000; ++round) {
        const auto filter = std::make_shared<const model::Filter>(filters.filter(2));
        std::vector<std::string> wanted;
        for (const uint32_t row : expected(seen, *filter)) {
            wanted.emplace_back(seen.generation->rows.id(row));
        }
        std::sort(wanted.begin(), wanted.end());
        ASSERT_EQ(sorted_ids(search(seen, filter, 1'000, std::nullopt)), wanted) << "round " << round;
        for (const Plan plan : {Plan::kBrute, Plan::kCodes, Plan::kInline, Plan::kTwoHop}) {
            const std::vector<std::string> some = sorted_ids(search(seen, filter, 10, plan));
            ASSERT_TRUE(std::includes(wanted.begin(), wanted.end(), some.begin(), some.end()))
                << "round " << round;
        }
    }
}

TEST_F(FilterMatchesTest, IdsAreLookedUpInsteadOfSearchedFor) {
    for (uint64_t number = 0; number < 3'000; ++number) {
        write(number);
    }
    remove(7);
    model::Filter filter;
    model::HasIdCondition condition;
    for (const uint64_t number : {uint64_t{5}, uint64_t{7}, uint64_t{2'999}, uint64_t{9'999}}) {
        condition.ids.push_back(model::DocumentId(number).encoded());
    }
    filter.must.emplace_back(condition);
    const Snapshot seen = snapshot();
    write(5);
    FilterMatches matches(seen, filter);
    matches.find();
    EXPECT_TRUE(matches.is_exact());
    EXPECT_EQ(matches.candidate_count(), 2);
    EXPECT_EQ(matching_rows(seen, &filter), (std::vector<uint32_t>{5, 2'999}));
}

}  // namespace
}  // namespace akidb::engine
