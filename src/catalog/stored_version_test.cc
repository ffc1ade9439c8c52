// tests/golden/catalog has a catalog of every version, each as a server of that version left it: a
// collection, and from the version on that has them an index, an alias, a tenant and a setting. A new version
// wants a new file there:
//   catalog_test --gtest_also_run_disabled_tests --gtest_filter='GoldenCatalog.DISABLED_*'
#include "catalog/stored_version.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "catalog/catalog.h"
#include "catalog/sqlite.h"

namespace akidb::catalog {
namespace {

namespace fs = std::filesystem;

const std::string kGolden = std::string(AKIDB_SOURCE_DIR) + "/tests/golden/catalog/";

std::string bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string golden(int64_t version) {
    return kGolden + std::to_string(version) + ".db";
}

Result<std::optional<int64_t>> version_at(const std::string& path) {
    return stored_version(bytes_of(path).substr(0, kFileHeadBytes), bytes_of(path + "-wal"));
}

model::CollectionSpec golden_spec() {
    model::CollectionSpec spec{.name = "words",
                               .dimension = 16,
                               .metric = model::Metric::kCosine,
                               .created_at_ms = 1'700'000'000'000};
    for (uint8_t i = 0; i < spec.id.bytes.size(); ++i) {
        spec.id.bytes.at(i) = static_cast<uint8_t>(0xa0 + i);
    }
    spec.metadata_indexes = {{"name", model::MetadataIndexType::kKeyword}};
    spec.settings.ef = 300;
    return spec;
}

class GoldenCatalog : public testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/akidb_golden_XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        directory_ = name;
        path_ = directory_ + "/akidb.db";
    }
    void TearDown() override { fs::remove_all(directory_); }

    std::string directory_;
    std::string path_;
};

TEST_F(GoldenCatalog, DISABLED_MakeFile) {
    auto catalog = Catalog::open(path_).value();
    const model::CollectionSpec spec = golden_spec();
    ASSERT_TRUE(catalog->insert_collection(spec));
    ASSERT_TRUE(catalog->change_collection(spec));
    ASSERT_TRUE(catalog->set_collection_state(spec.id, CollectionState::kActive));
    ASSERT_TRUE(catalog->change_aliases({{"terms", spec.id}}));
    ASSERT_TRUE(catalog->close());
    fs::copy_file(path_, golden(newest_version()), fs::copy_options::overwrite_existing);
}

TEST_F(GoldenCatalog, ThereIsOneOfEveryVersionAndEachIsBroughtUpToDateWithWhatItHolds) {
    for (int64_t version = 1; version <= newest_version(); ++version) {
        ASSERT_TRUE(fs::exists(golden(version))) << golden(version) << ": a new version wants its file";
        fs::copy_file(golden(version), path_, fs::copy_options::overwrite_existing);
        EXPECT_EQ(version_at(path_).value(), version);
        auto catalog = Catalog::open(path_);
        ASSERT_TRUE(catalog) << catalog.error().message();
        const std::vector<CollectionRow> rows = (*catalog)->list_collections().value();
        ASSERT_EQ(rows.size(), 1u);
        const model::CollectionSpec expected = golden_spec();
        EXPECT_EQ(rows[0].spec.id, expected.id);
        EXPECT_EQ(rows[0].spec.name, expected.name);
        EXPECT_EQ(rows[0].spec.dimension, expected.dimension);
        EXPECT_EQ(rows[0].spec.metric, expected.metric);
        EXPECT_EQ(rows[0].spec.storage, model::VectorStorage::kF32);
        EXPECT_EQ(rows[0].state, CollectionState::kActive);
        EXPECT_EQ(rows[0].tenant, Uuid{});
        EXPECT_EQ(rows[0].spec.metadata_indexes.size(), version >= 2 ? 1u : 0u);
        EXPECT_EQ((*catalog)->list_aliases().value().size(), version >= 3 ? 1u : 0u);
        EXPECT_EQ(rows[0].spec.settings.ef.value_or(0), version >= 5 ? 300u : 0u);
        ASSERT_TRUE((*catalog)->close());
        EXPECT_EQ(version_at(path_).value(), newest_version());
    }
}

// What SQLite says of a file at each moment of its life is what its bytes say, also while the last change is
// in the write-ahead log alone, and when the end of that is torn.
TEST_F(GoldenCatalog, TheVersionIsTheLastCommittedOne) {
    EXPECT_EQ(version_at(path_).value(), std::nullopt);
    fs::copy_file(golden(1), path_);
    Connection connection = Connection::open(path_).value();
    ASSERT_TRUE(connection.execute("PRAGMA wal_autocheckpoint = 0; PRAGMA user_version = 2"));
    EXPECT_EQ(stored_version(bytes_of(path_).substr(0, kFileHeadBytes), {}).value(), 1);
    EXPECT_EQ(version_at(path_).value(), 2);
    const std::string of_two = bytes_of(path_ + "-wal");
    ASSERT_TRUE(connection.execute("CREATE TABLE more (a INTEGER); PRAGMA user_version = 3"));
    EXPECT_EQ(version_at(path_).value(), 3);
    const std::string head = bytes_of(path_).substr(0, kFileHeadBytes);
    const std::string wal = bytes_of(path_ + "-wal");
    EXPECT_EQ(stored_version(head, of_two).value(), 2);
    EXPECT_EQ(stored_version(head, wal.substr(0, wal.size() - 1)).value(), 2);
    std::string damaged = wal;
    damaged[wal.size() - 100] = static_cast<char>(damaged[wal.size() - 100] ^ 1);
    EXPECT_EQ(stored_version(head, damaged).value(), 2);
    {
        // A transaction that is written and not committed.
        Transaction open = Transaction::begin(connection).value();
        ASSERT_TRUE(connection.execute("PRAGMA cache_size = 1; PRAGMA user_version = 4"));
        EXPECT_EQ(version_at(path_).value(), 3);
    }
    ASSERT_TRUE(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)"));
    EXPECT_EQ(version_at(path_).value(), 3);
}

TEST_F(GoldenCatalog, WhatIsNoCatalogIsToldAndNothingIsReadBeyondTheBytes) {
    std::ofstream(path_) << std::string(200, 'x');
    EXPECT_EQ(version_at(path_).error().code(), Code::kDataLoss);
    EXPECT_EQ(stored_version("SQLite format 3", {}).error().code(), Code::kDataLoss);
    {
        std::ofstream(path_).close();
        Connection connection = Connection::open(path_).value();
        ASSERT_TRUE(connection.execute("PRAGMA application_id = 7; PRAGMA user_version = 1"));
    }
    EXPECT_EQ(version_at(path_).error().code(), Code::kConflict);
    // No write-ahead log, however short or wrong, leads beyond its end.
    const std::string head = bytes_of(golden(1)).substr(0, kFileHeadBytes);
    fs::copy_file(golden(1), path_, fs::copy_options::overwrite_existing);
    Connection connection = Connection::open(path_).value();
    ASSERT_TRUE(connection.execute("PRAGMA user_version = 2"));
    const std::string wal = bytes_of(path_ + "-wal");
    for (size_t length = 0; length < wal.size(); length = length < 64 ? length + 1 : length + 997) {
        EXPECT_TRUE(stored_version(head, std::string_view(wal).substr(0, length))) << length;
    }
    for (size_t at = 0; at < 64; ++at) {
        std::string wrong = wal;
        wrong[at] = static_cast<char>(wrong[at] ^ 0x55);
        EXPECT_TRUE(stored_version(head, wrong)) << at;
    }
}

}  // namespace
}  // namespace akidb::catalog
