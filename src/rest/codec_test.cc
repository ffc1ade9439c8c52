// Request bodies and metadata: what is accepted means what it says, and a table of what is refused and where.
#include <gtest/gtest.h>

#include "model/limits.h"
#include "model/moment.h"
#include "rest/answer_codec.h"
#include "rest/metadata_codec.h"
#include "rest/request_codec.h"
#include "rest/search_codec.h"
#include "rest/write_codec.h"

namespace akidb::rest {
namespace {

model::DocumentId made_id() {
    return model::DocumentId(uint64_t{77});
}

Result<UpsertBody> upsert(std::string body) {
    return read_upsert_body(body, made_id);
}
Result<model::SearchRequest> search(std::string body) {
    return read_search_body(body, 0);
}
Result<DeleteBody> deletion(std::string body) {
    return read_delete_body(body);
}

TEST(RequestCodec, ReadsABatch) {
    Result<UpsertBody> body = upsert(
        R"({"documents":[{"id":7,"vector":[1,2],"metadata":{"word":"king","n":1}},{"vector":[3,4]},{"id":"a","vector":[]}]})");
    ASSERT_TRUE(body) << body.error().message();
    ASSERT_EQ(body->documents.size(), 3U);
    EXPECT_TRUE(body->some_ids_made);
    EXPECT_EQ(body->documents[0].id, model::DocumentId(uint64_t{7}));
    EXPECT_EQ(body->documents[1].id, made_id());
    EXPECT_EQ(body->documents[2].id.to_string(), "a");
    EXPECT_EQ(body->documents[1].vector, (std::vector<float>{3, 4}));
    model::MetadataView metadata(body->documents[0].metadata);
    EXPECT_EQ(metadata.member("word")->as_string(), "king");
    EXPECT_EQ(metadata.member("n")->type(), model::MetadataType::kInt);
    EXPECT_EQ(body->documents[1].metadata, model::empty_metadata());
}

TEST(RequestCodec, ReadsASearch) {
    Result<model::SearchRequest> request = search(
        R"({"vector":[1,2],"top_k":5,"offset":2,"filter":{"must":{"key":"a.b","match":{"value":1}},
            "should":[{"key":"s","match":{"any":["x",true,1.5]}},{"must_not":[{"key":"n","range":{"gte":1,"lt":2.5}}]}]},
            "score_threshold":0.5,"include":["metadata"],"params":{"ef":64,"exact":true}})");
    ASSERT_TRUE(request) << request.error().message() << request.error().field();
    EXPECT_EQ(request->top_k, 5U);
    EXPECT_EQ(request->offset, 2U);
    EXPECT_TRUE(request->include.metadata);
    EXPECT_FALSE(request->include.vector);
    EXPECT_EQ(request->params.ef, 64U);
    EXPECT_TRUE(request->params.exact);
    ASSERT_NE(request->filter, nullptr);
    const auto& match = std::get<model::MatchCondition>(request->filter->must.at(0));
    EXPECT_EQ(match.key, "a.b");
    EXPECT_EQ(std::get<int64_t>(match.any.at(0)), 1);
    const auto& any = std::get<model::MatchCondition>(request->filter->should.at(0));
    EXPECT_EQ(any.any.size(), 3U);
    const auto& nested = std::get<std::shared_ptr<model::Filter>>(request->filter->should.at(1));
    const auto& range = std::get<model::RangeCondition>(nested->must_not.at(0));
    EXPECT_EQ(range.gte, 1.0);
    EXPECT_EQ(range.lt, 2.5);
    EXPECT_FALSE(range.gt || range.lte);
}

