// A collection whose vectors are kept in fewer bits, through all that happens to one: what it gives back is
// what was kept when it was written, to the bit, whatever moved, copied or replayed it since.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <tuple>

#include "engine/collection_for_tests.h"
#include "index/stored_vector.h"

namespace akidb::engine {
namespace {

using model::Metric;
using model::VectorStorage;

constexpr uint64_t kStoredDocuments = 4'500;  // a chunk of rows and a ragged end

class VectorStorageTest : public CollectionFixture,
                          public ::testing::WithParamInterface<std::tuple<VectorStorage, Metric>> {
  protected:
    VectorStorageTest() {
        spec_.dimension = 20;  // no multiple of any width
        spec_.storage = std::get<0>(GetParam());
        spec_.metric = std::get<1>(GetParam());
        options_.graph_rows_min = 300;
        options_.graph.build_ef = 64;
        options_.checkpoint_linked_rows = 100;
        options_.rewrite_dead_rows_min = 64;
        create();
    }

    void write(uint64_t first, uint64_t count, uint64_t seed_offset) {
        upsert(first, count, seed_offset);
        for (uint64_t id = first; id < first + count; ++id) {
            kept_[id] = document(id, id + seed_offset).vector;
            index::round_to_stored(spec_.storage, kept_[id]);
        }
    }
    void remove(uint64_t first, uint64_t count) {
        std::vector<model::DocumentId> ids;
        for (uint64_t id = first; id < first + count; ++id) {
            ids.emplace_back(id);
            kept_.erase(id);
        }
        ASSERT_TRUE(collection_->remove(ids));
    }
    void expect_kept(const char* when) {
        SCOPED_TRACE(when);
        ASSERT_EQ(count(), kept_.size());
        std::vector<model::DocumentId> ids;
        for (const auto& [id, vector] : kept_) {
            ids.emplace_back(id);
        }
        const auto found = collection_->get(ids, {.vector = true}).value();
        ASSERT_EQ(found.size(), kept_.size());
        for (const model::Document& one : found) {
            ASSERT_EQ(one.vector, kept_.at(std::get<uint64_t>(one.id.value())));
        }
    }
    std::vector<uint64_t> search(const std::vector<float>& vector, bool exact) const {
        model::SearchRequest request;
        request.vector = vector;
        request.top_k = 10;
        request.params.exact = exact;
        std::vector<uint64_t> ids;
        const auto reply = collection_->search(request);
        EXPECT_TRUE(reply);
        for (const model::SearchMatch& match : reply->matches) {
            ids.push_back(std::get<uint64_t>(match.document.id.value()));
        }
        return ids;
    }
    /// Of what is kept, smaller is nearer.
    double distance(const std::vector<float>& query, const std::vector<float>& vector) const {
        double product = 0;
        double squares = 0;
        double difference = 0;
        for (size_t i = 0; i < query.size(); ++i) {
            product += double{query[i]} * vector[i];
            squares += double{vector[i]} * vector[i];
            difference += (double{query[i]} - vector[i]) * (double{query[i]} - vector[i]);
        }
        return spec_.metric == Metric::kL2    ? difference
               : spec_.metric == Metric::kDot ? -product
                                              : -product / std::sqrt(squares);
    }
    /// Exact search is brute force over what is kept, and a walk finds nearly all of it.
    void expect_searches() {
        constexpr uint64_t kQueries = 60;
        size_t found = 0;
        for (uint64_t i = 0; i < kQueries; ++i) {
            const std::vector<float> query = document(0, 1'000'000 + i).vector;
            std::vector<double> distances;
            for (const auto& [id, vector] : kept_) {
                distances.push_back(distance(query, vector));
            }
            std::nth_element(distances.begin(), distances.begin() + 9, distances.end());
            const double tenth = distances[9] + 1e-5 * (1 + std::abs(distances[9]));
            for (const uint64_t id : search(query, true)) {
                ASSERT_LE(distance(query, kept_.at(id)), tenth);
            }
            for (const uint64_t id : search(query, false)) {
                found += distance(query, kept_.at(id)) <= tenth ? 1 : 0;
            }
        }
        EXPECT_GE(found, 10 * kQueries * 95 / 100);
    }

    std::map<uint64_t, std::vector<float>> kept_;
};

INSTANTIATE_TEST_SUITE_P(All, VectorStorageTest,
                         ::testing::Combine(::testing::Values(VectorStorage::kF32, VectorStorage::kF16,
                                                              VectorStorage::kInt8),
                                            ::testing::Values(Metric::kCosine, Metric::kDot, Metric::kL2)),
                         [](const auto& made) {
                             return std::string(name_of(std::get<0>(made.param))) + "_" +
                                    std::string(name_of(std::get<1>(made.param)));
                         });

TEST_P(VectorStorageTest, WhatIsKeptOutlivesWhateverHappens) {
    write(1, kStoredDocuments, 0);
    expect_kept("in memory");
    open();
    expect_kept("replayed");
    ASSERT_TRUE(collection_->run_maintenance_now());
    expect_kept("checkpointed");
    expect_searches();
    open();
    expect_kept("mapped");
    write(kStoredDocuments / 2, kStoredDocuments / 2 + 300, 7);
    // New metadata alone: the vector goes through the log and comes back the same.
    const model::UpdateRequest update = model::UpdateAll{
        .which = std::vector<model::DocumentId>{model::DocumentId(1), model::DocumentId(kStoredDocuments)},
        .change = {.remove = {"n"}}};
    ASSERT_TRUE(collection_->update(update, {}));
    remove(5, 100);
    expect_kept("changed");
    ASSERT_TRUE(collection_->rewrite());
    expect_kept("rewritten");
    open();
    expect_kept("rewritten and mapped");
    ASSERT_TRUE(collection_->run_maintenance_now());
    expect_searches();
    ASSERT_TRUE(collection_->close(true));
    spec_.storage = spec_.storage == VectorStorage::kF16 ? VectorStorage::kInt8 : VectorStorage::kF16;
    EXPECT_EQ(Collection::open({*files_, *clock_, executor_, logger_, metrics_}, directory(), spec_, options_)
                  .error()
                  .code(),
              Code::kDataLoss);
}

TEST_P(VectorStorageTest, AValueThatDoesNotFitIsRefusedByItsField) {
    model::Document large = document(1, 1);
    large.vector[3] = 65'505;
    const auto written = collection_->upsert({document(2, 2), large});
    ASSERT_EQ(written.has_value(), spec_.storage != VectorStorage::kF16);
    if (!written) {
        EXPECT_EQ(written.error().code(), Code::kInvalidArgument);
        EXPECT_EQ(written.error().field(), "documents[1].vector[3]");
        EXPECT_EQ(written.error().allowed(), "-65504..65504");
        EXPECT_EQ(count(), 0u);
    }
    model::SearchRequest request;
    request.vector = large.vector;
    EXPECT_TRUE(collection_->search(request)) << "a query is not kept";
}

// Files that any version wrote must be readable for ever, and what is written today must be their bytes. The
// fourth set has vectors in fewer bits: manifest and .rows format 3. To make it anew after a deliberate
// change:
//   engine_test --gtest_also_run_disabled_tests --gtest_filter='*VectorStorageGolden.DISABLED_*'
class VectorStorageGolden : public CollectionFixture, public ::testing::WithParamInterface<VectorStorage> {
  protected:
    VectorStorageGolden() {
        spec_.storage = GetParam();
        spec_.metric = Metric::kL2;
        options_.checkpoint_log_bytes = 1;
        options_.log.preallocate_bytes_min = 1024;
        options_.log.preallocate_bytes_max = 1024;
    }

