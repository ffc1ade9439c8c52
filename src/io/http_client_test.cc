#include "io/http_client.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

namespace akidb::io {
namespace {

/// Answers the requests of one connection with the given replies, in turn, and keeps what it was sent. An
/// empty reply closes the connection; "silence" waits until the client is gone.
class ScriptedServer {
  public:
    explicit ScriptedServer(std::vector<std::string> replies) : replies_(std::move(replies)) {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof(address);
        EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), length), 0);
        EXPECT_EQ(::listen(listener_, 1), 0);
        EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length), 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::jthread([this] { serve(); });
    }
    ~ScriptedServer() {
        ::shutdown(listener_, SHUT_RDWR);
        thread_.join();
        ::close(listener_);
    }
    ScriptedServer(const ScriptedServer&) = delete;
    ScriptedServer& operator=(const ScriptedServer&) = delete;

    std::string url(const std::string& path) const {
        return "http://127.0.0.1:" + std::to_string(port_) + path;
    }
    /// Only after all replies were received.
    const std::vector<std::string>& requests() const { return requests_; }

  private:
    void serve() {
        const int connection = ::accept(listener_, nullptr, nullptr);
        if (connection < 0) {
            return;
        }
        for (const std::string& reply : replies_) {
            requests_.push_back(read_request(connection));
            if (reply == "silence") {
                (void)read_request(connection);
            } else if (!reply.empty()) {
                EXPECT_EQ(::send(connection, reply.data(), reply.size(), MSG_NOSIGNAL),
                          static_cast<ssize_t>(reply.size()));
            }
        }
        ::close(connection);
    }

    static std::string read_request(int connection) {
        std::string text;
        char buffer[4096];
        while (!is_complete(text)) {
            const ssize_t got = ::recv(connection, buffer, sizeof(buffer), 0);
            if (got <= 0) {
                break;
            }
            text.append(buffer, static_cast<size_t>(got));
        }
        return text;
    }

    static bool is_complete(const std::string& text) {
        const size_t end = text.find("\r\n\r\n");
        if (end == std::string::npos) {
            return false;
        }
        const size_t field = text.find("Content-Length: ");
        return field == std::string::npos || text.size() >= end + 4 + std::stoul(text.substr(field + 16));
    }

    std::vector<std::string> replies_;
    std::vector<std::string> requests_;
    int listener_ = -1;
    uint16_t port_ = 0;
    std::jthread thread_;
};

constexpr const char* kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Thing:  A b \r\n\r\nhello";

