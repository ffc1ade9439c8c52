#include "storage/log_excerpt.h"

#include <gtest/gtest.h>

#include "storage/files_for_tests.h"
#include "storage/layout.h"
#include "storage/log_frame.h"
#include "storage/log_reader.h"
#include "storage/log_writer.h"

namespace akidb::storage {
namespace {

class LogExcerptTest : public testing::Test {
  protected:
    LogExcerptTest() {
        constexpr LogWriterOptions kSmall{
            .file_bytes = 1024, .preallocate_bytes_min = 256, .preallocate_bytes_max = 512};
        writer_ = LogWriter::open(files_, log_, test_collection(), 1, kSmall).value();
        for (uint64_t group = 0; group < 20; ++group) {  // of two writes, a second apart
            const std::vector<LogRecord> records{{RecordType::kDelete, "a" + std::to_string(2 * group + 1)},
                                                 {RecordType::kDelete, "a" + std::to_string(2 * group + 2)}};
            EXPECT_TRUE(writer_->append_group(records, 1000 * (group + 1)));
        }
    }

    /// "first-last", or what went wrong.
    std::string read(uint64_t from, uint64_t to, uint64_t count_max = UINT64_MAX) {
        std::vector<uint64_t> found;
        const Result<void> done = read_excerpt(
            files_, log_, test_collection(), {from, to}, [&](const TimedRecord& record) -> Result<bool> {
                EXPECT_EQ(record.body, "a" + std::to_string(record.sequence));
                EXPECT_EQ(record.unix_ms, 1000 * ((record.sequence + 1) / 2));
                EXPECT_TRUE(found.empty() || record.sequence == found.back() + 1);
                found.push_back(record.sequence);
                return found.size() < count_max;
            });
        if (!done) {
            return done.error().message();
        }
        return found.empty() ? "nothing" : std::to_string(found.front()) + "-" + std::to_string(found.back());
    }

    TempDirectory directory_;
    FaultyFileSystem files_;
    std::string log_ = directory_ / "log";
    std::unique_ptr<LogWriter> writer_;
};

TEST_F(LogExcerptTest, GivesWhatWasAskedForAcrossFilesAndWithinGroups) {
    EXPECT_GT(files_.list(log_)->size(), 2u);
    EXPECT_EQ(read(1, 40), "1-40");
    for (uint64_t from = 1; from <= 40; ++from) {
        for (const uint64_t to : {from, std::min<uint64_t>(from + 5, 40), uint64_t{40}}) {
            EXPECT_EQ(read(from, to), std::to_string(from) + "-" + std::to_string(to));
        }
    }
    EXPECT_EQ(read(7, 40, 3), "7-9");
}

TEST_F(LogExcerptTest, BeginsLaterWhereTheLogDoes) {
    ASSERT_TRUE(writer_->trim(20));
    const uint64_t first = parse_log_name(files_.list(log_)->front().name).value();
    ASSERT_GT(first, 1u);
    EXPECT_EQ(read(1, 40), std::to_string(first) + "-40");
    EXPECT_EQ(read(1, first - 1), "nothing");
}

TEST_F(LogExcerptTest, TellsWhatIsNotThereAnyMore) {
    EXPECT_NE(read(1, 41).find("ends at sequence 40"), std::string::npos);
    const std::string path = log_ + "/" + files_.list(log_)->at(1).name;
    write_bytes(path, with_flipped_bit(read_bytes(path), 8 * 100));
    EXPECT_NE(read(1, 40).find("are missing"), std::string::npos);
}

TEST_F(LogExcerptTest, TimesAreNoRecordsForARecovery) {
    uint64_t count = 0;
    const auto recovery = recover_log(files_, log_, test_collection(), 0,
                                      [&](uint64_t sequence, RecordType type, std::string_view body) {
                                          EXPECT_EQ(sequence, ++count);
                                          EXPECT_EQ(type, RecordType::kDelete);
                                          EXPECT_EQ(body, "a" + std::to_string(sequence));
                                          return Result<void>();
                                      });
    ASSERT_TRUE(recovery) << recovery.error().message();
    EXPECT_EQ(recovery->last_sequence, 40u);
}

}  // namespace
}  // namespace akidb::storage
