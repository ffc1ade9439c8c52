#include "sim/sim_file_system.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "io/posix_file_system.h"
#include "sim/file_system_conformance.h"

namespace akidb::sim {
namespace {

class PosixWorld final : public World {
  public:
    PosixWorld() {
        root_ = (std::filesystem::temp_directory_path() / "akidb_conformance_XXXXXX").string();
        EXPECT_NE(::mkdtemp(root_.data()), nullptr);
    }
    ~PosixWorld() override { std::filesystem::remove_all(root_); }
    io::FileSystem& files() override { return *files_; }
    std::string root() const override { return root_; }

  private:
    std::string root_;
    std::unique_ptr<io::FileSystem> files_ = io::make_posix_file_system();
};

class SimWorld final : public World {
  public:
    SimWorld() { EXPECT_TRUE(files_.make_directory("/play")); }
    io::FileSystem& files() override { return files_; }
    std::string root() const override { return "/play"; }

  private:
    SimFileSystem files_{1};
};

INSTANTIATE_TEST_SUITE_P(Posix, FileSystemConformance, testing::Values([]() -> std::unique_ptr<World> {
                             return std::make_unique<PosixWorld>();
                         }));
INSTANTIATE_TEST_SUITE_P(Sim, FileSystemConformance, testing::Values([]() -> std::unique_ptr<World> {
                             return std::make_unique<SimWorld>();
                         }));

constexpr uint64_t kSeeds = 300;

std::string content(SimFileSystem& files, const std::string& path) {
    auto read = io::read_whole_file(files, path, 1 << 24);
    return read ? *read : std::string(row_of(read.error().code()).name);
}

std::string names(SimFileSystem& files, const std::string& directory) {
    std::string found;
    auto entries = files.list(directory);
    EXPECT_TRUE(entries);
    for (const io::DirectoryEntry& entry : *entries) {
        found += entry.name + " ";
    }
    return found;
}

/// All contents that the file may have after a power cut, over many seeds.
std::set<std::string> outcomes(const SimFileSystem& files, CrashModel model, const std::string& path) {
    std::set<std::string> found;
    for (uint64_t seed = 0; seed < kSeeds; ++seed) {
        found.insert(content(*files.crash_image(model, seed), path));
    }
    return found;
}

std::unique_ptr<io::AppendFile> make(SimFileSystem& files, const std::string& path) {
    auto file = files.create(path);
    EXPECT_TRUE(file) << file.error().message();
    return std::move(*file);
}

void expect_ok(const Result<void>& result) {
    EXPECT_TRUE(result.has_value()) << result.error().message();
}

class SimFiles : public testing::Test {
  protected:
    /// A file whose name and first bytes are durable.
    std::unique_ptr<io::AppendFile> durable_file(const std::string& path, std::string_view bytes) {
        auto file = make(files_, path);
        expect_ok(file->append(bytes));
        expect_ok(file->sync());
        expect_ok(files_.sync_directory("/"));
        return file;
    }

