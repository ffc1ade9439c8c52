#include "catalog/catalog.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "catalog/sqlite.h"

namespace akidb::catalog {
namespace {

namespace fs = std::filesystem;

model::CollectionSpec spec(std::string name, uint8_t id) {
    model::CollectionSpec made{.name = std::move(name),
                               .dimension = 100,
                               .metric = model::Metric::kL2,
                               .created_at_ms = 1'700'000'000'000};
    made.id.bytes[0] = id;
    return made;
}

class CatalogTest : public testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/akidb_catalog_XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        directory_ = name;
        path_ = directory_ + "/catalog.db";
    }
    void TearDown() override { fs::remove_all(directory_); }

    std::unique_ptr<Catalog> open() {
        auto opened = Catalog::open(path_);
        EXPECT_TRUE(opened) << opened.error().message();
        return std::move(opened).value();
    }
    Code code_of_open() { return Catalog::open(path_).error().code(); }

    std::string directory_;
    std::string path_;
};

TEST_F(CatalogTest, AChangeOfACollectionIsKeptWholeOverAReopen) {
    auto catalog = open();
    model::CollectionSpec words = spec("words", 1);
    words.metadata_indexes = {{"a", model::MetadataIndexType::kKeyword},
                              {"b", model::MetadataIndexType::kBool}};
    ASSERT_TRUE(catalog->insert_collection(words));
    words.metadata_indexes = {{"b", model::MetadataIndexType::kInteger},
                              {"c", model::MetadataIndexType::kFloat}};
    words.settings = {.ef = 300, .recall_target = 0.975, .layout = model::IndexLayout::kTurbo};
    ASSERT_TRUE(catalog->change_collection(words));
    catalog.reset();
    catalog = open();
    EXPECT_EQ(catalog->list_collections().value()[0].spec.settings, words.settings);
    EXPECT_EQ(catalog->list_collections().value()[0].spec.metadata_indexes, words.metadata_indexes);
    words.settings = {};
    ASSERT_TRUE(catalog->change_collection(words));
    EXPECT_EQ(catalog->list_collections().value()[0].spec.settings, words.settings);
    EXPECT_EQ(catalog->change_collection(spec("other", 2)).error().code(), Code::kNotFound);
}

TEST_F(CatalogTest, KeepsEverythingOverAReopen) {
    auto catalog = open();
    const model::CollectionSpec words = spec("words", 1);
    ASSERT_TRUE(catalog->insert_collection(words));
    ASSERT_TRUE(catalog->insert_collection(spec("news", 2)));
    ASSERT_TRUE(catalog->set_collection_state(words.id, CollectionState::kActive));
    ASSERT_TRUE(catalog->close());
    EXPECT_FALSE(fs::exists(path_ + "-wal")) << "a clean close folds the write-ahead log in";
    catalog = open();
    const std::vector<CollectionRow> rows = catalog->list_collections().value();
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].spec.name, "news");
    EXPECT_EQ(rows[0].state, CollectionState::kCreating);
    EXPECT_EQ(rows[1].spec.id, words.id);
    EXPECT_EQ(rows[1].spec.name, "words");
    EXPECT_EQ(rows[1].spec.dimension, 100u);
    EXPECT_EQ(rows[1].spec.metric, model::Metric::kL2);
    EXPECT_EQ(rows[1].spec.created_at_ms, 1'700'000'000'000u);
    EXPECT_EQ(rows[1].state, CollectionState::kActive);
}

TEST_F(CatalogTest, KeepsTheVectorsThatHaveNamesInTheirOrder) {
    auto catalog = open();
    model::CollectionSpec both = spec("both", 1);
    both.vectors = {{"title", 24, model::Metric::kDot, model::VectorStorage::kF16},
                    {"image", 4096, model::Metric::kL2, model::VectorStorage::kInt8},
                    {"a", 16}};
    model::CollectionSpec named = both;
    named.name = "named";
    named.id.bytes[0] ^= 1;
    named.dimension = 0;
    ASSERT_TRUE(catalog->insert_collection(both));
    ASSERT_TRUE(catalog->insert_collection(named));
    ASSERT_TRUE(catalog->insert_collection(spec("plain", 2)));
    ASSERT_TRUE(catalog->close());
    catalog = open();
    const std::vector<CollectionRow> rows = catalog->list_collections().value();
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_EQ(model::vectors_of(rows[0].spec), model::vectors_of(both));
    EXPECT_EQ(model::vectors_of(rows[1].spec), model::vectors_of(named));
    EXPECT_EQ(rows[1].spec.dimension, 0u);
    EXPECT_TRUE(rows[2].spec.vectors.empty());
    ASSERT_TRUE(catalog->remove_collection(both.id));
    EXPECT_EQ(catalog->list_collections().value().size(), 2u);
}