TEST(RequestCodec, ReadsRangesOfTimesAndExplain) {
    Result<model::SearchRequest> request = search(
        R"({"vector":[1],"explain":true,"filter":{"must":{"key":"at","range":{"gt":"1970-01-01T00:00:01Z","lte":"1970-01-01T01:00:00+01:00"}}}})");
    ASSERT_TRUE(request) << request.error().message();
    EXPECT_TRUE(request->explain);
    const auto& times = std::get<model::TimeRangeCondition>(request->filter->must.at(0));
    EXPECT_EQ(times.key, "at");
    EXPECT_EQ(times.gt, 1'000'000);
    EXPECT_EQ(times.lte, 0);
    EXPECT_FALSE(times.gte || times.lt);
    EXPECT_FALSE(search(R"({"vector":[1]})")->explain);
}

TEST(RequestCodec, ReadsMetadataIndexes) {
    std::string body = R"({"name":"a","dimension":16,"metadata_indexes":{"z.y":"keyword","a":"datetime"}})";
    Result<service::CreateCollection> create = read_create_body(body);
    ASSERT_TRUE(create) << create.error().message();
    const std::vector<model::MetadataField> wanted{{"z.y", model::MetadataIndexType::kKeyword},
                                                   {"a", model::MetadataIndexType::kDatetime}};
    EXPECT_EQ(create->metadata_indexes, wanted);
    body = R"({"type":"float"})";
    EXPECT_EQ(read_metadata_index_body(body).value(), model::MetadataIndexType::kFloat);
}

TEST(RequestCodec, DeletesByIdsXorFilter) {
    EXPECT_TRUE(deletion(R"({"ids":[1,"b"]})"));
    Result<DeleteBody> all = deletion(R"({"filter":{}})");
    ASSERT_TRUE(all);
    EXPECT_TRUE(std::get<model::Filter>(all->which).is_empty());
    EXPECT_FALSE(deletion("{}"));
    EXPECT_FALSE(deletion(R"({"filter":null})"));
    EXPECT_FALSE(deletion(R"({"ids":[]})"));
    EXPECT_FALSE(deletion(R"({"ids":[1],"filter":{}})"));
}

TEST(RequestCodec, RefusesBadSearchesAndNamesThePlace) {
    const std::vector<std::pair<std::string, std::string>> bad{
        {R"({})", "vector"},
        {R"({"vector":[1],"top_k":0})", "top_k"},
        {R"({"vector":[1],"top_k":10001})", "top_k"},
        {R"({"vector":[1],"top_k":1.5})", "top_k"},
        {R"({"vector":[1],"top_k":"5"})", "top_k"},
        {R"({"vector":[1],"top_k":-1})", "top_k"},
        {R"({"vector":[1],"offset":-1})", "offset"},
        {R"({"vector":[1],"topk":1})", "topk"},
        {R"({"vector":[1],"score_threshold":1e39})", "score_threshold"},
        {R"({"vector":[1],"include":["all"]})", "include[0]"},
        {R"({"vector":[1],"params":{"ef":4097}})", "params.ef"},
        {R"({"vector":[1],"params":{"exact":1}})", "params.exact"},
        {R"({"vector":[1],"params":{"recall_target":"high"}})", "params.recall_target"},
        {R"({"vector":[1],"params":{"recall":0.9}})", "params.recall"},
        {R"({"vector":[1],"filter":[]})", "filter"},
        {R"({"vector":[1],"filter":{"key":"a","match":{"value":1}}})", "filter.key"},
        {R"({"vector":[1],"filter":{"must":[{"key":"a"}]}})", "filter.must[0]"},
        {R"({"vector":[1],"filter":{"must":[{"key":"","match":{"value":1}}]}})", "filter.must[0].key"},
        {R"({"vector":[1],"filter":{"must":[{"key":"a","match":{"value":null}}]}})",
         "filter.must[0].match.value"},
        {R"({"vector":[1],"filter":{"must":[{"key":"a","match":{"value":1,"any":[1]}}]}})",
         "filter.must[0].match"},
        {R"({"vector":[1],"filter":{"must":[{"key":"a","match":{}}]}})", "filter.must[0].match"},
        {R"({"vector":[1],"filter":{"must":[{"key":"a","range":{}}]}})", "filter.must[0].range"},
        {R"({"vector":[1],"filter":{"must":[{"key":"a","range":{"gt":"x"}}]}})", "filter.must[0].range.gt"},
        {R"({"vector":[1],"filter":{"must":[{"key":"a","match":{"value":1},"must":[]}]}})", "filter.must[0]"},
        {R"({"vector":[1],"filter":{"must":[{}]}})", "filter.must[0]"},
    };
    for (const auto& [body, field] : bad) {
        Result<model::SearchRequest> request = search(body);
        ASSERT_FALSE(request) << body;
        EXPECT_EQ(request.error().code(), Code::kInvalidArgument) << body;
        EXPECT_EQ(request.error().field(), field) << body << ": " << request.error().message();
        EXPECT_FALSE(request.error().message().empty());
    }
}

