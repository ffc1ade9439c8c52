// SIGTERM under load: eight clients with kept connections search and write while the server goes. Every
// request they sent is answered in full (success or 503), or its connection was refused after the listener
// closed; nothing is cut off; and after a restart every acknowledged write is there.
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>

#include "json_requests.h"
#include "support/http_client.h"

namespace akidb::e2e {
namespace {

constexpr size_t kClients = 8;
constexpr size_t kBatch = 5;
constexpr size_t kIdsOfClient = 1'000'000;
constexpr size_t kAnswersBeforeSignal = 200;

struct Counts {
    std::atomic<size_t> answered = 0;
    std::atomic<size_t> answered_after_signal = 0;
    std::atomic<size_t> told_draining = 0;
    std::atomic<size_t> cut_off = 0;
    std::atomic<size_t> unexpected = 0;
};

std::string message_of(std::string_view method, std::string_view path, const std::string& body) {
    std::string message(method);
    return message.append(" ")
        .append(path)
        .append(" HTTP/1.1\r\nHost: akidb\r\nContent-Type: application/json\r\nContent-Length: ")
        .append(std::to_string(body.size()))
        .append("\r\n\r\n")
        .append(body);
}

class Client {
  public:
    Client(size_t number, const std::string& url, const std::atomic<bool>& is_signalled, Counts& counts)
        : number_(number),
          connection_(support::parse_url(url)),
          is_signalled_(is_signalled),
          counts_(counts) {}

    /// Until the server refuses connections.
    void run() {
        for (size_t round = 0; ensure_open(); ++round) {
            const bool writes = (round + number_) % 2 == 0;
            if (!exchange(writes ? upsert() : search(), writes)) {
                return;
            }
        }
    }
    size_t acknowledged() const { return acknowledged_; }

  private:
    bool ensure_open() {
        try {
            if (!connection_.is_open()) {
                connection_.open();
            }
            return true;
        } catch (const support::HttpFault&) {
            return false;
        }
    }

    std::string upsert() const {
        Json documents = Json::array();
        for (size_t i = 0; i < kBatch; ++i) {
            documents.push_back(document_of(number_ * kIdsOfClient + acknowledged_ + i));
        }
        return message_of("PUT", "/api/v1/collections/numbers/documents",
                          Json{{"documents", std::move(documents)}}.dump());
    }

    std::string search() const {
        return message_of("POST", "/api/v1/collections/numbers/search",
                          Json{{"vector", vector_of(number_)}}.dump());
    }

    bool exchange(const std::string& message, bool writes) {
        try {
            const bool was_sent = connection_.send_bytes(message);
            const support::HttpReply reply = was_sent ? connection_.read_reply() : support::HttpReply{};
            if (reply.status == 0) {
                ++counts_.cut_off;
                return false;
            }
            ++counts_.answered;
            counts_.answered_after_signal += is_signalled_ ? 1 : 0;
            if (reply.status == 200) {
                acknowledged_ += writes ? kBatch : 0;
            } else if (reply.status == 503) {
                ++counts_.told_draining;
            } else {
                ++counts_.unexpected;
                ADD_FAILURE() << reply.status << " " << reply.body;
            }
            if (reply.closes) {
                connection_.close();
            }
            return true;
        } catch (const support::HttpFault& fault) {
            ++counts_.cut_off;
            ADD_FAILURE() << fault.what();
            return false;
        }
    }

    size_t number_;
    support::HttpConnection connection_;
    const std::atomic<bool>& is_signalled_;
    Counts& counts_;
    size_t acknowledged_ = 0;
};

class Drain : public testing::Test {
  protected:
    void start() {
        Result<std::unique_ptr<ServerProcess>> started = ServerProcess::start(
            {.data_directory = files_.path() + "/data", .flags = {"--drain.min_ms", "500"}});
        ASSERT_TRUE(started.has_value()) << started.error().message();
        server_ = std::move(*started);
        ASSERT_TRUE(server_->wait_until_ready().has_value());
    }

    TemporaryDirectory files_;
    std::unique_ptr<ServerProcess> server_;
};

TEST_F(Drain, AnswersEverythingThatWasSent) {
    start();
    ASSERT_EQ(ask(*server_, "POST", "/api/v1/collections", collection_named("numbers")).status, 201);
    Counts counts;
    std::atomic<bool> is_signalled = false;
    std::vector<std::unique_ptr<Client>> clients;
    std::vector<std::thread> threads;
    for (size_t number = 0; number < kClients; ++number) {
        clients.push_back(std::make_unique<Client>(number, server_->rest_url(), is_signalled, counts));
        threads.emplace_back([client = clients.back().get()] { client->run(); });
    }
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (counts.answered < kAnswersBeforeSignal && std::chrono::steady_clock::now() < give_up) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    is_signalled = true;
    server_->send_signal(SIGTERM);
    const auto begin = std::chrono::steady_clock::now();
    const Result<int> code = server_->wait_for_exit(30'000);
    const auto took =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
    if (!code) {
        server_->kill_now();
    }
    size_t acknowledged = 0;
    for (size_t number = 0; number < kClients; ++number) {
        threads[number].join();
        acknowledged += clients[number]->acknowledged();
    }
    std::printf(
        "drain: %zu answered, %zu of them after SIGTERM, %zu by 503, %zu cut off, ended after %lld ms\n",
        counts.answered.load(), counts.answered_after_signal.load(), counts.told_draining.load(),
        counts.cut_off.load(), static_cast<long long>(took.count()));
    ASSERT_TRUE(code.has_value()) << code.error().message();
    EXPECT_EQ(*code, 0) << server_->log();
    EXPECT_GE(counts.answered, kAnswersBeforeSignal);
    EXPECT_GT(counts.answered_after_signal, 0U);
    EXPECT_EQ(counts.cut_off, 0U);
    EXPECT_EQ(counts.unexpected, 0U);

    start();
    EXPECT_EQ(ask(*server_, "POST", "/api/v1/collections/numbers/count", Json::object()).body["count"],
              acknowledged);
    for (size_t number = 0; number < kClients; ++number) {
        const size_t count = clients[number]->acknowledged();
        for (size_t from = 0; from < count; from += 1000) {
            Json ids = Json::array();
            for (size_t i = from; i < std::min(count, from + 1000); ++i) {
                ids.push_back(number * kIdsOfClient + i);
            }
            const JsonReply reply = ask(*server_, "POST", "/api/v1/collections/numbers/documents/get",
                                        {{"ids", ids}, {"include", Json::array({"metadata"})}});
            EXPECT_EQ(reply.body["documents"].size(), ids.size()) << "of client " << number;
        }
    }
}

}  // namespace
}  // namespace akidb::e2e