// A copy taken while the catalog is open is what a crash leaves: nothing was closed or folded in.
TEST_F(CatalogTest, HasEveryFinishedCallAfterACrash) {
    auto catalog = open();
    for (uint8_t i = 1; i <= 20; ++i) {
        ASSERT_TRUE(catalog->insert_collection(spec("c" + std::to_string(i), i)));
        const std::string image = directory_ + "/image" + std::to_string(i);
        fs::create_directory(image);
        fs::copy(path_, image + "/catalog.db");
        fs::copy(path_ + "-wal", image + "/catalog.db-wal");
        auto after_crash = Catalog::open(image + "/catalog.db").value();
        EXPECT_EQ(after_crash->list_collections().value().size(), i);
    }
}

TEST_F(CatalogTest, RefusesADuplicateNameUntilTheFirstIsBeingDeleted) {
    auto catalog = open();
    const model::CollectionSpec first = spec("words", 1);
    const model::CollectionSpec second = spec("words", 2);
    ASSERT_TRUE(catalog->insert_collection(first));
    Result<void> refused = catalog->insert_collection(second);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::kAlreadyExists);
    EXPECT_EQ(refused.error().field(), "name");
    ASSERT_TRUE(catalog->set_collection_state(first.id, CollectionState::kActive));
    EXPECT_EQ(catalog->insert_collection(second).error().code(), Code::kAlreadyExists);
    ASSERT_TRUE(catalog->set_collection_state(first.id, CollectionState::kDeleting));
    ASSERT_TRUE(catalog->insert_collection(second));
    EXPECT_EQ(catalog->set_collection_state(first.id, CollectionState::kActive).error().code(),
              Code::kAlreadyExists);
    ASSERT_TRUE(catalog->remove_collection(first.id));
    const std::vector<CollectionRow> rows = catalog->list_collections().value();
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].spec.id, second.id);
}

TEST_F(CatalogTest, KeepsMetadataIndexesWithTheirCollection) {
    using model::MetadataIndexType;
    auto catalog = open();
    model::CollectionSpec words = spec("words", 1);
    words.metadata_indexes = {{"z", MetadataIndexType::kKeyword}, {"a.b", MetadataIndexType::kInteger}};
    ASSERT_TRUE(catalog->insert_collection(words));
    ASSERT_TRUE(catalog->put_metadata_index(words.id, {"at", MetadataIndexType::kDatetime}));
    ASSERT_TRUE(catalog->put_metadata_index(words.id, {"z", MetadataIndexType::kBool}));
    ASSERT_TRUE(catalog->remove_metadata_index(words.id, "a.b"));
    EXPECT_TRUE(catalog->remove_metadata_index(words.id, "a.b")) << "gone is gone";
    EXPECT_EQ(catalog->put_metadata_index(spec("x", 9).id, {"a", MetadataIndexType::kUuid}).error().code(),
              Code::kNotFound);
    catalog = nullptr;
    catalog = open();
    const std::vector<model::MetadataField> wanted{{"z", MetadataIndexType::kBool},
                                                   {"at", MetadataIndexType::kDatetime}};
    EXPECT_EQ(catalog->list_collections().value().at(0).spec.metadata_indexes, wanted);
    ASSERT_TRUE(catalog->remove_collection(words.id));
    words.metadata_indexes.clear();
    ASSERT_TRUE(catalog->insert_collection(words));
    EXPECT_TRUE(catalog->list_collections().value().at(0).spec.metadata_indexes.empty());
}

