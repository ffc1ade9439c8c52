// The lean client against the echo server: framing by Content-Length, every answer counted, both kinds of
// loop.
#include "bench/wire_load.h"

#include <gtest/gtest.h>

#include "bench/echo_server.h"

namespace akidb::bench {
namespace {

const std::string kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell";

TEST(MessageBytes, NeedsTheWholeHead) {
    const std::string text = post_request({"localhost", 80}, "/search", "12345");
    const size_t head = text.size() - 5;
    EXPECT_EQ(message_bytes(text.substr(0, head - 1)), 0U);
    EXPECT_EQ(message_bytes(text.substr(0, head)), text.size());
    EXPECT_EQ(message_bytes(text + "POST"), text.size());
    EXPECT_EQ(message_bytes("HTTP/1.1 204 No Content\r\n\r\n"), 27U);
}

TEST(WireLoad, CountsEveryAnswerOfBothLoops) {
    EchoServer echo(2, kAnswer);
    WirePlan plan;
    plan.endpoint = {"127.0.0.1", echo.port()};
    plan.connections = 3;
    plan.seconds = 0.05;
    for (size_t index = 0; index < 5; ++index) {
        plan.requests.push_back(post_request(plan.endpoint, "/", std::string(40'000, 'x')));
    }
    for (double rate : {0.0, 2'000.0}) {
        plan.rate = rate;
        const WireResult result = run_wire_load(plan);
        EXPECT_GE(result.answered, 5U);
        EXPECT_EQ(result.latency_us.size(), result.answered);
        EXPECT_EQ(result.errors, 0U);
        EXPECT_EQ(result.bodies, std::vector<std::string>(5, "well"));
        EXPECT_LE(result.quantile_us(0.5), result.quantile_us(0.99));
    }
}

TEST(WireLoad, CountsAnswersOtherThan200AsErrors) {
    EchoServer echo(1, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
    WirePlan plan;
    plan.endpoint = {"127.0.0.1", echo.port()};
    plan.seconds = 0.02;
    plan.requests.push_back(post_request(plan.endpoint, "/", "x"));
    const WireResult result = run_wire_load(plan);
    EXPECT_GT(result.answered, 0U);
    EXPECT_EQ(result.errors, result.answered);
}

}  // namespace
}  // namespace akidb::bench
