#include "io/private_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace akidb::io {
namespace {

class PrivateFileTest : public ::testing::Test {
  protected:
    PrivateFileTest() {
        root_ = (std::filesystem::temp_directory_path() / "akidb_private_XXXXXX").string();
        EXPECT_NE(::mkdtemp(root_.data()), nullptr);
        path_ = root_ + "/key";
    }
    ~PrivateFileTest() override { std::filesystem::remove_all(root_); }

    std::string root_;
    std::string path_;
};

TEST_F(PrivateFileTest, IsReadableByItsOwnerAlone) {
    ASSERT_TRUE(create_private_file(path_, "secret").has_value());
    struct stat status {};
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    EXPECT_EQ(read_private_file(path_, 6).value(), "secret");
    EXPECT_EQ(read_private_file(path_, 5).error().code(), Code::kDataLoss);
    EXPECT_EQ(create_private_file(path_, "other").error().code(), Code::kAlreadyExists);
    EXPECT_NE(::access((path_ + ".new").c_str(), F_OK), 0) << "left behind";
    EXPECT_EQ(why_not_private(path_), "");
}

TEST_F(PrivateFileTest, IsRefusedWhenEverybodyMayUseIt) {
    ASSERT_TRUE(create_private_file(path_, "secret").has_value());
    for (const auto& [mode, is_fine] :
         {std::pair(0400, true), std::pair(0640, true), std::pair(0644, false), std::pair(0602, false)}) {
        ASSERT_EQ(::chmod(path_.c_str(), static_cast<mode_t>(mode)), 0);
        EXPECT_EQ(why_not_private(path_).empty(), is_fine) << mode;
        const Result<std::string> read = read_private_file(path_, 100);
        EXPECT_EQ(read.has_value(), is_fine) << mode;
        if (!is_fine) {
            EXPECT_EQ(read.error().code(), Code::kPermissionDenied);
            EXPECT_EQ(read.error().message().find("secret"), std::string::npos);
        }
    }
    EXPECT_EQ(read_private_file(root_, 100).error().code(), Code::kInternal) << "a directory";
    EXPECT_EQ(read_private_file(root_ + "/none", 100).error().code(), Code::kNotFound);
    EXPECT_NE(why_not_private(root_ + "/none"), "");
}

}  // namespace
}  // namespace akidb::io
