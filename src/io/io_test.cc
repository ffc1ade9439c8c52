#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "io/clock.h"
#include "io/clock_for_tests.h"
#include "io/file_system.h"
#include "io/pause.h"
#include "io/posix_file_system.h"
#include "io/random.h"

namespace akidb::io {
namespace {

class PosixFiles : public testing::Test {
  public:
    PosixFiles() {
        std::string name = (std::filesystem::temp_directory_path() / "akidb_io_XXXXXX").string();
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        directory_ = name;
    }
    ~PosixFiles() override { std::filesystem::remove_all(directory_); }

    std::string path(const std::string& name) const { return directory_ + "/" + name; }

  protected:
    std::string directory_;
    std::unique_ptr<FileSystem> files_ = make_posix_file_system();
    std::unique_ptr<FileSystem> passing_ = make_posix_file_system(Caching::kPassing);
};

TEST_F(PosixFiles, PutPreallocatedZerosBehindTheLogicalEndOnDisk) {
    auto file = files_->create(path("log"));
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->preallocate((2 << 20) + 5));
    ASSERT_TRUE((*file)->append("frame"));
    ASSERT_TRUE((*file)->sync());
    EXPECT_EQ((*file)->size(), 5u);
    EXPECT_EQ((*file)->allocated(), (2u << 20) + 5);
    struct stat status {};
    ASSERT_EQ(::stat(path("log").c_str(), &status), 0);
    EXPECT_EQ(status.st_size, (2 << 20) + 5);
    // Real blocks, not a hole: a hole would make the first write to it change metadata.
    EXPECT_GE(status.st_blocks * 512, 2 << 20);
}

TEST_F(PosixFiles, NeverFollowASymbolicLinkToAFile) {
    std::ofstream(path("target")) << "secret";
    std::filesystem::create_symlink(path("target"), path("link"));
    EXPECT_FALSE(files_->open_read(path("link")));
    EXPECT_FALSE(files_->map(path("link")));
    EXPECT_FALSE(files_->lock(path("link")));
    EXPECT_FALSE(files_->create(path("link")));
    EXPECT_EQ(read_whole_file(*files_, path("target"), 100).value(), "secret");
}

TEST_F(PosixFiles, RefuseANamedPipeInsteadOfWaitingForItsWriter) {
    ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
    EXPECT_EQ(files_->open_read(path("pipe")).error().code(), Code::kInternal);
}

TEST_F(PosixFiles, NameTheHolderOfALock) {
    auto held = files_->lock(path("LOCK"));
    ASSERT_TRUE(held);
    const auto second = files_->lock(path("LOCK"));
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().message().find(std::to_string(::getpid())), std::string::npos);
}

TEST_F(PosixFiles, NameCallPathAndReasonInErrors) {
    const auto missing = files_->open_read(path("none"));
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().message(), "open " + path("none") + ": No such file or directory");
}

TEST_F(PosixFiles, RefuseADeviceAsAFile) {
    EXPECT_EQ(files_->open_read("/dev/null").error().code(), Code::kInternal);
}

TEST_F(PosixFiles, ReturnFreeBytesOfTheVolume) {
    EXPECT_GT(files_->free_bytes(directory_).value(), 0u);
    EXPECT_EQ(files_->free_bytes(path("none")).error().code(), Code::kNotFound);
}

TEST_F(PosixFiles, ReturnTheSizeOfTheVolume) {
    EXPECT_GT(files_->volume_bytes(directory_).value(), files_->free_bytes(directory_).value());
    EXPECT_EQ(files_->volume_bytes(path("none")).error().code(), Code::kNotFound);
}

TEST_F(PosixFiles, OccupySpaceAndLeaveNothingBehindWhenThereIsNone) {
    ASSERT_TRUE(files_->occupy(path("f"), 1 << 20));
    EXPECT_EQ(files_->open_read(path("f")).value()->size(), uint64_t{1} << 20);
    EXPECT_EQ(files_->occupy(path("f"), 1).error().code(), Code::kAlreadyExists);
    ASSERT_TRUE(files_->remove(path("f")));
    EXPECT_FALSE(files_->occupy(path("f"), uint64_t{1} << 60));
    EXPECT_EQ(files_->open_read(path("f")).error().code(), Code::kNotFound);
}

/// Letters that tell where they are.
std::string letters(size_t count) {
    std::string text(count, '\0');
    for (size_t i = 0; i < count; ++i) {
        text[i] = static_cast<char>('a' + (i / 7 + i / 4096) % 26);
    }
    return text;
}

