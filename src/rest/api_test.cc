// The routes against a real service on a real disk, without sockets: answers as documented, one error shape
// for a table of bad requests, probes through the life of a server, and what happens when the workers are
// full or gone.
#include "rest/api.h"

#include <gtest/gtest.h>

#include <thread>

#include "model/limits.h"
#include "rest/api_for_tests.h"

namespace akidb::rest {
namespace {

/// Takes jobs and forgets them, or refuses them.
class NoExecutor final : public io::Executor {
  public:
    explicit NoExecutor(bool accepts) : accepts_(accepts) {}
    bool submit(std::string, Job) override { return accepts_; }

  private:
    bool accepts_;
};

TEST_F(ApiTest, ProbesTellStartingReadyAndDraining) {
    EXPECT_EQ(ask(*api_, "GET", "/startup").status, 503);
    HttpResponse ready = ask(*api_, "GET", "/ready");
    EXPECT_EQ(ready.status, 503);
    EXPECT_TRUE(contains(
        ready, R"("status":"not_ready","reason":"loading_collections","progress":"0/0 collections loaded")"))
        << ready.body;
    HttpResponse early = ask(*api_, "GET", "/api/v1/collections");
    EXPECT_EQ(early.status, 503);
    EXPECT_TRUE(contains(early, "UNAVAILABLE")) << early.body;
    load();
    EXPECT_EQ(ask(*api_, "GET", "/startup").status, 200);
    EXPECT_EQ(ask(*api_, "GET", "/ready?for=write").status, 200);
    ready = ask(*api_, "GET", "/ready?for=nothing");
    EXPECT_EQ(ready.status, 400);
    EXPECT_TRUE(contains(ready, R"("field":"for","allowed":"read|write")")) << ready.body;
    ready = ask(*api_, "GET", "/ready");
    EXPECT_EQ(ready.status, 200);
    EXPECT_EQ(
        ready.body,
        R"({"status":"ready","database":"connected","collections_loaded":0,"storage_backends":"healthy"})");
    lifecycle_.begin_draining();
    ready = ask(*api_, "GET", "/ready");
    EXPECT_EQ(ready.status, 503);
    EXPECT_TRUE(contains(ready, R"("reason":"draining")")) << ready.body;
    EXPECT_EQ(ask(*api_, "GET", "/api/v1/collections").status, 200);
    HttpResponse health = ask(*api_, "GET", "/health");
    EXPECT_EQ(health.status, 200);
    EXPECT_TRUE(health.body.starts_with(R"({"status":"ok","uptime_seconds":)"));
}

TEST_F(ApiTest, TheProbeListenerServesProbesOnly) {
    std::unique_ptr<HttpHandler> probes = make_probe_handler(lifecycle_, metrics_);
    EXPECT_EQ(ask(*probes, "GET", "/health").status, 200);
    EXPECT_EQ(ask(*probes, "GET", "/api/v1/collections").status, 404);
    HttpResponse metrics = ask(*probes, "GET", "/metrics");
    EXPECT_EQ(metrics.content_type, "text/plain; version=0.0.4");
}

TEST_F(ApiTest, ACollectionLivesAndDies) {
    load_words();
    HttpResponse again = ask(*api_, "POST", "/api/v1/collections", R"({"name":"words","dimension":16})");
    EXPECT_EQ(again.status, 409) << again.body;
    HttpResponse described = words("GET", "");
    EXPECT_EQ(described.status, 200);
    EXPECT_TRUE(
        contains(described,
                 R"("name":"words","dimension":16,"metric":"l2","storage":"f32","count":0,"created_at":"2)"))
        << described.body;
    EXPECT_TRUE(contains(described, R"("condition":"serving")"));
    EXPECT_TRUE(contains(ask(*api_, "GET", "/api/v1/collections"), R"({"collections":[{"id":")"));
    EXPECT_EQ(words("GET", "/stats").status, 200);
    EXPECT_EQ(words("DELETE", "").body, R"({"deleted":true})");
    EXPECT_EQ(words("GET", "").status, 404);
}

TEST_F(ApiTest, DocumentsAreWrittenFoundAndDeleted) {
    load_words();
    put(R"({"id":7,"vector":)" + vector_of(1) + R"(,"metadata":{"word":"king","n":1,"x":1.0}},)" +
        R"({"id":"a/b","vector":)" + vector_of(2) + "}");
    HttpResponse one = words("GET", "/documents/7");
    EXPECT_EQ(one.status, 200);
    EXPECT_TRUE(one.body.starts_with(R"({"id":7,"vector":[1,0.5,)")) << one.body;
    EXPECT_TRUE(contains(one, R"("metadata":{"word":"king","n":1,"x":1.0},"version":)")) << one.body;
    EXPECT_EQ(words("GET", "/documents/a%2Fb").status, 200);
    EXPECT_EQ(words("GET", "/documents/8").status, 404);
    EXPECT_EQ(words("POST", "/documents/get", R"({"ids":[9,7],"include":["metadata"]})").body,
              R"({"documents":[{"id":7,"metadata":{"word":"king","n":1,"x":1.0},"version":1}]})");
    EXPECT_EQ(words("POST", "/count", "{}").body, R"({"count":2})");
    EXPECT_EQ(words("POST", "/count", R"({"filter":{"must":{"key":"n","match":{"value":1}}}})").body,
              R"({"count":1})");
    HttpResponse deleted = words("DELETE", "/documents/7");
    EXPECT_TRUE(deleted.body.starts_with(R"({"deleted":1,"sequence":)")) << deleted.body;
    deleted = words("POST", "/documents/delete", R"({"filter":{}})");
    EXPECT_TRUE(deleted.body.starts_with(R"({"deleted":1,"sequence":)")) << deleted.body;
    EXPECT_EQ(words("POST", "/count", "{}").body, R"({"count":0})");
    const HttpResponse erased = words("POST", "/documents/erase", R"({"ids":[7]})");
    EXPECT_TRUE(erased.body.starts_with(R"({"erased":0,"sequence":)")) << erased.body;
    EXPECT_TRUE(contains(erased, R"("removed":["log/)")) << erased.body;
    EXPECT_TRUE(contains(erased, R"("completed_at":")")) << erased.body;
}

TEST_F(ApiTest, MetadataIndexesAreDeclaredAndSearchesExplained) {
    load();
    ASSERT_EQ(ask(*api_, "POST", "/api/v1/collections",
                  R"({"name":"words","dimension":16,"metric":"l2","metadata_indexes":{"lang":"keyword"}})")
                  .status,
              201);
    HttpResponse answer = words("PUT", "/metadata-indexes/at%2Ethe", R"({"type":"datetime"})");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, R"({"field":"at.the","type":"datetime"})");
    answer = words("GET", "");
    EXPECT_TRUE(
        contains(answer, R"("metadata_indexes":{"lang":{"type":"keyword","ready":true,"indexed_rows":0,)"))
        << answer.body;
    EXPECT_TRUE(contains(answer, R"("at.the":{"type":"datetime")")) << answer.body;
    put(R"({"id":1,"vector":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16],"metadata":{"lang":"de","at":{"the":"2026-01-01T00:00:00Z"}}})");
    answer = words("POST", "/search", R"({"vector":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16],"explain":true,
        "filter":{"must":[{"key":"lang","match":{"value":"de"}},{"key":"at.the","range":{"gte":"2025-12-31T23:00:00-01:00"}}]}})");
    EXPECT_TRUE(contains(answer, R"("explain":{"plan":"flat","estimated_matches":)")) << answer.body;
    EXPECT_TRUE(contains(answer, R"("matches":[{"id":1,)")) << answer.body;
    EXPECT_EQ(words("DELETE", "/metadata-indexes/lang").body, R"({"deleted":true})");
    EXPECT_EQ(words("DELETE", "/metadata-indexes/lang").status, 404);
    EXPECT_FALSE(contains(words("GET", ""), R"("lang")"));
}

TEST_F(ApiTest, DocumentsWithoutIdsGetThem) {
    load_words();
    HttpResponse made =
        words("PUT", "/documents?durability=local",
              R"({"documents":[{"vector":)" + vector_of(1) + R"(},{"id":3,"vector":)" + vector_of(2) + "}]}");
    ASSERT_EQ(made.status, 200) << made.body;
    EXPECT_TRUE(contains(made, R"("upserted":2)"));
    size_t at = made.body.find(R"("ids":[")");
    ASSERT_NE(at, std::string::npos) << made.body;
    std::string id = made.body.substr(at + 8, 36);
    EXPECT_EQ(words("GET", "/documents/" + id).status, 200);
    EXPECT_TRUE(made.body.ends_with(",3]}")) << made.body;
}

TEST_F(ApiTest, SearchAnswersTheSameInlineAndOnAWorker) {
    load_words();
    put(R"({"id":1,"vector":)" + vector_of(1) + R"(,"metadata":{"w":"a"}},{"id":2,"vector":)" + vector_of(3) +
        "}");
    std::string vector = R"({"vector":)" + vector_of(1);
    for (const char* more :
         {R"(,"include":["metadata"]})", R"(,"include":["metadata"],"params":{"exact":true}})",
          R"(,"include":["metadata"],"filter":{"must_not":{"key":"w","match":{"value":"z"}}}})"}) {
        HttpResponse found = words("POST", "/search", vector + more);
        ASSERT_EQ(found.status, 200) << found.body;
        EXPECT_TRUE(found.body.starts_with(
            R"({"matches":[{"id":1,"score":0,"metadata":{"w":"a"}},{"id":2,"score":2,"metadata":{}}],"took_ms":)"))
            << found.body;
    }
    EXPECT_TRUE(words("POST", "/search", vector + R"(,"top_k":1})")
                    .body.starts_with(R"({"matches":[{"id":1,"score":0}],"took_ms":)"));
    EXPECT_NE(metrics_.expose().find("route=\"/api/v1/collections/{collection}/search\""), std::string::npos);
}

TEST_F(ApiTest, ABatchAnswersWhatItsSearchesAnswerAlone) {
    load_words();
    put(R"({"id":1,"vector":)" + vector_of(1) + R"(,"metadata":{"w":"a"}},{"id":2,"vector":)" + vector_of(3) +
        "}");
    const std::string searches[] = {
        R"({"vector":)" + vector_of(1) + "}",
        R"({"vector":)" + vector_of(3) + R"(,"top_k":1,"include":["metadata"],"explain":true})",
        R"({"vector":)" + vector_of(2) + R"(,"filter":{"must":[{"key":"w","match":{"value":"none"}}]}})"};
    std::string body = R"({"searches":[)" + searches[0] + "," + searches[1] + "," + searches[2] + "]}";
    const HttpResponse found = words("POST", "/search/batch", body);
    ASSERT_EQ(found.status, 200) << found.body;
    // Without the times, which differ.
    const auto matches_of = [&](const std::string& search) {
        const std::string alone = words("POST", "/search", search).body;
        return alone.substr(1, alone.find(']') - 1) + "]";
    };
    size_t at = 0;
    for (const std::string& search : searches) {
        at = found.body.find(matches_of(search), at);
        ASSERT_NE(at, std::string::npos) << search << " in " << found.body;
    }
    EXPECT_TRUE(found.body.starts_with(R"({"results":[{"matches":[{"id":1)")) << found.body;
}

TEST_F(ApiTest, EveryBadRequestGetsTheOneErrorShape) {
    load_words();
    struct Bad {
        std::string method, target, body;
        int status;
        std::string field;
    };
    const std::string c = "/api/v1/collections/words";
    const std::vector<Bad> table{
        {"GET", "/nowhere", "", 404, ""},
        {"POST", c, "", 405, ""},
        {"GET", c + "/documents/%zz", "", 400, ""},
        {"GET", c + "/documents/" + std::string(300, 'x'), "", 400, "id"},
        {"GET", "/api/v1/collections/none", "", 404, ""},
        {"GET", c + "?verbose=1", "", 400, "verbose"},
        {"POST", "/api/v1/collections", "{}", 400, "name"},
        {"POST", "/api/v1/collections", R"({"name":"../x","dimension":16})", 400, "name"},
        {"POST", "/api/v1/collections", R"({"name":"x","dimension":15})", 400, "dimension"},
        {"POST", "/api/v1/collections", R"({"name":"x","dimension":4097})", 400, "dimension"},
        {"POST", "/api/v1/collections", R"({"name":"x","dimension":16,"metric":"cosin"})", 400, "metric"},
        {"PUT", c + "/documents?durability=object", R"({"documents":[]})", 400, "durability"},
        {"PUT", c + "/documents", R"({"documents":[{"id":1,"vector":[1,2]}]})", 400, "documents[0].vector"},
        {"POST", c + "/documents/delete", "{}", 400, "ids"},
        {"POST", c + "/documents/erase", R"({"ids":[]})", 400, "ids"},
        {"POST", c + "/search", R"({"vector":[1]})", 400, "vector"},
        {"POST", c + "/search", "not json", 400, ""},
        {"POST", "/api/v1/collections/none/search", R"({"vector":[1]})", 404, ""},
    };
    for (const Bad& bad : table) {
        HttpResponse response = ask(*api_, bad.method, bad.target, bad.body);
        EXPECT_EQ(response.status, bad.status)
            << bad.method << " " << bad.target << " " << bad.body << response.body;
        EXPECT_TRUE(response.body.starts_with(R"({"error":{"code":")")) << response.body;
        EXPECT_TRUE(response.body.ends_with(R"("request_id":"request-1"}})")) << response.body;
        if (!bad.field.empty()) {
            EXPECT_TRUE(contains(response, "\"field\":\"" + bad.field + "\"")) << response.body;
        }
    }
    EXPECT_EQ(ask(*api_, "POST", c + "/count", "{}", "text/xml").status, 415);
    EXPECT_EQ(ask(*api_, "POST", c + "/count", "{}", "Application/JSON; charset=utf-8").status, 200);
    HttpResponse wrong_method = ask(*api_, "POST", c);
    ASSERT_EQ(wrong_method.headers.size(), 1U);
    EXPECT_EQ(wrong_method.headers[0].second, "GET, PATCH, DELETE");
}

TEST_F(ApiTest, FullWorkersAnswer429AndDroppedJobs503) {
    load_words();
    NoExecutor full(false);
    std::unique_ptr<Api> busy = make_api({lifecycle_, full, *clock_, metrics_, logger_});
    busy->attach_service(*service_);
    HttpResponse response = ask(*busy, "POST", "/api/v1/collections/words/count", "{}");
    EXPECT_EQ(response.status, 429);
    ASSERT_EQ(response.headers.size(), 1U);
    EXPECT_EQ(response.headers[0], (std::pair<std::string, std::string>("Retry-After", "1")));
    NoExecutor forgetful(true);
    std::unique_ptr<Api> stopping = make_api({lifecycle_, forgetful, *clock_, metrics_, logger_});
    stopping->attach_service(*service_);
    EXPECT_EQ(ask(*stopping, "POST", "/api/v1/collections/words/count", "{}").status, 503);
}

TEST_F(ApiTest, ImportsMayBeLargerThanOtherBodies) {
    EXPECT_EQ(api_->body_bytes_max("PUT", "/api/v1/collections/c/documents"), model::kImportBodyBytesMax);
    EXPECT_EQ(api_->body_bytes_max("POST", "/api/v1/collections/c/search"), model::kBodyBytesMax);
    EXPECT_EQ(api_->body_bytes_max("POST", "/api/v1/collections/c/search/batch"), model::kImportBodyBytesMax);
}

}  // namespace
}  // namespace akidb::rest
