#include "storage/segment.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "model/document_id.h"
#include "storage/files_for_tests.h"
#include "storage/layout.h"
#include "storage/segment_container.h"

namespace akidb::storage {
namespace {

constexpr uint32_t kStride = 16;

struct Row {
    std::vector<float> vector;
    uint64_t version;
    std::string id;
    std::string metadata;
};

std::vector<Row> make_rows(uint64_t count) {
    std::vector<Row> rows(count);
    for (uint64_t i = 0; i < count; ++i) {
        rows[i].vector.resize(kStride);
        for (uint32_t j = 0; j < kStride; ++j) {
            rows[i].vector[j] = static_cast<float>(i * kStride + j) * 0.5F;
        }
        rows[i].version = 100 + i;
        rows[i].id = model::DocumentId(i * 7).encoded();
        rows[i].metadata =
            i % 5 == 4 ? std::string() : std::string(1 + i % 70, static_cast<char>('a' + i % 26));
    }
    return rows;
}

RowRecord record_of(const Row& row) {
    return {as_text(std::as_bytes(std::span(row.vector))), row.version, row.id, row.metadata};
}

class SegmentTest : public testing::Test {
  protected:
    ManifestRows write_rows(const std::vector<Row>& rows, uint64_t first_row = 0) {
        RowsSegmentSpec spec{test_collection(), first_row, rows.size(), {kStride}};
        std::string name = rows_name(first_row, rows.size(), 1);
        Result<ManifestFile> file = write_rows_segment(
            files_, segments_, name, spec, [&](uint64_t index) { return record_of(rows[index]); });
        EXPECT_TRUE(file.has_value()) << (file ? "" : file.error().message());
        return {file ? *file : ManifestFile{}, first_row, rows.size()};
    }

    Result<std::shared_ptr<const RowsSegment>> open(const ManifestRows& entry, uint32_t stride = kStride) {
        return RowsSegment::open(files_, segments_, entry, test_collection(), {stride});
    }

    static bool holds(const RowsSegment& segment, const std::vector<Row>& rows) {
        bool same = segment.row_count() == rows.size();
        for (uint64_t i = 0; i < rows.size() && same; ++i) {
            same = segment.version(i) == rows[i].version && segment.id(i) == rows[i].id &&
                   segment.metadata(i) == rows[i].metadata;
        }
        return same;
    }
    static bool vectors_hold(const RowsSegment& segment, const std::vector<Row>& rows) {
        bool same = true;
        for (uint64_t i = 0; i < rows.size() && same; ++i) {
            same = std::memcmp(segment.vectors() + i * kStride * sizeof(float), rows[i].vector.data(),
                               kStride * sizeof(float)) == 0;
        }
        return same;
    }