TEST_F(CatalogTest, BringsAFileOfTheFirstVersionUpToDate) {
    {
        auto catalog = open();
        ASSERT_TRUE(catalog->insert_collection(spec("words", 1)));
        ASSERT_TRUE(catalog->close());
        // As version 1 left it.
        Connection connection = Connection::open(path_).value();
        ASSERT_TRUE(connection.execute(
            "DROP TABLE tier_objects; DROP TABLE api_keys; DROP TABLE sessions; DROP TABLE users; DROP INDEX "
            "tenants_by_uuid;"
            "ALTER TABLE tenants DROP COLUMN uuid; ALTER TABLE tenants DROP COLUMN is_suspended;"
            "ALTER TABLE tenants DROP COLUMN created_at_ms;"
            "ALTER TABLE tenants DROP COLUMN requests_per_second;"
            "ALTER TABLE tenants DROP COLUMN documents_max;"
            "ALTER TABLE collections DROP COLUMN storage; ALTER TABLE collections DROP COLUMN "
            "has_unnamed_vector; DROP TABLE collection_vectors;"
            "DROP TABLE aliases; DROP TABLE metadata_indexes; DROP TABLE collection_settings;"
            "DROP TABLE collection_tiers; DROP TABLE tier_tasks; PRAGMA "
            "user_version = 1"));
    }
    auto catalog = open();
    EXPECT_EQ(catalog->list_collections().value().size(), 1u);
    EXPECT_TRUE(catalog->put_metadata_index(spec("words", 1).id, {"a", model::MetadataIndexType::kUuid}));
}

TEST_F(CatalogTest, DeletesAndRecreatesTheSameNameAgainAndAgain) {
    auto catalog = open();
    for (uint8_t i = 1; i <= 10; ++i) {
        const model::CollectionSpec words = spec("words", i);
        ASSERT_TRUE(catalog->insert_collection(words));
        ASSERT_TRUE(catalog->set_collection_state(words.id, CollectionState::kDeleting));
        ASSERT_TRUE(catalog->remove_collection(words.id));
    }
    EXPECT_TRUE(catalog->list_collections().value().empty());
}

TEST_F(CatalogTest, RemovingWhatIsNotThereSucceedsAndChangingItDoesNot) {
    auto catalog = open();
    EXPECT_TRUE(catalog->remove_collection(spec("x", 1).id));
    EXPECT_EQ(catalog->set_collection_state(spec("x", 1).id, CollectionState::kActive).error().code(),
              Code::kNotFound);
}

TEST_F(CatalogTest, RefusesARowThatBreaksTheRulesAndGoesOn) {
    auto catalog = open();
    model::CollectionSpec wrong = spec("", 1);
    EXPECT_EQ(catalog->insert_collection(wrong).error().code(), Code::kInvalidArgument);
    wrong = spec("zero", 1);
    wrong.dimension = 0;
    EXPECT_EQ(catalog->insert_collection(wrong).error().code(), Code::kInvalidArgument);
    wrong = spec("late", 1);
    wrong.created_at_ms = UINT64_MAX;
    EXPECT_EQ(catalog->insert_collection(wrong).error().code(), Code::kInvalidArgument);
    EXPECT_TRUE(catalog->insert_collection(spec("o'Neil\"; --", 1)));
    EXPECT_EQ(catalog->list_collections().value().size(), 1u);
}

TEST_F(CatalogTest, TellsDamageWhereverItIs) {
    {
        auto catalog = open();
        for (int i = 0; i < 200; ++i) {
            ASSERT_TRUE(
                catalog->insert_collection(spec("collection-" + std::to_string(i), static_cast<uint8_t>(i))));
        }
        ASSERT_TRUE(catalog->close());
    }
    const auto size = static_cast<std::streamoff>(fs::file_size(path_));
    ASSERT_GE(size, 4 * 4096);
    const std::string whole = directory_ + "/whole.db";
    fs::copy(path_, whole);
    for (std::streamoff page = 0; page < size / 4096; ++page) {
        fs::copy_file(whole, path_, fs::copy_options::overwrite_existing);
        std::fstream(path_, std::ios::in | std::ios::out | std::ios::binary).seekp(page * 4096)
            << std::string(64, '\xa5');
        EXPECT_EQ(code_of_open(), Code::kDataLoss) << "page " << page;
    }
    fs::resize_file(path_, 4096);
    EXPECT_EQ(code_of_open(), Code::kDataLoss) << "cut short";
    std::ofstream(path_) << "this is not a database, however long the text may be that it is made of";
    EXPECT_EQ(code_of_open(), Code::kDataLoss);
}