    SimFileSystem files_{42};
};

TEST_F(SimFiles, KeepWhatWasSyncedUnderEveryModel) {
    const auto file = durable_file("/log", "synced");
    for (const CrashModel model : kCrashModels) {
        EXPECT_EQ(outcomes(files_, model, "/log"), std::set<std::string>{"synced"});
    }
}

TEST_F(SimFiles, LoseANameWhoseDirectoryWasNotSynced) {
    auto file = make(files_, "/log");
    expect_ok(file->append("x"));
    expect_ok(file->sync());
    EXPECT_EQ(content(*files_.crash_image(CrashModel::kAllUnsyncedLost, 1), "/log"), "NOT_FOUND");
    EXPECT_EQ(content(*files_.crash_image(CrashModel::kAllKept, 1), "/log"), "x");
    EXPECT_EQ(outcomes(files_, CrashModel::kReorderedNames, "/log"),
              (std::set<std::string>{"x", "NOT_FOUND"}));
}

TEST_F(SimFiles, LoseOrKeepUnsyncedBytesAsTheModelSays) {
    const auto file = durable_file("/log", "AB");
    expect_ok(file->append("CD"));
    expect_ok(file->append("E"));
    using Set = std::set<std::string>;
    const std::string z(1, '\0');
    EXPECT_EQ(outcomes(files_, CrashModel::kAllUnsyncedLost, "/log"), Set{"AB"});
    EXPECT_EQ(outcomes(files_, CrashModel::kAllKept, "/log"), Set{"ABCDE"});
    EXPECT_EQ(outcomes(files_, CrashModel::kReorderedNames, "/log"), Set{"ABCDE"});
    EXPECT_EQ(outcomes(files_, CrashModel::kPrefixPerFile, "/log"), (Set{"AB", "ABC", "ABCD", "ABCDE"}));
    EXPECT_EQ(outcomes(files_, CrashModel::kRandomSectors, "/log"), (Set{"AB", "AB" + z + z + z, "ABCDE"}));
    EXPECT_EQ(outcomes(files_, CrashModel::kTornLastPage, "/log"), (Set{"ABCD", "ABCD" + z, "ABCDE"}));
    EXPECT_EQ(outcomes(files_, CrashModel::kGrownButZero, "/log"), (Set{"AB" + z + z + z, "ABCDE"}));
}

TEST_F(SimFiles, KeepAnySubsetOfSectors) {
    const auto file = durable_file("/log", std::string(512, 'a'));
    expect_ok(file->append(std::string(512, 'b') + std::string(512, 'c')));
    std::set<std::string> shapes;
    for (const std::string& bytes : outcomes(files_, CrashModel::kRandomSectors, "/log")) {
        ASSERT_EQ(bytes.substr(0, 512), std::string(512, 'a')) << "a synced sector changed";
        std::string shape;
        for (size_t at = 0; at < bytes.size(); at += 512) {
            ASSERT_EQ(bytes.substr(at, 512), std::string(512, bytes[at])) << "a torn sector";
            shape += bytes[at] == '\0' ? '0' : bytes[at];
        }
        shapes.insert(shape);
    }
    EXPECT_EQ(shapes, (std::set<std::string>{"a", "a00", "ab", "ab0", "a0c", "abc"}));
}

TEST_F(SimFiles, TearOnlyTheLastPage) {
    const auto file = durable_file("/log", "");
    expect_ok(file->append(std::string(10000, 'x')));
    for (const std::string& bytes : outcomes(files_, CrashModel::kTornLastPage, "/log")) {
        ASSERT_GE(bytes.size(), 8192u);
        ASSERT_EQ(bytes.substr(0, 8192), std::string(8192, 'x'));
    }
    EXPECT_GT(outcomes(files_, CrashModel::kTornLastPage, "/log").size(), 50u);
}

TEST_F(SimFiles, KeepPreallocatedZerosAndOldBytesInThem) {
    const auto file = durable_file("/log", "head");
    expect_ok(file->append("more"));
    expect_ok(file->preallocate(100));
    const std::string zeros(92, '\0');
    EXPECT_EQ(outcomes(files_, CrashModel::kAllUnsyncedLost, "/log"),
              std::set<std::string>{"headmore" + zeros});
    expect_ok(file->append("lost"));
    for (const std::string& bytes : outcomes(files_, CrashModel::kGrownButZero, "/log")) {
        EXPECT_EQ(bytes.size(), 100u);
        EXPECT_EQ(bytes.substr(0, 8), "headmore");
        EXPECT_TRUE(bytes.substr(8, 4) == "lost" || bytes.substr(8, 4) == std::string(4, '\0'));
    }
}

TEST_F(SimFiles, ShowHalfOfAPreallocationWhenThePowerGoesInIt) {
    const auto file = durable_file("/log", "head");
    files_.crash_after(files_.calls() + 1);  // after the zeros are written, before they are synced
    EXPECT_EQ(file->preallocate(100000).error().code(), Code::kUnavailable);
    EXPECT_EQ(outcomes(files_, CrashModel::kAllUnsyncedLost, "/log"), std::set<std::string>{"head"});
    EXPECT_GT(outcomes(files_, CrashModel::kPrefixPerFile, "/log").size(), 10u);
}

TEST_F(SimFiles, ReplaceAFileAtomicallyOnlyWithEveryStepOfTheRule) {
    durable_file("/M", "old");
    const std::set<std::string> old_or_new{"old", "new content"};
    for (uint64_t step = 0;; ++step) {
        auto files = files_.crash_image(CrashModel::kAllKept, step);
        files->crash_after(step);
        const bool done = io::write_file_atomically(*files, "/", "M", "new content").has_value();
        for (const CrashModel model : kCrashModels) {
            for (const std::string& found : outcomes(*files, model, "/M")) {
                ASSERT_TRUE(old_or_new.contains(found)) << found << " after call " << step;
                ASSERT_TRUE(!done || found == "new content");
            }
        }
        if (done) {
            EXPECT_EQ(step, 7u);
            break;
        }
    }
}

TEST_F(SimFiles, CatchARenameWithoutASyncOfTheFile) {
    durable_file("/M", "old");
    auto file = make(files_, "/M.tmp");
    expect_ok(file->append("new"));
    expect_ok(files_.rename("/M.tmp", "/M"));
    expect_ok(files_.sync_directory("/"));
    EXPECT_EQ(content(*files_.crash_image(CrashModel::kAllUnsyncedLost, 1), "/M"), "");
}

TEST_F(SimFiles, KeepChangesOfNamesIndependentlyButInPrefixesWhereTheModelSays) {
    durable_file("/a", "a");
    durable_file("/b", "b");
    expect_ok(files_.remove("/a"));
    expect_ok(files_.remove("/b"));
    std::set<std::string> reordered;
    std::set<std::string> prefixes;
    for (uint64_t seed = 0; seed < kSeeds; ++seed) {
        reordered.insert(names(*files_.crash_image(CrashModel::kReorderedNames, seed), "/"));
        prefixes.insert(names(*files_.crash_image(CrashModel::kPrefixPerFile, seed), "/"));
    }
    EXPECT_EQ(reordered, (std::set<std::string>{"", "a ", "b ", "a b "}));
    EXPECT_EQ(prefixes, (std::set<std::string>{"", "b ", "a b "}));
}

TEST_F(SimFiles, LoseAWholeTreeWithTheNameOfItsDirectory) {
    expect_ok(files_.make_directory("/d"));
    auto file = make(files_, "/d/f");
    expect_ok(file->append("x"));
    expect_ok(file->sync());
    expect_ok(files_.sync_directory("/d"));
    EXPECT_EQ(names(*files_.crash_image(CrashModel::kAllUnsyncedLost, 1), "/"), "");
    expect_ok(files_.sync_directory("/"));
    EXPECT_EQ(content(*files_.crash_image(CrashModel::kAllUnsyncedLost, 1), "/d/f"), "x");
}

TEST_F(SimFiles, MoveBetweenDirectoriesInOneStep) {
    expect_ok(files_.make_directory("/from"));
    expect_ok(files_.make_directory("/to"));
    expect_ok(files_.sync_directory("/"));
    make(files_, "/from/f");
    expect_ok(files_.rename("/from/f", "/to/f"));
    auto image = files_.crash_image(CrashModel::kAllUnsyncedLost, 1);
    EXPECT_EQ(names(*image, "/from") + names(*image, "/to"), "");
    expect_ok(files_.sync_directory("/to"));
    for (const CrashModel model : kCrashModels) {
        image = files_.crash_image(model, 1);
        EXPECT_EQ(names(*image, "/from"), "");
        EXPECT_EQ(names(*image, "/to"), "f ");
    }
}

TEST_F(SimFiles, FailEveryCallFromThePowerCutOn) {
    const auto file = durable_file("/log", "x");
    files_.crash_after(files_.calls());
    EXPECT_EQ(file->append("y").error().code(), Code::kUnavailable);
    EXPECT_TRUE(files_.power_is_off());
    EXPECT_EQ(files_.list("/").error().message(), "list /: power is off");
    EXPECT_EQ(file->sync().error().code(), Code::kUnavailable);
    EXPECT_EQ(content(*files_.crash_image(CrashModel::kAllKept, 1), "/log"), "x");
}

TEST_F(SimFiles, NeverHealAFailedSync) {
    const auto file = durable_file("/log", "A");
    expect_ok(file->append("B"));
    files_.fail_call(files_.calls(), Fault::kFailedSync, false);
    EXPECT_EQ(file->sync().error().code(), Code::kInternal);
    EXPECT_EQ(files_.faults_hit(), 1u);
    EXPECT_EQ(content(files_, "/log"), "AB") << "the cache still shows it";
    expect_ok(file->append("C"));
    expect_ok(file->sync());
    EXPECT_EQ(content(*files_.crash_image(CrashModel::kAllKept, 1), "/log"), std::string("A\0C", 3));
}

TEST_F(SimFiles, KeepNamesPendingThroughAFailedSyncOfTheirDirectory) {
    make(files_, "/f");
    files_.fail_call(0, Fault::kFailedSync, false);
    EXPECT_FALSE(files_.sync_directory("/"));
    EXPECT_EQ(names(files_, "/"), "f ");
    EXPECT_EQ(names(*files_.crash_image(CrashModel::kAllUnsyncedLost, 1), "/"), "");
    expect_ok(files_.sync_directory("/"));
    EXPECT_EQ(names(*files_.crash_image(CrashModel::kAllUnsyncedLost, 1), "/"), "f ");
}

TEST_F(SimFiles, ReviveAfterAKillWithNothingLostAndNothingMoreDurable) {
    make(files_, "/f");
    files_.crash_after(files_.calls());
    EXPECT_FALSE(files_.sync_directory("/"));
    files_.revive();
    EXPECT_EQ(names(files_, "/"), "f ");
    EXPECT_EQ(names(*files_.crash_image(CrashModel::kAllUnsyncedLost, 1), "/"), "");
}

TEST_F(SimFiles, AllowAppendsIntoPreallocatedSpaceOnAFullDisk) {
    const auto file = durable_file("/log", "");
    expect_ok(file->preallocate(8));
    files_.fail_call(files_.calls(), Fault::kDiskFull, true);
    expect_ok(file->append("12345678"));
    expect_ok(file->sync());
    EXPECT_EQ(file->append("9").error().code(), Code::kDiskFull);
    EXPECT_EQ(file->preallocate(100).error().code(), Code::kDiskFull);
    EXPECT_EQ(file->size(), 8u);
    EXPECT_EQ(files_.create("/other").error().code(), Code::kDiskFull);
    EXPECT_EQ(files_.free_bytes("/").value(), 0u);
    files_.clear_faults();
    expect_ok(file->append("9"));
    EXPECT_EQ(content(files_, "/log"), "123456789");
}

TEST_F(SimFiles, LeaveAPartBehindTheLogicalEndAfterAShortWrite) {
    std::set<std::string> left;
    for (uint64_t seed = 0; seed < 50; ++seed) {
        SimFileSystem files(seed);
        const auto file = make(files, "/log");
        expect_ok(file->append("A"));
        files.fail_call(0, Fault::kShortWrite, false);
        EXPECT_EQ(file->append("BCD").error().code(), Code::kInternal);
        EXPECT_EQ(file->size(), 1u);
        left.insert(content(files, "/log"));
        expect_ok(file->append("xyz"));
        EXPECT_EQ(content(files, "/log"), "Axyz");
    }
    EXPECT_EQ(left, (std::set<std::string>{"A", "AB", "ABC"}));
}

TEST_F(SimFiles, HitTheFirstCallThatCanHaveTheFaultOnceOrFromThenOn) {
    const auto file = durable_file("/log", "");
    files_.fail_call(files_.calls() + 1, Fault::kIoError, false);
    expect_ok(file->append("a"));
    EXPECT_FALSE(file->append("b"));
    expect_ok(file->append("c"));
    files_.fail_call(files_.calls(), Fault::kIoError, true);
    EXPECT_FALSE(files_.open_read("/log"));
    EXPECT_FALSE(files_.list("/"));
    EXPECT_EQ(files_.faults_hit(), 3u);
}

TEST_F(SimFiles, LogEveryCallBeforeItTakesEffect) {
    std::vector<uint64_t> sizes;
    files_.before_each_call([&](uint64_t call, Verb) {
        EXPECT_EQ(call, sizes.size());
        sizes.push_back(files_.total_bytes());
    });
    const auto file = make(files_, "/log");
    expect_ok(file->append("abc"));
    expect_ok(file->sync());
    EXPECT_EQ(sizes, (std::vector<uint64_t>{0, 0, 3}));
    ASSERT_EQ(files_.log().size(), 3u);
    EXPECT_EQ(files_.log()[1].verb, Verb::kAppend);
    EXPECT_EQ(files_.log()[1].path, "/log");
    EXPECT_EQ(files_.log()[1].bytes, 3u);
    EXPECT_TRUE(mutates(Verb::kLock) && !mutates(Verb::kOpenRead));
}

TEST_F(SimFiles, FlipOneBitOnDiskAndInMemory) {
    const auto file = durable_file("/log", "abc");
    expect_ok(file->append("def"));
    EXPECT_TRUE(files_.bit_flip("/log", 1));
    EXPECT_TRUE(files_.bit_flip("/log", 4));
    EXPECT_FALSE(files_.bit_flip("/log", 6));
    EXPECT_FALSE(files_.bit_flip("/none", 0));
    expect_ok(file->sync());
    const std::string now = content(files_, "/log");
    EXPECT_EQ(content(*files_.crash_image(CrashModel::kAllUnsyncedLost, 1), "/log"), now);
    EXPECT_EQ(__builtin_popcount(static_cast<unsigned>(now[1] ^ 'b')), 1);
    EXPECT_EQ(__builtin_popcount(static_cast<unsigned>(now[4] ^ 'e')), 1);
    EXPECT_EQ(now[0], 'a');
}

TEST_F(SimFiles, MakeImagesThatAreIndependentAndCrashAgain) {
    const auto file = durable_file("/log", "abc");
    auto image = files_.crash_image(CrashModel::kAllKept, 1);
    expect_ok(image->remove("/log"));
    auto second = image->crash_image(CrashModel::kAllUnsyncedLost, 2);
    EXPECT_TRUE(image->bit_flip("/log", 0) == false && second->bit_flip("/log", 0));
    EXPECT_NE(content(*second, "/log"), "abc");
    expect_ok(file->append("def"));
    EXPECT_EQ(content(files_, "/log"), "abcdef");
    EXPECT_EQ(files_.file_count(), 1u);
    EXPECT_EQ(image->file_count(), 0u);
}

TEST_F(SimFiles, DrawTheSameImageFromTheSameSeed) {
    const auto file = durable_file("/log", "abc");
    for (int i = 0; i < 40; ++i) {
        expect_ok(file->append(std::string(100, static_cast<char>('a' + i))));
        make(files_, "/" + std::to_string(i));
    }
    for (const CrashModel model : kCrashModels) {
        for (uint64_t seed = 0; seed < 20; ++seed) {
            const auto one = files_.crash_image(model, seed);
            const auto two = files_.crash_image(model, seed);
            EXPECT_EQ(names(*one, "/"), names(*two, "/"));
            EXPECT_EQ(content(*one, "/log"), content(*two, "/log"));
        }
    }
}

}  // namespace
}  // namespace akidb::sim