    TempDirectory directory_;
    FaultyFileSystem files_;
    std::string segments_ = directory_ / "seg";
};

TEST_F(SegmentTest, RowsComeBackAsTheyWere) {
    for (uint64_t count : {uint64_t{1}, uint64_t{3}, uint64_t{5000}}) {
        std::vector<Row> rows = make_rows(count);
        ManifestRows entry = write_rows(rows, 12);
        Result<std::shared_ptr<const RowsSegment>> segment = open(entry);
        ASSERT_TRUE(segment.has_value()) << segment.error().message();
        EXPECT_TRUE(holds(**segment, rows));
        EXPECT_TRUE(vectors_hold(**segment, rows));
        EXPECT_EQ(reinterpret_cast<uintptr_t>((*segment)->vectors()) % 4096, 0u);
        EXPECT_TRUE((*segment)->verify_vectors([] { return false; }).has_value());
        EXPECT_EQ(entry.file.bytes, read_bytes(segments_ + "/" + entry.file.name).size());
    }
}

TEST_F(SegmentTest, ASegmentOutlivesItsName) {
    std::vector<Row> rows = make_rows(3);
    ManifestRows entry = write_rows(rows);
    Result<std::shared_ptr<const RowsSegment>> segment = open(entry);
    ASSERT_TRUE(segment.has_value());
    std::filesystem::remove_all(segments_);
    EXPECT_TRUE(holds(**segment, rows));
}

TEST_F(SegmentTest, AnEntryThatDoesNotFitTheFileIsDamage) {
    ManifestRows entry = write_rows(make_rows(3));
    ManifestRows other = entry;
    other.file.bytes += 64;
    EXPECT_FALSE(open(other).has_value());
    other = entry;
    other.file.crc ^= 1;
    EXPECT_FALSE(open(other).has_value());
    other = entry;
    other.first_row = 1;
    EXPECT_FALSE(open(other).has_value());
    other = entry;
    other.row_count = 2;
    EXPECT_FALSE(open(other).has_value());
    other = entry;
    other.file.name = rows_name(5, 5, 5);
    Result<std::shared_ptr<const RowsSegment>> missing = open(other);
    ASSERT_FALSE(missing.has_value());
    EXPECT_EQ(missing.error().code(), Code::kDataLoss);
    EXPECT_FALSE(open(entry, kStride * 2).has_value());
    EXPECT_FALSE(RowsSegment::open(files_, segments_, entry, Uuid{}, {kStride}).has_value());
    EXPECT_FALSE(open_graph_segment(files_, segments_, entry.file, test_collection()).has_value());
    EXPECT_TRUE(open(entry).has_value());
}

TEST_F(SegmentTest, AnEntryNamesOneFileOnlyEvenOfTheSameSize) {
    std::vector<Row> rows = make_rows(3);
    ManifestRows first = write_rows(rows);
    rows[1].version = 7;
    ManifestRows second = write_rows(rows);  // of the same name
    EXPECT_EQ(first.file.bytes, second.file.bytes);
    EXPECT_TRUE(open(second).has_value());
    Result<std::shared_ptr<const RowsSegment>> stale = open(first);
    ASSERT_FALSE(stale.has_value());
    EXPECT_EQ(stale.error().code(), Code::kDataLoss);
}

TEST_F(SegmentTest, EveryFlippedBitIsFoundOrHarmless) {
    std::vector<Row> rows = make_rows(3);
    ManifestRows entry = write_rows(rows);
    std::string path = segments_ + "/" + entry.file.name;
    const std::string good = read_bytes(path);
    size_t found = 0;
    for (size_t byte = 0; byte < good.size(); ++byte) {
        if (byte % 64 != 0 && good.compare(byte, 64, std::string(64, '\0')) == 0) {
            continue;  // padding: a byte of every 64 is enough
        }
        write_bytes(path, with_flipped_bit(good, byte * 8 + byte % 8));
        Result<std::shared_ptr<const RowsSegment>> segment = open(entry);
        if (!segment.has_value()) {
            ASSERT_EQ(segment.error().code(), Code::kDataLoss);
            ++found;
            continue;
        }
        ASSERT_TRUE(holds(**segment, rows)) << byte;
        Result<void> verified = (*segment)->verify_vectors([] { return false; });
        ASSERT_EQ(verified.has_value(), vectors_hold(**segment, rows)) << byte;
    }
    EXPECT_GT(found, 128u);
}

TEST_F(SegmentTest, EveryTruncationIsFound) {
    ManifestRows entry = write_rows(make_rows(2));
    std::string path = segments_ + "/" + entry.file.name;
    const std::string good = read_bytes(path);
    for (size_t length = 0; length < good.size(); length += length < 200 ? 1 : 61) {
        write_bytes(path, good.substr(0, length));
        ManifestRows cut = entry;
        ASSERT_FALSE(open(cut).has_value()) << length;
        cut.file.bytes = length;
        ASSERT_FALSE(open(cut).has_value()) << length;
    }
}

TEST_F(SegmentTest, AHostileTableUnderValidChecksumsIsRefused) {
    ManifestRows entry = write_rows(make_rows(3));
    std::string path = segments_ + "/" + entry.file.name;
    const std::string good = read_bytes(path);
    const size_t footer = good.size() - 64;
    auto table_offset = ByteReader(std::string_view(good).substr(footer + 8)).get<uint64_t>();
    auto table_bytes = ByteReader(std::string_view(good).substr(footer + 16)).get<uint64_t>();
    for (size_t byte = 0; byte < 6 * 24; ++byte) {
        for (char value : {'\x01', '\x7f', '\xff'}) {
            std::string bytes = good;
            bytes[table_offset + byte] = value;
            uint32_t table_crc = crc32c(std::string_view(bytes).substr(table_offset, table_bytes));
            std::memcpy(bytes.data() + footer + 28, &table_crc, 4);
            uint32_t footer_crc = crc32c(std::string_view(bytes).substr(footer, 60));
            std::memcpy(bytes.data() + footer + 60, &footer_crc, 4);
            write_bytes(path, bytes);
            ManifestRows forged = entry;
            forged.file.crc = footer_crc;
            Result<std::shared_ptr<const RowsSegment>> segment = open(forged);
            if (segment.has_value()) {
                ASSERT_TRUE(holds(**segment, make_rows(3))) << byte;
            }
        }
    }
}

TEST_F(SegmentTest, VerifyStopsWhenCancelled) {
    ManifestRows entry = write_rows(make_rows(5000));
    Result<std::shared_ptr<const RowsSegment>> segment = open(entry);
    ASSERT_TRUE(segment.has_value());
    int asked = 0;
    Result<void> verified = (*segment)->verify_vectors([&] { return ++asked == 3; });
    ASSERT_FALSE(verified.has_value());
    EXPECT_EQ(verified.error().code(), Code::kCancelled);
    EXPECT_EQ(asked, 3);
}

TEST_F(SegmentTest, AFailedWriteLeavesNothing) {
    std::vector<Row> rows = make_rows(3);
    using WriteCall = FaultyFileSystem::Call;
    for (WriteCall call : {WriteCall::kAppend, WriteCall::kSync, WriteCall::kRename}) {
        files_.fail(call, Code::kDiskFull);
        RowsSegmentSpec spec{test_collection(), 0, rows.size(), {kStride}};
        Result<ManifestFile> file = write_rows_segment(
            files_, segments_, "x.rows", spec, [&](uint64_t index) { return record_of(rows[index]); });
        ASSERT_FALSE(file.has_value());
        EXPECT_EQ(file.error().code(), Code::kDiskFull);
        files_.heal();
        EXPECT_TRUE(names_in(segments_).empty());
    }
}

TEST_F(SegmentTest, ALeftTempFileOfACrashIsReplaced) {
    std::filesystem::create_directory(segments_);
    write_bytes(segments_ + "/" + rows_name(0, 3, 1) + ".tmp", "half");
    std::vector<Row> rows = make_rows(3);
    Result<std::shared_ptr<const RowsSegment>> segment = open(write_rows(rows));
    ASSERT_TRUE(segment.has_value());
    EXPECT_TRUE(holds(**segment, rows));
}

TEST_F(SegmentTest, RowsOfAnotherStrideAreRefused) {
    std::vector<Row> rows = make_rows(2);
    rows[1].vector.pop_back();
    RowsSegmentSpec spec{test_collection(), 0, rows.size(), {kStride}};
    EXPECT_FALSE(write_rows_segment(files_, segments_, "x.rows", spec, [&](uint64_t index) {
                     return record_of(rows[index]);
                 }).has_value());
}

TEST_F(SegmentTest, GraphListsComeBackAsTheyWere) {
    constexpr uint32_t kDegree = 32;
    constexpr uint32_t kGraphRows = 20'000;  // more than one piece of the writer
    auto lists_of = [](uint32_t begin, uint32_t end, std::string& out) {
        ByteWriter writer(out);
        for (uint32_t i = begin * kDegree; i < end * kDegree; ++i) {
            writer.put(i * 2654435761U);
        }
    };
    Result<ManifestFile> file = write_graph_segment(files_, segments_, graph_name(1), test_collection(),
                                                    kGraphRows, kDegree, lists_of);
    ASSERT_TRUE(file.has_value());
    Result<GraphLists> lists = open_graph_segment(files_, segments_, *file, test_collection());
    ASSERT_TRUE(lists.has_value());
    EXPECT_EQ(lists->row_count, kGraphRows);
    EXPECT_EQ(lists->degree, kDegree);
    std::string expected;
    lists_of(0, kGraphRows, expected);
    EXPECT_TRUE(lists->lists == expected);
    std::string path = segments_ + "/" + file->name;
    write_bytes(path, with_flipped_bit(read_bytes(path), (1 << 20) * 8));
    EXPECT_FALSE(open_graph_segment(files_, segments_, *file, test_collection()).has_value());
}

TEST_F(SegmentTest, AGraphOfTheWrongSizeIsRefused) {
    EXPECT_FALSE(write_graph_segment(files_, segments_, "x.graph", test_collection(), 2, 4,
                                     [](uint32_t, uint32_t, std::string& out) { out.append("short"); })
                     .has_value());
}

TEST_F(SegmentTest, DeadRowsComeBackAsTheyWere) {
    for (const std::vector<DeadRow>& dead : {std::vector<DeadRow>{}, {{3, 77}, {9, 5}}}) {
        Result<ManifestFile> file =
            write_dead_segment(files_, segments_, dead_name(1), test_collection(), dead);
        ASSERT_TRUE(file.has_value());
        Result<std::vector<DeadRow>> read = open_dead_segment(files_, segments_, *file, test_collection());
        ASSERT_TRUE(read.has_value()) << read.error().message();
        ASSERT_EQ(read->size(), dead.size());
        for (size_t i = 0; i < dead.size(); ++i) {
            EXPECT_EQ((*read)[i].row, dead[i].row);
            EXPECT_EQ((*read)[i].sequence, dead[i].sequence);
        }
    }
    EXPECT_FALSE(write_dead_segment(files_, segments_, "x", test_collection(), {{3, 1}, {3, 2}}).has_value());
}

}  // namespace
}  // namespace akidb::storage