TEST_F(PosixFiles, AMappedFileThatIsForgottenReadsAsItselfOrZeros) {
    const std::string text = letters((1 << 20) + 77);
    const auto made = files_->create(path("f")).value();
    ASSERT_TRUE(made->append(text));
    const auto mapped = files_->map(path("f")).value();
    const std::string_view bytes = mapped->bytes();
    mapped->expect_read(bytes);
    mapped->expect_read(bytes.substr(4'097, 12));
    mapped->expect_read(bytes.substr(bytes.size() - 1));
    mapped->expect_read({});
    EXPECT_TRUE(bytes == text);
    mapped->forget();
    EXPECT_TRUE(bytes == std::string(text.size(), '\0'));
    const auto other = files_->map(path("f")).value();
    EXPECT_TRUE(other->bytes() == text) << "the file is as it was";
}

TEST_F(PosixFiles, WhatPassesByIsTheSameAtAnySize) {
    constexpr size_t kPiece = 2 << 20;
    for (const size_t bytes :
         {size_t{0}, size_t{1}, kPiece - 1, kPiece, kPiece + 1, 3 * kPiece, 3 * kPiece + 4097}) {
        const std::string name = path("passing-" + std::to_string(bytes));
        const std::string text = letters(bytes);
        const auto made = passing_->create(name);
        ASSERT_TRUE(made) << made.error().message();
        for (size_t at = 0; at < bytes; at += 100'000) {
            ASSERT_TRUE((*made)->append(std::string_view(text).substr(at, 100'000)));
        }
        EXPECT_EQ((*made)->size(), bytes);
        ASSERT_TRUE((*made)->sync());
        ASSERT_TRUE((*made)->close());
        EXPECT_EQ(passing_->create(name).error().code(), Code::kAlreadyExists);
        const auto file = passing_->open_read(name).value();
        EXPECT_EQ(file->size(), bytes);
        std::string out;
        ASSERT_TRUE(file->read_at(0, bytes, out));
        EXPECT_EQ(out, text);
        ASSERT_TRUE(file->read_at(bytes / 3, bytes / 2, out));
        EXPECT_EQ(out, text.substr(bytes / 3, bytes / 2));
        EXPECT_EQ(file->read_at(0, bytes + 1, out).error().code(), Code::kDataLoss);
        EXPECT_EQ(file->read_at(bytes + 1, 0, out).error().code(), Code::kDataLoss);
    }
}

TEST_F(PosixFiles, WhatPassesByLeavesThePageCacheAsItWas) {
    const std::string text = letters(8 << 20);
    const auto made = passing_->create(path("f")).value();
    ASSERT_TRUE(made->append(text));
    ASSERT_TRUE(made->sync());
    const auto cached_pages = [&] {
        const auto mapped = files_->map(path("f")).value();
        const std::string_view bytes = mapped->bytes();
        std::vector<unsigned char> pages((bytes.size() + 4095) / 4096);
        // Not const, because the kernel's word for it is not.
        EXPECT_EQ(::mincore(const_cast<char*>(bytes.data()), bytes.size(), pages.data()), 0);
        return std::count_if(pages.begin(), pages.end(), [](unsigned char page) { return (page & 1) != 0; });
    };
    const auto before = cached_pages();
    if (before > 256) {
        GTEST_SKIP() << "a file system that keeps its files in memory";
    }
    const auto file = passing_->open_read(path("f")).value();
    std::string out;
    for (size_t at = 0; at < text.size(); at += 128 << 10) {
        ASSERT_TRUE(file->read_at(at, 128 << 10, out));
        ASSERT_EQ(out, text.substr(at, 128 << 10));
    }
    EXPECT_LE(cached_pages(), before + 256);
    // What others have in it stays.
    const auto kept = files_->open_read(path("f")).value();
    ASSERT_TRUE(kept->read_at(0, 4 << 20, out));
    const auto with_theirs = cached_pages();
    EXPECT_GE(with_theirs, 1024);
    ASSERT_TRUE(file->read_at(0, 4 << 20, out));
    EXPECT_GE(cached_pages(), with_theirs);
}

TEST_F(PosixFiles, KeepOtherUsersOut) {
    ASSERT_TRUE(files_->make_directory(path("d")));
    ASSERT_TRUE(files_->create(path("d/f")));
    struct stat status {};
    ASSERT_EQ(::stat(path("d/f").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0007u, 0u);
    ASSERT_EQ(::stat(path("d").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0007u, 0u);
}

TEST(SystemClock, NeverGoesBack) {
    const auto clock = make_system_clock();
    uint64_t before = clock->monotonic_us();
    for (int i = 0; i < 1000; ++i) {
        const uint64_t now = clock->monotonic_us();
        ASSERT_GE(now, before);
        before = now;
    }
    EXPECT_GT(clock->unix_ms(), 1'600'000'000'000u);
}

constexpr uint64_t kHourMs = 3'600'000;

TEST(Clock, StampsNeverGoBackAndMeetTheWallClockAgain) {
    HandClock clock;
    EXPECT_EQ(clock.stamp_ms(), clock.wall_ms);
    clock.pass_ms(1);
    const uint64_t before = clock.stamp_ms();
    EXPECT_EQ(before, clock.wall_ms);
    clock.wall_ms -= kHourMs;
    EXPECT_EQ(clock.stamp_ms(), before);
    clock.pass_ms(1000);
    EXPECT_EQ(clock.stamp_ms(), before + 500) << "half as fast: what is later has a later stamp";
    clock.pass_ms(2 * kHourMs - 1000 - 2);
    EXPECT_GT(clock.stamp_ms(), clock.wall_ms);
    clock.pass_ms(2);
    EXPECT_EQ(clock.stamp_ms(), clock.wall_ms);
    clock.pass_ms(5);
    EXPECT_EQ(clock.stamp_ms(), clock.wall_ms);
    clock.wall_ms += 365 * 24 * kHourMs;
    EXPECT_EQ(clock.stamp_ms(), clock.wall_ms) << "a jump forwards is followed";
}

TEST(Clock, GoesOnFromWhatAnEarlierProcessStamped) {
    HandClock clock;
    clock.note_stamp(clock.wall_ms - 1);
    EXPECT_EQ(clock.stamp_ms(), clock.wall_ms);
    clock.note_stamp(clock.wall_ms + 1000);
    EXPECT_EQ(clock.stamp_ms(), clock.wall_ms + 1000);
    clock.note_stamp(0);
    EXPECT_EQ(clock.stamp_ms(), clock.wall_ms + 1000);
}

TEST(Clock, IsInDoubtForAWhileAfterAJumpForwards) {
    HandClock clock;
    EXPECT_FALSE(clock.is_in_doubt());
    clock.pass_ms(10 * kHourMs);
    EXPECT_FALSE(clock.is_in_doubt()) << "time that passes is no jump";
    clock.wall_ms += kClockJumpMs - 1;
    EXPECT_FALSE(clock.is_in_doubt());
    clock.wall_ms -= 24 * kHourMs;
    EXPECT_FALSE(clock.is_in_doubt()) << "nothing gets old by a jump back";
    clock.wall_ms += kClockJumpMs;
    EXPECT_TRUE(clock.is_in_doubt());
    clock.pass_ms(kClockDoubtUs / 1000 - 1);
    EXPECT_TRUE(clock.is_in_doubt());
    clock.pass_ms(1);
    EXPECT_FALSE(clock.is_in_doubt());
    EXPECT_EQ(clock.take_jump_ms(), -24 * static_cast<int64_t>(kHourMs) + static_cast<int64_t>(kClockJumpMs))
        << "all that was not told";
    EXPECT_EQ(clock.take_jump_ms(), 0);
}

TEST(SystemPause, WaitsUntilItIsStopped) {
    const auto pause = make_system_pause();
    EXPECT_TRUE(pause->wait_us(1));
    std::jthread stopper([&] { pause->stop(); });
    EXPECT_FALSE(pause->wait_us(uint64_t{3600} * 1'000'000));
    EXPECT_FALSE(pause->wait_us(0));
}

TEST(SystemRandom, DoesNotRepeatItself) {
    const auto random = make_system_random();
    std::set<uint64_t> seen;
    for (int i = 0; i < 1000; ++i) {
        seen.insert(random->next_u64());
    }
    EXPECT_EQ(seen.size(), 1000u);
}

TEST(SeededRandom, IsSplitmix64) {
    const auto random = make_seeded_random(1234567);
    // Published test vector of the reference implementation.
    EXPECT_EQ(random->next_u64(), 6457827717110365317u);
    EXPECT_EQ(random->next_u64(), 3203168211198807973u);
    EXPECT_EQ(random->next_u64(), 9817491932198370423u);
}

TEST(MakeUuid, IsVersionSevenAndCarriesTheTime) {
    const auto random = make_seeded_random(1);
    const auto clock = make_system_clock();
    const uint64_t before = clock->unix_ms();
    const Uuid uuid = make_uuid(*random, *clock);
    const uint64_t after = clock->unix_ms();
    uint64_t time = 0;
    for (size_t i = 0; i < 6; ++i) {
        time = time << 8 | uuid.bytes[i];
    }
    EXPECT_GE(time, before);
    EXPECT_LE(time, after);
    EXPECT_EQ(uuid.bytes[6] >> 4, 7);
    EXPECT_EQ(uuid.bytes[8] >> 6, 2);
}

}  // namespace
}  // namespace akidb::io
