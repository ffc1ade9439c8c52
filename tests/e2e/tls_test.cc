// TLS on REST and gRPC of the built server, looked at by openssl, libcurl and a gRPC client: which versions
// are spoken, who is let in, what a renewed certificate does to requests that are under way, and how a start
// ends whose files cannot be used.
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <thread>

#include "grpc_call.h"
#include "io/certificates_for_tests.h"
#include "json_requests.h"

namespace akidb::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;

class TlsTest : public testing::Test {
  protected:
    std::string path(const std::string& name) const { return files_.path() + "/" + name; }

    void SetUp() override {
        io::put_private_file(path("ca.pem"), authority_.pem());
        renew("first");
    }
    void renew(const std::string& name, long lifetime_s = 86'400) {
        const io::TestAuthority::Pair pair = authority_.issue(name, lifetime_s);
        io::put_private_file(path("certificate.pem"), pair.certificate);
        io::put_private_file(path("key.pem"), pair.key);
    }
    std::vector<std::string> flags() const {
        return {"--tls.certificate_file", path("certificate.pem"), "--tls.key_file",
                path("key.pem"),          "--drain.min_ms",        "0"};
    }
    void start(const std::vector<std::string>& more = {}) {
        std::vector<std::string> all = flags();
        all.insert(all.end(), more.begin(), more.end());
        auto started = ServerProcess::start(
            {.data_directory = path("data"), .flags = std::move(all), .ca_file = path("ca.pem")});
        ASSERT_TRUE(started.has_value()) << started.error().message();
        server_ = std::move(*started);
        ASSERT_THAT(server_->rest_url(), HasSubstr("https://"));
        if (more.empty()) {  // else it lets nobody ask who shows no certificate
            ASSERT_TRUE(server_->wait_until_ready().has_value());
        }
    }
    std::string rest_address() const { return server_->rest_url().substr(std::string("https://").size()); }

    Result<io::HttpReply> get(io::HttpClient& client, const std::string& at) const {
        return client.send({.url = server_->rest_url() + at});
    }

    /// What `openssl s_client` tells of a handshake.
    static std::string handshake(const std::string& address, const std::string& options) {
        const std::string command =
            "openssl s_client -connect " + address + " " + options + " </dev/null 2>&1";
        std::string told;
        FILE* pipe = popen(command.c_str(), "r");
        char piece[4096];
        for (size_t got = 0; (got = fread(piece, 1, sizeof piece, pipe)) > 0;) {
            told.append(piece, got);
        }
        pclose(pipe);
        return told;
    }

    static bool wait_for(const std::function<bool()>& condition) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (!condition()) {
            if (std::chrono::steady_clock::now() >= deadline) {
                return false;
            }
            std::this_thread::yield();
        }
        return true;
    }

    int grpc_health(const std::string& root_pem, const io::TestAuthority::Pair& client = {}) const {
        grpc::SslCredentialsOptions options;
        options.pem_root_certs = root_pem;
        options.pem_private_key = client.key;
        options.pem_cert_chain = client.certificate;
        return grpc_health_status(server_->grpc_address(), grpc::SslCredentials(options));
    }

    TemporaryDirectory files_;
    io::TestAuthority authority_;
    std::unique_ptr<ServerProcess> server_;
};

TEST_F(TlsTest, SpeaksTls12And13AndNothingOlder) {
    start();
    for (const std::string& address : {rest_address(), server_->grpc_address()}) {
        for (const auto& [version, name] :
             {std::pair("-tls1_2", "TLSv1.2"), std::pair("-tls1_3", "TLSv1.3")}) {
            const std::string told = handshake(address, std::string(version) + " -CAfile " + path("ca.pem"));
            EXPECT_THAT(told, HasSubstr(std::string("New, ") + name + ", Cipher is")) << address;
            EXPECT_THAT(told, HasSubstr("Verify return code: 0 (ok)")) << address;
        }
        // SECLEVEL=0, or this side refuses to offer it before the server has a say.
        for (const char* old : {"-tls1_1 -cipher ALL:@SECLEVEL=0", "-tls1 -cipher ALL:@SECLEVEL=0"}) {
            const std::string told = handshake(address, old);
            EXPECT_THAT(told, HasSubstr("New, (NONE), Cipher is (NONE)")) << address << " " << old;
        }
    }
    EXPECT_THAT(handshake(rest_address(), "-tls1_2 -cipher AES128-SHA256:AES256-SHA"),
                HasSubstr("handshake failure"))
        << "without forward secrecy";
    EXPECT_THAT(handshake(rest_address(), "-alpn http/1.1"), HasSubstr("ALPN protocol: http/1.1"));
    EXPECT_THAT(handshake(rest_address(), "-alpn h2"), HasSubstr("alert no application protocol"));
}

