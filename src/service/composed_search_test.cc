// Composed searches against the plain answer, on a real collection.
#include "service/composed_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "io/posix_file_system.h"
#include "io/random.h"
#include "model/limits.h"
#include "storage/files_for_tests.h"

namespace akidb::service {
namespace {

class IdleExecutor final : public io::Executor {
  public:
    bool submit(std::string, Job) override { return true; }
};

class ComposedSearchTest : public ::testing::Test {
  protected:
    static constexpr uint64_t kDocuments = 400;
    static constexpr uint32_t kDimension = 16;

    void create(model::Metric metric) {
        model::CollectionSpec spec{.name = "words", .dimension = kDimension, .metric = metric};
        spec.id = storage::test_collection();
        ASSERT_TRUE(engine::Collection::create(*files_, root_.path(), root_ / "c"));
        auto opened =
            engine::Collection::open({*files_, *clock_, executor_, logger_, metrics_}, root_ / "c", spec, {});
        ASSERT_TRUE(opened) << opened.error().message();
        collection_ = std::move(opened).value();
        auto random = io::make_seeded_random(7);
        std::vector<model::Document> batch;
        for (uint64_t id = 1; id <= kDocuments; ++id) {
            model::Document made;
            made.id = model::DocumentId(id);
            for (uint32_t i = 0; i < kDimension; ++i) {
                made.vector.push_back(static_cast<float>(random->next_u64() % 2001) / 1000.0F - 1.0F);
            }
            model::MetadataWriter writer;
            writer.begin_object();
            if (id % 10 != 0) {
                writer.key("group");
                writer.put_string("g" + std::to_string(id % 40 == 1 ? 99 : id % 7));
            }
            writer.end();
            made.metadata = std::move(writer).finish().value();
            vectors_[id] = made.vector;
            batch.push_back(std::move(made));
        }
        ASSERT_TRUE(collection_->upsert(std::move(batch)));
    }
    static std::string group_of(uint64_t id) {
        return id % 10 == 0 ? "" : "g" + std::to_string(id % 40 == 1 ? 99 : id % 7);
    }
    model::SearchReply search(const model::SearchRequest& request) const {
        auto reply = search_composed(*collection_, request);
        EXPECT_TRUE(reply) << reply.error().message();
        return std::move(reply).value();
    }
    model::SearchReply plain(std::vector<float> vector, uint32_t top_k) const {
        model::SearchRequest request;
        request.vector = std::move(vector);
        request.top_k = top_k;
        return collection_->search(request).value();
    }
    static std::vector<uint64_t> ids_of(const std::vector<model::SearchMatch>& matches) {
        std::vector<uint64_t> ids;
        for (const model::SearchMatch& match : matches) {
            ids.push_back(std::get<uint64_t>(match.document.id.value()));
        }
        return ids;
    }
    std::string field_at_fault(const model::SearchRequest& request) const {
        const auto reply = search_composed(*collection_, request);
        return reply ? "none" : reply.error().field();
    }

