#include "storage/log_reader.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/crc32c.h"
#include "storage/files_for_tests.h"
#include "storage/layout.h"
#include "storage/log_frame.h"
#include "storage/log_writer.h"

namespace akidb::storage {
namespace {

constexpr LogWriterOptions kTiny{
    .file_bytes = 512, .preallocate_bytes_min = 512, .preallocate_bytes_max = 512};

struct Read {
    std::vector<std::pair<uint64_t, std::string>> records;
    Result<LogRecovery> recovery = LogRecovery{};
};

class LogReaderTest : public testing::Test {
  protected:
    static std::string body_of(uint64_t sequence) { return "record " + std::to_string(sequence); }

    /// Groups of one record each.
    void write(uint64_t first, uint64_t last, bool cleanly, LogWriterOptions options = kTiny) {
        Result<std::unique_ptr<LogWriter>> writer =
            LogWriter::open(files_, log_, test_collection(), first, options);
        ASSERT_TRUE(writer.has_value()) << writer.error().message();
        for (uint64_t sequence = first; sequence <= last; ++sequence) {
            const LogRecord record{RecordType::kDelete, body_of(sequence)};
            ASSERT_TRUE((*writer)->append_group(std::span(&record, 1)).has_value());
        }
        if (cleanly) {
            ASSERT_TRUE((*writer)->close_cleanly().has_value());
        }
    }

    Read recover(uint64_t after = 0) {
        Read read;
        read.recovery =
            recover_log(files_, log_, test_collection(), after,
                        [&](uint64_t sequence, RecordType, std::string_view body) -> Result<void> {
                            read.records.emplace_back(sequence, body);
                            return {};
                        });
        return read;
    }

    void expect_records(const Read& read, uint64_t first, uint64_t last) {
        ASSERT_TRUE(read.recovery.has_value()) << read.recovery.error().message();
        ASSERT_EQ(read.records.size(), last + 1 - first);
        for (size_t i = 0; i < read.records.size(); ++i) {
            EXPECT_EQ(read.records[i], std::pair(first + i, body_of(first + i)));
        }
        EXPECT_EQ(read.recovery->last_sequence, last);
        EXPECT_EQ(read.recovery->records, last + 1 - first);
    }

    void expect_damage(const Read& read, const std::string& place) {
        ASSERT_FALSE(read.recovery.has_value());
        EXPECT_EQ(read.recovery.error().code(), Code::kDataLoss);
        EXPECT_NE(read.recovery.error().message().find(place), std::string::npos)
            << read.recovery.error().message();
    }

    std::string file(uint64_t first) const { return log_ + "/" + log_name(first); }

