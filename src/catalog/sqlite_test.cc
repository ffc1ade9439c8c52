#include "catalog/sqlite.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>

namespace akidb::catalog {
namespace {

class SqliteTest : public testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/akidb_sqlite_XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        directory_ = name;
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }

    Connection open() { return Connection::open(directory_ + "/t.db").value(); }

    std::string directory_;
};

TEST_F(SqliteTest, BindsAndReadsEveryType) {
    Connection connection = open();
    ASSERT_TRUE(connection.execute("CREATE TABLE t (a TEXT, b BLOB, c INTEGER) STRICT"));
    const std::string text("o'Neil\0\"; DROP TABLE t; --", 26);
    const std::vector<uint8_t> blob{0, 255, 7};
    Statement insert = connection.prepare("INSERT INTO t VALUES (?, ?, ?)").value();
    ASSERT_TRUE(insert.bind(text).bind(blob).bind(int64_t{-5}).run());
    EXPECT_EQ(connection.changes(), 1);
    Statement select = connection.prepare("SELECT a, b, c FROM t").value();
    ASSERT_TRUE(select.step().value());
    EXPECT_EQ(select.text(0), text);
    EXPECT_TRUE(std::ranges::equal(select.blob(1), blob));
    EXPECT_EQ(select.integer(2), -5);
    EXPECT_FALSE(select.step().value());
}

TEST_F(SqliteTest, AnAbandonedTransactionLeavesNothing) {
    Connection connection = open();
    ASSERT_TRUE(connection.execute("CREATE TABLE t (a INTEGER)"));
    {
        Transaction transaction = Transaction::begin(connection).value();
        ASSERT_TRUE(connection.execute("INSERT INTO t VALUES (1)"));
    }
    EXPECT_EQ(connection.number("SELECT count(*) FROM t").value(), 0);
    Transaction transaction = Transaction::begin(connection).value();
    ASSERT_TRUE(connection.execute("INSERT INTO t VALUES (1)"));
    ASSERT_TRUE(transaction.commit());
    EXPECT_EQ(connection.number("SELECT count(*) FROM t").value(), 1);
}

TEST_F(SqliteTest, TellsAFullDisk) {
    Connection connection = open();
    ASSERT_TRUE(connection.execute("CREATE TABLE t (a BLOB)"));
    ASSERT_EQ(connection.number("PRAGMA max_page_count = 4").value(), 4);
    Result<void> inserted = connection.execute("INSERT INTO t VALUES (zeroblob(100000))");
    ASSERT_FALSE(inserted);
    EXPECT_EQ(inserted.error().code(), Code::kDiskFull);
}

TEST_F(SqliteTest, TellsATakenValueFromABrokenRule) {
    Connection connection = open();
    ASSERT_TRUE(
        connection.execute("CREATE TABLE t (a INTEGER UNIQUE CHECK (a > 0)); INSERT INTO t VALUES (1)"));
    EXPECT_EQ(connection.execute("INSERT INTO t VALUES (1)").error().code(), Code::kAlreadyExists);
    EXPECT_EQ(connection.execute("INSERT INTO t VALUES (-1)").error().code(), Code::kInvalidArgument);
    EXPECT_EQ(connection.execute("INSERT INTO nowhere VALUES (-1)").error().code(), Code::kInternal);
}

TEST_F(SqliteTest, IsSetUpForDurabilityAndDistrust) {
    Connection connection = open();
    EXPECT_EQ(connection.number("PRAGMA synchronous").value(), 2) << "FULL";
    EXPECT_EQ(connection.number("PRAGMA foreign_keys").value(), 1);
    EXPECT_EQ(connection.number("PRAGMA trusted_schema").value(), 0);
    EXPECT_FALSE(connection.execute("ATTACH ':memory:' AS other"));
}

TEST_F(SqliteTest, RefusesPathsThatAreNotFiles) {
    EXPECT_FALSE(Connection::open(""));
    EXPECT_FALSE(Connection::open(std::string("a\0b", 3)));
    EXPECT_FALSE(Connection::open(directory_));
    EXPECT_FALSE(Connection::open(directory_ + "/missing/t.db"));
}

}  // namespace
}  // namespace akidb::catalog
