#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "engine/collection_for_tests.h"
#include "index/stored_vector.h"

namespace akidb::engine {
namespace {

using model::Metric;
using model::VectorSpec;
using model::VectorStorage;

// Files that any version wrote must be readable for ever, and what is written today must be their bytes. The
// sixth set has several vectors: manifest format 4, wide rows, and what documents lack behind their metadata.
// To make it anew after a deliberate change:
//   engine_test --gtest_also_run_disabled_tests --gtest_filter='NamedVectorsGolden.DISABLED_*'
class NamedVectorsGolden : public CollectionFixture {
  protected:
    NamedVectorsGolden() {
        spec_.metric = Metric::kL2;
        spec_.vectors = {{"title", 16, Metric::kCosine, VectorStorage::kF16},
                         {"image", 20, Metric::kDot, VectorStorage::kInt8}};
        options_.checkpoint_log_bytes = 1;
        options_.checkpoint_linked_rows = 1;
        options_.graph_rows_min = 2;
        options_.graph.degree = 16;
        options_.log.preallocate_bytes_min = 1024;
        options_.log.preallocate_bytes_max = 1024;
    }

    static std::vector<float> sent(uint64_t id, uint32_t dimension) {
        std::vector<float> vector(dimension);
        for (size_t i = 0; i < vector.size(); ++i) {
            vector[i] = static_cast<float>(id) * (0.1F * static_cast<float>(i) - 0.5F);
        }
        return vector;
    }
    /// The second lacks its title, the third its image, and expires.
    static model::Document document_of(uint64_t id) {
        model::Document made;
        made.id = model::DocumentId(id);
        made.vector = sent(id, 16);
        if (id != 2) {
            made.vectors.push_back({"title", sent(id + 10, 16)});
        }
        if (id != 3) {
            made.vectors.push_back({"image", sent(id + 20, 20)});
        }
        made.expires_at_ms = id == 3 ? 4'102'444'800'000 : 0;  // 2100-01-01T00:00:00Z
        return made;
    }
    void make() {
        create();
        ASSERT_TRUE(collection_->upsert({document_of(1), document_of(2), document_of(3), document_of(4)}));
        ASSERT_TRUE(collection_->remove({model::DocumentId(4)}));
        ASSERT_TRUE(collection_->run_maintenance_now());
        ASSERT_TRUE(collection_->close(true));
    }
    static std::string golden() { return std::string(AKIDB_SOURCE_DIR) + "/tests/golden/v6"; }
    static std::map<std::string, std::string> segments_and_manifest(const std::string& directory) {
        std::map<std::string, std::string> files;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
            const std::string name = entry.path().filename();
            if (entry.is_regular_file() && !name.ends_with(".log")) {
                files[name] = storage::read_bytes(entry.path());
            }
        }
        return files;
    }
};

TEST_F(NamedVectorsGolden, DISABLED_MakeFiles) {
    make();
    std::filesystem::remove_all(golden());
    std::filesystem::copy(directory(), golden(), std::filesystem::copy_options::recursive);
}

TEST_F(NamedVectorsGolden, TodaysWriterMakesTheSameBytes) {
    make();
    EXPECT_EQ(segments_and_manifest(directory()).size(), 6u) << "manifest, rows, tombstones and three graphs";
    EXPECT_TRUE(segments_and_manifest(directory()) == segments_and_manifest(golden()));
}

TEST_F(NamedVectorsGolden, FilesReadAsTheyWereWritten) {
    std::filesystem::copy(golden(), directory(), std::filesystem::copy_options::recursive);
    open();
    EXPECT_EQ(collection_->stats().head_rows, 0u) << "the graphs were read";
    EXPECT_EQ(count(), 3u);
    for (uint64_t id = 1; id <= 3; ++id) {
        const auto found =
            collection_->get({model::DocumentId(id)}, {.vector = true, .metadata = true}).value();
        ASSERT_EQ(found.size(), 1u);
        EXPECT_EQ(found[0].expires_at_ms, id == 3 ? 4'102'444'800'000 : 0);
        for (const VectorSpec& vector : model::vectors_of(spec_)) {
            std::vector<float> kept = model::vector_of(document_of(id), vector.name);
            if (!kept.empty()) {
                index::round_to_stored(vector.storage, kept);
            }
            EXPECT_EQ(model::vector_of(found[0], vector.name), kept) << id << " " << vector.name;
        }
    }
}

}  // namespace
}  // namespace akidb::engine
