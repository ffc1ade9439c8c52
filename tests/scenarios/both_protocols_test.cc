// Plays both_protocols.txt over REST on one server and over gRPC on another, and demands equal answers; then
// what of bad_requests.txt can be said in protobuf at all.
#include <gtest/gtest.h>

#include <cstdio>
#include <regex>
#include <set>

#include "rpc_player.h"
#include "scenario_table.h"
#include "server_process.h"
#include "support/http_client.h"

namespace akidb::scenarios {
namespace {

constexpr size_t kLeastCells = 4;
constexpr size_t kCells = 5;

struct Step {
    size_t line = 0;
    Request request;
    int status = 0;
    std::string field;
    bool is_replay = false;
    OrderedJson expected;
};
struct Scenario {
    std::string name;
    std::vector<Step> steps;

    /// Documents expire in it, so that a sweep may write when it likes.
    bool is_swept() const { return name.ends_with("(swept)"); }
};

/// $7 is a vector.
std::string with_vectors(std::string text) {
    static const std::regex kMark(R"(\$(-?\d+(\.\d+)?))");
    std::smatch found;
    while (std::regex_search(text, found, kMark)) {
        std::string vector = "[" + found[1].str();
        for (int i = 1; i < 16; ++i) {
            vector += ",0.25";
        }
        text = found.prefix().str() + vector + "]" + found.suffix().str();
    }
    return text;
}

// Vectors first: the texts that are repeated are too long for a regular expression.
std::string cell(const std::string& text) {
    return expand(with_vectors(text));
}

Step step_of(const Line& line) {
    Step step{.line = line.number};
    const std::vector<std::string>& cells = line.cells;
    const size_t key = std::min(cells[0].find(" !"), cells[0].size());
    step.request.method = cells[0].substr(0, key);
    step.request.write_key = key < cells[0].size() ? expand(cells[0].substr(key + 2)) : "";
    step.request.path = expand(cells[1]);
    step.request.body = cell(cells[2]);
    step.status = std::stoi(cells[3]);
    const std::string rest = cells[3].size() > 4 ? expand(cells[3].substr(4)) : "";
    step.is_replay = rest == "replay";
    step.field = step.is_replay ? "" : rest;
    if (cells.size() == kCells) {
        step.expected = OrderedJson::parse(cell(cells[4]));
    }
    return step;
}

std::vector<Scenario> read_scenarios() {
    std::vector<Scenario> scenarios;
    for (const Line& line : read_lines(AKIDB_SCENARIOS "/both_protocols.txt", kLeastCells, kCells)) {
        if (line.cells[0].starts_with("## ")) {
            scenarios.push_back({line.cells[0].substr(3), {}});
        } else {
            scenarios.back().steps.push_back(step_of(line));
        }
    }
    return scenarios;
}

class RestPlayer {
  public:
    explicit RestPlayer(const std::string& url) : endpoint_(support::parse_url(url)) {}

    Answer play(const Request& request) {
        std::string bytes = request.method + " " + request.path +
                            " HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n";
        if (!request.write_key.empty()) {
            bytes += "Idempotency-Key: " + request.write_key + "\r\n";
        }
        bytes += "Content-Length: " + std::to_string(request.body.size()) + "\r\n\r\n" + request.body;
        support::HttpConnection connection(endpoint_);
        connection.open();
        connection.send_bytes(bytes);
        const support::HttpReply reply = connection.read_reply();
        Answer answer{.status = reply.status};
        answer.is_replay = reply.headers.find("idempotency-replayed: true") != std::string::npos;
        answer.body = OrderedJson::parse(reply.body, nullptr, false);
        if (answer.body.is_object() && answer.body.contains("error")) {
            const OrderedJson error = answer.body["error"];
            answer.code = error.value("code", "");
            answer.field = error.value("field", "");
            answer.message = error.value("message", "");
            answer.body = nullptr;
        }
        return answer;
    }