TEST_F(TlsTest, ServesBothProtocolsAndTheCommandLine) {
    start();
    const auto client = io::make_curl_http_client(path("ca.pem"));
    const Result<io::HttpReply> reply = get(*client, "/api/v1/collections");
    ASSERT_TRUE(reply.has_value()) << reply.error().message();
    EXPECT_EQ(reply->status, 200);
    EXPECT_THAT(reply->headers, testing::Contains(std::pair("x-content-type-options", "nosniff")));
    EXPECT_THAT(reply->headers, testing::Contains(std::pair("cache-control", "no-store")));
    EXPECT_FALSE(get(*io::make_curl_http_client(), "/ready").has_value()) << "an authority nobody knows";
    EXPECT_TRUE(wait_for([&] { return grpc_health(authority_.pem()) == 1; }));
    EXPECT_LT(grpc_health(io::TestAuthority().pem()), 0);
    EXPECT_LT(grpc_health_status(server_->grpc_address()), 0) << "without TLS";
    const Result<Finished> made = run_akidb({"collection", "create", "words", "--dimension", "16", "--url",
                                             server_->rest_url(), "--ca-file", path("ca.pem")});
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(made->exit_code, 0) << made->err;
    // A body of several records, both ways.
    std::string documents = "{\"documents\":[";
    for (int i = 0; i < 2000; ++i) {
        documents += (i == 0 ? "" : ",") + std::string("{\"id\":") + std::to_string(i) +
                     ",\"vector\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15," + std::to_string(i) + "]}";
    }
    const std::string at = server_->rest_url() + "/api/v1/collections/words/documents";
    const Result<io::HttpReply> written = client->send({.method = "PUT",
                                                        .url = at,
                                                        .body = documents + "]}",
                                                        .headers = {{"Content-Type", "application/json"}}});
    ASSERT_TRUE(written.has_value()) << written.error().message();
    EXPECT_EQ(written->status, 200) << written->body;
    const std::string scroll = R"({"limit":2000,"with_vector":true,"include":["vector","metadata"]})";
    const Result<io::HttpReply> read = client->send({.method = "POST",
                                                     .url = at + "/scroll",
                                                     .body = scroll,
                                                     .headers = {{"Content-Type", "application/json"}}});
    ASSERT_TRUE(read.has_value()) << read.error().message();
}

TEST_F(TlsTest, ClosesOnAClientThatSpeaksPlainHttp) {
    start();
    const auto client = io::make_curl_http_client();
    const Result<io::HttpReply> reply =
        client->send({.url = "http://" + rest_address() + "/api/v1/collections"});
    EXPECT_FALSE(reply.has_value());
    EXPECT_TRUE(get(*io::make_curl_http_client(path("ca.pem")), "/ready").has_value());
}

TEST_F(TlsTest, AsksClientsForACertificateWhenToldTo) {
    start({"--tls.client_ca_file", path("ca.pem")});
    EXPECT_FALSE(get(*io::make_curl_http_client(path("ca.pem")), "/ready").has_value());
    const io::TestAuthority::Pair known = authority_.issue("client");
    io::put_private_file(path("client.pem"), known.certificate + known.key);
    const std::string told =
        handshake(rest_address(), "-CAfile " + path("ca.pem") + " -cert " + path("client.pem"));
    EXPECT_THAT(told, HasSubstr("Verify return code: 0 (ok)"));
    EXPECT_THAT(told, Not(HasSubstr("alert")));
    EXPECT_TRUE(wait_for([&] { return grpc_health(authority_.pem(), known) == 1; }));
    EXPECT_LT(grpc_health(authority_.pem()), 0);
    EXPECT_LT(grpc_health(authority_.pem(), io::TestAuthority().issue("stranger")), 0);
}

