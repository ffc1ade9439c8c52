// What every io::FileSystem must do, as one parameterised suite: PosixFileSystem and SimFileSystem both run
// it, so that what holds in a simulation holds on a disk as far as a running process can see. To run it for a
// file system, include this in one test file and INSTANTIATE_TEST_SUITE_P(Name, FileSystemConformance,
// Values(make_world)). Durability is outside: only a simulated disk can lose its power. Single-threaded.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/file_system.h"

namespace akidb::sim {

/// A file system, and an empty directory in it to play in, gone with the object.
class World {
  public:
    virtual ~World() = default;
    virtual io::FileSystem& files() = 0;
    virtual std::string root() const = 0;
};

using MakeWorld = std::function<std::unique_ptr<World>()>;

class FileSystemConformance : public testing::TestWithParam<MakeWorld> {
  public:
    FileSystemConformance() : world_(GetParam()()), files_(world_->files()) {}

    std::string path(const std::string& name) const { return world_->root() + "/" + name; }

    void make_file(const std::string& name, std::string_view content) {
        auto file = files_.create(path(name));
        ASSERT_TRUE(file) << file.error().message();
        ASSERT_TRUE((*file)->append(content));
        ASSERT_TRUE((*file)->close());
    }
    std::string content(const std::string& name) {
        auto read = io::read_whole_file(files_, path(name), 1 << 24);
        return read ? *read : "error: " + read.error().message();
    }
    std::vector<std::string> names(const std::string& directory) {
        std::vector<std::string> found;
        auto entries = files_.list(directory);
        EXPECT_TRUE(entries) << entries.error().message();
        for (const io::DirectoryEntry& entry : *entries) {
            found.push_back(entry.name + (entry.is_directory ? "/" : ":" + std::to_string(entry.size)));
        }
        return found;
    }
    template <class T>
    static Code code_of(const Result<T>& result) {
        EXPECT_FALSE(result.has_value());
        return result.has_value() ? Code::kCancelled : result.error().code();
    }
    template <class T>
    static void expect_ok(const Result<T>& result) {
        EXPECT_TRUE(result.has_value()) << result.error().message();
    }

  protected:
    using Names = std::vector<std::string>;