    TempDirectory directory_;
    FaultyFileSystem files_;
    std::string log_ = directory_ / "log";
};

TEST_F(LogReaderTest, AnAbsentOrEmptyDirectoryIsAnEmptyLog) {
    for (int round = 0; round < 2; ++round) {
        Read read = recover(41);
        ASSERT_TRUE(read.recovery.has_value());
        EXPECT_EQ(read.recovery->last_sequence, 41u);
        EXPECT_TRUE(read.recovery->was_clean);
        std::filesystem::create_directory(log_);
    }
}

TEST_F(LogReaderTest, ReadsAcrossFilesAndStartsAfterWhatIsCovered) {
    write(1, 20, false);
    ASSERT_GT(names_in(log_).size(), 2u);
    expect_records(recover(0), 1, 20);
    expect_records(recover(11), 12, 20);
    EXPECT_EQ(recover(20).recovery->records, 0u);
    EXPECT_EQ(recover(20).recovery->last_sequence, 20u);
}

TEST_F(LogReaderTest, SessionsFollowEachOther) {
    write(1, 5, false);
    expect_records(recover(), 1, 5);
    write(6, 9, false);
    expect_records(recover(), 1, 9);
    write(10, 10, false);
    expect_records(recover(), 1, 10);
}

TEST_F(LogReaderTest, KnowsACleanStopAndLeavesItsFileAlone) {
    write(1, 3, true);
    auto before = std::filesystem::last_write_time(file(1));
    std::string bytes = read_bytes(file(1));
    Read read = recover();
    ASSERT_TRUE(read.recovery.has_value());
    expect_records(read, 1, 3);
    EXPECT_TRUE(read.recovery->was_clean);
    EXPECT_EQ(read.recovery->torn_bytes, 0u);
    EXPECT_EQ(read_bytes(file(1)), bytes);
    EXPECT_EQ(std::filesystem::last_write_time(file(1)), before);
}

TEST_F(LogReaderTest, AfterAnUncleanStopTheTailIsWrittenAnewAndSynced) {
    write(1, 3, false);
    files_.fail(FaultyFileSystem::Call::kSync, Code::kInternal);
    EXPECT_FALSE(recover().recovery.has_value()) << "recovery must sync what it read";
    files_.heal();
    EXPECT_EQ(names_in(log_), (std::vector<std::string>{log_name(1)}));
    expect_records(recover(), 1, 3);
    EXPECT_LT(read_bytes(file(1)).size(), kTiny.file_bytes) << "the copy ends with its last frame";
}

TEST_F(LogReaderTest, TempFilesAreDeletedAndOthersLeft) {
    write(1, 2, false);
    write_bytes(log_ + "/" + log_name(1) + ".tmp", "half a copy");
    write_bytes(log_ + "/README", "not ours");
    expect_records(recover(), 1, 2);
    EXPECT_EQ(names_in(log_), (std::vector<std::string>{log_name(1), "README"}));
}

TEST_F(LogReaderTest, CutsATornTailAndCountsIt) {
    write(1, 3, false);
    std::string bytes = read_bytes(file(1));
    bytes[64 + 2 * 64 + 41] ^= 1;  // in the body of the third frame
    write_bytes(file(1), bytes);
    Read read = recover();
    expect_records(read, 1, 2);
    EXPECT_EQ(read.recovery->torn_bytes, kFrameHeaderBytes + kRecordHeaderBytes + body_of(3).size());
    read = recover();
    expect_records(read, 1, 2);
    EXPECT_EQ(read.recovery->torn_bytes, 0u);
    write(3, 4, false);
    expect_records(recover(), 1, 4);
}

TEST_F(LogReaderTest, AnInvalidFrameBeforeAValidOneIsDamage) {
    write(1, 3, false);
    std::string bytes = read_bytes(file(1));
    bytes[64 + 64 + 41] ^= 1;
    write_bytes(file(1), bytes);
    expect_damage(recover(), log_name(1) + " at offset 128");
    EXPECT_EQ(read_bytes(file(1)), bytes) << "damage is left for inspection";
}

TEST_F(LogReaderTest, AFrameThatBecameZerosBeforeAValidOneIsDamage) {
    write(1, 3, false);
    std::string bytes = read_bytes(file(1));
    bytes.replace(64, 64, std::string(64, '\0'));
    write_bytes(file(1), bytes);
    expect_damage(recover(), log_name(1) + " at offset 64");
}

TEST_F(LogReaderTest, AnInvalidFrameBeforeAValidOneInALaterFileIsDamage) {
    write(1, 3, false);
    expect_records(recover(), 1, 3);
    write(4, 5, false);
    std::string bytes = read_bytes(file(1));
    bytes[64 + 2 * 64 + 41] ^= 1;
    write_bytes(file(1), bytes);
    expect_damage(recover(), log_name(1) + " at offset 192");
}

TEST_F(LogReaderTest, ALostTailBeforeAnEmptyFileIsDamage) {
    write(1, 3, false);
    expect_records(recover(), 1, 3);
    write(4, 3, false);  // opened, then crashed
    std::string bytes = read_bytes(file(1));
    write_bytes(file(1), bytes.substr(0, 64 + 2 * 64));
    expect_damage(recover(), log_name(4));
}

TEST_F(LogReaderTest, AMissingFileInTheMiddleIsDamageUnlessCovered) {
    write(1, 20, false);
    std::vector<std::string> names = names_in(log_);
    std::filesystem::remove(log_ + "/" + names[1]);
    uint64_t first_after_gap = *parse_log_name(names[2]);
    expect_damage(recover(), names[2]);
    expect_records(recover(first_after_gap - 1), first_after_gap, 20);
}

TEST_F(LogReaderTest, AMissingFirstFileIsDamageUnlessCovered) {
    write(11, 12, false);
    expect_damage(recover(9), log_name(11));
    expect_records(recover(10), 11, 12);
}

TEST_F(LogReaderTest, DamageInWhatIsCoveredDoesNotMatter) {
    write(1, 20, false);
    std::vector<std::string> names = names_in(log_);
    write_bytes(log_ + "/" + names[0], "rubbish");
    uint64_t second = *parse_log_name(names[1]);
    expect_records(recover(second - 1), second, 20);
}

TEST_F(LogReaderTest, RemovesALastFileWithoutFrames) {
    for (bool stops_cleanly : {false, true}) {
        TempDirectory directory;
        log_ = directory / "log";
        write(1, 3, true);
        write(4, 3, stops_cleanly);
        ASSERT_EQ(names_in(log_).size(), 2u);
        Read read = recover();
        expect_records(read, 1, 3);
        EXPECT_TRUE(read.recovery->was_clean);
        EXPECT_EQ(names_in(log_), (std::vector<std::string>{log_name(1)}));
        write(4, 6, false);
        expect_records(recover(), 1, 6);
    }
}

TEST_F(LogReaderTest, AnEmptyLogThatStopsCleanlyStaysEmpty) {
    write(1, 0, true);
    Read read = recover();
    ASSERT_TRUE(read.recovery.has_value());
    EXPECT_TRUE(read.recovery->was_clean);
    EXPECT_EQ(read.recovery->last_sequence, 0u);
    EXPECT_TRUE(names_in(log_).empty());
}

TEST_F(LogReaderTest, ACleanStopOfAnEarlierSessionSaysNothingOfALaterOne) {
    write(1, 3, true);
    expect_records(recover(), 1, 3);
    write(4, 5, false);
    Read read = recover();
    expect_records(read, 1, 5);
    EXPECT_FALSE(read.recovery->was_clean);
}

/// The clean stop was seen by the process that made the next file, but was not synced.
TEST_F(LogReaderTest, ACleanStopMayVanishOrBeTornAfterTheNextFileWasMade) {
    const uint64_t clean_stop = 64 + 3 * 64;
    for (uint64_t survived : {uint64_t{0}, uint64_t{1}, uint64_t{30}, uint64_t{44}, uint64_t{45}}) {
        for (uint64_t last : {uint64_t{3}, uint64_t{5}}) {
            TempDirectory directory;
            log_ = directory / "log";
            write(1, 3, true);
            expect_records(recover(), 1, 3);
            write(4, last, false);
            std::string bytes = read_bytes(file(1));
            std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(clean_stop + survived), bytes.end(), '\0');
            write_bytes(file(1), bytes);
            Read read = recover();
            expect_records(read, 1, last);
            EXPECT_LE(read.recovery->torn_bytes, last > 3 ? 0 : survived);
            write(last + 1, last + 1, false);
            expect_records(recover(), 1, last + 1);
        }
    }
}

TEST_F(LogReaderTest, MoreRubbishThanACleanStopBeforeAValidFrameIsDamage) {
    write(1, 3, true);
    write(4, 5, false);
    std::string bytes = read_bytes(file(1));
    bytes[64 + 4 * 64] = 'x';
    bytes[64 + 3 * 64] = 'x';
    write_bytes(file(1), bytes);
    expect_damage(recover(), log_name(1) + " at offset 256");
}

TEST_F(LogReaderTest, ARecordCountOfZeroHoldsNothingButACleanStop) {
    write(1, 3, true);
    const std::string good = read_bytes(file(1));
    LogFileHeader header = *decode_log_header(good);
    std::string frame;
    const LogRecord record{RecordType::kDelete, ""};
    encode_frame(frame_seed(header), 4, 256, std::span(&record, 1), frame);
    frame[16] = 0;
    uint32_t crc = crc32c(frame.substr(40, 5), crc32c(frame.substr(0, 32), frame_seed(header)));
    std::memcpy(frame.data() + 32, &crc, sizeof(crc));
    std::string bytes = good;
    bytes.replace(256, frame.size(), frame);
    write_bytes(file(1), bytes);
    expect_damage(recover(), log_name(1) + " at offset 256");
}

TEST_F(LogReaderTest, RemovesALastFileWhoseHeaderIsHalfMade) {
    for (const std::string& half : {std::string(), std::string("AKILOG01"), std::string(512, '\0')}) {
        TempDirectory directory;
        log_ = directory / "log";
        write(1, 3, false);
        write_bytes(file(4), half);
        expect_records(recover(), 1, 3);
        EXPECT_EQ(names_in(log_), (std::vector<std::string>{log_name(1)}));
    }
}

TEST_F(LogReaderTest, ABrokenHeaderBeforeFramesIsDamage) {
    write(1, 3, false);
    write_bytes(file(1), with_flipped_bit(read_bytes(file(1)), 100));
    expect_damage(recover(), log_name(1) + " at offset 0");
    EXPECT_TRUE(std::filesystem::exists(file(1)));
}

TEST_F(LogReaderTest, AFileOfAnotherCollectionOrNameIsDamage) {
    write(1, 3, false);
    Result<LogRecovery> read = recover_log(
        files_, log_, Uuid{}, 0, [](uint64_t, RecordType, std::string_view) { return Result<void>(); });
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().code(), Code::kDataLoss);
    std::filesystem::rename(file(1), file(2));
    expect_damage(recover(1), log_name(2) + " at offset 40");
}