TEST(RequestCodec, RefusesBadDocumentsAndNamesThePlace) {
    const std::vector<std::pair<std::string, std::string>> bad{
        {R"({})", "documents"},
        {R"({"documents":[]})", "documents"},
        {R"({"documents":{}})", "documents"},
        {R"({"documents":[1]})", "documents[0]"},
        {R"({"documents":[{"id":1,"vectors":{"a":[]}}]})", "documents[0].vectors.a"},
        {R"({"documents":[{"id":-1,"vector":[1]}]})", "documents[0].id"},
        {R"({"documents":[{"id":1.5,"vector":[1]}]})", "documents[0].id"},
        {R"({"documents":[{"id":1.0,"vector":[1]}]})", "documents[0].id"},
        {R"({"documents":[{"id":18446744073709551616,"vector":[1]}]})", "documents[0].id"},
        {R"({"documents":[{"id":true,"vector":[1]}]})", "documents[0].id"},
        {R"({"documents":[{"id":"","vector":[1]}]})", "documents[0].id"},
        {R"({"documents":[{"id":"a\u0000","vector":[1]}]})", "documents[0].id"},
        {R"({"documents":[{"id":1,"vector":[1]},{"id":2,"vector":[1,"2"]}]})", "documents[1].vector[1]"},
        {R"({"documents":[{"id":1,"vector":[1],"metadata":[]}]})", "documents[0].metadata"},
        {R"({"documents":[{"id":1,"vector":[1],"metadata":{"a":1e999}}]})", "documents[0].metadata.a"},
        {R"({"documents":[{"id":1,"vector":[1],"meta":{}}]})", "documents[0].meta"},
    };
    for (const auto& [body, field] : bad) {
        Result<UpsertBody> request = upsert(body);
        ASSERT_FALSE(request) << body;
        EXPECT_EQ(request.error().code(), Code::kInvalidArgument) << body;
        EXPECT_EQ(request.error().field(), field) << body << ": " << request.error().message();
    }
    EXPECT_FALSE(upsert(R"({"documents":[{"id":1,"vector":[1],"metadata":{"a":1,"a":2}}]})"));
}

