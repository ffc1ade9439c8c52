// Writes with an Idempotency-Key against the real server: sent again, also after kill -9, they are answered
// as the first time and applied no more.
#include <gmock/gmock.h>

#include <map>

#include "json_requests.h"
#include "support/http_client.h"

namespace akidb::scenarios {
namespace {

using e2e::Json;
using testing::HasSubstr;
constexpr const char* kDocuments = "/api/v1/collections/c/documents";

struct Reply {
    int status = 0;
    Json body;
    bool is_replay = false;
};

class Idempotency : public testing::Test {
  protected:
    void SetUp() override {
        start();
        ASSERT_EQ(e2e::ask(*server_, "POST", "/api/v1/collections", e2e::collection_named("c")).status, 201);
    }
    void start() {
        server_.reset();
        auto started = e2e::ServerProcess::start({.data_directory = directory_.path()});
        ASSERT_TRUE(started) << started.error().message();
        server_ = std::move(*started);
        ASSERT_TRUE(server_->wait_until_ready());
    }
    /// `head`: header lines with their ends.
    Reply send(const std::string& method, const std::string& path, const std::string& head,
               const Json& body) {
        support::HttpConnection connection(support::parse_url(server_->rest_url()));
        connection.open();
        const std::string text = body.is_null() ? std::string() : body.dump();
        connection.send_bytes(method + " " + path + " HTTP/1.1\r\nHost: test\r\n" + head +
                              "Content-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text);
        const support::HttpReply reply = connection.read_reply();
        return {reply.status, Json::parse(reply.body, nullptr, false),
                reply.headers.find("idempotency-replayed: true") != std::string::npos};
    }
    Reply put(const std::string& key, const Json& body) {
        return send("PUT", kDocuments, "Idempotency-Key: " + key + "\r\n", body);
    }
    uint64_t count() {
        return e2e::ask(*server_, "POST", "/api/v1/collections/c/count", Json::object()).body["count"];
    }
    static Json without_id(size_t number) {
        return {{"documents", {{{"vector", e2e::vector_of(number)}}, e2e::document_of(number)}}};
    }

    e2e::TemporaryDirectory directory_;
    std::unique_ptr<e2e::ServerProcess> server_;
};

void expect_same(const Reply& again, const Reply& first) {
    EXPECT_EQ(again.status, first.status);
    EXPECT_EQ(again.body, first.body);
    EXPECT_TRUE(again.is_replay);
}

TEST_F(Idempotency, ARetryIsAnsweredAsTheFirstTimeAlsoAfterAKill) {
    const Reply upserted = put("order-1", without_id(3));
    ASSERT_EQ(upserted.status, 200) << upserted.body;
    EXPECT_FALSE(upserted.is_replay);
    ASSERT_EQ(upserted.body["ids"].size(), 2U);
    const std::string key = "Idempotency-Key: order-2\r\n";
    const std::string one = std::string(kDocuments) + "/3";
    const Reply deleted = send("DELETE", one, key, nullptr);
    EXPECT_EQ(deleted.body["deleted"], 1);
    const Json filter = {{"filter", Json::object()}};
    const std::string all = std::string(kDocuments) + "/delete";
    const Reply emptied = send("POST", all, "Idempotency-Key: order-3\r\n", filter);
    EXPECT_EQ(emptied.body["deleted"], 1);
    for (int round = 0; round < 2; ++round) {
        expect_same(put("order-1", without_id(3)), upserted);
        expect_same(send("DELETE", one, key, nullptr), deleted);
        expect_same(send("POST", all, "Idempotency-Key: order-3\r\n", filter), emptied);
        EXPECT_EQ(count(), 0U);
        server_->kill_now();
        start();
    }
    const std::string metrics = server_->request("GET", "/metrics")->body;
    EXPECT_THAT(metrics, HasSubstr("akidb_writes_replayed_total 0\n"));
    expect_same(put("order-1", without_id(3)), upserted);
    EXPECT_THAT(server_->request("GET", "/metrics")->body, HasSubstr("akidb_writes_replayed_total 1\n"));
}

TEST_F(Idempotency, TheSameKeyWithAnotherWriteIsAConflict) {
    ASSERT_EQ(put("k", without_id(1)).status, 200);
    for (const Reply& reply : {put("k", without_id(2)), send("DELETE", std::string(kDocuments) + "/1",
                                                             "Idempotency-Key: k\r\n", nullptr)}) {
        EXPECT_EQ(reply.status, 409);
        EXPECT_EQ(reply.body["error"]["code"], "ABORTED");
        EXPECT_EQ(reply.body["error"]["field"], "Idempotency-Key");
    }
    EXPECT_EQ(count(), 2U);
    // What was refused is not remembered, so that it can be mended under its key.
    EXPECT_EQ(put("m", {{"documents", {{{"vector", {1, 2}}}}}}).status, 400);
    EXPECT_EQ(put("m", without_id(5)).status, 200);
}

TEST_F(Idempotency, KeysAreBounded) {
    const std::map<std::string, int> kHeads{{"Idempotency-Key: " + std::string(255, 'k') + "\r\n", 200},
                                            {"Idempotency-Key: " + std::string(256, 'k') + "\r\n", 400},
                                            {"Idempotency-Key: x\r\n", 200},
                                            {"Idempotency-Key:\r\n", 400},
                                            {"Idempotency-Key: two words\r\n", 400},
                                            {"Idempotency-Key: schl\xc3\xbcssel\r\n", 400},
                                            {"Idempotency-Key: a\r\nIdempotency-Key: a\r\n", 400}};
    for (const auto& [head, status] : kHeads) {
        const Reply reply = send("PUT", kDocuments, head, without_id(1));
        EXPECT_EQ(reply.status, status) << head;
        if (status == 400) {
            EXPECT_EQ(reply.body["error"]["field"], "Idempotency-Key") << head;
            EXPECT_THAT(reply.body["error"]["allowed"].get<std::string>(), HasSubstr("1..255 visible ASCII"));
        }
    }
    const Reply erase =
        send("POST", std::string(kDocuments) + "/erase", "Idempotency-Key: e\r\n", {{"ids", {1}}});
    EXPECT_EQ(erase.status, 400);
    EXPECT_EQ(erase.body["error"]["field"], "Idempotency-Key");
}

}  // namespace
}  // namespace akidb::scenarios
