#include "objects/instance_credentials.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <functional>
#include <thread>

#include "base/mutex.h"
#include "objects/s3_store.h"
#include "objects/stores_for_tests.h"

namespace akidb::objects {
namespace {

std::string http(int status, const std::string& body, const std::string& more = "") {
    return "HTTP/1.1 " + std::to_string(status) + " As Told\r\n" + more +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string header(const std::string& request, const std::string& name) {
    const size_t at = request.find("\r\n" + name + ": ");
    if (at == std::string::npos) {
        return "";
    }
    const size_t begin = at + name.size() + 4;
    return request.substr(begin, request.find("\r\n", begin) - begin);
}

/// A server on a port of its own, one connection at a time; what it answers a function says. No answer: it
/// says nothing until the client is gone. Thread-safe.
class NearServer {
  public:
    using Answer = std::function<std::string(const std::string& request)>;

    explicit NearServer(Answer answer) : answer_(std::move(answer)) {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof(address);
        EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), length), 0);
        EXPECT_EQ(::listen(listener_, 16), 0);
        EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length), 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::jthread([this] { serve(); });
    }
    ~NearServer() {
        ::shutdown(listener_, SHUT_RDWR);
        thread_.join();
        ::close(listener_);
    }
    NearServer(const NearServer&) = delete;
    NearServer& operator=(const NearServer&) = delete;

    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    void set(Answer answer) {
        MutexLock lock(mutex_);
        answer_ = std::move(answer);
    }
    std::vector<std::string> requests() const {
        MutexLock lock(mutex_);
        return requests_;
    }

  private:
    void serve() {
        while (true) {
            const int connection = ::accept(listener_, nullptr, nullptr);
            if (connection < 0) {
                return;
            }
            for (std::string request; !(request = read_request(connection)).empty();) {
                const std::string reply = answer_to(request);
                if (reply.empty()) {
                    EXPECT_EQ(read_request(connection), "");
                    break;
                }
                EXPECT_EQ(::send(connection, reply.data(), reply.size(), MSG_NOSIGNAL),
                          static_cast<ssize_t>(reply.size()));
            }
            ::close(connection);
        }
    }

    std::string answer_to(const std::string& request) {
        MutexLock lock(mutex_);
        requests_.push_back(request);
        return answer_(request);
    }

    /// No request that comes here has a body.
    static std::string read_request(int connection) {
        std::string text;
        char buffer[4096];
        while (text.find("\r\n\r\n") == std::string::npos) {
            const ssize_t got = ::recv(connection, buffer, sizeof(buffer), 0);
            if (got <= 0) {
                return "";
            }
            text.append(buffer, static_cast<size_t>(got));
        }
        return text;
    }

    mutable Mutex mutex_;
    Answer answer_ AKIDB_GUARDED_BY(mutex_);
    std::vector<std::string> requests_ AKIDB_GUARDED_BY(mutex_);
    int listener_ = -1;
    uint16_t port_ = 0;
    std::jthread thread_;
};

constexpr const char* kTokenRequest = "PUT /latest/api/token HTTP/1.1";
constexpr const char* kRoles = "GET /latest/meta-data/iam/security-credentials/ HTTP/1.1";
constexpr const char* kRole = "GET /latest/meta-data/iam/security-credentials/back-ups@1 HTTP/1.1";

std::string keys(const std::string& access_key, const std::string& end) {
    return R"({"Code":"Success","Type":"AWS-HMAC","AccessKeyId":")" + access_key +
           R"(","SecretAccessKey":"s3cret/canary","Token":"t0ken/canary","Expiration":")" + end + "\"}";
}

/// As the metadata service of an instance does: nothing without its token.
NearServer::Answer instance(const std::string& answer_of_role) {
    return [answer_of_role](const std::string& request) {
        if (request.starts_with(kTokenRequest)) {
            return header(request, "x-aws-ec2-metadata-token-ttl-seconds").empty() ? http(400, "")
                                                                                   : http(200, "tok+en==");
        }
        if (header(request, "x-aws-ec2-metadata-token") != "tok+en==") {
            return http(401, "");
        }
        return request.starts_with(kRoles)  ? http(200, "back-ups@1\n")
               : request.starts_with(kRole) ? http(200, answer_of_role)
                                            : http(404, "");
    };
}

