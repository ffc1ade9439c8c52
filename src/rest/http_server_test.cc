// HttpServer over real sockets: framing, limits, pipelining, time-outs, refusals and drain, with a raw client
// that can send anything.
#include "rest/http_for_tests.h"
#include "rest/http_text.h"

namespace akidb::rest {
namespace {

using telemetry::Metrics;

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrderOnOneConnection) {
    start();
    Client client(server_->port());
    client.send(
        "GET /1?a=b HTTP/1.1\r\nHost: x\r\n\r\nPOST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
    client.send(
        "POST /3 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n1\r\nf\r\n0\r\n\r\n");
    std::string read = client.read_until(">", 3);
    size_t first = read.find("<GET /1?a=b#>");
    size_t second = read.find("<POST /2#abc>");
    size_t third = read.find("<POST /3#def>");
    EXPECT_LT(first, second);
    EXPECT_LT(second, third);
    EXPECT_NE(third, std::string::npos) << read;
    EXPECT_EQ(read.find("Connection: close"), std::string::npos);
}

TEST_F(HttpServerTest, EchoesAWellFormedRequestIdAndReplacesOthers) {
    start();
    EXPECT_NE(ask("GET / HTTP/1.1\r\nHost: x\r\nX-Request-Id: abc-1.2_Z\r\nConnection: close\r\n\r\n")
                  .find("X-Request-Id: abc-1.2_Z\r\n"),
              std::string::npos);
    std::string read = ask("GET / HTTP/1.1\r\nHost: x\r\nX-Request-Id: a b\r\nConnection: close\r\n\r\n");
    EXPECT_NE(read.find("X-Request-Id: "), std::string::npos);
    EXPECT_EQ(read.find("X-Request-Id: a b"), std::string::npos);
}

TEST_F(HttpServerTest, RefusesBrokenHttpAndCloses) {
    start();
    const std::string head = "POST / HTTP/1.1\r\nHost: x\r\n";
    const std::vector<std::pair<std::string, std::string>> bad{
        {"\x16\x03\x01\x02garbage\r\n\r\n", "400"},
        {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", "400"},
        {"GET / HTTP/1.1\r\n\r\n", "400"},
        {"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "400"},
        {"GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
        {"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
        {"GET / HTTP/1.1\nHost: x\n\n", "400"},
        {"GET / HTTP/1.1\r\nHost: x\r\nBad Header: y\r\n\r\n", "400"},
        {head + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
        {head + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", "400"},
        {head + "Transfer-Encoding: gzip\r\n\r\n", "400"},
        {head + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "400"},
        {head + "Content-Length: -1\r\n\r\n", "400"},
        {head + "Content-Length: 99999999999999999999999\r\n\r\n", "400"},
        {head + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", "400"},
        {head + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "400"},
        {head + "Content-Length: 5,5\r\n\r\nabcde", "400"},
        {head + "Expect: tea\r\nContent-Length: 1\r\n\r\n", "417"},
        {"GET /" + std::string(8192, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n", "414"},
        {"GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(16 << 10, 'a') + "\r\n\r\n", "431"},
        {"POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n01234567890", "413"},
        {"POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n0\r\n\r\n",
         "413"},
        {"POST /small HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n", "413"},
    };
    for (const auto& [text, status] : bad) {
        Client client(server_->port());
        client.send(text);
        client.finish_sending();
        std::string read = client.read_all();
        EXPECT_TRUE(read.starts_with("HTTP/1.1 " + status)) << text.substr(0, 200) << "\n=> " << read;
        EXPECT_NE(read.find("Connection: close"), std::string::npos) << text.substr(0, 200);
        EXPECT_NE(read.find("X-Request-Id: "), std::string::npos);
        EXPECT_TRUE(client.closed());
    }
}

TEST_F(HttpServerTest, TakesABodyOfExactlyTheLimit) {
    start();
    EXPECT_NE(
        ask("POST /small HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 10\r\n\r\n0123456789")
            .find("<POST /small#0123456789>"),
        std::string::npos);
    std::string target = "/" + std::string(8191, 'a');
    EXPECT_TRUE(ask("GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    .starts_with("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, SaysContinueOnlyWhenTheBodyIsWelcome) {
    start();
    Client client(server_->port());
    client.send("POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    EXPECT_TRUE(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 100 Continue\r\n\r\n"));
    client.send("abc");
    EXPECT_NE(client.read_until(">").find("<POST /a#abc>"), std::string::npos);
}

TEST_F(HttpServerTest, AnswersAHalfClosedClientAndHttp10AndHead) {
    start();
    Client client(server_->port());
    client.send("GET /half HTTP/1.1\r\nHost: x\r\n\r\n");
    client.finish_sending();
    EXPECT_NE(client.read_all().find("<GET /half#>"), std::string::npos);
    EXPECT_NE(ask("GET /old HTTP/1.0\r\n\r\n").find("<GET /old#>"), std::string::npos);
    std::string read = ask("HEAD /h HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_NE(read.find("Content-Length: 10"), std::string::npos) << read;
    EXPECT_TRUE(read.ends_with("\r\n\r\n"));
}

TEST_F(HttpServerTest, AnswersForAHandlerThatThrowsOrForgets) {
    start();
    EXPECT_TRUE(
        ask("GET /throw HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 500"));
    EXPECT_TRUE(
        ask("GET /drop HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 500"));
}

TEST_F(HttpServerTest, ClosesSlowAndIdleClients) {
    options_.header_timeout_ms = 100;
    options_.body_timeout_ms_per_64k = 100;
    options_.idle_timeout_ms = 100;
    start();
    EXPECT_TRUE(ask("GET / HT").starts_with("HTTP/1.1 408"));
    EXPECT_TRUE(ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab").starts_with("HTTP/1.1 408"));
    EXPECT_EQ(ask(""), "");
    std::string read = ask("GET /idle HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(read.ends_with("<GET /idle#>")) << read;
}

TEST_F(HttpServerTest, RefusesConnectionsBeyondTheLimitsAndCountsThem) {
    options_.connections_per_address_max = 2;
    start();
    Client first(server_->port());
    Client second(server_->port());
    for (Client* client : {&first, &second}) {
        client->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        EXPECT_TRUE(client->read_until(">").starts_with("HTTP/1.1 200"));
    }
    std::string read = ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(read.starts_with("HTTP/1.1 503")) << read;
    EXPECT_NE(metrics_.expose().find("akidb_http_refused_total{reason=\"connections_per_address\"} 1"),
              std::string::npos);
    EXPECT_NE(metrics_.expose().find("akidb_http_connections 2"), std::string::npos);
}

TEST_F(HttpServerTest, KnowsATakenPort) {
    start();
    HttpServerOptions same;
    same.port = server_->port();
    auto second = HttpServer::listen(same, handler_, metrics_, logger_);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), Code::kConflict);
    EXPECT_EQ(second.error().field(), "port");
}

TEST_F(HttpServerTest, DrainsWithoutCuttingOffARequest) {
    start();
    Client parked(server_->port());
    Client begun(server_->port());
    Client idle(server_->port());
    idle.send("GET /i HTTP/1.1\r\nHost: x\r\n\r\n");
    idle.read_until(">");
    parked.send("GET /park HTTP/1.1\r\nHost: x\r\n\r\nGET /behind HTTP/1.1\r\nHost: x\r\n\r\n");
    handler_.wait_for_parked(1);
    begun.send("POST /begun HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nab");
    server_->begin_draining();
    EXPECT_NE(ask("GET /d HTTP/1.1\r\nHost: x\r\n\r\n").find("Connection: close"), std::string::npos);
    server_->stop_accepting();
    EXPECT_FALSE(Client(server_->port()).connected());
    idle.read_all();
    EXPECT_TRUE(idle.closed());
    EXPECT_EQ(server_->requests_in_flight(), 2U);
    EXPECT_FALSE(server_->wait_until_idle(20));
    begun.send("c");
    EXPECT_TRUE(begun.read_all().ends_with("<POST /begun#abc>"));
    handler_.let_go();
    std::string read = parked.read_all();
    EXPECT_NE(read.find("<late>"), std::string::npos);
    EXPECT_TRUE(read.ends_with("<GET /behind#>")) << read;
    EXPECT_TRUE(server_->wait_until_idle(5'000));
    server_->stop();
    server_->stop();
}

TEST_F(HttpServerTest, StopAcceptingAnswersWhatWaitsInTheQueue) {
    options_.threads = 1;
    for (int round = 0; round < 20; ++round) {
        start();
        std::vector<std::unique_ptr<Client>> clients;
        for (int i = 0; i < 20; ++i) {
            clients.push_back(std::make_unique<Client>(server_->port()));
            clients.back()->send("GET /q HTTP/1.1\r\nHost: x\r\n\r\n");
        }
        server_->stop_accepting();
        EXPECT_TRUE(server_->wait_until_idle(5'000));
        for (auto& client : clients) {
            EXPECT_TRUE(client->read_all().ends_with("<GET /q#>"));
        }
        server_.reset();
    }
}

TEST_F(HttpServerTest, SurvivesClientsThatLeaveAndAnswersThatComeTooLate) {
    start();
    {
        Client gone(server_->port());
        gone.send("GET /park HTTP/1.1\r\nHost: x\r\n\r\n");
        handler_.wait_for_parked(1);
    }
    handler_.let_go();
    EXPECT_TRUE(server_->wait_until_idle(5'000));
    {
        Client gone(server_->port());
        gone.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
        gone.read_until("HTTP/1.1");
    }
    EXPECT_TRUE(server_->wait_until_idle(5'000));
    Client late(server_->port());
    late.send("GET /park HTTP/1.1\r\nHost: x\r\n\r\n");
    handler_.wait_for_parked(1);
    server_->stop();
    handler_.let_go();
    server_.reset();
}

TEST_F(HttpServerTest, TakesAnswersFromManyThreadsAtOnce) {
    start();
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < 16; ++i) {
        clients.push_back(std::make_unique<Client>(server_->port()));
    }
    for (size_t n = 1; n <= 50; ++n) {
        for (auto& client : clients) {
            client->send("GET /pool HTTP/1.1\r\nHost: x\r\n\r\n");
        }
        for (auto& client : clients) {
            client->read_until("<pooled>", n);
            ASSERT_FALSE(client->closed());
        }
    }
    EXPECT_TRUE(server_->wait_until_idle(5'000));
}

TEST(SessionCookie, IsFoundByItsNameAloneAndBoundToTheHostUnderTls) {
    std::vector<std::string> found;
    add_cookies("a=1; akidb_session=x; xakidb_session=y; akidb_session; akidb_session=z=2;akidb_session=w",
                session_cookie_name(false), found);
    EXPECT_EQ(found, (std::vector<std::string>{"x", "z=2", "w"}));
    found.clear();
    add_cookies(";;=; akidb_session=x", session_cookie_name(true), found);
    EXPECT_TRUE(found.empty());
    EXPECT_EQ(session_cookie("t", 60, true),
              "__Host-akidb=t; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Strict");
    EXPECT_EQ(session_cookie("", 0, false), "akidb_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
}

}  // namespace
}  // namespace akidb::rest