TEST_F(CatalogTest, RefusesANewerVersionAndLeavesItAlone) {
    ASSERT_TRUE(open()->close());
    {
        Connection connection = Connection::open(path_).value();
        ASSERT_TRUE(connection.execute("PRAGMA user_version = 99"));
    }
    EXPECT_EQ(code_of_open(), Code::kConflict);
    EXPECT_EQ(Connection::open(path_).value().number("PRAGMA user_version").value(), 99);
}

TEST_F(CatalogTest, RefusesADatabaseOfAnotherProgram) {
    {
        Connection connection = Connection::open(path_).value();
        ASSERT_TRUE(connection.execute("CREATE TABLE theirs (a INTEGER)"));
    }
    EXPECT_EQ(code_of_open(), Code::kConflict);
    Connection connection = Connection::open(path_).value();
    EXPECT_EQ(connection.number("SELECT count(*) FROM sqlite_schema").value(), 1);
}

TEST_F(CatalogTest, RefusesCallsAfterClose) {
    auto catalog = open();
    ASSERT_TRUE(catalog->close());
    EXPECT_TRUE(catalog->close());
    EXPECT_EQ(catalog->insert_collection(spec("words", 1)).error().code(), Code::kUnavailable);
    EXPECT_EQ(catalog->list_collections().error().code(), Code::kUnavailable);
}

TEST_F(CatalogTest, OneOfManyThreadsGetsAName) {
    auto catalog = open();
    std::atomic<int> winners = 0;
    {
        std::vector<std::jthread> threads;
        for (uint8_t i = 1; i <= 8; ++i) {
            threads.emplace_back(
                [&, i] { winners += catalog->insert_collection(spec("words", i)).has_value() ? 1 : 0; });
        }
    }
    EXPECT_EQ(winners, 1);
    EXPECT_EQ(catalog->list_collections().value().size(), 1u);
}

TEST_F(CatalogTest, AliasesChangeTogetherAndGoWithTheirCollection) {
    auto catalog = open();
    const model::CollectionSpec words = spec("words", 1);
    const model::CollectionSpec news = spec("news", 2);
    for (const model::CollectionSpec& one : {words, news}) {
        ASSERT_TRUE(catalog->insert_collection(one));
        ASSERT_TRUE(catalog->set_collection_state(one.id, CollectionState::kActive));
    }
    ASSERT_TRUE(catalog->change_aliases({{"live", words.id}, {"old", news.id}}));
    const auto taken = catalog->change_aliases({{"live", news.id}, {"news", words.id}});
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code(), Code::kAlreadyExists);
    EXPECT_EQ(catalog->change_aliases({{"live", Uuid{}}}).error().code(), Code::kNotFound);
    EXPECT_EQ(catalog->list_aliases().value()[0].collection, words.id) << "all or none";
    EXPECT_EQ(catalog->insert_collection(spec("live", 3)).error().code(), Code::kAlreadyExists);
    ASSERT_TRUE(catalog->change_aliases({{"live", news.id}, {"old", std::nullopt}, {"gone", std::nullopt}}));
    ASSERT_TRUE(catalog->close());
    catalog = open();
    const std::vector<AliasRow> aliases = catalog->list_aliases().value();
    ASSERT_EQ(aliases.size(), 1U);
    EXPECT_EQ(aliases[0].alias, "live");
    EXPECT_EQ(aliases[0].collection, news.id);
    ASSERT_TRUE(catalog->set_collection_state(news.id, CollectionState::kDeleting));
    EXPECT_TRUE(catalog->list_aliases().value().empty());
    EXPECT_TRUE(catalog->insert_collection(spec("live", 3))) << "the name is free again";
}

}  // namespace
}  // namespace akidb::catalog
