#include "rest/cors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace akidb::rest {
namespace {

class Inner final : public HttpHandler {
  public:
    uint64_t body_bytes_max(std::string_view, std::string_view) const override { return 1; }
    void handle(HttpRequest request, Respond respond) override {
        methods.push_back(request.method);
        respond({.status = 200, .body = "{}"});
    }
    HttpResponse error_response(int status, std::string_view, std::string_view,
                                std::string_view) const override {
        return {.status = status};
    }
    std::vector<std::string> methods;
};

class CorsTest : public ::testing::Test {
  protected:
    HttpResponse ask(std::string method, std::string origin) {
        HttpRequest request;
        request.method = std::move(method);
        request.origin = std::move(origin);
        HttpResponse answer;
        handler_->handle(std::move(request), [&](HttpResponse got) { answer = std::move(got); });
        return answer;
    }
    static std::string header(const HttpResponse& answer, std::string_view name) {
        for (const auto& [key, value] : answer.headers) {
            if (key == name) {
                return value;
            }
        }
        return "";
    }

    Inner inner_;
    std::unique_ptr<HttpHandler> handler_ =
        make_cors_handler(parse_origins("https://console.example, http://localhost:3000").value(), inner_);
};

TEST_F(CorsTest, NamesTheOriginInAnswersToItAndToNoOther) {
    EXPECT_EQ(header(ask("GET", "https://console.example"), "Access-Control-Allow-Origin"),
              "https://console.example");
    EXPECT_EQ(header(ask("GET", "http://localhost:3000"), "Vary"), "Origin");
    for (const char* other : {"", "null", "https://console.example.evil", "https://CONSOLE.example",
                              "http://console.example", "https://console.example:443", "http://localhost"}) {
        EXPECT_EQ(header(ask("GET", other), "Access-Control-Allow-Origin"), "") << other;
    }
    EXPECT_EQ(header(ask("GET", "https://console.example"), "Access-Control-Allow-Credentials"), "");
}

TEST_F(CorsTest, AnswersTheBrowsersQuestionItself) {
    const HttpResponse answer = ask("OPTIONS", "https://console.example");
    EXPECT_EQ(answer.status, 204);
    EXPECT_THAT(header(answer, "Access-Control-Allow-Headers"), ::testing::HasSubstr("Authorization"));
    EXPECT_TRUE(inner_.methods.empty());
    ask("OPTIONS", "https://evil.example");
    EXPECT_EQ(inner_.methods.size(), 1u) << "as before: 405 from the router";
}

TEST_F(CorsTest, ReadsOriginsAndNothingElse) {
    EXPECT_EQ(parse_origins("").value().size(), 0u);
    for (const char* wrong : {"*", "console.example", "https://", "https://a/b", "https://a,,https://b",
                              "https://A", "ftp://a", "https://a https://b"}) {
        EXPECT_FALSE(parse_origins(wrong).has_value()) << wrong;
    }
}

}  // namespace
}  // namespace akidb::rest
