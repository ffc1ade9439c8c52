// Plays bad_requests.txt against the real server and holds each answer against the table. Prints the table of
// what was answered, which is also the page to read when judging whether the messages help a person.
#include <gmock/gmock.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>

#include "server_process.h"
#include "support/http_client.h"

namespace akidb::scenarios {
namespace {

using Json = nlohmann::json;
constexpr std::string_view kVector = "[0.5,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]";
constexpr size_t kColumns = 7;

struct Row {
    size_t line = 0;
    std::string method;
    std::string path;
    std::string body;
    int status = 0;
    std::string code;
    std::string field;
    std::string message;
};

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
        text.replace(at, from.size(), to);
    }
}

/// `TEXT`*N becomes TEXT N times.
std::string repeat_marked(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        size_t open = std::min(text.size(), text.find('`'));
        out.append(text.substr(0, open));
        text.remove_prefix(open);
        if (text.empty()) {
            break;
        }
        size_t close = text.find('`', 1);
        std::string_view unit = text.substr(1, close - 1);
        size_t digits = 0;
        size_t times = std::stoul(std::string(text.substr(close + 2, 10)), &digits);
        for (size_t count = 0; count < times; ++count) {
            out.append(unit);
        }
        text.remove_prefix(close + 2 + digits);
    }
    return out;
}

std::string expand(std::string text) {
    replace_all(text, "${v}", kVector);
    return repeat_marked(text);
}

std::vector<Row> read_table(const std::string& path) {
    std::ifstream file(path);
    std::vector<Row> rows;
    std::string line;
    for (size_t number = 1; std::getline(file, line); ++number) {
        if (line.empty() || line.front() == '#') {
            continue;
        }
        std::vector<std::string> cells;
        for (size_t from = 0; cells.size() < kColumns;) {
            size_t to = cells.size() + 1 < kColumns ? line.find('|', from) : line.size();
            if (to == std::string::npos) {
                ADD_FAILURE() << path << ":" << number << " has " << cells.size() + 1 << " of " << kColumns
                              << " columns";
                return rows;
            }
            std::string cell = line.substr(from, to - from);
            cell.erase(0, std::min(cell.size(), cell.find_first_not_of(' ')));
            cell.erase(cell.find_last_not_of(' ') + 1);
            cells.push_back(cell);
            from = to + 1;
        }
        rows.push_back({number, cells[0], expand(cells[1]), expand(cells[2]), std::stoi(cells[3]), cells[4],
                        cells[5] == "-" ? "" : cells[5], cells[6]});
        if (rows.back().path.starts_with("~")) {
            rows.back().path.replace(0, 1, "/api/v1/collections");
        }
    }
    return rows;
}

std::string unescape(std::string text) {
    replace_all(text, "\\r", "\r");
    replace_all(text, "\\n", "\n");
    for (size_t at = 0; (at = text.find("\\x", at)) != std::string::npos; ++at) {
        text.replace(at, 4, 1, static_cast<char>(std::stoi(text.substr(at + 2, 2), nullptr, 16)));
    }
    return text;
}

/// Written by hand, because the table has requests that no well-behaved client can send.
support::HttpReply play(const Row& row, const support::Endpoint& endpoint) {
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

void check(const Row& row, const support::HttpReply& reply) {
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
    std::vector<Row> rows = read_table(AKIDB_SCENARIOS "/bad_requests.txt");
    ASSERT_GE(rows.size(), 60U);
    support::Endpoint endpoint = support::parse_url(server_->rest_url());
    for (const Row& row : rows) {
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
