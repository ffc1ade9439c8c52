#include "storage/manifest.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "model/limits.h"
#include "storage/files_for_tests.h"
#include "storage/layout.h"

namespace akidb::storage {
namespace {

Manifest sample(uint64_t version = 3) {
    Manifest manifest;
    manifest.version = version;
    manifest.collection = test_collection();
    manifest.dimension = 16;
    manifest.metric = model::Metric::kL2;
    manifest.covered_sequence = 99;
    manifest.rows = {{{rows_name(0, 10, 1), 8192, 0x01020304}, 0, 10},
                     {{rows_name(10, 5, 3), 8192, 5}, 10, 5}};
    manifest.graph = ManifestFile{graph_name(3), 4096, 7};
    manifest.dead = ManifestFile{dead_name(3), 4096, 8};
    return manifest;
}

Manifest with_vectors() {
    Manifest manifest = sample();
    manifest.vectors = {{{"title", 24, model::Metric::kDot, model::VectorStorage::kF16},
                         ManifestFile{graph_name(3, 0), 4096, 9}},
                        {{"image", 4096, model::Metric::kCosine, model::VectorStorage::kInt8}}};
    return manifest;
}

class ManifestTest : public testing::Test {
  protected:
    TempDirectory directory_;
    FaultyFileSystem files_;
};

TEST(ManifestFormat, ComesBackAsItWas) {
    Manifest without_files = sample();
    without_files.rows.clear();
    without_files.graph.reset();
    without_files.dead.reset();
    for (const Manifest& manifest : {sample(), without_files}) {
        std::string bytes = encode_manifest(manifest);
        Result<Manifest> decoded = decode_manifest(bytes);
        ASSERT_TRUE(decoded.has_value()) << decoded.error().message();
        EXPECT_EQ(encode_manifest(*decoded), bytes);
        EXPECT_EQ(decoded->version, 3u);
        EXPECT_EQ(decoded->covered_sequence, 99u);
        EXPECT_EQ(decoded->metric, model::Metric::kL2);
        EXPECT_EQ(decoded->rows.size(), manifest.rows.size());
        EXPECT_EQ(decoded->graph.has_value(), manifest.graph.has_value());
    }
}

TEST(ManifestFormat, VectorsWithNamesComeBackAsTheyWere) {
    for (const bool has_unnamed : {true, false}) {
        Manifest manifest = with_vectors();
        manifest.dimension = has_unnamed ? 16 : 0;
        const std::string bytes = encode_manifest(manifest);
        const Result<Manifest> decoded = decode_manifest(bytes);
        ASSERT_TRUE(decoded.has_value()) << decoded.error().message();
        EXPECT_EQ(encode_manifest(*decoded), bytes);
        EXPECT_EQ(vectors_of(*decoded), vectors_of(manifest));
        EXPECT_EQ(vectors_of(*decoded).size(), has_unnamed ? 3u : 2u);
        EXPECT_EQ(decoded->vectors[0].graph->name, graph_name(3, 0));
        EXPECT_FALSE(decoded->vectors[1].graph.has_value());
        EXPECT_EQ(segment_names(*decoded).size(), 5u);
    }
    Manifest none = sample();
    none.dimension = 0;
    EXPECT_FALSE(decode_manifest(encode_manifest(none)).has_value());
    Manifest wide = with_vectors();
    wide.vectors[1].spec.dimension = 4097;
    EXPECT_FALSE(decode_manifest(encode_manifest(wide)).has_value());
    Manifest many = sample();
    many.vectors.assign(model::kNamedVectorsMax, {{"a", 16}});
    EXPECT_TRUE(decode_manifest(encode_manifest(many)).has_value());
    many.vectors.push_back({{"a", 16}});
    EXPECT_FALSE(decode_manifest(encode_manifest(many)).has_value());
}

TEST(ManifestFormat, EveryFlippedBitAndEveryTruncationIsFound) {
    const std::string good = encode_manifest(with_vectors());
    for (size_t bit = 0; bit < good.size() * 8; ++bit) {
        Result<Manifest> decoded = decode_manifest(with_flipped_bit(good, bit));
        ASSERT_FALSE(decoded.has_value()) << bit;
        ASSERT_EQ(decoded.error().code(), Code::kDataLoss);
    }
    for (size_t length = 0; length < good.size(); ++length) {
        ASSERT_FALSE(decode_manifest(std::string_view(good).substr(0, length)).has_value()) << length;
    }
    EXPECT_FALSE(decode_manifest(good + "x").has_value());
}

TEST(ManifestFormat, HostileBytesUnderAValidChecksumDoNotCrash) {
    const std::string good = encode_manifest(with_vectors());
    for (size_t byte = 8; byte + 4 < good.size(); ++byte) {
        for (char value : {'\x00', '\x7f', '\xff'}) {
            std::string bytes = good.substr(0, good.size() - 4);
            bytes[byte] = value;
            ByteWriter(bytes).put(crc32c(bytes));
            Result<Manifest> decoded = decode_manifest(bytes);
            ASSERT_TRUE(!decoded.has_value() || encode_manifest(*decoded) == bytes) << byte;
        }
    }
}

TEST(ManifestFormat, RefusesNamesThatLeaveTheDirectoryAndRowsWithGaps) {
    for (const char* name : {"", "../catalog.db", "a/b", ".hidden", "half.tmp", "A"}) {
        Manifest manifest = sample();
        manifest.graph->name = name;
        EXPECT_FALSE(decode_manifest(encode_manifest(manifest)).has_value()) << name;
    }
    Manifest gap = sample();
    gap.rows[1].first_row = 11;
    EXPECT_FALSE(decode_manifest(encode_manifest(gap)).has_value());
    Manifest empty_rows = sample();
    empty_rows.rows[1].row_count = 0;
    EXPECT_FALSE(decode_manifest(encode_manifest(empty_rows)).has_value());
}

TEST_F(ManifestTest, ANewCollectionHasNone) {
    Result<std::optional<Manifest>> read = read_manifest(files_, directory_.path());
    ASSERT_TRUE(read.has_value());
    EXPECT_FALSE(read->has_value());
    EXPECT_TRUE(read_manifest(files_, directory_ / "absent").has_value());
}

TEST_F(ManifestTest, TheNewestWinsAndOlderOnesGo) {
    ASSERT_TRUE(write_manifest(files_, directory_.path(), sample(1)).has_value());
    ASSERT_TRUE(write_manifest(files_, directory_.path(), sample(2)).has_value());
    EXPECT_EQ(names_in(directory_.path()), (std::vector<std::string>{manifest_name(2)}));
    Result<std::optional<Manifest>> read = read_manifest(files_, directory_.path());
    ASSERT_TRUE(read.has_value());
    ASSERT_TRUE(read->has_value());
    EXPECT_EQ((*read)->version, 2u);
}

TEST_F(ManifestTest, ADamagedNewestIsNeverReplacedByAnOlderOne) {
    write_bytes(directory_ / manifest_name(1), encode_manifest(sample(1)));
    std::string newest = encode_manifest(sample(2));
    write_bytes(directory_ / manifest_name(2), with_flipped_bit(newest, 300));
    Result<std::optional<Manifest>> read = read_manifest(files_, directory_.path());
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().code(), Code::kDataLoss);
    EXPECT_NE(read.error().message().find(manifest_name(2)), std::string::npos);
    write_bytes(directory_ / manifest_name(2), encode_manifest(sample(1)));
    EXPECT_FALSE(read_manifest(files_, directory_.path()).has_value());
}

TEST_F(ManifestTest, AFailedWriteLeavesTheOldOne) {
    ASSERT_TRUE(write_manifest(files_, directory_.path(), sample(1)).has_value());
    using WriteCall = FaultyFileSystem::Call;
    for (WriteCall call : {WriteCall::kCreate, WriteCall::kAppend, WriteCall::kSync, WriteCall::kRename}) {
        files_.fail(call, Code::kDiskFull);
        EXPECT_FALSE(write_manifest(files_, directory_.path(), sample(2)).has_value());
        files_.heal();
        Result<std::optional<Manifest>> read = read_manifest(files_, directory_.path());
        ASSERT_TRUE(read.has_value());
        EXPECT_EQ((*read)->version, 1u);
    }
    EXPECT_TRUE(write_manifest(files_, directory_.path(), sample(2)).has_value());
}

TEST_F(ManifestTest, RefusesWhatItCouldNotReadBackAndVersionsThatDoNotGrow) {
    ASSERT_TRUE(write_manifest(files_, directory_.path(), sample(5)).has_value());
    EXPECT_FALSE(write_manifest(files_, directory_.path(), sample(5)).has_value());
    EXPECT_FALSE(write_manifest(files_, directory_.path(), sample(4)).has_value());
    Manifest wrong = sample(6);
    wrong.dimension = 0;
    EXPECT_FALSE(write_manifest(files_, directory_.path(), wrong).has_value());
    EXPECT_EQ(names_in(directory_.path()), (std::vector<std::string>{manifest_name(5)}));
}

TEST_F(ManifestTest, StraysGoAndNamedFilesStay) {
    ASSERT_TRUE(remove_strays(files_, directory_.path(), sample()).has_value());
    std::filesystem::create_directory(directory_ / "seg");
    std::filesystem::create_directory(directory_ / "log");
    Manifest manifest = sample(3);
    for (const std::string& name :
         {manifest.rows[0].file.name, manifest.rows[1].file.name, manifest.graph->name, manifest.dead->name,
          graph_name(2), std::string("x.rows.tmp")}) {
        write_bytes(directory_ / ("seg/" + name), "content");
    }
    for (const std::string& name :
         {manifest_name(2), manifest_name(3), manifest_name(4) + ".tmp", log_name(1)}) {
        write_bytes(directory_ / name, "content");
    }
    ASSERT_TRUE(remove_strays(files_, directory_.path(), manifest, {graph_name(2)}).has_value());
    EXPECT_TRUE(std::filesystem::exists(directory_ / ("seg/" + graph_name(2)))) << "in the making";
    ASSERT_TRUE(remove_strays(files_, directory_.path(), manifest).has_value());
    EXPECT_EQ(names_in(directory_ / "seg").size(), 4u);
    EXPECT_FALSE(std::filesystem::exists(directory_ / ("seg/" + graph_name(2))));
    EXPECT_EQ(names_in(directory_.path()),
              (std::vector<std::string>{log_name(1), manifest_name(3), "log", "seg"}));
}

}  // namespace
}  // namespace akidb::storage