  private:
    support::Endpoint endpoint_;
};

/// Without what differs from one run to the next; `is_swept`: sequences too.
void strip(OrderedJson& json, bool is_swept) {
    static const std::set<std::string> kVolatile{"took_ms",        "estimated_cost_us",
                                                 "actual_cost_us", "created_at",
                                                 "completed_at",   "scrubbed_at",
                                                 "bytes",          "log_bytes",
                                                 "rewritten",      "removed",
                                                 "indexed_rows",   "covered_sequence",
                                                 "ready",          "seconds"};
    static const std::regex kUuid("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");
    if (json.is_string() && std::regex_match(json.get_ref<const std::string&>().substr(0, 64), kUuid)) {
        json = "uuid";
    }
    if (json.is_object()) {
        for (const std::string& name : kVolatile) {
            json.erase(name);
        }
        if (is_swept) {
            json.erase("sequence");
            json.erase("version");
        }
    }
    if (json.is_structured()) {
        for (OrderedJson& part : json) {
            strip(part, is_swept);
        }
    }
}

/// Numbers of REST may be the shortest text of a 32-bit float.
bool is_equal(const OrderedJson& a, const OrderedJson& b) {
    if (a.is_number() && b.is_number()) {
        return a == b || (a.is_number_float() && b.is_number_float() && a.get<float>() == b.get<float>()) ||
               (a.is_number_float() != b.is_number_float() && a.get<double>() == b.get<double>());
    }
    return a == b;
}

/// Whether `whole` has all that `part` has; the place of the first difference.
std::string difference(const OrderedJson& whole, const OrderedJson& part,
                       const std::string& place = "answer") {
    if (part.is_object() && whole.is_object()) {
        for (const auto& [name, value] : part.items()) {
            if (!whole.contains(name) && value.is_null()) {
                continue;
            }
            if (!whole.contains(name)) {
                return place + "." + name + " is missing";
            }
            if (std::string found = difference(whole[name], value, place + "." + name); !found.empty()) {
                return found;
            }
        }
        return "";
    }
    if (part.is_array() && whole.is_array() && part.size() == whole.size()) {
        for (size_t i = 0; i < part.size(); ++i) {
            std::string found = difference(whole[i], part[i], place + "[" + std::to_string(i) + "]");
            if (!found.empty()) {
                return found;
            }
        }
        return "";
    }
    return is_equal(whole, part)
               ? ""
               : place + " is " + whole.dump().substr(0, 200) + ", not " + part.dump().substr(0, 200);
}

/// What gRPC always has, and REST in some answers alone.
bool may_be_extra(const std::string& name, const OrderedJson& value) {
    static const std::set<std::string> kExtra{"version"};
    return kExtra.contains(name) || value.is_null() || value == "" || value == 0 || value == false ||
           value == OrderedJson::array();
}

std::string surplus(const OrderedJson& grpc, const OrderedJson& rest, const std::string& place = "answer") {
    if (grpc.is_object() && rest.is_object()) {
        for (const auto& [name, value] : grpc.items()) {
            if (!rest.contains(name)) {
                if (!may_be_extra(name, value)) {
                    return place + "." + name + " is in gRPC's alone";
                }
            } else if (std::string found = surplus(value, rest[name], place + "." + name); !found.empty()) {
                return found;
            }
        }
    }
    if (grpc.is_array() && rest.is_array()) {
        for (size_t i = 0; i < std::min(grpc.size(), rest.size()); ++i) {
            if (std::string found = surplus(grpc[i], rest[i], place + "[]"); !found.empty()) {
                return found;
            }
        }
    }
    return "";
}

class BothProtocols : public testing::Test {
  protected:
    void SetUp() override {
        for (int i = 0; i < 2; ++i) {
            auto started = e2e::ServerProcess::start({.data_directory = directories_[i].path()});
            ASSERT_TRUE(started) << started.error().message();
            servers_[i] = std::move(*started);
            ASSERT_TRUE(servers_[i]->wait_until_ready());
        }
        rest_ = std::make_unique<RestPlayer>(servers_[0]->rest_url());
        rpc_ = std::make_unique<RpcPlayer>(servers_[1]->grpc_address());
    }
    void remove_all() {
        const Request list{"GET", "/api/v1/collections", "", ""};
        const Answer on_rest = rest_->play(list);
        for (const OrderedJson& one : on_rest.body["collections"]) {
            rest_->play({"DELETE", "/api/v1/collections/" + one["name"].get<std::string>(), "", ""});
        }
        const Answer on_grpc = rpc_->play(list);
        for (const OrderedJson& one : on_grpc.body["collections"]) {
            rpc_->play({"DELETE", "/api/v1/collections/" + one["name"].get<std::string>(), "", ""});
        }
    }
    /// "$next" is where the last page ended.
    static Request going_on(Request request, const std::string& cursor) {
        replace_all(request.body, "$next", cursor);
        return request;
    }
    static void keep_cursor(const Answer& answer, std::string& cursor) {
        if (answer.body.is_object() && answer.body.value("next_cursor", OrderedJson()).is_string()) {
            cursor = answer.body["next_cursor"];
        }
    }
    void play(const Step& step) {
        SCOPED_TRACE("both_protocols.txt:" + std::to_string(step.line));
        Answer rest = rest_->play(going_on(step.request, rest_cursor_));
        Answer grpc = rpc_->play(going_on(step.request, grpc_cursor_));
        keep_cursor(rest, rest_cursor_);
        keep_cursor(grpc, grpc_cursor_);
        ++requests_;
        EXPECT_EQ(rest.status, step.status) << rest.message << " " << rest.field;
        EXPECT_EQ(rest.field, step.field) << rest.message;
        EXPECT_EQ(rest.is_replay, step.is_replay);
        EXPECT_EQ(grpc.status, rest.status) << grpc.code << ": " << grpc.message << " " << grpc.field;
        EXPECT_EQ(grpc.code, rest.code);
        EXPECT_EQ(grpc.field, rest.field) << grpc.message;
        EXPECT_EQ(grpc.is_replay, rest.is_replay);
        if (rest.status >= 400) {
            ++refused_;
            same_words_ += grpc.message == rest.message ? 1 : 0;
            return;
        }
        strip(rest.body, is_swept_);
        strip(grpc.body, is_swept_);
        EXPECT_EQ(difference(rest.body, step.expected.is_null() ? OrderedJson::object() : step.expected), "");
        EXPECT_EQ(difference(grpc.body, rest.body), "") << "over gRPC";
        if (step.status != 201) {  // gRPC tells more of a new collection
            EXPECT_EQ(surplus(grpc.body, rest.body), "");
        }
    }

