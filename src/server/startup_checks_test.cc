#include "server/startup_checks.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace akidb::server {
namespace {

TEST(StartupChecks, TellTakenPortFromFreeOne) {
    const int taken = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(bind(taken, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(listen(taken, 1), 0);
    socklen_t size = sizeof address;
    getsockname(taken, reinterpret_cast<sockaddr*>(&address), &size);
    const uint16_t port = ntohs(address.sin_port);
    EXPECT_NE(why_port_unusable("127.0.0.1", port), "");
    close(taken);
    EXPECT_EQ(why_port_unusable("127.0.0.1", port), "");
    EXPECT_EQ(why_port_unusable("localhost", 0), "");
    EXPECT_NE(why_port_unusable("192.0.2.1", 0), "");  // an address that no machine has (RFC 5737)
}

TEST(StartupChecks, JudgeDirectoriesWithoutMakingThem) {
    std::string root = (std::filesystem::temp_directory_path() / "akidb-checks-XXXXXX").string();
    ASSERT_NE(mkdtemp(root.data()), nullptr);
    EXPECT_EQ(why_directory_unusable(root), "");
    EXPECT_EQ(why_directory_unusable(root + "/new"), "");
    EXPECT_EQ(why_directory_unusable(root + "/new/"), "");
    EXPECT_FALSE(std::filesystem::exists(root + "/new"));
    EXPECT_NE(why_directory_unusable(root + "/no/parent"), "");
    std::ofstream(root + "/file") << "x";
    EXPECT_NE(why_directory_unusable(root + "/file"), "");
    EXPECT_NE(why_directory_unusable(root + "/file/below"), "");
    std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace akidb::server
