#include "storage/disk_space.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "io/posix_file_system.h"
#include "storage/files_for_tests.h"
#include "storage/layout.h"

namespace akidb::storage {
namespace {

constexpr uint64_t kHard = 1000;
constexpr uint64_t kSoft = 3000;
constexpr uint64_t kBallast = 500;

/// A disk whose free space the test sets; files of it are real.
class SmallDisk final : public FaultyFileSystem {
  public:
    Result<uint64_t> free_bytes(const std::string&) override {
        if (!is_known) {
            return Error(Code::kInternal, "statvfs failed");
        }
        return free - (has_ballast ? kBallast : 0);
    }
    Result<uint64_t> volume_bytes(const std::string&) override { return volume; }
    Result<void> occupy(const std::string& path, uint64_t bytes) override {
        has_ballast = true;
        return FaultyFileSystem::occupy(path, bytes);
    }
    Result<void> remove(const std::string& path) override {
        has_ballast = has_ballast && !path.ends_with(kBallastName);
        return FaultyFileSystem::remove(path);
    }

    uint64_t volume = 1'000'000;
    uint64_t free = 100'000;
    bool has_ballast = false;
    bool is_known = true;
};

class StillClock final : public io::Clock {
  public:
    uint64_t monotonic_us() const override { return now_us; }
    uint64_t unix_ms() const override { return 0; }
    uint64_t now_us = 1'000'000;
};

class DiskSpaceTest : public ::testing::Test {
  protected:
    DiskSpaceTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "akidb-disk-XXXXXX").string();
        root_ = ::mkdtemp(pattern.data());
    }
    ~DiskSpaceTest() override { std::filesystem::remove_all(root_); }

    DiskSpace open(uint64_t ballast = kBallast) {
        return DiskSpace(files_, clock_, root_,
                         {.soft_free_bytes = kSoft, .hard_free_bytes = kHard, .ballast_bytes = ballast});
    }
    uint64_t ballast_on_disk() const {
        std::error_code error;
        const uintmax_t size = std::filesystem::file_size(root_ + "/BALLAST", error);
        return error ? 0 : size;
    }

    std::string root_;
    SmallDisk files_;
    StillClock clock_;
};

TEST_F(DiskSpaceTest, TellsTheLevelAtEachMark) {
    DiskSpace disk = open(0);
    for (const auto& [free, level] :
         {std::pair{kSoft + 1, DiskLevel::kPlenty}, std::pair{kSoft, DiskLevel::kPlenty},
          std::pair{kSoft - 1, DiskLevel::kLow}, std::pair{kHard + 1, DiskLevel::kLow},
          std::pair{kHard, DiskLevel::kLow}, std::pair{kHard - 1, DiskLevel::kFull}}) {
        files_.free = free;
        EXPECT_EQ(disk.tend(), level) << free;
    }
}

TEST_F(DiskSpaceTest, AdmitsWhatLeavesTheHardMarkFree) {
    files_.free = kHard + 100;
    DiskSpace disk = open(0);
    EXPECT_FALSE(disk.admits(101));
    EXPECT_TRUE(disk.admits(100));
    EXPECT_TRUE(disk.admits(99))
        << "what was admitted is on the disk by the next look, which a refusal forces";
    files_.free = kHard - 1;
    clock_.now_us += 100'000;
    EXPECT_FALSE(disk.admits(1));
    files_.free = kSoft;
    EXPECT_TRUE(disk.admits(1)) << "at once, when there is space again";
}

TEST_F(DiskSpaceTest, CountsWhatItAdmittedSinceTheLastLook) {
    files_.free = kHard + 100;
    DiskSpace disk = open(0);
    EXPECT_TRUE(disk.admits(60));
    files_.free = kHard + 40;
    EXPECT_FALSE(disk.admits(60));
}

TEST_F(DiskSpaceTest, KeepsTheBallastAcrossRestartsAndRemakesOneOfAnotherSize) {
    {
        const DiskSpace disk = open();
        EXPECT_EQ(disk.ballast_bytes(), kBallast);
        EXPECT_EQ(ballast_on_disk(), kBallast);
    }
    EXPECT_EQ(open().ballast_bytes(), kBallast);
    std::filesystem::resize_file(root_ + "/BALLAST", 7);
    EXPECT_EQ(open().ballast_bytes(), kBallast);
    EXPECT_EQ(ballast_on_disk(), kBallast);
    EXPECT_EQ(open(0).ballast_bytes(), 0u);
    EXPECT_EQ(ballast_on_disk(), 0u);
}

TEST_F(DiskSpaceTest, TakesAtMostATenthOfTheDisk) {
    files_.volume = 1000;
    EXPECT_EQ(open().ballast_bytes(), 100u);
}

TEST_F(DiskSpaceTest, TheBallastGivenUpIsNotForUpserts) {
    files_.free = kHard + kBallast + 10;
    DiskSpace disk = open();
    ASSERT_EQ(disk.ballast_bytes(), kBallast);
    files_.free = kHard + kBallast - 1;
    EXPECT_EQ(disk.tend(), DiskLevel::kFull);
    EXPECT_TRUE(disk.release_ballast());
    EXPECT_FALSE(disk.release_ballast()) << "it is gone";
    EXPECT_EQ(ballast_on_disk(), 0u);
    EXPECT_FALSE(disk.admits(1));
    EXPECT_EQ(disk.tend(), DiskLevel::kFull);
    EXPECT_EQ(disk.ballast_bytes(), 0u);

    files_.free = kHard + kBallast;
    EXPECT_EQ(disk.tend(), DiskLevel::kLow) << "there is room for the ballast and the mark";
    EXPECT_EQ(disk.ballast_bytes(), kBallast);
    EXPECT_EQ(ballast_on_disk(), kBallast);
}

TEST_F(DiskSpaceTest, MakesNoBallastWithoutRoomForIt) {
    files_.free = kHard + kBallast - 1;
    DiskSpace disk = open();
    EXPECT_EQ(disk.ballast_bytes(), 0u);
    EXPECT_FALSE(disk.release_ballast());
}

TEST_F(DiskSpaceTest, ADiskThatCannotBeAskedRefusesNothing) {
    files_.is_known = false;
    DiskSpace disk = open();
    EXPECT_EQ(disk.level(), DiskLevel::kPlenty);
    EXPECT_TRUE(disk.admits(1 << 30));
}

TEST_F(DiskSpaceTest, DefaultMarksFitSmallAndLargeDisks) {
    const uint64_t gib = uint64_t{1} << 30;
    files_.volume = gib;
    const DiskSpace small(files_, clock_, root_, {.ballast_bytes = 0});
    EXPECT_EQ(small.soft_free_bytes(), 2 * gib);
    EXPECT_EQ(small.hard_free_bytes(), gib / 4);
    files_.volume = 1000 * gib;
    const DiskSpace large(files_, clock_, root_, {.ballast_bytes = 0});
    EXPECT_EQ(large.soft_free_bytes(), 50 * gib);
    EXPECT_EQ(large.hard_free_bytes(), 10 * gib);
}

}  // namespace
}  // namespace akidb::storage
