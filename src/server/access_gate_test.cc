// What stands at the gate besides roles: credentials sent twice or of another kind, patterns of collections
// and the aliases that lead around them, quotas, what is refused before it is read, and what a rule does over
// HTTP.
#include "server/access_stack_for_tests.h"

namespace akidb::server {
namespace {

std::string header(const rest::HttpResponse& response, std::string_view name) {
    for (const auto& [known, value] : response.headers) {
        if (known == name) {
            return value;
        }
    }
    return {};
}

class AccessGate : public AccessStack {
  protected:
    AccessGate() : root_token_(set_up()) {
        for (const char* name : {"words-a", "words-b", "secret"}) {
            EXPECT_EQ(ask(root_token_, "POST", "/api/v1/collections",
                          std::string(R"({"name":")") + name + R"(","dimension":16,"metric":"l2"})")
                          .status,
                      201);
        }
    }
    int status(const std::string& token, const std::string& method, const std::string& path,
               const std::string& body = "") {
        return ask(token, method, "/api/v1" + path, body).status;
    }
    static std::string document(int id, const std::string& owner) {
        return R"({"id":)" + std::to_string(id) + R"(,"vector":)" + rest::vector_of(static_cast<float>(id)) +
               R"(,"metadata":{"owner":")" + owner + R"("}})";
    }
    std::string upsert_body(int id, const std::string& owner) {
        return R"({"documents":[)" + document(id, owner) + "]}";
    }

    std::string root_token_;
};

TEST_F(AccessGate, CredentialsAreSentOnceAndOfOneKind) {
    const std::string key = make_key(root_token_, R"("role":"admin")");
    const std::string path = "/api/v1/collections";
    EXPECT_EQ(ask(service::Credentials{.api_key = {key}}, "GET", path).status, 200);
    EXPECT_EQ(ask(service::Credentials{.authorization = {"bearer " + key}}, "GET", path).status, 200);
    const std::vector<service::Credentials> twice{{.authorization = {"Bearer " + key, "Bearer " + key}},
                                                  {.authorization = {"Bearer " + key}, .api_key = {key}},
                                                  {.authorization = {"Bearer x"}, .api_key = {key}},
                                                  {.api_key = {key, "x"}},
                                                  {.api_key = {"", key}}};
    for (const service::Credentials& who : twice) {
        EXPECT_EQ(ask(who, "GET", path).status, 400);
        EXPECT_EQ(call(who, "CollectionService/List", "").error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    }
    const std::vector<service::Credentials> wrong{{.authorization = {"Basic " + key}},
                                                  {.authorization = {key}},
                                                  {.authorization = {"Bearer  " + key}},
                                                  {.authorization = {"Bearer " + key + " "}},
                                                  {.authorization = {"Bearer " + key + "," + key}},
                                                  {.api_key = {"Bearer " + key}},
                                                  {.api_key = {key + "\t"}},
                                                  {.api_key = {std::string(8000, 'a')}}};
    for (const service::Credentials& who : wrong) {
        const rest::HttpResponse answer = ask(who, "GET", path);
        EXPECT_EQ(answer.status, 401) << answer.body;
        EXPECT_FALSE(header(answer, "WWW-Authenticate").empty());
        EXPECT_FALSE(says(answer.body, key)) << "an error that tells the key";
    }
    EXPECT_EQ(call({.api_key = {key}}, "CollectionService/List", "").error_code(), grpc::StatusCode::OK);
    EXPECT_EQ(call(bearer(root_token_), "CollectionService/List", "").error_code(), grpc::StatusCode::OK);
}

TEST_F(AccessGate, NothingIsReadForWhoMayNot) {
    const std::string viewer = make_key(root_token_, R"("role":"viewer")");
    EXPECT_EQ(status("", "PUT", "/collections/words-a/documents", "{nonsense"), 401);
    EXPECT_EQ(status(viewer, "PUT", "/collections/words-a/documents", "{nonsense"), 403);
    EXPECT_EQ(status(viewer, "POST", "/collections/nowhere/search", "{nonsense"), 404);
    EXPECT_EQ(status(viewer, "POST", "/collections/words-a/search", "{nonsense"), 400);
    EXPECT_EQ(ask("", "GET", "/health").status, 200);
    EXPECT_EQ(ask("", "GET", "/ready").status, 200);
    EXPECT_EQ(ask("", "GET", "/metrics").status, 401);
    EXPECT_EQ(ask(viewer, "GET", "/metrics").status, 200);
}

TEST_F(AccessGate, APatternHoldsAgainstNamesIdsAndAliases) {
    const std::string some = make_key(
        root_token_,
        R"("actions":["collection::create","collection::read","collection::update","collection::delete"],)"
        R"("collections":["words*"])");
    EXPECT_EQ(status(some, "GET", "/collections/words-a"), 200);
    EXPECT_EQ(status(some, "GET", "/collections/words-nowhere"), 404);
    EXPECT_EQ(status(some, "GET", "/collections/secret"), 403);
    EXPECT_EQ(status(some, "GET", "/collections/nowhere"), 403) << "the same whether it is there or not";
    const std::string id = text_in(ask(root_token_, "GET", "/api/v1/collections/secret").body, "id");
    EXPECT_EQ(status(some, "GET", "/collections/" + id), 403);
    const std::string own = text_in(ask(root_token_, "GET", "/api/v1/collections/words-a").body, "id");
    EXPECT_EQ(status(some, "GET", "/collections/" + own), 200);
    const rest::HttpResponse list = ask(some, "GET", "/api/v1/collections");
    EXPECT_TRUE(says(list.body, "words-b") && !says(list.body, "secret")) << list.body;
    EXPECT_EQ(status(some, "POST", "/collections", R"({"name":"other","dimension":16})"), 403);
    EXPECT_EQ(status(some, "POST", "/collections", R"({"name":"words-c","dimension":16})"), 201);
    EXPECT_EQ(status(some, "DELETE", "/collections/secret"), 403);
    const auto alias = [&](const std::string& token, const std::string& action) {
        return status(token, "POST", "/aliases", R"({"actions":[)" + action + "]}");
    };
    EXPECT_EQ(alias(some, R"({"create":{"alias":"words-x","collection":"secret"}})"), 403);
    EXPECT_EQ(alias(some, R"({"create":{"alias":"x","collection":"words-a"}})"), 403);
    EXPECT_EQ(alias(some, R"({"create":{"alias":"words-x","collection":"words-a"}})"), 200);
    EXPECT_EQ(alias(root_token_, R"({"create":{"alias":"words-y","collection":"secret"}})"), 200);
    EXPECT_EQ(status(some, "GET", "/collections/words-y"), 404);
    EXPECT_EQ(alias(some, R"({"rename":{"alias":"words-y","to":"words-z"}})"), 404);
    EXPECT_EQ(alias(some, R"({"delete":{"alias":"words-y"}})"), 404);
    EXPECT_FALSE(says(ask(some, "GET", "/api/v1/aliases").body, "words-y"));
    EXPECT_TRUE(says(ask(root_token_, "GET", "/api/v1/aliases").body, "words-y"));
}

TEST_F(AccessGate, QuotasAreToldAndHeld) {
    const std::string key = make_key(root_token_, R"("role":"viewer","requests_per_second":5)");
    for (int i = 0; i < 5; ++i) {
        const rest::HttpResponse answer = ask(key, "GET", "/api/v1/collections/words-a");
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(header(answer, "X-RateLimit-Limit"), "5");
    }
    rest::HttpResponse refused = ask(key, "GET", "/api/v1/collections/words-a");
    for (int i = 0; i < 100 && refused.status == 200;
         ++i) {  // a slow machine: the quota comes back meanwhile
        refused = ask(key, "GET", "/api/v1/collections/words-a");
    }
    EXPECT_EQ(refused.status, 429) << refused.body;
    EXPECT_EQ(header(refused, "Retry-After"), "1");
    EXPECT_EQ(header(refused, "X-RateLimit-Remaining"), "0");
    EXPECT_TRUE(header(ask(root_token_, "GET", "/api/v1/collections"), "X-RateLimit-Limit").empty());

    EXPECT_EQ(status(root_token_, "POST", "/tenants", R"({"name":"small","documents_max":2})"), 201);
    const std::string small = make_key(root_token_, R"("role":"admin","tenant":"small")");
    EXPECT_EQ(status(small, "POST", "/collections", R"({"name":"c","dimension":16,"metric":"l2"})"), 201);
    EXPECT_EQ(status(small, "PUT", "/collections/c/documents",
                     R"({"documents":[)" + document(1, "a") + "," + document(2, "a") + "]}"),
              200);
    EXPECT_EQ(status(small, "PUT", "/collections/c/documents", upsert_body(3, "a")), 429);
    EXPECT_EQ(status(root_token_, "PATCH", "/tenants/small", R"({"documents_max":0})"), 200);
    EXPECT_EQ(status(small, "PUT", "/collections/c/documents", upsert_body(3, "a")), 200);
}

TEST_F(AccessGate, ARuleHoldsOverHttp) {
    const std::string ann = make_key(
        root_token_, R"("actions":["document::insert","document::search","document::delete",)"
                     R"("collection::read"],"row_rule":{"must":[{"key":"owner","match":{"value":"ann"}}]})");
    EXPECT_EQ(status(root_token_, "PUT", "/collections/words-a/documents",
                     R"({"documents":[)" + document(1, "bob") + "," + document(2, "ann") + "]}"),
              200);
    EXPECT_EQ(status(ann, "GET", "/collections/words-a/documents/1"), 404);
    EXPECT_EQ(status(ann, "GET", "/collections/words-a/documents/2"), 200);
    EXPECT_EQ(status(ann, "PUT", "/collections/words-a/documents", upsert_body(1, "ann")), 403);
    EXPECT_EQ(status(ann, "PUT", "/collections/words-a/documents", upsert_body(3, "bob")), 403);
    EXPECT_EQ(status(ann, "PUT", "/collections/words-a/documents", upsert_body(3, "ann")), 200);
    EXPECT_EQ(ask(ann, "POST", "/api/v1/collections/words-a/count", "{}").body, R"({"count":2})");
    EXPECT_EQ(ask(ann, "POST", "/api/v1/collections/words-a/count", R"({"exact":false})").body,
              R"({"count":2})");
    EXPECT_TRUE(says(ask(ann, "GET", "/api/v1/collections/words-a").body, R"("count":2)"));
    const rest::HttpResponse found =
        ask(ann, "POST", "/collections/words-a/points/search",
            R"({"vector":)" + rest::vector_of(1) + R"(,"limit":10,"with_payload":true})");
    EXPECT_EQ(found.status, 200) << found.body;
    EXPECT_TRUE(says(found.body, R"("owner":"ann")") && !says(found.body, "bob")) << found.body;
    const rest::HttpResponse explained = ask(ann, "POST", "/api/v1/collections/words-a/search",
                                             R"({"vector":)" + rest::vector_of(1) + R"(,"explain":true})");
    EXPECT_TRUE(explained.status == 200 && !says(explained.body, "explain")) << explained.body;
    EXPECT_EQ(status(ann, "POST", "/collections/words-a/search", R"({"id":1})"), 404);
    EXPECT_TRUE(
        says(ask(ann, "POST", "/api/v1/collections/words-a/documents/delete", R"({"ids":[1,2]})").body,
             R"("deleted":1)"));
    EXPECT_EQ(status(root_token_, "GET", "/collections/words-a/documents/1"), 200);
    for (const char* rule : {R"({})", R"({"must":[{"key":"a"}]})", R"([1])", R"({"must":[}]})"}) {
        const rest::HttpResponse wrong =
            ask(root_token_, "POST", "/api/v1/keys",
                R"({"name":"k","role":"viewer","row_rule":)" + std::string(rule) + "}");
        EXPECT_EQ(wrong.status, 400) << wrong.body;
    }
    EXPECT_EQ(
        status(root_token_, "POST", "/keys",
               R"({"name":"k","role":"developer","row_rule":{"must":[{"key":"a","match":{"value":1}}]}})"),
        400)
        << "a developer reaches past any rule";
}

}  // namespace
}  // namespace akidb::server
