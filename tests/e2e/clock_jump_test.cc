// A server whose wall clock is set while it runs: it says so, and goes on.
#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <ctime>
#include <fstream>
#include <thread>

#include "json_requests.h"

namespace akidb::e2e {
namespace {

constexpr long kDayS = 86'400;

TEST(ClockJump, IsToldAndTakesNothingAway) {
    const TemporaryDirectory files;
    const std::string shift = files.path() + "/shift";
    const auto set_clock = [&](long seconds) {
        std::ofstream(shift + ".new") << seconds;
        ASSERT_EQ(::rename((shift + ".new").c_str(), shift.c_str()), 0);
    };
    set_clock(0);
    ServerOptions options{.data_directory = files.path() + "/data", .flags = {"--drain.min_ms", "0"}};
    options.environment = {{"LD_PRELOAD", AKIDB_SHIFTED_CLOCK}, {"CLOCK_SHIFT", shift}};
    Result<std::unique_ptr<ServerProcess>> server = ServerProcess::start(options);
    ASSERT_TRUE(server) << server.error().message();
    ASSERT_TRUE((*server)->wait_until_ready());
    ASSERT_EQ(ask(**server, "POST", "/api/v1/collections", collection_named("numbers")).status, 201);
    const auto status_of = [&](int number) {
        return ask(**server, "GET", kDocuments + "/" + std::to_string(number)).status;
    };
    const auto write = [&](int number, std::chrono::seconds lives) {
        Json document = document_of(static_cast<size_t>(number));
        const std::time_t end =
            std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() + lives);
        std::tm parts{};
        ::gmtime_r(&end, &parts);
        char text[32];
        std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
        document["expires_at"] = text;
        return ask(**server, "PUT", kDocuments, {{"documents", Json::array({document})}}).status;
    };
    ASSERT_EQ(write(1, std::chrono::hours(1)), 200);
    EXPECT_EQ(status_of(1), 200);
    const auto count_of = [&](const std::string& direction) {
        const std::string text = get_url((*server)->metrics_url() + "/metrics").body.get<std::string>();
        const std::string name = "akidb_clock_jumps_total{direction=\"" + direction + "\"} ";
        const size_t at = text.find(name);
        return at == std::string::npos ? -1 : std::stoi(text.substr(at + name.size()));
    };
    const auto becomes = [&](const std::string& direction, int count) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (count_of(direction) != count && std::chrono::steady_clock::now() < end) {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        return count_of(direction);
    };
    EXPECT_EQ(count_of("forward"), 0);
    set_clock(kDayS);
    EXPECT_EQ(becomes("forward", 1), 1) << (*server)->log();
    EXPECT_THAT((*server)->log(), testing::HasSubstr("the clock jumped"));
    EXPECT_EQ(status_of(1), 404) << "by the clock it has expired";
    set_clock(0);
    EXPECT_EQ(becomes("back", 1), 1) << (*server)->log();
    EXPECT_EQ(status_of(1), 200) << "and nothing deleted it meanwhile";
    set_clock(-365 * kDayS);
    EXPECT_EQ(becomes("back", 2), 2);
    EXPECT_EQ(write(2, std::chrono::hours(1)), 200) << "writes go on";
    EXPECT_EQ(status_of(2), 200);
    (*server)->send_signal(SIGTERM);
    const Result<int> code = (*server)->wait_for_exit(30'000);
    ASSERT_TRUE(code) << code.error().message();
    EXPECT_EQ(*code, 0) << (*server)->log();

    server = ServerProcess::start(options);
    ASSERT_TRUE(server) << server.error().message();
    ASSERT_TRUE((*server)->wait_until_ready());
    EXPECT_EQ(status_of(1), 200);
    EXPECT_EQ(status_of(2), 200);
}

}  // namespace
}  // namespace akidb::e2e
