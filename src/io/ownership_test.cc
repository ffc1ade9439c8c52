#include "io/ownership.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace akidb::io {
namespace {

namespace fs = std::filesystem;

class OwnershipTest : public testing::Test {
  protected:
    OwnershipTest() {
        std::string pattern = (fs::temp_directory_path() / "akidb-owner-XXXXXX").string();
        root_ = ::mkdtemp(pattern.data());
    }
    ~OwnershipTest() override { fs::remove_all(root_); }
    uid_t user_of(const std::string& path) const {
        struct stat found {};
        EXPECT_EQ(::lstat((root_ + path).c_str(), &found), 0) << path;
        return found.st_uid;
    }

    std::string root_;
};

TEST_F(OwnershipTest, GivesWhatRootMadeAndNothingElse) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "only root can give files away";
    }
    constexpr Owner kOther{12'345, 23'456};
    fs::create_directories(root_ + "/data/collections/one");
    std::ofstream(root_ + "/data/collections/one/segment") << "x";
    std::ofstream(root_ + "/data/of-a-third") << "x";
    ASSERT_EQ(::chown((root_ + "/data/of-a-third").c_str(), 777, 777), 0);
    std::ofstream(root_ + "/outside") << "x";
    fs::create_hard_link(root_ + "/outside", root_ + "/data/second-name");
    fs::create_symlink(root_ + "/outside", root_ + "/data/link");
    fs::create_directories(root_ + "/elsewhere");
    fs::create_symlink(root_ + "/elsewhere", root_ + "/data/link-to-directory");
    ASSERT_EQ(::mkfifo((root_ + "/data/pipe").c_str(), 0600), 0);
    const Result<void> given = give_tree(root_ + "/data", kOther);
    ASSERT_TRUE(given) << given.error().message();
    for (const char* path :
         {"/data", "/data/collections", "/data/collections/one", "/data/collections/one/segment"}) {
        EXPECT_EQ(user_of(path), kOther.user) << path;
        EXPECT_EQ(*owner_of(root_ + path), kOther) << path;
    }
    EXPECT_EQ(user_of("/data/of-a-third"), 777u);
    for (const char* path : {"/outside", "/elsewhere", "/data/link", "/data/second-name", "/data/pipe"}) {
        EXPECT_EQ(user_of(path), 0u) << path;
    }
    ASSERT_TRUE(give_tree(root_ + "/elsewhere", {0, 5}));
    EXPECT_EQ(owner_of(root_ + "/elsewhere")->group, owner_of(root_ + "/outside")->group)
        << "root keeps its own";
    EXPECT_FALSE(give_tree(root_ + "/data/link-to-directory", kOther));
    EXPECT_FALSE(give_tree(root_ + "/nowhere", kOther));
}

TEST_F(OwnershipTest, OwnersAreNamesOrNumbers) {
    EXPECT_EQ(*parse_owner("root"), (Owner{0, 0}));
    EXPECT_EQ(*parse_owner("0"), (Owner{0, 0}));
    EXPECT_EQ(*parse_owner("root:7"), (Owner{0, 7}));
    EXPECT_EQ(*parse_owner("54321:54322"), (Owner{54'321, 54'322}));
    for (const char* wrong :
         {"", ":", "nobody-of-this-name", "54321", "root:", "root:no-such-group", "-1", "4294967296"}) {
        const Result<Owner> owner = parse_owner(wrong);
        ASSERT_FALSE(owner) << wrong;
        EXPECT_EQ(owner.error().field(), "--owner");
    }
    EXPECT_FALSE(owner_of(root_ + "/nowhere"));
}

}  // namespace
}  // namespace akidb::io
