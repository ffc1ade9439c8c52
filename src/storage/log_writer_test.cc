#include "storage/log_writer.h"

#include <gtest/gtest.h>

#include "storage/files_for_tests.h"
#include "storage/layout.h"
#include "storage/log_frame.h"
#include "storage/log_reader.h"

namespace akidb::storage {
namespace {

using Call = FaultyFileSystem::Call;

constexpr LogWriterOptions kSmall{
    .file_bytes = 1024, .preallocate_bytes_min = 256, .preallocate_bytes_max = 512};

class LogWriterTest : public testing::Test {
  protected:
    std::unique_ptr<LogWriter> open(uint64_t next_sequence, LogWriterOptions options = kSmall) {
        Result<std::unique_ptr<LogWriter>> writer =
            LogWriter::open(files_, log_, test_collection(), next_sequence, options);
        EXPECT_TRUE(writer.has_value()) << (writer ? "" : writer.error().message());
        return writer ? std::move(writer).value() : nullptr;
    }
    Result<void> append(LogWriter& writer, const std::string& body) {
        const LogRecord record{RecordType::kDelete, body};
        return writer.append_group(std::span(&record, 1));
    }
    std::vector<std::string> recovered(uint64_t after = 0) {
        std::vector<std::string> bodies;
        Result<LogRecovery> recovery =
            recover_log(files_, log_, test_collection(), after,
                        [&](uint64_t, RecordType, std::string_view body) -> Result<void> {
                            bodies.emplace_back(body);
                            return {};
                        });
        EXPECT_TRUE(recovery.has_value()) << (recovery ? "" : recovery.error().message());
        return bodies;
    }

