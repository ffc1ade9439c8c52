// Plays bad_requests.txt against the real server and holds each answer against the table. Prints the table of
// what was answered, which is also the page to read when judging whether the messages help a person.
#include <gmock/gmock.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <regex>

#include "scenario_table.h"
#include "server_process.h"
#include "support/http_client.h"

namespace akidb::scenarios {
namespace {

using Json = nlohmann::json;

std::string unescape(std::string text) {
    replace_all(text, "\\r", "\r");
    replace_all(text, "\\n", "\n");
    for (size_t at = 0; (at = text.find("\\x", at)) != std::string::npos; ++at) {
        text.replace(at, 4, 1, static_cast<char>(std::stoi(text.substr(at + 2, 2), nullptr, 16)));
    }
    return text;
}

/// Written by hand, because the table has requests that no well-behaved client can send.
support::HttpReply play(const BadRequest& row, const support::Endpoint& endpoint) {
    std::string bytes;
    if (row.method == "RAW") {
        bytes = unescape(row.body);
    } else {
        size_t at = row.method.find(" @");
        std::string type = at == std::string::npos ? "application/json" : row.method.substr(at + 2);
        bytes = row.method.substr(0, at) + " " + row.path +
                " HTTP/1.1\r\nHost: test\r\nContent-Type: " + type +
                "\r\nContent-Length: " + std::to_string(row.body.size()) + "\r\n\r\n" + row.body;
    }
    support::HttpConnection connection(endpoint);
    connection.open();
    connection.send_bytes(bytes);  // may be cut short by an early answer, which is still there to be read
    return connection.read_reply();
}

class BadRequests : public testing::Test {
  protected:
    void SetUp() override {
        auto started = e2e::ServerProcess::start({.data_directory = directory_.path()});
        ASSERT_TRUE(started) << started.error().message();
        server_ = std::move(*started);
        ASSERT_TRUE(server_->wait_until_ready());
        const std::string all = "/api/v1/collections";
        ASSERT_EQ(server_->request("POST", all, R"({"name":"cos","dimension":16,"metric":"cosine"})")->status,
                  201);
        ASSERT_EQ(server_->request("POST", all, R"({"name":"plain","dimension":16,"metric":"l2"})")->status,
                  201);
        std::string document = R"({"documents":[{"id":1,"vector":)" + std::string(kVector) + "}]}";
        ASSERT_EQ(server_->request("PUT", all + "/cos/documents", document)->status, 200);
    }

    e2e::TemporaryDirectory directory_;
    std::unique_ptr<e2e::ServerProcess> server_;
};

bool matches(const std::string& text, const std::string& pattern) {
    return std::regex_match(text, std::regex(pattern));
}
bool contains(const std::string& text, const std::string& pattern) {
    return std::regex_search(text, std::regex(pattern));
}

void check(const BadRequest& row, const support::HttpReply& reply) {
    SCOPED_TRACE("bad_requests.txt:" + std::to_string(row.line));
    Json answer = Json::parse(reply.body, nullptr, false);
    if (!answer.is_object() || !answer.contains("error")) {
        ADD_FAILURE() << "status " << reply.status
                      << ", not an error in our shape: " << reply.body.substr(0, 200);
        return;
    }
    const Json& error = answer["error"];
    std::string message = error.value("message", "");
    std::string allowed = error.value("allowed", "");
    std::string field = error.value("field", "");
    std::string code = error.value("code", "");
    std::printf("%-5s %-42.42s %-44.44s %d %-20s %-26s %s%s%s\n", row.method.substr(0, 5).c_str(),
                row.path.c_str(), row.body.c_str(), reply.status, code.c_str(), field.c_str(),
                message.c_str(), allowed.empty() ? "" : "; allowed: ", allowed.c_str());
    EXPECT_EQ(reply.status, row.status);
    EXPECT_TRUE(matches(code, row.code)) << code;
    EXPECT_TRUE(matches(field, row.field)) << "field \"" << field << "\" is not " << row.field;
    EXPECT_TRUE(contains(message + "; " + allowed, row.message))
        << message << "; " << allowed << " lacks " << row.message;
    EXPECT_FALSE(error.value("request_id", "").empty());
}

TEST_F(BadRequests, AreEachRefusedWithTheFieldAndWhatIsAllowed) {
    std::vector<BadRequest> rows = read_bad_requests(AKIDB_SCENARIOS "/bad_requests.txt");
    ASSERT_GE(rows.size(), 60U);
    support::Endpoint endpoint = support::parse_url(server_->rest_url());
    for (const BadRequest& row : rows) {
        check(row, play(row, endpoint));
    }
    std::printf("%zu bad requests\n", rows.size());
    // Nothing of all that left a trace: the one document is there, as it was.
    auto count = server_->request("POST", "/api/v1/collections/cos/count", "{}");
    ASSERT_TRUE(count);
    EXPECT_EQ(Json::parse(count->body)["count"], 1);
    auto list = server_->request("GET", "/api/v1/collections");
    ASSERT_TRUE(list);
    EXPECT_EQ(Json::parse(list->body)["collections"].size(), 2U);
}

}  // namespace
}  // namespace akidb::scenarios