TEST(CurlHttpClient, ReturnsStatusBodyAndLowerCaseHeadersOverOneConnection) {
    ScriptedServer server({kHello, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"});
    const auto client = make_curl_http_client();
    const auto first = client->send({.url = server.url("/a")});
    ASSERT_TRUE(first) << first.error().message();
    EXPECT_EQ(first->status, 200);
    EXPECT_EQ(first->body, "hello");
    EXPECT_THAT(first->headers, testing::Contains(std::pair<std::string, std::string>("x-thing", "A b")));
    const auto second = client->send({.method = "DELETE", .url = server.url("/b")});
    ASSERT_TRUE(second) << second.error().message();
    EXPECT_EQ(second->status, 404);
    ASSERT_EQ(server.requests().size(), 2u);
    EXPECT_TRUE(server.requests()[1].starts_with("DELETE /b HTTP/1.1\r\n"));
}

TEST(CurlHttpClient, SendsTheBodyAndOnlyTheHeadersGiven) {
    ScriptedServer server({kHello, kHello});
    const auto client = make_curl_http_client();
    const std::string body("{\"x\":\0}", 7);
    ASSERT_TRUE(client->send({.method = "POST",
                              .url = server.url("/"),
                              .body = body,
                              .headers = {{"Content-Type", "application/json"}, {"X-Empty", ""}}}));
    ASSERT_TRUE(client->send({.method = "PUT", .url = server.url("/")}));
    const std::string& sent = server.requests()[0];
    EXPECT_TRUE(sent.ends_with("\r\n\r\n" + body));
    EXPECT_THAT(sent, testing::HasSubstr("Content-Type: application/json\r\n"));
    EXPECT_THAT(sent, testing::HasSubstr("X-Empty:\r\n"));
    EXPECT_THAT(sent, testing::Not(testing::HasSubstr("form-urlencoded")));
    EXPECT_THAT(server.requests()[1], testing::HasSubstr("Content-Length: 0\r\n"));
}

TEST(CurlHttpClient, DoesNotFollowRedirects) {
    ScriptedServer server({"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"});
    const auto reply = make_curl_http_client()->send({.url = server.url("/")});
    ASSERT_TRUE(reply) << reply.error().message();
    EXPECT_EQ(reply->status, 302);
}

TEST(CurlHttpClient, StopsAReplyThatIsTooLarge) {
    ScriptedServer server({"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + std::string(2000, 'x')});
    const auto reply = make_curl_http_client()->send({.url = server.url("/"), .reply_bytes_max = 1000});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code(), Code::kPayloadTooLarge);
}

TEST(CurlHttpClient, TellsABrokenConnectionFromASlowOne) {
    {
        ScriptedServer server({""});
        EXPECT_EQ(make_curl_http_client()->send({.url = server.url("/")}).error().code(), Code::kUnavailable);
    }
    {
        ScriptedServer server({"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"});
        EXPECT_EQ(make_curl_http_client()->send({.url = server.url("/")}).error().code(), Code::kUnavailable);
    }
    {
        ScriptedServer server({"silence"});
        EXPECT_EQ(make_curl_http_client()->send({.url = server.url("/"), .timeout_ms = 50}).error().code(),
                  Code::kDeadlineExceeded);
    }
}

TEST(CurlHttpClient, RefusesWhatWouldSmuggleOrLeaveHttp) {
    const auto client = make_curl_http_client();
    EXPECT_EQ(client->send({.url = "file:///etc/passwd"}).error().code(), Code::kInvalidArgument);
    EXPECT_EQ(client->send({.method = "GET /x", .url = "http://127.0.0.1:1"}).error().field(), "method");
    EXPECT_EQ(client->send({.url = "http://127.0.0.1:1/\r\nX: 1"}).error().field(), "url");
    EXPECT_EQ(client->send({.url = "http://127.0.0.1:1", .headers = {{"A", "b\r\nC: d"}}}).error().field(),
              "headers");
}

TEST(CurlHttpClient, ConnectsToNoAddressWhereCloudsKeepSecrets) {
    const auto client = make_curl_http_client(HttpClientOptions{.refuses_link_local = true});
    for (const char* url : {"http://169.254.169.254/", "http://100.100.100.200/", "http://[fe80::1]/",
                            "http://[fd00:ec2::254]/", "http://[::ffff:169.254.169.254]/"}) {
        // An address that nothing answers at would take all of the time.
        EXPECT_EQ(client->send({.url = url, .timeout_ms = 60'000}).error().code(), Code::kUnavailable) << url;
    }
    ScriptedServer server({kHello});
    EXPECT_TRUE(client->send({.url = server.url("/")}));
}

TEST(CurlHttpClient, ConnectsToNearAddressesAloneWhereItIsToldTo) {
    const auto client = make_curl_http_client(HttpClientOptions{.only_near = true});
    for (const char* url : {"http://192.0.2.1/", "http://[2001:db8::1]/", "http://10.0.0.1/",
                            "http://[::ffff:192.0.2.1]/", "http://[fd00:ec2::253]/"}) {
        EXPECT_EQ(client->send({.url = url, .timeout_ms = 60'000}).error().code(), Code::kUnavailable) << url;
    }
    ScriptedServer server({kHello});
    EXPECT_TRUE(client->send({.url = server.url("/"), .connect_timeout_ms = 1000}));
}

}  // namespace
}  // namespace akidb::io