    storage::TempDirectory root_;
    std::unique_ptr<io::FileSystem> files_ = io::make_posix_file_system();
    std::unique_ptr<io::Clock> clock_ = io::make_system_clock();
    IdleExecutor executor_;
    NullLogger logger_;
    telemetry::Metrics metrics_;
    std::shared_ptr<engine::Collection> collection_;
    std::map<uint64_t, std::vector<float>> vectors_;
};

TEST_F(ComposedSearchTest, LikeADocumentIsItsVectorWithoutItself) {
    create(model::Metric::kCosine);
    model::SearchRequest request;
    request.examples.positive = {model::DocumentId(5)};
    request.top_k = 10;
    std::vector<uint64_t> expected = ids_of(plain(vectors_[5], 11).matches);
    ASSERT_EQ(expected[0], 5U);
    expected.erase(expected.begin());
    EXPECT_EQ(ids_of(search(request).matches), expected);
    request.top_k = 4;
    request.offset = 3;
    EXPECT_EQ(ids_of(search(request).matches),
              std::vector<uint64_t>(expected.begin() + 3, expected.begin() + 7));
}

TEST_F(ComposedSearchTest, SeveralExamplesGoFromOneMeanAwayFromTheOther) {
    create(model::Metric::kDot);
    model::SearchRequest request;
    request.examples.positive = {model::DocumentId(5), vectors_[6]};
    request.examples.negative = {model::DocumentId(7)};
    std::vector<float> target(kDimension);
    for (uint32_t i = 0; i < kDimension; ++i) {
        target[i] =
            static_cast<float>(double{vectors_[5][i]} + double{vectors_[6][i]} - double{vectors_[7][i]});
    }
    std::vector<uint64_t> expected = ids_of(plain(target, 30).matches);
    std::erase(expected, 5U);
    std::erase(expected, 7U);
    expected.resize(10);
    EXPECT_EQ(ids_of(search(request).matches), expected);
}

TEST_F(ComposedSearchTest, EachFaultOfExamplesNamesItsField) {
    create(model::Metric::kCosine);
    model::SearchRequest request;
    request.examples.negative = {model::DocumentId(5)};
    EXPECT_EQ(field_at_fault(request), "positive");
    request.examples.positive = {model::DocumentId(6), model::DocumentId(9'999)};
    EXPECT_EQ(field_at_fault(request), "positive[1]");
    EXPECT_EQ(search_composed(*collection_, request).error().code(), Code::kNotFound);
    request.examples.positive = {std::vector<float>(3, 1.0F)};
    EXPECT_EQ(field_at_fault(request), "positive[0]");
    request.examples.positive.assign(101, model::DocumentId(6));
    EXPECT_EQ(field_at_fault(request), "negative");
    request.examples = {};
    request.examples.positive = {vectors_[1]};
    std::vector<float> opposite = vectors_[1];
    std::for_each(opposite.begin(), opposite.end(), [](float& component) { component *= 2; });
    request.examples.positive.emplace_back(vectors_[1]);
    request.examples.negative = {opposite, opposite};
    EXPECT_EQ(field_at_fault(request), "none") << "the same direction twice, less it once";
    request.vector = vectors_[1];
    EXPECT_EQ(field_at_fault(request), "vector");
}

TEST_F(ComposedSearchTest, GroupsHoldTheBestOfEachValueInOrderOfTheirBest) {
    create(model::Metric::kL2);
    for (const uint32_t size : {1U, 3U, 8U}) {
        model::SearchRequest request;
        request.vector = vectors_[11];
        request.top_k = 8;
        request.group_by = model::GroupBy{.key = "group", .size = size};
        std::vector<std::pair<std::string, std::vector<uint64_t>>> expected;
        for (const uint64_t id : ids_of(plain(vectors_[11], kDocuments).matches)) {
            const std::string name = group_of(id);
            auto group = std::find_if(expected.begin(), expected.end(),
                                      [&](const auto& known) { return known.first == name; });
            if (!name.empty() && group == expected.end()) {
                group = expected.insert(group, {name, {}});
            }
            if (!name.empty() && group->second.size() < size) {
                group->second.push_back(id);
            }
        }
        ASSERT_EQ(expected.size(), 8U);
        const model::SearchReply reply = search(request);
        ASSERT_EQ(reply.groups.size(), 8U);
        EXPECT_TRUE(reply.matches.empty());
        for (size_t i = 0; i < 8; ++i) {
            EXPECT_EQ(reply.groups[i].value, model::MatchValue(expected[i].first));
            EXPECT_EQ(ids_of(reply.groups[i].matches), expected[i].second) << size;
            EXPECT_TRUE(reply.groups[i].matches[0].document.metadata.empty()) << "not asked for";
        }
    }
}

TEST_F(ComposedSearchTest, DiversityTradesNearnessForDifference) {
    create(model::Metric::kCosine);
    model::SearchRequest request;
    request.vector = vectors_[20];
    request.top_k = 10;
    request.diversity = model::Diversity{.weight = 0, .candidates = 100};
    EXPECT_EQ(ids_of(search(request).matches), ids_of(plain(vectors_[20], 10).matches))
        << "without weight it is the plain answer";
    const auto likeness = [&](const std::vector<model::SearchMatch>& matches) {
        double sum = 0;
        for (const model::SearchMatch& a : matches) {
            for (const model::SearchMatch& b : matches) {
                const auto& left = vectors_[std::get<uint64_t>(a.document.id.value())];
                const auto& right = vectors_[std::get<uint64_t>(b.document.id.value())];
                double dot = 0;
                double left_length = 0;
                double right_length = 0;
                for (uint32_t i = 0; i < kDimension; ++i) {
                    dot += double{left[i]} * double{right[i]};
                    left_length += double{left[i]} * double{left[i]};
                    right_length += double{right[i]} * double{right[i]};
                }
                sum += dot / std::sqrt(left_length * right_length);
            }
        }
        return sum;
    };
    const double plain_likeness = likeness(plain(vectors_[20], 10).matches);
    request.diversity->weight = 0.7;
    const model::SearchReply diverse = search(request);
    EXPECT_EQ(ids_of(diverse.matches)[0], 20U) << "the nearest comes first whatever the weight";
    EXPECT_LT(likeness(diverse.matches), plain_likeness * 0.8);
    EXPECT_TRUE(diverse.matches[0].document.vector.empty()) << "not asked for";
    request.top_k = 5;
    request.offset = 5;
    const std::vector<uint64_t> whole = ids_of(diverse.matches);
    EXPECT_EQ(ids_of(search(request).matches), std::vector<uint64_t>(whole.begin() + 5, whole.end()));
    request.diversity->candidates = 9;
    EXPECT_EQ(field_at_fault(request), "diversity.candidates");
    request.diversity = model::Diversity{.weight = 1.5};
    EXPECT_EQ(field_at_fault(request), "diversity.weight");
}

TEST_F(ComposedSearchTest, ADeadlineThatPassedIsSaidSo) {
    create(model::Metric::kCosine);
    model::SearchRequest request;
    request.vector = vectors_[1];
    request.deadline_us = clock_->monotonic_us();
    const auto reply = collection_->search(request);
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code(), Code::kDeadlineExceeded);
    request.deadline_us = clock_->monotonic_us() + 3'600'000'000;
    const auto in_time = collection_->search(request);
    ASSERT_TRUE(in_time);
    EXPECT_FALSE(in_time->partial);
}

TEST_F(ComposedSearchTest, FusionAddsUpWhatEachRankingIsWorth) {
    create(model::Metric::kCosine);
    model::SearchRequest request;
    request.top_k = 12;
    request.fusion.emplace();
    request.fusion->queries.push_back({.vector = vectors_[3], .top_k = 30});
    request.fusion->queries.push_back({.vector = vectors_[8], .top_k = 20});
    std::map<uint64_t, float> worth;
    for (const auto& [id, top_k] : {std::pair{uint64_t{3}, 30U}, std::pair{uint64_t{8}, 20U}}) {
        const std::vector<uint64_t> ranked = ids_of(plain(vectors_[id], top_k).matches);
        for (size_t rank = 1; rank <= ranked.size(); ++rank) {
            worth[ranked[rank - 1]] += 1.0F / static_cast<float>(60 + rank);
        }
    }
    std::vector<std::pair<float, uint64_t>> expected;
    for (const auto& [id, score] : worth) {
        expected.emplace_back(-score, id);
    }
    std::sort(expected.begin(), expected.end());
    const model::SearchReply reply = search(request);
    ASSERT_EQ(reply.matches.size(), 12U);
    for (size_t i = 0; i < reply.matches.size(); ++i) {
        EXPECT_EQ(ids_of(reply.matches)[i], expected[i].second);
        EXPECT_FLOAT_EQ(reply.matches[i].score, -expected[i].first);
    }
    request.offset = 5;
    request.top_k = 7;
    EXPECT_EQ(ids_of(search(request).matches)[0], expected[5].second);
}

TEST_F(ComposedSearchTest, LikeADocumentThereAreAsManyAnswersAsWereAskedFor) {
    create(model::Metric::kL2);
    std::vector<model::Document> batch;
    for (uint64_t id = 1'001; id <= 11'000; ++id) {
        model::Document made;
        made.id = model::DocumentId(id);
        made.vector.assign(kDimension, static_cast<float>(id));
        batch.push_back(std::move(made));
    }
    ASSERT_TRUE(collection_->upsert(std::move(batch)));
    model::SearchRequest request;
    request.examples = {.positive = {model::DocumentId(5)}, .negative = {}, .is_one_id = true};
    request.top_k = model::kTopKMax;
    const std::vector<uint64_t> found = ids_of(search(request).matches);
    EXPECT_EQ(found.size(), model::kTopKMax);
    EXPECT_EQ(std::count(found.begin(), found.end(), 5U), 0);
}

}  // namespace
}  // namespace akidb::service
