// The memory budget in the HTTP server: what does not fit is refused before it is read.
#include "rest/http_for_tests.h"

namespace akidb::rest {
namespace {

using MemoryBudgetTest = HttpServerTest;

TEST_F(MemoryBudgetTest, RefusesBodiesThatTheMemoryBudgetHasNoRoomFor) {
    options_.request_memory_bytes_max = 4 << 20;
    start();
    const std::string head = " HTTP/1.1\r\nHost: x\r\nContent-Length: ";
    const std::string body(500'000, 'b');  // takes 2 MB, and 3.5 MiB are for large ones
    Client parked(server_->port());
    parked.send("POST /park" + head + "500000\r\n\r\n" + body);
    handler_.wait_for_parked(1);
    const std::string refused = ask("POST /a" + head + "500000\r\n\r\n" + body);
    EXPECT_TRUE(refused.starts_with("HTTP/1.1 429 ")) << refused.substr(0, 100);
    EXPECT_NE(refused.find("Retry-After: 1\r\n"), std::string::npos);
    const std::string chunked =
        ask("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7a120\r\n" + body +
            "\r\n0\r\n\r\n");
    EXPECT_TRUE(chunked.starts_with("HTTP/1.1 429 ")) << chunked.substr(0, 100);
    const std::string never = ask("POST /a" + head + "1000000\r\n\r\n" + body + body);
    EXPECT_TRUE(never.starts_with("HTTP/1.1 413 ")) << never.substr(0, 100);
    Client small(server_->port());
    small.send(
        "POST /a" + head +
        "3\r\n\r\nabcPOST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    EXPECT_NE(small.read_until("abc>", 2).find("<POST /b#abc>"), std::string::npos);
    handler_.let_go();
    parked.read_until(">");
    // The next request of this connection is read once the first has given back what it took.
    parked.send("POST /c" + head + "3\r\n\r\nabc");
    parked.read_until("abc>");
    Client again(server_->port());
    again.send("POST /a" + head + "500000\r\n\r\n" + body);
    EXPECT_TRUE(again.read_until(">").starts_with("HTTP/1.1 200 "));
    const std::string metrics = metrics_.expose();
    EXPECT_NE(metrics.find("akidb_http_refused_total{reason=\"memory\"} 2\n"), std::string::npos) << metrics;
}

}  // namespace
}  // namespace akidb::rest