class Instance : public testing::Test {
  protected:
    class Heard final : public Logger {
      public:
        void log(LogLevel, std::string_view, std::initializer_list<LogField>) override { ++count; }
        std::atomic<size_t> count{0};
    };

    std::unique_ptr<InstanceCredentials> of(std::map<std::string, std::string> environment,
                                            InstanceTimes times = {}) {
        return std::make_unique<InstanceCredentials>(std::move(environment), time_, &heard_, times);
    }
    std::unique_ptr<InstanceCredentials> of(const NearServer& server, InstanceTimes times = {}) {
        return of({{"AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url() + "/"}}, times);
    }
    /// What asking once comes to.
    Error error_of(NearServer::Answer answer) {
        NearServer server(std::move(answer));
        const Result<Credentials> outcome = of(server)->get();
        EXPECT_FALSE(outcome);
        return outcome ? Error(Code::kInternal, "no error") : outcome.error();
    }

    PassingTime time_;
    Heard heard_;
};

TEST_F(Instance, GivesTheKeysOfItsRoleToWhoShowsAToken) {
    NearServer server(instance(keys("AKIA1", "2023-11-15T04:00:00Z")));
    const auto machine = of(server);
    const Result<Credentials> got = machine->get();
    ASSERT_TRUE(got) << got.error().message();
    EXPECT_EQ(got->access_key, "AKIA1");
    EXPECT_EQ(got->secret_key.reveal(), "s3cret/canary");
    EXPECT_EQ(got->session_token.reveal(), "t0ken/canary");
    EXPECT_THAT(server.requests(),
                testing::ElementsAre(testing::StartsWith(kTokenRequest), testing::StartsWith(kRoles),
                                     testing::StartsWith(kRole)));
    ASSERT_TRUE(machine->get());
    EXPECT_EQ(server.requests().size(), 3u) << "keys are kept";
}

TEST_F(Instance, IsAskedAgainFiveMinutesBeforeTheKeysEnd) {
    NearServer server(instance(keys("FIRST", "2023-11-14T23:13:21Z")));  // an hour from now
    const auto machine = of(server);
    ASSERT_EQ(machine->get()->access_key, "FIRST");
    server.set(instance(keys("SECOND", "2023-11-15T00:13:21.500Z")));
    time_.pass_us(54 * 60'000'000ull + 59'000'000ull);
    EXPECT_EQ(machine->get()->access_key, "FIRST");
    time_.pass_us(1'000'000);
    EXPECT_EQ(machine->get()->access_key, "SECOND");
    EXPECT_EQ(heard_.count, 0u);
}

TEST_F(Instance, KeepsOldKeysUntilTheirEndWhileThereAreNoNewOnes) {
    NearServer server(instance(keys("FIRST", "2023-11-14T23:13:21Z")));
    const auto machine = of(server);
    ASSERT_TRUE(machine->get());
    server.set([](const std::string&) { return http(503, ""); });
    time_.pass_us(56 * 60'000'000ull);
    const size_t before = server.requests().size();
    EXPECT_EQ(machine->get()->access_key, "FIRST");
    EXPECT_EQ(machine->get()->access_key, "FIRST") << "and asks not again at once";
    EXPECT_EQ(server.requests().size(), before + 1);
    EXPECT_EQ(heard_.count, 1u);
    time_.pass_us(30'000'000);
    EXPECT_EQ(machine->get()->access_key, "FIRST");
    EXPECT_EQ(server.requests().size(), before + 2);
    time_.pass_us(4 * 60'000'000ull);  // they ended half a minute ago
    const Result<Credentials> none = machine->get();
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code(), Code::kUnavailable);
    EXPECT_THAT(none.error().message(), testing::HasSubstr("HTTP 503"));
    EXPECT_FALSE(machine->get());
    EXPECT_EQ(server.requests().size(), before + 3) << "an error is kept for a moment, too";
    server.set(instance(keys("SECOND", "2023-11-15T04:00:00Z")));
    time_.pass_us(2'000'000);
    EXPECT_EQ(machine->get()->access_key, "SECOND");
}

TEST_F(Instance, RefusalsSayWhatToDo) {
    const Error no_role = error_of([](const std::string& request) {
        return request.starts_with(kTokenRequest) ? http(200, "t") : http(404, "");
    });
    EXPECT_EQ(no_role.code(), Code::kUnauthenticated);
    EXPECT_THAT(no_role.message(), testing::AllOf(testing::HasSubstr("attach a role"),
                                                  testing::HasSubstr("s3.credentials_file")));
    const Error turned_off = error_of([](const std::string&) { return http(403, ""); });
    EXPECT_EQ(turned_off.code(), Code::kUnauthenticated);
    EXPECT_THAT(turned_off.message(), testing::HasSubstr("turned off"));
    const Error not_allowed = error_of(instance(R"({"Code":"AssumeRoleUnauthorizedAccess","Message":"m"})"));
    EXPECT_EQ(not_allowed.code(), Code::kUnauthenticated);
    EXPECT_THAT(not_allowed.message(), testing::HasSubstr("AssumeRoleUnauthorizedAccess"));
}

TEST_F(Instance, FollowsNoRedirect) {
    NearServer other(instance(keys("STOLEN", "2023-11-15T04:00:00Z")));
    const Error error = error_of([&](const std::string&) {
        return http(302, "", "Location: " + other.url() + "/latest/api/token\r\n");
    });
    EXPECT_THAT(error.message(), testing::HasSubstr("redirects are not followed"));
    EXPECT_TRUE(other.requests().empty());
}

TEST_F(Instance, TakesNoGarbageForKeysAndTellsNothingOfIt) {
    for (const std::string& garbage :
         {std::string("<html>canary</html>"), std::string("{\"AccessKeyId\":\"canary\"}"),
          std::string("[\"canary\"]"), std::string("\xff\xfe"), std::string(),
          keys("line\\r\\nbreak", "2023-11-15T04:00:00Z"), keys("canary", "tomorrow"),
          keys("canary", "2023-13-15T04:00:00Z"), keys("canary", "2023-11-15T04:00:00+01:00"),
          keys("", "2023-11-15T04:00:00Z")}) {
        const Error error = error_of(instance(garbage));
        EXPECT_EQ(error.code(), Code::kUnavailable) << garbage;
        EXPECT_THAT(error.message(), testing::Not(testing::HasSubstr("canary"))) << garbage;
    }
    const Error ended = error_of(instance(keys("A", "2023-11-14T22:13:21Z")));
    EXPECT_THAT(ended.message(), testing::HasSubstr("clock"));
    for (const char* role : {"a b", "../x", "<html>", ""}) {
        EXPECT_EQ(error_of([&](const std::string& request) {
                      return http(200, request.starts_with(kTokenRequest) ? "t" : role);
                  }).code(),
                  Code::kUnavailable)
            << role;
    }
}

TEST_F(Instance, ReadsNoMoreThanSixtyFourKibibytes) {
    const std::string padding(60 << 10, ' ');
    NearServer server(instance(keys("A", "2023-11-15T04:00:00Z") + padding));
    EXPECT_TRUE(of(server)->get());
    EXPECT_EQ(error_of(instance(keys("A", "2023-11-15T04:00:00Z") + padding + padding)).code(),
              Code::kPayloadTooLarge);
}

TEST_F(Instance, IsNotWaitedForLong) {
    NearServer silent([](const std::string&) { return std::string(); });
    const auto began = std::chrono::steady_clock::now();
    const Result<Credentials> none = of(silent, {.connect_ms = 50, .whole_ms = 100})->get();
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code(), Code::kDeadlineExceeded);
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(30));
}

