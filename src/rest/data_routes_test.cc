// Updates, pages, facets, composed searches and aliases as clients see them.
#include <gtest/gtest.h>

#include "rest/api_for_tests.h"

namespace akidb::rest {
namespace {

class DataRoutesTest : public ApiTest {
  protected:
    void SetUp() override {
        load_words();
        put(R"({"id":1,"vector":)" + vector_of(1) + R"(,"metadata":{"tag":"a","n":3}},)" +
            R"({"id":2,"vector":)" + vector_of(2) + R"(,"metadata":{"tag":"b","n":1}},)" +
            R"({"id":"x","vector":)" + vector_of(3) + R"(,"metadata":{"tag":"b","n":2.5}})");
    }
    void expect(const std::string& method, const std::string& rest, const std::string& body, int status,
                const std::string& text) {
        const HttpResponse response = words(method, rest, body);
        EXPECT_EQ(response.status, status) << body << response.body;
        EXPECT_TRUE(contains(response, text)) << body << response.body;
    }
};

TEST_F(DataRoutesTest, UpdatesTellHowManyAndRefuseWhatHasAnotherVersion) {
    expect("PATCH", "/documents",
           R"({"filter":{"must":[{"key":"tag","match":{"value":"b"}}]},"merge":{"m":{"k":1}}})", 200,
           R"({"updated":2,"sequence":2})");
    expect("PATCH", "/documents", R"({"ids":[1,77],"remove":["n"]})", 200, R"({"updated":1,"sequence":3})");
    expect("GET", "/documents/1", "", 200, R"("metadata":{"tag":"a"},"version":3)");
    expect("PATCH", "/documents",
           R"({"documents":[{"id":2,"set":{"z":1}},{"id":1,"if_version":2,"set":{}}]})", 409,
           R"("field":"documents[1].if_version","allowed":"3")");
    expect("GET", "/documents/2", "", 200, R"("m":{"k":1})");
    expect("PUT", "/documents", R"({"documents":[{"id":9,"if_version":0,"vector":)" + vector_of(1) + "}]}",
           200, R"("upserted":1)");
    expect("PUT", "/documents", R"({"documents":[{"id":9,"if_version":0,"vector":)" + vector_of(1) + "}]}",
           409, "if_version");
    expect("PATCH", "/documents", R"({"filter":{},"merge":{"all":true}})", 200, R"("updated":4)");
}

TEST_F(DataRoutesTest, EachWrongUpdateNamesItsField) {
    const auto wrong = [&](const std::string& body, const std::string& field) {
        expect("PATCH", "/documents", body, 400, "\"field\":\"" + field + "\"");
    };
    wrong("{}", "ids");
    wrong(R"({"ids":[1]})", "set");
    wrong(R"({"ids":[1],"filter":{},"set":{}})", "filter");
    wrong(R"({"ids":[1],"set":{},"merge":{}})", "merge");
    wrong(R"({"documents":[{"id":1,"set":{}}],"merge":{}})", "documents");
    wrong(R"({"documents":[]})", "documents");
    wrong(R"({"documents":[{"set":{}}]})", "documents[0].id");
    wrong(R"({"documents":[{"id":1}]})", "documents[0].set");
    wrong(R"({"documents":[{"id":1,"vector":[1]}]})", "documents[0].vector");
    wrong(R"({"documents":[{"id":1,"if_version":-1,"set":{}}]})", "documents[0].if_version");
    wrong(R"({"ids":[1],"remove":[""]})", "remove[0]");
    wrong(R"({"ids":[1],"set":[1]})", "set");
    wrong(R"({"ids":[1],"replace":{}})", "replace");
}

TEST_F(DataRoutesTest, PagesFollowTheirCursorAndFacetsCount) {
    const HttpResponse first = words("POST", "/scroll", R"({"limit":2})");
    EXPECT_TRUE(
        contains(first, R"({"documents":[{"id":1,"version":1},{"id":2,"version":1}],"next_cursor":")"));
    const size_t at = first.body.find("next_cursor\":\"") + 14;
    const std::string cursor = first.body.substr(at, first.body.find('"', at) - at);
    expect("POST", "/scroll", R"({"limit":2,"cursor":")" + cursor + "\"}", 200,
           R"({"documents":[{"id":"x","version":1}],"next_cursor":null})");
    expect("POST", "/scroll", R"({"cursor":null,"include":["metadata"]})", 200,
           R"("metadata":{"tag":"a","n":3})");
    expect("POST", "/scroll", R"({"cursor":"nonsense"})", 400, R"("field":"cursor")");
    expect("POST", "/scroll", R"({"limit":0})", 400, R"("field":"limit","allowed":"1..10000")");
    expect("POST", "/scroll", R"({"order_by":{"key":"n"}})", 400, R"("field":"order_by.key")");
    ASSERT_EQ(words("PUT", "/metadata-indexes/n", R"({"type":"float"})").status, 200);
    expect("POST", "/scroll", R"({"order_by":{"key":"n","direction":"desc"},"limit":1})", 200,
           R"([{"id":1,"version":1,"order_value":3}])");
    expect("POST", "/scroll", R"({"order_by":{"key":"n","direction":"up"}})", 400, "order_by.direction");
    expect("POST", "/scroll", R"({"order_by":{"key":"n"},"cursor":")" + cursor + "\"}", 400, "cursor");
    expect("POST", "/facet", R"({"key":"tag"})", 200,
           R"({"facets":[{"value":"b","count":2},{"value":"a","count":1}],"distinct":2})");
    expect("POST", "/facet", "{}", 400, R"("field":"key")");
    expect("POST", "/count", R"({"exact":false})", 200, R"({"count":3})");
}

TEST_F(DataRoutesTest, SearchesByExamplesInGroupsAndWithDiversity) {
    expect("POST", "/search", R"({"id":1,"top_k":1})", 200, R"({"matches":[{"id":2,)");
    expect("POST", "/search", R"({"id":5})", 404, R"("field":"id")");
    expect("POST", "/search", R"({"positive":[1,5]})", 404, R"("field":"positive[1]")");
    expect("POST", "/search", R"({"positive":[1],"negative":[)" + vector_of(0.5) + R"(],"top_k":2})", 200,
           R"({"matches":[{"id":2,)");
    expect("POST", "/search", R"({"negative":[1]})", 400, R"("field":"vector")");
    expect("POST", "/search", R"({"id":1,"vector":)" + vector_of(1) + "}", 400, R"("field":"vector")");
    expect("POST", "/search", R"({"id":1,"negative":[2]})", 400, R"("field":"negative")");
    expect("POST", "/search",
           R"({"group_by":{"key":"tag","size":2},"top_k":5,"vector":)" + vector_of(3) + "}", 200,
           R"({"groups":[{"value":"b","matches":[{"id":"x","score":0},{"id":2,"score":1}]},{"value":"a",)");
    expect("POST", "/search", R"({"group_by":{"key":"none"},"vector":)" + vector_of(3) + "}", 200,
           R"({"groups":[],)");
    expect("POST", "/search", R"({"group_by":{},"vector":)" + vector_of(3) + "}", 400,
           R"("field":"group_by")");
    expect("POST", "/search", R"({"diversity":{"weight":0.5},"top_k":2,"vector":)" + vector_of(3) + "}", 200,
           R"({"matches":[{"id":"x","score":0},)");
    expect("POST", "/search", R"({"diversity":{"weight":2},"vector":)" + vector_of(3) + "}", 400,
           R"("field":"diversity.weight","allowed":"0..1")");
    expect("POST", "/search", R"({"deadline_ms":60000,"vector":)" + vector_of(3) + "}", 200,
           R"("matches":[)");
    expect("POST", "/search", R"({"deadline_ms":0,"vector":)" + vector_of(3) + "}", 400,
           R"("field":"deadline_ms")");
    expect("POST", "/search/batch", R"({"searches":[{"id":1,"top_k":1},{"top_k":1}]})", 400,
           R"("field":"searches[1].vector")");
    expect("POST", "/search/batch", R"({"searches":[{"id":1,"top_k":1}]})", 200,
           R"({"results":[{"matches":[{"id":2,)");
}

TEST_F(DataRoutesTest, AliasesStandForTheirCollectionButForItsEnd) {
    const auto change = [&](const std::string& actions) {
        return ask(*api_, "POST", "/api/v1/aliases", R"({"actions":[)" + actions + "]}");
    };
    HttpResponse made = change(R"({"create":{"alias":"live","collection":"words"}})");
    EXPECT_EQ(made.status, 200) << made.body;
    EXPECT_TRUE(contains(made, R"({"aliases":[{"alias":"live","collection":"words"}]})")) << made.body;
    EXPECT_TRUE(contains(ask(*api_, "POST", "/api/v1/collections/live/count", "{}"), R"({"count":3})"));
    const HttpResponse kept = ask(*api_, "DELETE", "/api/v1/collections/live");
    EXPECT_EQ(kept.status, 400) << kept.body;
    const std::string create = R"({"name":"live","dimension":16,"metric":"l2"})";
    EXPECT_EQ(ask(*api_, "POST", "/api/v1/collections", create).status, 409);
    EXPECT_EQ(change(R"({"create":{"alias":"words","collection":"words"}})").status, 409);
    EXPECT_TRUE(contains(change(R"({"delete":{"alias":"live"}},{"delete":{"alias":"no"}})"),
                         R"("field":"actions[1].delete.alias")"));
    EXPECT_TRUE(contains(ask(*api_, "GET", "/api/v1/aliases"), "live")) << "all or none";
    EXPECT_TRUE(contains(
        change(R"({"rename":{"alias":"live","to":"now"}},{"create":{"alias":"b","collection":"live"}})"),
        R"({"aliases":[{"alias":"b","collection":"words"},{"alias":"now","collection":"words"}]})"));
    EXPECT_EQ(change(R"({"create":{"alias":".x","collection":"words"}})").status, 400);
    EXPECT_EQ(change(R"({"create":{"alias":"x"}})").status, 400);
    EXPECT_EQ(change(R"({"create":{"alias":"x","to":"y"}})").status, 400);
    EXPECT_EQ(change("").status, 400);
    ASSERT_EQ(ask(*api_, "DELETE", "/api/v1/collections/words").status, 200);
    EXPECT_TRUE(contains(ask(*api_, "GET", "/api/v1/aliases"), R"({"aliases":[]})"));
    const HttpResponse gone = change(R"({"delete":{"alias":"now"}})");
    EXPECT_EQ(gone.status, 404) << "it went with its collection";
}

TEST_F(DataRoutesTest, TheDialectHasItsOwnEnvelopeForEveryError) {
    const auto refused = [&](const std::string& method, const std::string& path, const std::string& body,
                             int status, const std::string& text) {
        const HttpResponse response = ask(*api_, method, "/collections" + path, body);
        EXPECT_EQ(response.status, status) << path << response.body;
        EXPECT_TRUE(response.body.starts_with(R"({"status":{"error":")")) << response.body;
        EXPECT_TRUE(contains(response, text)) << response.body;
    };
    const std::string vector = vector_of(1);
    refused("POST", "/words/snapshots", "", 404, "no such route");
    refused("DELETE", "/words/points", "", 405, "no such route");
    refused("GET", "/none", "", 404, "no collection");
    refused("POST", "/words/points/query/batch", R"({"searches":[]})", 400, "searches");
    refused("POST", "/words/points/query/batch",
            R"({"searches":[{"query":)" + vector + R"(,"group_by":"n"}]})", 400, "groups have a route");
    refused(
        "POST", "/words/points/query/batch",
        R"({"searches":[{"query":)" + vector + R"(,"limit":9000},{"query":)" + vector + R"(,"limit":9000}]})",
        400, "too many points");
    refused("POST", "/words/points/query", R"({"query":{"nearest":)" + vector + R"(,"order_by":"n"}})", 400,
            "order_by");
    refused("POST", "/words/points/query", R"({"query":{"fusion":"rrf"}})", 400, "nothing to fuse");
    refused("POST", "/words/points/query", R"({"prefetch":{"query":1},"query":2})", 400, "can be fused");
    refused("POST", "/words/points/query", R"({"prefetch":{"query":1},"query":{"fusion":"dbsf"}})", 400,
            "dbsf");
    refused("POST", "/words/points/query", R"({"prefetch":{"limit":1},"query":{"fusion":"rrf"}})", 400,
            "query by likeness");
    refused("POST", "/words/points/batch", "{}", 400, "operations");
    refused("POST", "/words/points/recommend", R"({"positive":[1],"strategy":"best_score"})", 400,
            "strategy");
    refused("PUT", "/other", R"({"vectors":{"a":{"size":16}}})", 400, "vectors.a");
}

TEST_F(DataRoutesTest, TheDialectsDatatypeIsTheStorage) {
    const auto create = [&](const std::string& name, const std::string& datatype) {
        return ask(*api_, "PUT", "/collections/" + name,
                   R"({"vectors":{"size":16,"distance":"Euclid","datatype":)" + datatype + "}}");
    };
    EXPECT_EQ(create("half", R"("float16")").status, 200);
    EXPECT_TRUE(contains(ask(*api_, "GET", "/api/v1/collections/half"), R"("storage":"f16")"));
    EXPECT_TRUE(contains(ask(*api_, "GET", "/collections/half"),
                         R"({"size":16,"distance":"Euclid","datatype":"float16"})"));
    EXPECT_EQ(create("whole", R"("float32")").status, 200);
    EXPECT_EQ(create("unsaid", "null").status, 200);
    for (const std::string name : {"whole", "unsaid"}) {
        EXPECT_TRUE(contains(ask(*api_, "GET", "/api/v1/collections/" + name), R"("storage":"f32")"));
        EXPECT_FALSE(contains(ask(*api_, "GET", "/collections/" + name), "datatype"));
    }
    const HttpResponse refused = create("bytes", R"("uint8")");
    EXPECT_EQ(refused.status, 400);
    EXPECT_TRUE(contains(refused, "float16") && contains(refused, "int8")) << refused.body;
    EXPECT_EQ(create("other", R"("float64")").status, 400);
}

TEST_F(DataRoutesTest, TheDialectChangesNothingInSilence) {
    const auto patch = [&](const std::string& name, const std::string& body) {
        return ask(*api_, "PATCH", "/collections/" + name, body);
    };
    for (const char* what :
         {"optimizers_config", "hnsw_config", "params", "vectors", "quantization_config", "metadata"}) {
        const HttpResponse refused = patch("words", std::string("{\"") + what + "\":{\"a\":1}}");
        EXPECT_EQ(refused.status, 400) << what;
        EXPECT_TRUE(contains(refused, what)) << refused.body;
        EXPECT_TRUE(contains(refused, "cannot be changed in this dialect")) << refused.body;
    }
    EXPECT_EQ(patch("words", R"({"hnsw_config":null,"timeout":5})").status, 200) << "asks for nothing";
    EXPECT_EQ(patch("nowhere", "{}").status, 404);
}

TEST_F(DataRoutesTest, OptimizeDropsTheDead) {
    expect("PATCH", "/documents", R"({"ids":[1],"merge":{"a":1}})", 200, "updated");
    expect("POST", "/optimize", "", 200, R"({"dropped_rows":1,)");
    expect("GET", "/documents/1", "", 200, R"("a":1)");
}

}  // namespace
}  // namespace akidb::rest
