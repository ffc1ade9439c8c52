// A cold index that any version wrote must be readable for ever. To make a new file after a deliberate change
// of format, under a new name: engine_test --gtest_also_run_disabled_tests --gtest_filter='ColdGolden.DIS*'
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "engine/cold_index.h"
#include "engine/cold_writer.h"
#include "model/expiry.h"
#include "storage/files_for_tests.h"
#include "storage/layout.h"

namespace akidb::engine {
namespace {

constexpr uint32_t kGoldenDimension = 16;
constexpr uint64_t kRowCount = 5;
constexpr uint64_t kExpiresAtMs = 1'893'456'000'000;  // 2030-01-01T00:00:00Z
const std::string kGolden = std::string(AKIDB_SOURCE_DIR) + "/tests/golden/cold/index-1";
const ColdIdentity kIdentity{.collection = storage::test_collection(),
                             .version = 7,
                             .rows = kRowCount - 1,
                             .shape = {model::Metric::kL2, kGoldenDimension}};

/// Documents "first" and 2 to 5 with all components like their number, of which the second is dead and the
/// fourth expires. All that is computed from them is exact, so it is the same on every processor.
std::unique_ptr<ColdIndexFile> todays_file(io::FileSystem& files, const std::string& directory) {
    std::vector<std::string> rows;
    std::vector<std::string> ids;
    std::vector<std::string> metadata;
    for (uint64_t number = 1; number <= kRowCount; ++number) {
        const std::vector<float> vector(kGoldenDimension, static_cast<float>(number));
        std::string& row =
            rows.emplace_back(index::row_stride(kGoldenDimension, model::VectorStorage::kF32) * 4, '\0');
        index::encode_row(kIdentity.shape, vector, std::as_writable_bytes(std::span(row)));
        ids.push_back(number == 1 ? model::DocumentId::from_text("first")->encoded()
                                  : model::DocumentId(number).encoded());
        metadata.emplace_back(model::empty_metadata());
        model::append_expiry(metadata.back(), number == 4 ? kExpiresAtMs : 0);
    }
    const std::string folder = directory + "/seg";
    const storage::RowForm form{.stride = index::row_stride(kGoldenDimension, model::VectorStorage::kF32)};
    const auto written =
        storage::write_rows_segment(files, folder, storage::rows_name(0, kRowCount, 1),
                                    {kIdentity.collection, 0, kRowCount, form}, [&](uint64_t i) {
                                        return storage::RowRecord{rows[i], i + 1, ids[i], metadata[i]};
                                    });
    const auto dead =
        storage::write_dead_segment(files, folder, storage::dead_name(1), kIdentity.collection, {{1, 6}});
    EXPECT_TRUE(written.has_value() && dead.has_value());
    storage::Manifest manifest{.version = kIdentity.version,
                               .collection = kIdentity.collection,
                               .dimension = kGoldenDimension,
                               .metric = kIdentity.shape.metric,
                               .covered_sequence = 6};
    manifest.rows.push_back({*written, 0, kRowCount});
    manifest.dead = *dead;
    auto made = ColdIndexFile::make(files, directory, manifest, [] { return false; });
    EXPECT_TRUE(made) << made.error().message();
    return std::move(made).value();
}

std::string todays_bytes() {
    const auto files = io::make_posix_file_system();
    const storage::TempDirectory directory;
    std::string bytes;
    const auto file = todays_file(*files, directory.path());
    EXPECT_TRUE(file->read_at(0, file->size(), bytes));
    return bytes;
}

TEST(ColdGolden, DISABLED_MakeFile) {
    std::filesystem::create_directories(std::filesystem::path(kGolden).parent_path());
    storage::write_bytes(kGolden, todays_bytes());
}

TEST(ColdGolden, TodaysWriterMakesTheSameBytes) {
    EXPECT_EQ(todays_bytes(), storage::read_bytes(kGolden));
}

TEST(ColdGolden, TheFileIsReadAndAnswers) {
    const std::string bytes = storage::read_bytes(kGolden);
    const auto read = [&](const std::vector<ColdRange>& ranges) {
        std::vector<std::string> parts;
        for (const ColdRange& range : ranges) {
            parts.push_back(bytes.substr(range.offset, range.count));
        }
        return Result<std::vector<std::string>>(std::move(parts));
    };
    const auto index = ColdIndex::read(kIdentity, read);
    ASSERT_TRUE(index) << index.error().message();
    model::SearchRequest request;
    request.vector.assign(kGoldenDimension, 1.25F);
    request.include = {.vector = true, .metadata = true};
    const auto reply = (*index)->search(request, 0, read);
    ASSERT_TRUE(reply) << reply.error().message();
    ASSERT_EQ(reply->matches.size(), 4U);
    EXPECT_EQ(reply->matches[0].document.id.to_string(), "first");
    EXPECT_EQ(reply->matches[0].score, 1.0F);
    EXPECT_EQ(reply->matches[1].document.id, model::DocumentId(uint64_t{3}));
    EXPECT_EQ(reply->matches[2].document.version, 4U);
    EXPECT_EQ(reply->matches[2].document.expires_at_ms, kExpiresAtMs);
    EXPECT_EQ(reply->matches[3].document.vector, std::vector<float>(kGoldenDimension, 5));
    EXPECT_EQ((*index)->search(request, kExpiresAtMs + 1'000, read)->matches.size(), 3U);
}

/// The page shows bytes that are there.
TEST(ColdGolden, ThePageShowsBytesOfTheFile) {
    const std::string bytes = storage::read_bytes(kGolden);
    const std::vector<std::string> blocks =
        storage::hex_blocks(std::string(AKIDB_SOURCE_DIR) + "/docs/formats/cold-index.md");
    EXPECT_GE(blocks.size(), 4U);
    for (const std::string& block : blocks) {
        EXPECT_NE(bytes.find(block), std::string::npos);
    }
}

}  // namespace
}  // namespace akidb::engine