TEST_F(TlsTest, TakesOverARenewedCertificateWithoutAFailedRequest) {
    start();
    std::atomic<bool> stop{false};
    std::atomic<int> answered{0};
    std::atomic<int> failed{0};
    std::vector<std::thread> clients;
    for (int i = 0; i < 4; ++i) {
        clients.emplace_back([&, i] {
            auto client = io::make_curl_http_client(path("ca.pem"));
            while (!stop) {
                if (i % 2 == 0) {
                    client = io::make_curl_http_client(path("ca.pem"));  // a connection each, or one for all
                }
                const Result<io::HttpReply> reply = get(*client, "/api/v1/collections");
                ++(reply.has_value() && reply->status == 200 ? answered : failed);
            }
        });
    }
    const auto shows = [&](const std::string& address, const std::string& name) {
        return handshake(address, "-CAfile " + path("ca.pem")).find("subject=CN = " + name) !=
               std::string::npos;
    };
    EXPECT_TRUE(shows(rest_address(), "first"));
    for (const std::string name : {"second", "third"}) {
        renew(name);
        server_->send_signal(SIGHUP);
        EXPECT_TRUE(wait_for([&] { return shows(rest_address(), name); })) << name;
        EXPECT_TRUE(shows(server_->grpc_address(), name)) << name;
        EXPECT_EQ(grpc_health(authority_.pem()), 1);
        const int before = answered;
        EXPECT_TRUE(wait_for([&] { return answered > before + 20; }));
    }
    io::put_private_file(path("key.pem"), "no key");
    server_->send_signal(SIGHUP);
    EXPECT_TRUE(
        wait_for([&] { return server_->log().find("cannot be used; the old go on") != std::string::npos; }));
    EXPECT_TRUE(shows(rest_address(), "third"));
    EXPECT_EQ(grpc_health(authority_.pem()), 1);
    stop = true;
    for (std::thread& client : clients) {
        client.join();
    }
    std::printf("%d requests over two renewals and a failed one, %d failed\n", answered.load(),
                failed.load());
    EXPECT_EQ(failed, 0);
    const auto plain = io::make_curl_http_client();
    const Result<io::HttpReply> metrics = plain->send({.url = server_->metrics_url() + "/metrics"});
    ASSERT_TRUE(metrics.has_value());
    EXPECT_THAT(metrics->body, HasSubstr("akidb_tls_reloads_total{outcome=\"ok\"} 2"));
    EXPECT_THAT(metrics->body, HasSubstr("akidb_tls_reloads_total{outcome=\"failed\"} 1"));
    EXPECT_THAT(metrics->body, HasSubstr("akidb_tls_certificate_expiry_timestamp_seconds"));
}

TEST_F(TlsTest, TellsEveryFaultOfItsFilesBeforeAStart) {
    renew("old", -60);
    ASSERT_EQ(::chmod(path("key.pem").c_str(), 0644), 0);
    std::vector<std::string> arguments{"check-config", "--data", path("data"), "--tls.client_ca_file",
                                       path("none.pem")};
    const std::vector<std::string> more = flags();
    arguments.insert(arguments.end(), more.begin(), more.end());
    Result<Finished> told = run_akidb(arguments);
    ASSERT_TRUE(told.has_value());
    EXPECT_EQ(told->exit_code, 78);
    EXPECT_THAT(told->err, HasSubstr("has expired"));
    EXPECT_THAT(told->err, HasSubstr("may be used by everybody (mode 0644): chmod 600"));
    EXPECT_THAT(told->err, HasSubstr("cannot be read"));
    told = run_akidb(
        {"check-config", "--data", path("data"), "--tls.certificate_file", path("certificate.pem")});
    ASSERT_TRUE(told.has_value());
    EXPECT_EQ(told->exit_code, 78);
    EXPECT_THAT(told->err, HasSubstr("both tls.certificate_file and tls.key_file, or none"));
}

TEST_F(TlsTest, NeverShowsItsKey) {
    // A canary: the lines of the key, looked for in all that leaves the process.
    start();
    std::ifstream file(path("key.pem"));
    std::string line;
    std::getline(file, line);
    std::getline(file, line);
    ASSERT_GT(line.size(), 40u);
    io::put_private_file(path("key.pem"), "-----BEGIN PRIVATE KEY-----\n" + line + "\n");
    server_->send_signal(SIGHUP);
    const auto client = io::make_curl_http_client(path("ca.pem"));
    ASSERT_TRUE(wait_for([&] { return server_->log().find("cannot be used") != std::string::npos; }));
    const Result<Finished> config = [&] {
        std::vector<std::string> arguments{"print-config", "--data", path("data")};
        const std::vector<std::string> more = flags();
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run_akidb(arguments);
    }();
    ASSERT_TRUE(config.has_value());
    const auto plain = io::make_curl_http_client();
    const std::string metrics = plain->send({.url = server_->metrics_url() + "/metrics"}).value().body;
    const std::string error = get(*client, "/api/v1/nothing").value().body;
    for (const std::string& text : {server_->log(), config->out, config->err, metrics, error}) {
        EXPECT_THAT(text, Not(HasSubstr(line)));
    }
}

}  // namespace
}  // namespace akidb::e2e