TEST_F(Instance, IsAskedByOneOfManyThreads) {
    NearServer server(instance(keys("A", "2023-11-15T04:00:00Z")));
    const auto machine = of(server);
    std::atomic<size_t> got{0};
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 8; ++i) {
            threads.emplace_back([&] { got += machine->get() ? 1 : 0; });
        }
    }
    EXPECT_EQ(got, 8u);
    EXPECT_EQ(server.requests().size(), 3u);
}

TEST_F(Instance, IsOnlyAskedWhereAMachineHasItsKeys) {
    for (const char* url :
         {"https://127.0.0.1", "http://10.0.0.1", "http://169.255.1.1", "http://127.0.0.1@example.com",
          "http://127.evil.example", "http://metadata.example", "http://[2001:db8::1]",
          "http://127.0.0.1:99999999", "127.0.0.1", "http://", "http://127.0.0.1\r\nX: 1"}) {
        const Result<Credentials> refused = of({{"AWS_EC2_METADATA_SERVICE_ENDPOINT", url}})->get();
        ASSERT_FALSE(refused) << url;
        EXPECT_EQ(refused.error().code(), Code::kInvalidArgument) << url;
        EXPECT_EQ(of({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", url}})->get().error().code(),
                  Code::kInvalidArgument);
    }
    EXPECT_EQ(of({{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@example.com/"}})->get().error().code(),
              Code::kInvalidArgument);
}

TEST_F(Instance, MayBeAContainerWithATokenOfItsOwn) {
    NearServer agent([](const std::string& request) {
        return request.starts_with("GET /v1/credentials HTTP/1.1") &&
                       header(request, "authorization") == "from file"
                   ? http(200, R"({"RoleArn":"r","AccessKeyId":"POD","SecretAccessKey":"s","Token":"t",)"
                               R"("Expiration":"2023-11-15T04:00:00Z"})")
                   : http(401, "");
    });
    const std::string file = testing::TempDir() + "akidb-token-" + std::to_string(::getpid());
    std::ofstream(file) << "from file\n";
    ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
    const std::string url = agent.url() + "/v1/credentials";
    const Result<Credentials> got =
        of({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", url}, {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file}})
            ->get();
    ::unlink(file.c_str());
    ASSERT_TRUE(got) << got.error().message();
    EXPECT_EQ(got->access_key, "POD");
    EXPECT_EQ(
        of({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", url}, {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "other"}})
            ->get()
            .error()
            .code(),
        Code::kUnauthenticated);
}

TEST_F(Instance, ComesLastAndOnlyWhereItIsAllowed) {
    NearServer server(instance(keys("MACHINE", "2023-11-15T04:00:00Z")));
    const auto machine = of(server);
    const auto named =
        find_credentials({{}, {{"AWS_ACCESS_KEY_ID", "A"}, {"AWS_SECRET_ACCESS_KEY", "S"}}, machine.get()});
    ASSERT_TRUE(named);
    EXPECT_EQ((*named)()->access_key, "A");
    EXPECT_FALSE(find_credentials({"/nowhere", {}, machine.get()}))
        << "a file that was named has to be there";
    EXPECT_FALSE(find_credentials({{}, {}}));
    EXPECT_TRUE(server.requests().empty());
    const auto last = find_credentials({{}, {}, machine.get()});
    ASSERT_TRUE(last);
    EXPECT_EQ((*last)()->access_key, "MACHINE");
}

TEST_F(Instance, SignsRequestsWithItsSessionToken) {
    NearServer server(instance(keys("MACHINE", "2023-11-15T04:00:00Z")));
    const auto machine = of(server);
    NearServer bucket([](const std::string&) { return http(404, ""); });
    const auto store = make_s3_store({.endpoint = bucket.url(), .bucket = "backups"},
                                     find_credentials({{}, {}, machine.get()}).value(), time_,
                                     [] { return io::make_curl_http_client(); });
    ASSERT_TRUE(store);
    EXPECT_EQ((*store)->head("a").error().code(), Code::kNotFound);
    ASSERT_EQ(bucket.requests().size(), 1u);
    const std::string sent = bucket.requests().front();
    EXPECT_EQ(header(sent, "x-amz-security-token"), "t0ken/canary");
    EXPECT_THAT(header(sent, "authorization"),
                testing::AllOf(testing::HasSubstr("Credential=MACHINE/"),
                               testing::HasSubstr("x-amz-date;x-amz-security-token")));
    server.set([](const std::string&) { return http(503, ""); });
    time_.pass_us(24 * 3600 * 1'000'000ull);
    EXPECT_EQ((*store)->head("a").error().code(), Code::kUnavailable);
    EXPECT_EQ(bucket.requests().size(), 1u) << "nothing is sent without keys";
}

}  // namespace
}  // namespace akidb::objects