    TempDirectory directory_;
    FaultyFileSystem files_;
    std::string log_ = directory_ / "log";
};

TEST_F(LogWriterTest, GivesRecordsOfAGroupConsecutiveSequences) {
    auto writer = open(5);
    const std::vector<LogRecord> group{{RecordType::kDelete, "a"}, {RecordType::kDelete, "b"}};
    ASSERT_TRUE(writer->append_group(group).has_value());
    EXPECT_EQ(writer->next_sequence(), 7u);
    ASSERT_TRUE(writer->append_group({}).has_value());
    EXPECT_EQ(writer->next_sequence(), 7u);
    EXPECT_EQ(recovered(4), (std::vector<std::string>{"a", "b"}));
}

TEST_F(LogWriterTest, RollsToANewFileBeforeThisOneIsTooLarge) {
    auto writer = open(1);
    for (int i = 0; i < 40; ++i) {
        ASSERT_TRUE(append(*writer, std::string(50, static_cast<char>('a' + i % 26))).has_value());
    }
    std::vector<std::string> names = names_in(log_);
    EXPECT_GT(names.size(), 3u);
    for (const std::string& name : names) {
        EXPECT_LE(read_bytes(log_ + "/" + name).size(), kSmall.file_bytes);
    }
    EXPECT_EQ(recovered().size(), 40u);
}

TEST_F(LogWriterTest, AGroupLargerThanAFileGetsAFileOfItsOwn) {
    auto writer = open(1);
    ASSERT_TRUE(append(*writer, "small").has_value());
    ASSERT_TRUE(append(*writer, std::string(5000, 'x')).has_value());
    ASSERT_TRUE(append(*writer, "small again").has_value());
    EXPECT_EQ(names_in(log_), (std::vector<std::string>{log_name(1), log_name(2), log_name(3)}));
    EXPECT_EQ(recovered().size(), 3u);
}

TEST_F(LogWriterTest, TrimRemovesOnlyClosedFilesThatAreCovered) {
    auto writer = open(1);
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(append(*writer, std::string(1000, 'x')).has_value());
    }
    uint64_t before = writer->log_bytes();
    ASSERT_TRUE(writer->trim(0).has_value());
    EXPECT_EQ(names_in(log_).size(), 3u);
    ASSERT_TRUE(writer->trim(1).has_value());
    EXPECT_EQ(names_in(log_), (std::vector<std::string>{log_name(2), log_name(3)}));
    EXPECT_LT(writer->log_bytes(), before);
    ASSERT_TRUE(writer->trim(100).has_value());
    EXPECT_EQ(names_in(log_), (std::vector<std::string>{log_name(3)}));
}

TEST_F(LogWriterTest, TrimAfterAReopenKnowsWhereOldFilesEnd) {
    auto writer = open(1);
    ASSERT_TRUE(append(*writer, std::string(1000, 'x')).has_value());
    ASSERT_TRUE(append(*writer, std::string(1000, 'y')).has_value());
    ASSERT_TRUE(writer->close_cleanly().has_value());
    EXPECT_EQ(recovered().size(), 2u);
    writer = open(3);
    ASSERT_TRUE(writer->trim(1).has_value());
    EXPECT_EQ(names_in(log_), (std::vector<std::string>{log_name(2), log_name(3)}));
    ASSERT_TRUE(writer->trim(2).has_value());
    EXPECT_EQ(names_in(log_), (std::vector<std::string>{log_name(3)}));
}

TEST_F(LogWriterTest, TrimThatFailsTriesAgainNextTime) {
    auto writer = open(1);
    ASSERT_TRUE(append(*writer, std::string(1000, 'x')).has_value());
    ASSERT_TRUE(append(*writer, "y").has_value());
    files_.fail(Call::kRemove, Code::kInternal);
    EXPECT_FALSE(writer->trim(1).has_value());
    EXPECT_FALSE(writer->is_poisoned());
    files_.heal();
    EXPECT_TRUE(writer->trim(1).has_value());
    EXPECT_EQ(names_in(log_).size(), 1u);
}

TEST_F(LogWriterTest, FullDiskLeavesTheLogUsableAndUnchanged) {
    auto writer = open(1);
    ASSERT_TRUE(append(*writer, "kept").has_value());
    for (uint64_t bytes : {uint64_t{600}, uint64_t{2000}}) {  // within this file, and in one of its own
        files_.fail(Call::kPreallocate, Code::kDiskFull);
        Result<void> reserved = writer->reserve(bytes);
        ASSERT_FALSE(reserved.has_value());
        EXPECT_EQ(reserved.error().code(), Code::kDiskFull);
        EXPECT_FALSE(writer->is_poisoned());
        EXPECT_EQ(names_in(log_), (std::vector<std::string>{log_name(1)}));
        files_.heal();
    }
    ASSERT_TRUE(writer->reserve(2000).has_value());
    ASSERT_TRUE(append(*writer, std::string(1900, 'x')).has_value());
    EXPECT_EQ(recovered().size(), 2u);
}

TEST_F(LogWriterTest, CleanStopHasItsPlaceOnAFullDisk) {
    auto writer = open(1);
    ASSERT_TRUE(writer->reserve(300).has_value());
    files_.fail(Call::kPreallocate, Code::kDiskFull);
    ASSERT_TRUE(append(*writer, std::string(295, 'x')).has_value());
    ASSERT_FALSE(writer->reserve(2000).has_value());
    EXPECT_TRUE(writer->close_cleanly().has_value());
}

TEST_F(LogWriterTest, AReservedGroupNeedsNoMoreDisk) {
    auto writer = open(1);
    ASSERT_TRUE(writer->reserve(5000).has_value());
    files_.fail(Call::kPreallocate, Code::kDiskFull);
    EXPECT_TRUE(append(*writer, std::string(4995, 'x')).has_value());
}

TEST_F(LogWriterTest, TooLargeAGroupIsRefusedWithoutHarm) {
    auto writer = open(1);
    Result<void> reserved = writer->reserve(kFrameBodyBytesMax + 1);
    ASSERT_FALSE(reserved.has_value());
    EXPECT_EQ(reserved.error().code(), Code::kPayloadTooLarge);
    EXPECT_TRUE(append(*writer, "x").has_value());
}

TEST_F(LogWriterTest, AnyFailedWriteOrSyncIsForEver) {
    for (Call call : {Call::kAppend, Call::kSync}) {
        TempDirectory directory;
        log_ = directory / "log";
        auto writer = open(1);
        ASSERT_TRUE(append(*writer, "first").has_value());
        files_.fail(call, Code::kDiskFull);
        EXPECT_FALSE(append(*writer, "second").has_value());
        files_.heal();
        EXPECT_TRUE(writer->is_poisoned());
        EXPECT_EQ(writer->next_sequence(), 2u);
        Result<void> later = append(*writer, "third");
        ASSERT_FALSE(later.has_value());
        EXPECT_EQ(later.error().code(), Code::kUnavailable);
        EXPECT_FALSE(writer->reserve(1).has_value());
        EXPECT_FALSE(writer->close_cleanly().has_value());
        std::vector<std::string> bodies = recovered();
        ASSERT_GE(bodies.size(), 1u);
        EXPECT_EQ(bodies[0], "first");
    }
}

TEST_F(LogWriterTest, AHalfMadeFileThatCannotBeUndonePoisons) {
    auto writer = open(1);
    ASSERT_TRUE(append(*writer, "first").has_value());
    files_.fail(Call::kSyncDirectory, Code::kDiskFull);
    EXPECT_FALSE(writer->reserve(2000).has_value());
    EXPECT_TRUE(writer->is_poisoned());
}

TEST_F(LogWriterTest, WithoutDescriptorsItRefusesAndGoesOnWhenThereAreSome) {
    for (const Call call : {Call::kCreate, Call::kSyncDirectory}) {
        TempDirectory directory;
        log_ = directory / "log";
        auto writer = open(1);
        ASSERT_TRUE(append(*writer, "first").has_value());
        files_.fail(call, Code::kUnavailable);
        for (int i = 0; i < 2; ++i) {
            const Result<void> refused = writer->reserve(2000);  // wants a new file
            ASSERT_FALSE(refused.has_value());
            EXPECT_EQ(refused.error().code(), Code::kUnavailable);
            EXPECT_FALSE(writer->is_poisoned());
        }
        // A name that may be there proves that all before it is durable: so nothing is written meanwhile.
        EXPECT_EQ(append(*writer, "second").has_value(), call == Call::kCreate);
        files_.heal();
        EXPECT_TRUE(append(*writer, std::string(2000, 'x')).has_value());
        EXPECT_TRUE(writer->close_cleanly().has_value());
        EXPECT_EQ(recovered().size(), call == Call::kCreate ? 3u : 2u);
    }
}

TEST_F(LogWriterTest, NothingFollowsACleanStop) {
    auto writer = open(1);
    ASSERT_TRUE(writer->close_cleanly().has_value());
    EXPECT_TRUE(writer->close_cleanly().has_value());
    EXPECT_EQ(writer->next_sequence(), 1u);
    EXPECT_FALSE(append(*writer, "x").has_value());
    EXPECT_FALSE(writer->is_poisoned());
}

TEST_F(LogWriterTest, OpenRefusesToOverwriteALogThatWasNotRecovered) {
    auto writer = open(7);
    EXPECT_TRUE(append(*writer, "there").has_value());
    EXPECT_FALSE(LogWriter::open(files_, log_, test_collection(), 7, kSmall).has_value());
    EXPECT_FALSE(LogWriter::open(files_, log_, test_collection(), 3, kSmall).has_value());
    EXPECT_TRUE(append(*writer, "still there").has_value());
}

TEST_F(LogWriterTest, MakesTheFirstFileWithTheFirstGroup) {
    auto writer = open(1);
    EXPECT_TRUE(names_in(log_).empty());
    EXPECT_EQ(writer->log_bytes(), 0u);
    ASSERT_TRUE(append(*writer, "first").has_value());
    EXPECT_EQ(names_in(log_), (std::vector<std::string>{log_name(1)}));
    ASSERT_TRUE(writer->close_cleanly().has_value());
    writer = open(2);
    EXPECT_EQ(names_in(log_), (std::vector<std::string>{log_name(1), log_name(2)}));
}

TEST_F(LogWriterTest, ALogThatWasNeverWrittenStopsWithoutAFile) {
    ASSERT_TRUE(open(1)->close_cleanly().has_value());
    EXPECT_TRUE(names_in(log_).empty());
}

TEST_F(LogWriterTest, AllocatesAQuarterOfAFileAheadAtMost) {
    constexpr uint64_t kLeastAhead = 4 << 10;
    auto writer = open(
        1, {.file_bytes = 1 << 20, .preallocate_bytes_min = kLeastAhead, .preallocate_bytes_max = 64 << 10});
    uint64_t used = kLogHeaderBytes;
    for (int group = 0; group < 400; ++group) {
        const std::string body(2'000, 'x');
        ASSERT_TRUE(append(*writer, body).has_value());
        used += align_frame(kFrameHeaderBytes + body.size() + 8);
        const uint64_t needed = used + align_frame(kCleanStopBytes);
        ASSERT_LE(writer->log_bytes(), needed + std::max(needed / 4, kLeastAhead)) << group;
    }
}

TEST_F(LogWriterTest, StartingAFileBeforeTheFirstGroupDoesNothing) {
    auto writer = open(1);
    ASSERT_TRUE(writer->start_file().has_value());
    EXPECT_TRUE(names_in(log_).empty());
}

}  // namespace
}  // namespace akidb::storage