    std::unique_ptr<World> world_;
    io::FileSystem& files_;
};

TEST_P(FileSystemConformance, ShowsAppendedBytesAtOnce) {
    auto file = files_.create(path("log"));
    ASSERT_TRUE(file);
    expect_ok((*file)->append("one"));
    auto reader = files_.open_read(path("log"));
    ASSERT_TRUE(reader);
    EXPECT_EQ((*reader)->size(), 3u);
    expect_ok((*file)->append("two"));
    expect_ok((*file)->append(""));
    EXPECT_EQ((*file)->size(), 6u);
    std::string bytes = "old";
    expect_ok((*reader)->read_at(2, 3, bytes));
    EXPECT_EQ(bytes, "etw");
    expect_ok((*file)->sync());
    expect_ok((*file)->close());
    EXPECT_EQ(content("log"), "onetwo");
}

TEST_P(FileSystemConformance, KeepsLargeAppendsWhole) {
    std::string large(3 * 1024 * 1024 + 17, 'a');
    for (size_t i = 0; i < large.size(); i += 997) {
        large[i] = static_cast<char>('a' + i % 26);
    }
    auto file = files_.create(path("large"));
    ASSERT_TRUE(file);
    expect_ok((*file)->append(std::string_view(large).substr(0, 5000)));
    expect_ok((*file)->append(std::string_view(large).substr(5000)));
    EXPECT_TRUE(content("large") == large);
    for (const bool is_cached : {true, false}) {
        std::string middle;
        auto reader = is_cached ? files_.open_read(path("large")) : files_.open_uncached(path("large"));
        ASSERT_TRUE(reader);
        EXPECT_EQ((*reader)->size(), large.size());
        expect_ok((*reader)->read_at(4095, 8194, middle));
        EXPECT_TRUE(middle == large.substr(4095, 8194));
        expect_ok((*reader)->read_at(large.size() - 9'000, 9'000, middle));
        EXPECT_TRUE(middle == large.substr(large.size() - 9'000));
    }
}

TEST_P(FileSystemConformance, RefusesToReadPastTheEndWithoutAllocating) {
    make_file("short", "12345");
    for (const bool is_cached : {true, false}) {
        auto reader = is_cached ? files_.open_read(path("short")) : files_.open_uncached(path("short"));
        ASSERT_TRUE(reader);
        std::string bytes;
        EXPECT_EQ(code_of((*reader)->read_at(0, 6, bytes)), Code::kDataLoss);
        EXPECT_EQ(code_of((*reader)->read_at(6, 0, bytes)), Code::kDataLoss);
        EXPECT_EQ(code_of((*reader)->read_at(UINT64_MAX, 2, bytes)), Code::kDataLoss);
        EXPECT_EQ(code_of((*reader)->read_at(0, size_t{1} << 60, bytes)), Code::kDataLoss);
        expect_ok((*reader)->read_at(5, 0, bytes));
        EXPECT_EQ(bytes, "");
    }
    EXPECT_EQ(code_of(io::read_whole_file(files_, path("short"), 4)), Code::kDataLoss);
}

TEST_P(FileSystemConformance, PreallocatesZerosBehindTheLogicalEnd) {
    auto file = files_.create(path("log"));
    ASSERT_TRUE(file);
    expect_ok((*file)->append("head"));
    expect_ok((*file)->preallocate(10000));
    EXPECT_EQ((*file)->size(), 4u);
    EXPECT_EQ((*file)->allocated(), 10000u);
    expect_ok((*file)->append("tail"));
    expect_ok((*file)->preallocate(500));  // less than there is
    EXPECT_EQ((*file)->allocated(), 10000u);
    EXPECT_TRUE(content("log") == "headtail" + std::string(9992, '\0'));
    expect_ok((*file)->append(std::string(10000, 'x')));
    EXPECT_EQ((*file)->allocated(), 10008u);
    EXPECT_EQ(content("log").size(), 10008u);
}

TEST_P(FileSystemConformance, TellsWhyANameCannotBeUsed) {
    make_file("file", "x");
    expect_ok(files_.make_directory(path("directory")));
    EXPECT_EQ(code_of(files_.create(path("file"))), Code::kAlreadyExists);
    EXPECT_EQ(code_of(files_.create(path("directory"))), Code::kAlreadyExists);
    EXPECT_EQ(code_of(files_.create(path("none/file"))), Code::kNotFound);
    EXPECT_EQ(code_of(files_.create(path("file/file"))), Code::kInternal);
    EXPECT_EQ(code_of(files_.open_read(path("none"))), Code::kNotFound);
    EXPECT_EQ(code_of(files_.open_read(path("directory"))), Code::kInternal);
    EXPECT_EQ(code_of(files_.map(path("none"))), Code::kNotFound);
    EXPECT_EQ(code_of(files_.map(path("directory"))), Code::kInternal);
    EXPECT_EQ(code_of(files_.list(path("none"))), Code::kNotFound);
    EXPECT_EQ(code_of(files_.list(path("file"))), Code::kInternal);
    EXPECT_EQ(code_of(files_.remove(path("none"))), Code::kNotFound);
    EXPECT_EQ(code_of(files_.remove(path("directory"))), Code::kInternal);
    EXPECT_EQ(code_of(files_.remove_directory(path("none"))), Code::kNotFound);
    EXPECT_EQ(code_of(files_.remove_directory(path("file"))), Code::kInternal);
    EXPECT_EQ(code_of(files_.make_directory(path("file"))), Code::kAlreadyExists);
    EXPECT_EQ(code_of(files_.make_directory(path("none/directory"))), Code::kNotFound);
    EXPECT_EQ(code_of(files_.sync_directory(path("none"))), Code::kNotFound);
    EXPECT_EQ(code_of(files_.sync_directory(path("file"))), Code::kInternal);
    EXPECT_EQ(code_of(files_.free_bytes(path("none"))), Code::kNotFound);
}

TEST_P(FileSystemConformance, ListsSortedWithKindsAndSizes) {
    make_file("b", "123");
    make_file("a", "");
    expect_ok(files_.make_directory(path("c")));
    expect_ok(files_.make_directory(path("c")));  // already there
    make_file("c/inner", "1");
    EXPECT_EQ(names(world_->root()), (Names{"a:0", "b:3", "c/"}));
    EXPECT_EQ(names(path("c")), (Names{"inner:1"}));
    EXPECT_GT(files_.free_bytes(world_->root()).value(), 0u);
}

TEST_P(FileSystemConformance, RenamesOverAFileInOneStep) {
    make_file("old", "old");
    make_file("new", "new");
    auto reader = files_.open_read(path("old"));
    ASSERT_TRUE(reader);
    expect_ok(files_.rename(path("new"), path("old")));
    EXPECT_EQ(names(world_->root()), (Names{"old:3"}));
    EXPECT_EQ(content("old"), "new");
    std::string bytes;
    expect_ok((*reader)->read_at(0, 3, bytes));
    EXPECT_EQ(bytes, "old") << "an open file must outlive its name";
    EXPECT_EQ(code_of(files_.rename(path("none"), path("x"))), Code::kNotFound);
    EXPECT_EQ(code_of(files_.rename(path("old"), path("none/x"))), Code::kNotFound);
    expect_ok(files_.rename(path("old"), path("old")));
}

TEST_P(FileSystemConformance, RenamesToANewNameOnly) {
    make_file("a", "new");
    make_file("b", "old");
    EXPECT_EQ(code_of(files_.rename_new(path("a"), path("b"))), Code::kAlreadyExists);
    EXPECT_EQ(content("b"), "old");
    EXPECT_EQ(content("a"), "new");
    expect_ok(files_.rename_new(path("a"), path("c")));
    EXPECT_EQ(content("c"), "new");
    EXPECT_EQ(code_of(files_.open_read(path("a"))), Code::kNotFound);
    EXPECT_EQ(code_of(files_.rename_new(path("nothing"), path("d"))), Code::kNotFound);
}

TEST_P(FileSystemConformance, RenamesDirectoriesWithWhatTheyHold) {
    expect_ok(files_.make_directory(path("staging")));
    expect_ok(files_.make_directory(path("home")));
    expect_ok(files_.make_directory(path("full")));
    expect_ok(files_.make_directory(path("empty")));
    make_file("staging/data", "123");
    make_file("full/data", "1");
    make_file("file", "1");
    EXPECT_FALSE(files_.rename(path("staging"), path("full")));
    EXPECT_FALSE(files_.rename(path("staging"), path("file")));
    EXPECT_FALSE(files_.rename(path("file"), path("empty")));
    EXPECT_FALSE(files_.rename(path("staging"), path("staging/inner")));
    expect_ok(files_.rename(path("staging"), path("home/collection")));
    EXPECT_EQ(content("home/collection/data"), "123");
    expect_ok(files_.rename(path("full"), path("empty")));
    EXPECT_EQ(names(world_->root()), (Names{"empty/", "file:1", "home/"}));
}

TEST_P(FileSystemConformance, RemovesOnlyEmptyDirectories) {
    expect_ok(files_.make_directory(path("d")));
    make_file("d/f", "x");
    EXPECT_EQ(code_of(files_.remove_directory(path("d"))), Code::kInternal);
    expect_ok(files_.remove(path("d/f")));
    expect_ok(files_.remove_directory(path("d")));
    expect_ok(files_.sync_directory(world_->root()));
    EXPECT_EQ(names(world_->root()), Names{});
}

TEST_P(FileSystemConformance, KeepsMappedBytesAfterTheNameIsGone) {
    make_file("segment", std::string(10000, 's'));
    make_file("empty", "");
    auto mapped = files_.map(path("segment"));
    auto empty = files_.map(path("empty"));
    ASSERT_TRUE(mapped);
    ASSERT_TRUE(empty);
    expect_ok(files_.remove(path("segment")));
    EXPECT_TRUE((*mapped)->bytes() == std::string(10000, 's'));
    EXPECT_TRUE((*empty)->bytes().empty());
    EXPECT_EQ(code_of(files_.map(path("segment"))), Code::kNotFound);
}

TEST_P(FileSystemConformance, LocksOnceUntilLetGo) {
    auto held = files_.lock(path("LOCK"));
    ASSERT_TRUE(held);
    EXPECT_EQ(code_of(files_.lock(path("LOCK"))), Code::kConflict);
    held->reset();
    expect_ok(files_.lock(path("LOCK")));
    EXPECT_EQ(code_of(files_.lock(path("none/LOCK"))), Code::kNotFound);
}

TEST_P(FileSystemConformance, WritesFilesAtomicallyAndHealsALeftover) {
    expect_ok(io::write_file_atomically(files_, world_->root(), "MANIFEST", "first"));
    make_file("MANIFEST" + std::string(io::kTemporarySuffix), "half of a sec");
    expect_ok(io::write_file_atomically(files_, world_->root(), "MANIFEST", "second"));
    EXPECT_EQ(content("MANIFEST"), "second");
    EXPECT_EQ(names(world_->root()), (Names{"MANIFEST:6"}));
    EXPECT_EQ(code_of(io::write_file_atomically(files_, path("none"), "x", "y")), Code::kNotFound);
}

TEST_P(FileSystemConformance, RemovesTreesAndIsContentWhenThereIsNone) {
    expect_ok(files_.make_directory(path("tree")));
    expect_ok(files_.make_directory(path("tree/branch")));
    make_file("tree/branch/leaf", "x");
    make_file("tree/leaf", "x");
    make_file("other", "x");
    expect_ok(io::remove_tree(files_, world_->root(), "tree"));
    expect_ok(io::remove_tree(files_, world_->root(), "tree"));
    expect_ok(io::remove_tree(files_, path("none"), "tree"));
    EXPECT_EQ(names(world_->root()), (Names{"other:1"}));
}

}  // namespace akidb::sim