TEST(RequestCodec, BoundsFilterDepthAndNodes) {
    auto nested = [](size_t depth) {
        std::string text;
        for (size_t i = 0; i < depth; ++i) {
            text.append(R"({"must":)");
        }
        return R"({"vector":[1],"filter":)" + text + R"({"key":"a","match":{"value":1}})" +
               std::string(depth, '}') + "}";
    };
    EXPECT_TRUE(search(nested(16)));
    EXPECT_FALSE(search(nested(model::kFilterDepthMax + 1)));
    EXPECT_FALSE(search(nested(100'000)));
    auto wide = [](size_t nodes) {
        std::string text = R"({"vector":[1],"filter":{"must":[)";
        for (size_t i = 0; i < nodes; ++i) {
            text.append(i == 0 ? "" : ",").append(R"({"key":"a","match":{"value":1}})");
        }
        return text + "]}}";
    };
    EXPECT_TRUE(search(wide(model::kFilterNodesMax - 1)));
    EXPECT_FALSE(search(wide(model::kFilterNodesMax + 1)));
}

TEST(RequestCodec, BoundsTheBatch) {
    auto batch = [](size_t count) {
        std::string text = R"({"documents":[)";
        for (size_t i = 0; i < count; ++i) {
            text.append(i == 0 ? "" : ",").append(R"({"id":1,"vector":[1]})");
        }
        return text + "]}";
    };
    EXPECT_TRUE(upsert(batch(model::kBatchDocumentsMax)));
    EXPECT_FALSE(upsert(batch(model::kBatchDocumentsMax + 1)));
}

TEST(MetadataCodec, KeepsTypesOrderAndBits) {
    const std::string text =
        R"({"z":1,"a":-9223372036854775808,"u":18446744073709551615,"d":1.0,"e":0.1,"s":"é\"","n":null,)"
        R"("t":true,"f":false,"o":{"k":[1,[],{}]},"x":1e+300})";
    std::string body = R"({"documents":[{"id":1,"vector":[1],"metadata":)" + text + "}]}";
    Result<UpsertBody> read = upsert(body);
    ASSERT_TRUE(read) << read.error().message();
    JsonWriter writer;
    write_metadata(writer, model::MetadataView(read->documents[0].metadata));
    EXPECT_EQ(writer.text(), text);
}

TEST(MetadataCodec, KeepsNumbersOfMoreDigitsThanFit) {
    std::string body = R"({"documents":[{"id":1,"vector":[1],"metadata":)"
                       R"({"a":12.345678901234567890123,"b":-0.00000000000000000000012345678901234567890,)"
                       R"("c":98765432109876543210.5}}]})";
    Result<UpsertBody> read = upsert(body);
    ASSERT_TRUE(read) << read.error().message();
    const model::MetadataView metadata(read->documents[0].metadata);
    EXPECT_EQ(metadata.member("a")->as_double(), 12.345678901234567890123);
    EXPECT_EQ(metadata.member("b")->as_double(), -0.00000000000000000000012345678901234567890);
    EXPECT_EQ(metadata.member("c")->as_double(), 98765432109876543210.5);
}

TEST(MetadataCodec, RefusesTooDeepMetadata) {
    auto nested = [](size_t depth) {
        return R"({"documents":[{"id":1,"vector":[1],"metadata":{"a":)" + std::string(depth, '[') +
               std::string(depth, ']') + "}}]}";
    };
    EXPECT_TRUE(upsert(nested(model::kMetadataDepthMax - 2)));
    EXPECT_FALSE(upsert(nested(model::kMetadataDepthMax + 1)));
    EXPECT_FALSE(upsert(nested(50'000)));
}

TEST(AnswerCodec, HasOneErrorShape) {
    HttpResponse response = error_answer(invalid_argument("top_k", "too \"big\"", "1..10000"), "r-1");
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(
        response.body,
        R"({"error":{"code":"INVALID_ARGUMENT","message":"too \"big\"","field":"top_k","allowed":"1..10000",)"
        R"("request_id":"r-1"}})");
    response = error_answer(Error(Code::kRateLimited, "busy"), "r-2");
    EXPECT_EQ(response.status, 429);
    ASSERT_EQ(response.headers.size(), 1U);
    EXPECT_EQ(response.headers[0], (std::pair<std::string, std::string>("Retry-After", "1")));
}

TEST(AnswerCodec, WritesTimesAsRfc3339) {
    EXPECT_EQ(model::rfc3339(0), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(model::rfc3339(1'709'210'096'789), "2024-02-29T12:34:56.789Z");
    EXPECT_EQ(model::rfc3339(~uint64_t{0}), "9999-12-31T23:59:59.999Z");
}

}  // namespace
}  // namespace akidb::rest
