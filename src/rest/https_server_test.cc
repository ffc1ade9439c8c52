// The HTTP server over TLS: what differs from plain sockets. Versions and ciphers are looked at from outside
// (tests/e2e/tls_test.cc).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <thread>

#include "io/certificates_for_tests.h"
#include "io/http_client.h"
#include "rest/http_for_tests.h"

namespace akidb::rest {
namespace {

using testing::HasSubstr;

class HttpsServerTest : public HttpServerTest {
  protected:
    HttpsServerTest() {
        root_ = (std::filesystem::temp_directory_path() / "akidb_https_XXXXXX").string();
        EXPECT_NE(::mkdtemp(root_.data()), nullptr);
        files_ = {root_ + "/certificate.pem", root_ + "/key.pem", ""};
        io::put_private_file(root_ + "/ca.pem", authority_.pem());
        renew("first");
        source_ = std::make_unique<io::TlsSource>(files_, io::check_tls_files(files_, now_ms()).identity);
        options_.tls = source_.get();
    }
    ~HttpsServerTest() override {
        server_.reset();
        std::filesystem::remove_all(root_);
    }

    static uint64_t now_ms() { return io::make_system_clock()->unix_ms(); }
    void renew(const std::string& name) {
        const io::TestAuthority::Pair pair = authority_.issue(name);
        io::put_private_file(files_.certificate, pair.certificate);
        io::put_private_file(files_.key, pair.key);
    }
    Result<io::HttpReply> call(io::HttpClient& client, const std::string& path,
                               std::string_view body = {}) const {
        return client.send({.method = body.empty() ? "GET" : "POST",
                            .url = "https://127.0.0.1:" + std::to_string(server_->port()) + path,
                            .body = body});
    }
    std::unique_ptr<io::HttpClient> client() const { return io::make_curl_http_client(root_ + "/ca.pem"); }

    io::TestAuthority authority_;
    std::string root_;
    io::TlsFiles files_;
    std::unique_ptr<io::TlsSource> source_;
};

TEST_F(HttpsServerTest, CarriesSmallAndLargeBothWays) {
    start();
    const auto one = client();
    for (const size_t size : {size_t{1}, size_t{16'383}, size_t{16'384}, size_t{16'385}, size_t{1} << 20}) {
        const std::string body(size, 'b');
        const auto reply = call(*one, "/echo", body);
        ASSERT_TRUE(reply.has_value()) << reply.error().message();
        EXPECT_EQ(reply->body, "<POST /echo#" + body + ">");
    }
    const auto large = call(*one, "/large");
    ASSERT_TRUE(large.has_value()) << large.error().message();
    EXPECT_EQ(large->body.size(), (size_t{32} << 20) + 1);
    EXPECT_EQ(call(*one, "/small", "01234567890")->status, 413);
    EXPECT_EQ(call(*one, "/small", "0123456789")->status, 200) << "on a new connection";
}

TEST_F(HttpsServerTest, GivesNewConnectionsANewCertificateAndLeavesTheOthers) {
    start();
    std::atomic<int> failed{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            auto mine = client();
            for (int i = 0; i < 60; ++i) {
                if (t % 2 == 0) {
                    mine = client();
                }
                const auto reply = call(*mine, i % 5 == 0 ? "/pool" : "/echo");
                failed += reply.has_value() && reply->status == 200 ? 0 : 1;
            }
        });
    }
    for (int i = 0; i < 20; ++i) {
        renew("next");
        EXPECT_EQ(source_->reload(now_ms()).reload, io::TlsSource::Reload::kTaken);
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(failed, 0);
}

TEST_F(HttpsServerTest, ClosesOnWhoDoesNotShakeHands) {
    options_.header_timeout_ms = 200;
    start();
    Client silent(server_->port());
    EXPECT_EQ(silent.read_all(), "");
    EXPECT_TRUE(silent.closed());
    Client plain(server_->port());
    plain.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    const std::string got = plain.read_all();
    EXPECT_EQ(got.find("HTTP/1.1"), std::string::npos);
    EXPECT_TRUE(plain.closed());
    EXPECT_THAT(metrics_.expose(), HasSubstr("akidb_http_refused_total{reason=\"tls_handshake\"} 2"));
}

TEST_F(HttpsServerTest, LetsRequestsInFlightFinishWhenItStops) {
    start();
    std::thread asking([&] {
        const auto reply = call(*client(), "/park");
        ASSERT_TRUE(reply.has_value()) << reply.error().message();
        EXPECT_EQ(reply->body, "<late>");
    });
    handler_.wait_for_parked(1);
    server_->stop_accepting();
    EXPECT_FALSE(server_->wait_until_idle(10));
    handler_.let_go();
    EXPECT_TRUE(server_->wait_until_idle(10'000));
    asking.join();
    EXPECT_FALSE(call(*client(), "/echo").has_value());
    server_->stop();
}

}  // namespace
}  // namespace akidb::rest