TEST_F(LogReaderTest, AnErrorOfTheVisitorEndsIt) {
    write(1, 3, false);
    int visited = 0;
    Result<LogRecovery> read = recover_log(files_, log_, test_collection(), 0,
                                           [&](uint64_t, RecordType, std::string_view) -> Result<void> {
                                               ++visited;
                                               return Error(Code::kInternal, "enough");
                                           });
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().message(), "enough");
    EXPECT_EQ(visited, 1);
}

TEST_F(LogReaderTest, FramesOfAllSizesAreReadInTheirOrder) {
    // Around the window as it begins, as it is kept, and beyond.
    const std::vector<size_t> sizes{10,      1 << 20, 3 << 20,  3 << 20,  100, 9 << 20,
                                    3 << 20, 5,       20 << 20, 20 << 20, 7};
    std::vector<std::string> bodies;
    for (const size_t size : sizes) {
        bodies.emplace_back(size, static_cast<char>('a' + bodies.size()));
    }
    {
        auto writer = LogWriter::open(files_, log_, test_collection(), 1, {}).value();
        for (const std::string& body : bodies) {
            const LogRecord record{RecordType::kDelete, body};
            ASSERT_TRUE(writer->append_group(std::span(&record, 1)).has_value());
        }
    }
    for (int time = 0; time < 2; ++time) {  // then from the copy that the first one made
        const Read read = recover();
        ASSERT_EQ(read.records.size(), bodies.size());
        for (size_t i = 0; i < bodies.size(); ++i) {
            EXPECT_TRUE(read.records[i].second == bodies[i]) << i;
        }
    }
}