    e2e::TemporaryDirectory directories_[2];
    std::unique_ptr<e2e::ServerProcess> servers_[2];
    std::unique_ptr<RestPlayer> rest_;
    std::unique_ptr<RpcPlayer> rpc_;
    std::string rest_cursor_;
    std::string grpc_cursor_;
    bool is_swept_ = false;
    size_t requests_ = 0;
    size_t refused_ = 0;
    size_t same_words_ = 0;
};

TEST_F(BothProtocols, AnswerEveryScenarioAlike) {
    const std::vector<Scenario> scenarios = read_scenarios();
    ASSERT_GE(scenarios.size(), 151U);
    const Scenario& setup = scenarios.front();
    ASSERT_EQ(setup.name, "setup");
    for (size_t i = 1; i < scenarios.size(); ++i) {
        SCOPED_TRACE("scenario: " + scenarios[i].name);
        remove_all();
        for (const Scenario* scenario : {&setup, &scenarios[i]}) {
            is_swept_ = scenario->is_swept();
            for (const Step& step : scenario->steps) {
                ASSERT_NO_THROW(play(step)) << "line " << step.line;
            }
        }
    }
    std::printf(
        "%zu scenarios, %zu requests over each protocol, %zu of them refused, %zu in the same words\n",
        scenarios.size() - 1, requests_, refused_, same_words_);
}

TEST_F(BothProtocols, RefuseTheSameBadRequests) {
    const Request made[] = {
        {"POST", "/api/v1/collections", R"({"name":"cos","dimension":16,"metric":"cosine"})", ""},
        {"POST", "/api/v1/collections", R"({"name":"plain","dimension":16,"metric":"l2"})", ""},
        {"PUT", "/api/v1/collections/cos/documents",
         R"({"documents":[{"id":1,"vector":)" + std::string(kVector) + "}]}", ""}};
    for (const Request& request : made) {
        ASSERT_LT(rpc_->play(request).status, 300);
    }
    size_t played = 0;
    size_t inexpressible = 0;
    for (const BadRequest& row : read_bad_requests(AKIDB_SCENARIOS "/bad_requests.txt")) {
        SCOPED_TRACE("bad_requests.txt:" + std::to_string(row.line));
        // What JSON alone has: a name twice, a body of another type.
        if (row.message.find("twice") != std::string::npos || row.method.find('@') != std::string::npos) {
            ++inexpressible;
            continue;
        }
        try {
            const Answer answer = rpc_->play({row.method, row.path, row.body, ""});
            ++played;
            EXPECT_EQ(answer.status, row.status) << answer.message;
            EXPECT_TRUE(std::regex_match(answer.code, std::regex(row.code))) << answer.code;
            EXPECT_TRUE(std::regex_match(answer.field, std::regex(row.field))) << answer.field;
        } catch (const NotExpressible&) {
            ++inexpressible;
        }
    }
    EXPECT_GE(played, 60U);
    std::printf("%zu bad requests over gRPC, %zu that protobuf cannot say\n", played, inexpressible);
}

}  // namespace
}  // namespace akidb::scenarios
