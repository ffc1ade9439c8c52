#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/bytes.h"
#include "cli/batch_reader.h"
#include "cli/import_state.h"
#include "cli/rest_client.h"
#include "cli/terminal.h"
#include "cli/vector_file.h"

namespace akidb::cli {
namespace {

class FilesTest : public ::testing::Test {
  protected:
    FilesTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "akidb-cli-XXXXXX").string();
        root_ = ::mkdtemp(pattern.data());
    }
    ~FilesTest() override { std::filesystem::remove_all(root_); }

    std::string write(const std::string& name, const std::string& content) const {
        const std::string path = root_ + "/" + name;
        std::ofstream(path, std::ios::binary) << content;
        return path;
    }
    std::string fbin(uint32_t rows, uint32_t dimension, size_t missing_bytes = 0) const {
        std::string bytes;
        ByteWriter writer(bytes);
        writer.put(rows);
        writer.put(dimension);
        for (uint32_t i = 0; i < rows * dimension; ++i) {
            writer.put(static_cast<float>(i) * 0.5f);
        }
        bytes.resize(bytes.size() - missing_bytes);
        return write("v.fbin", bytes);
    }

    std::string root_;
};

TEST_F(FilesTest, FbinIsCheckedAgainstItsSize) {
    auto file = VectorFile::open(fbin(3, 2));
    ASSERT_TRUE(file.has_value()) << file.error().message();
    std::vector<float> row;
    ASSERT_TRUE(file->read(2, 1, row).has_value());
    EXPECT_EQ(row, (std::vector<float>{2.0f, 2.5f}));
    EXPECT_FALSE(VectorFile::open(fbin(3, 2, 1)).has_value());
    EXPECT_FALSE(
        VectorFile::open(write("huge.fbin", std::string("\xff\xff\xff\xff\xff\xff\xff\xff", 8))).has_value());
    EXPECT_EQ(VectorFile::open(root_ + "/absent.fbin").error().code(), Code::kNotFound);
}

TEST_F(FilesTest, CsvIsAVectorALine) {
    auto file = VectorFile::open(write("v.csv", "x,y\r\n1,-2.5\r\n+3, 4e1 \r\n5,6"));
    ASSERT_TRUE(file.has_value()) << file.error().message();
    EXPECT_EQ(file->rows(), 3U);
    EXPECT_EQ(file->dimension(), 2U);
    std::vector<float> rows;
    ASSERT_TRUE(file->read(1, 2, rows).has_value());
    EXPECT_EQ(rows, (std::vector<float>{3, 40, 5, 6}));
    ASSERT_TRUE(file->read(0, 1, rows).has_value());
    EXPECT_EQ(rows, (std::vector<float>{1, -2.5}));
    auto broken = VectorFile::open(write("b.csv", "1,2\n3\n"));
    ASSERT_TRUE(broken.has_value());
    EXPECT_NE(broken->read(0, 2, rows).error().message().find("b.csv:2: "), std::string::npos);
    EXPECT_FALSE(VectorFile::open(write("n.csv", "a,b\nc,d\n")).has_value());
    EXPECT_FALSE(VectorFile::open(write("e.csv", "")).has_value());
    EXPECT_FALSE(VectorFile::open(write("g.csv", "1,,2\n1,2,\n")).has_value());
}

TEST_F(FilesTest, BatchesCarryRowNumbersMetadataAndExactFloats) {
    const std::string vectors = fbin(3, 2);
    const std::string lines = write("m.jsonl", "{\"word\":\"a\"}\n{\"word\":\"b\"}\n{\"word\":\"c\"}\n");
    auto reader = BatchReader::open(VectorFile::open(vectors).value(),
                                    {.metadata = lines, .ids_from = {}, .batch_rows = 2});
    ASSERT_TRUE(reader.has_value()) << reader.error().message();
    const auto first = reader->next().value();
    ASSERT_TRUE(first.has_value());
    EXPECT_EQ(first->count, 2u);
    EXPECT_NE(first->body.find("\"id\":1"), std::string::npos) << first->body;
    EXPECT_NE(first->body.find("[1,1.5]"), std::string::npos) << first->body;
    EXPECT_NE(first->body.find("{\"word\":\"b\"}"), std::string::npos) << first->body;
    EXPECT_EQ(reader->next().value()->first_row, 2u);
    EXPECT_FALSE(reader->next().value().has_value());
}

TEST_F(FilesTest, MetadataOfAnotherLengthIsRefused) {
    const std::string lines = write("m.jsonl", "{}\n");
    EXPECT_FALSE(BatchReader::open(VectorFile::open(fbin(3, 2)).value(), {.metadata = lines}).has_value());
}

TEST_F(FilesTest, ImportStateRoundTripsAndRefusesWhatItIsNot) {
    const ImportState state{"id", "v.fbin", 100, 40, "run-1"};
    const std::string path = root_ + "/state.json";
    ASSERT_TRUE(save_import_state(path, state).has_value());
    const auto loaded = load_import_state(path).value();
    ASSERT_TRUE(loaded.has_value());
    EXPECT_EQ(loaded->next_row, 40u);
    EXPECT_EQ(loaded->run, "run-1");
    EXPECT_TRUE(loaded->is_same_import(state));
    EXPECT_FALSE(load_import_state(root_ + "/none.json").value().has_value());
    EXPECT_FALSE(load_import_state(write("bad.json", "[1]")).has_value());
}

TEST(AcknowledgedRows, CountsOnlyTheUnbrokenBeginning) {
    AcknowledgedRows rows(10);
    EXPECT_FALSE(rows.add(20, 10));
    EXPECT_EQ(rows.next_row(), 10u);
    EXPECT_TRUE(rows.add(10, 10));
    EXPECT_EQ(rows.next_row(), 30u);
}

TEST(RestClient, ErrorsKeepTheServersWords) {
    io::HttpReply reply;
    reply.status = 429;
    reply.headers = {{"retry-after", "7"}};
    reply.body = R"({"error":{"code":"RESOURCE_EXHAUSTED","message":"later","field":"f","allowed":"1..2"}})";
    const Error error = error_of(reply);
    EXPECT_EQ(error.code(), Code::kRateLimited);
    EXPECT_EQ(error.retry_after_s(), 7u);
    EXPECT_TRUE(is_worth_retrying(error));
    EXPECT_EQ(describe(error), "later (f; allowed: 1..2)");
    EXPECT_EQ(path_segment("a b/ü"), "a%20b%2F%C3%BC");
}

TEST(Terminal, TablesAlignCharactersNotBytes) {
    EXPECT_EQ(format_table({{"ID", "WORD"}, {"ü1", "x"}, {"123", "y"}}), "ID   WORD\nü1   x\n123  y\n");
}

}  // namespace
}  // namespace akidb::cli
