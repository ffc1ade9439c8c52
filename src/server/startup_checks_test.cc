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

settings::Effective connections(const char* given, const char* source) {
    settings::Effective effective;
    effective.values["limits.connections"] = {.text = given, .source = source};
    effective.values["server.threads"] = {.text = "2", .source = "flag"};
    return effective;
}

TEST(StartupChecks, FileDescriptorsMustDoForTheConfiguration) {
    const settings::Effective by_default = connections("4096", "default");
    const settings::Effective by_flag = connections("100", "flag");
    const uint64_t besides = descriptors_besides_connections(by_default);
    EXPECT_EQ(besides, 72u);
    EXPECT_TRUE(check_descriptors(by_default, besides + 32).empty());
    EXPECT_EQ(connections_max(by_default, besides + 32), 32u);
    EXPECT_EQ(connections_max(by_default, besides + 4096), 4096u);
    EXPECT_EQ(connections_max(by_default, 1'000'000), 4096u);
    EXPECT_EQ(check_descriptors(by_default, besides + 31).size(), 1u);
    const auto far_too_few = check_descriptors(by_default, 64);
    ASSERT_EQ(far_too_few.size(), 1u);
    EXPECT_EQ(far_too_few[0].allowed, "a limit of at least 104 (ulimit -n)");
    EXPECT_TRUE(check_descriptors(by_flag, besides + 100).empty());
    EXPECT_EQ(connections_max(by_flag, besides + 100), 100u);
    const auto findings = check_descriptors(by_flag, besides + 99);
    ASSERT_EQ(findings.size(), 1u);
    EXPECT_EQ(findings[0].key, "limits.connections");
    EXPECT_NE(findings[0].message.find(std::to_string(besides + 99)), std::string::npos);
    EXPECT_NE(findings[0].allowed.find(std::to_string(besides + 100) + " (ulimit -n), or 1..99 connections"),
              std::string::npos)
        << findings[0].allowed;
    EXPECT_TRUE(check_descriptors(connections("1", "flag"), besides + 1).empty());
}

}  // namespace
}  // namespace akidb::server