/// What recovery gives is the first records in order, never another thing: either all or fewer.
void expect_prefix(const Read& read) {
    for (size_t i = 0; i < read.records.size(); ++i) {
        ASSERT_EQ(read.records[i].first, i + 1);
        ASSERT_EQ(read.records[i].second, "record " + std::to_string(i + 1));
    }
}

TEST_F(LogReaderTest, EveryFlippedBitIsDamageOrATornTail) {
    write(1, 4, true);
    const std::string good = read_bytes(file(1));
    const size_t clean_stop = 64 + 4 * 64;
    files_.skip_syncs();
    for (size_t bit = 0; bit < good.size() * 8; ++bit) {
        write_bytes(file(1), with_flipped_bit(good, bit));
        Read read = recover();
        expect_prefix(read);
        if (!read.recovery.has_value()) {
            ASSERT_EQ(read.recovery.error().code(), Code::kDataLoss);
        } else {
            ASSERT_EQ(read.records.size(), 4u) << "bit " << bit << " took an acknowledged record in silence";
            ASSERT_TRUE(read.recovery->was_clean || bit / 8 >= clean_stop) << bit;
        }
    }
}

TEST_F(LogReaderTest, EveryTruncationGivesAPrefix) {
    files_.skip_syncs();
    write(1, 4, false);
    const std::string good = read_bytes(file(1));
    for (size_t length = 0; length < good.size(); ++length) {
        write_bytes(file(1), good.substr(0, length));
        Read read = recover();
        ASSERT_TRUE(read.recovery.has_value()) << length << read.recovery.error().message();
        expect_prefix(read);
        ASSERT_LE(read.records.size(), (length < 64 ? 0 : length / 64));
    }
}

}  // namespace
}  // namespace akidb::storage