    /// Three documents, the last of which expires, and one that was deleted.
    void make() {
        create();
        std::vector<model::Document> documents;
        for (uint64_t id = 1; id <= 4; ++id) {
            model::Document& one = documents.emplace_back();
            one.id = model::DocumentId(id);
            one.vector = sent(id);
            one.expires_at_ms = id == 3 ? 4'102'444'800'000 : 0;  // 2100-01-01T00:00:00Z
        }
        ASSERT_TRUE(collection_->upsert(std::move(documents)));
        ASSERT_TRUE(collection_->remove({model::DocumentId(4)}));
        ASSERT_TRUE(collection_->run_maintenance_now());
        ASSERT_TRUE(collection_->close(true));
    }
    static std::vector<float> sent(uint64_t id) {
        std::vector<float> vector(16);
        for (size_t i = 0; i < vector.size(); ++i) {
            vector[i] = static_cast<float>(id) * (0.1F * static_cast<float>(i) - 0.5F);
        }
        return vector;
    }
    std::string golden() const {
        return std::string(AKIDB_SOURCE_DIR) + "/tests/golden/v4/" + std::string(name_of(GetParam()));
    }
    /// What tells of vectors: the manifest and the rows.
    static std::map<std::string, std::string> content(const std::string& directory) {
        std::map<std::string, std::string> files;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
            const std::string name = entry.path().filename();
            if (name.ends_with(".rows") || name.starts_with("MANIFEST")) {
                files[name] = storage::read_bytes(entry.path());
            }
        }
        return files;
    }
};

INSTANTIATE_TEST_SUITE_P(Storages, VectorStorageGolden,
                         ::testing::Values(VectorStorage::kF16, VectorStorage::kInt8),
                         [](const auto& made) { return std::string(name_of(made.param)); });

TEST_P(VectorStorageGolden, DISABLED_MakeFiles) {
    make();
    std::filesystem::remove_all(golden());
    std::filesystem::create_directories(golden());
    std::filesystem::copy(directory(), golden(), std::filesystem::copy_options::recursive);
}

TEST_P(VectorStorageGolden, TodaysWriterMakesTheSameBytes) {
    make();
    EXPECT_EQ(content(directory()).size(), 2u);
    EXPECT_TRUE(content(directory()) == content(golden()));
}

TEST_P(VectorStorageGolden, FilesReadAsTheyWereWritten) {
    std::filesystem::copy(golden(), directory(), std::filesystem::copy_options::recursive);
    open();
    const auto found = collection_->get(
        {model::DocumentId(1), model::DocumentId(2), model::DocumentId(3), model::DocumentId(4)},
        {.vector = true});
    ASSERT_TRUE(found && found->size() == 3);
    for (const model::Document& one : *found) {
        const uint64_t id = std::get<uint64_t>(one.id.value());
        std::vector<float> kept = sent(id);
        index::round_to_stored(GetParam(), kept);
        EXPECT_EQ(one.vector, kept);
        EXPECT_EQ(one.expires_at_ms, id == 3 ? 4'102'444'800'000 : 0);
    }
}

}  // namespace
}  // namespace akidb::engine
