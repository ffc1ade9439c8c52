// Traces of the built server, as a collector receives them: whose children requests become, by both
// protocols; what is in them and what is not; and what a collector that is slow, down or refuses does to
// requests: nothing.
#include <akidb/v1/documents.grpc.pb.h>
#include <akidb/v1/search.grpc.pb.h>
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>

#include "json_requests.h"
#include "otlp_collector.h"

namespace akidb::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr const char* kCaller = "00f067aa0ba902b7";
constexpr const char* kSearch = "/api/v1/collections/c/search";
constexpr const char* kSearchName = "POST /api/v1/collections/{collection}/search";

class TraceTest : public testing::Test {
  protected:
    void start(std::vector<std::string> more, const std::string& endpoint = "") {
        std::vector<std::string> flags{"--traces.endpoint", endpoint.empty() ? collector_.url() : endpoint,
                                       "--drain.min_ms",    "0",
                                       "--logging.format",  "json"};
        flags.insert(flags.end(), more.begin(), more.end());
        auto started =
            ServerProcess::start({.data_directory = files_.path() + "/data", .flags = std::move(flags)});
        ASSERT_TRUE(started) << started.error().message();
        server_ = std::move(*started);
        ASSERT_TRUE(server_->wait_until_ready());
        ASSERT_EQ(ask(*server_, "POST", "/api/v1/collections", collection_named("c")).status, 201);
        ASSERT_EQ(ask(*server_, "PUT", "/api/v1/collections/c/documents", documents_up_to(20)).status, 200);
    }
    int stop() {
        server_->send_signal(SIGTERM);
        const Result<int> code = server_->wait_for_exit(30'000);
        EXPECT_TRUE(code) << server_->log();
        return code ? *code : -1;
    }
    int search(std::vector<std::pair<std::string, std::string>> headers = {}, const Json& more = {}) const {
        Json query = {{"vector", vector_of(3)}, {"top_k", 5}};
        query.update(more.is_null() ? Json::object() : more);
        const std::string body = query.dump();
        headers.emplace_back("Content-Type", "application/json");
        const auto reply = io::make_curl_http_client()->send({.method = "POST",
                                                              .url = server_->rest_url() + kSearch,
                                                              .body = body,
                                                              .headers = std::move(headers)});
        return reply ? reply->status : 0;
    }
    grpc::Status search_by_grpc(const std::string& parent) const {
        const auto stub = v1::SearchService::NewStub(
            grpc::CreateChannel(server_->grpc_address(), grpc::InsecureChannelCredentials()));
        grpc::ClientContext context;
        context.AddMetadata("traceparent", parent);
        context.AddMetadata("tracestate", "other=1");
        v1::SearchRequest request;
        request.set_collection("c");
        request.set_top_k(5);
        for (const float value : vector_of(3)) {
            request.add_vector(value);
        }
        v1::SearchResponse reply;
        return stub->Search(&context, request, &reply);
    }
    static std::string parent_of(const char* flags) {
        return std::string("00-") + kTrace + "-" + kCaller + "-" + flags;
    }
    template <class Condition>
    static bool becomes(Condition condition) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (!condition()) {
            if (std::chrono::steady_clock::now() > end) {
                return false;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        return true;
    }
    std::vector<CollectedSpan> named(const std::string& name) const {
        std::vector<CollectedSpan> found = collector_.spans();
        std::erase_if(found, [&](const CollectedSpan& span) { return span.name != name; });
        return found;
    }
    std::optional<CollectedSpan> child(const CollectedSpan& parent, const std::string& name) const {
        for (const CollectedSpan& span : named(name)) {
            if (span.parent == parent.id && span.trace_id == parent.trace_id) {
                EXPECT_GE(span.begin_ns, parent.begin_ns) << name;
                EXPECT_LE(span.end_ns, parent.end_ns) << name;
                EXPECT_LE(span.begin_ns, span.end_ns) << name;
                return span;
            }
        }
        ADD_FAILURE() << parent.name << " has no child " << name;
        return std::nullopt;
    }
    double counted(const std::string& result) const {
        const std::string text = get_url(server_->metrics_url() + "/metrics").body.get<std::string>();
        const std::string name = "akidb_trace_spans_total{result=\"" + result + "\"} ";
        const size_t at = text.find(name);
        return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size()));
    }

    TemporaryDirectory files_;
    OtlpCollector collector_;
    std::unique_ptr<ServerProcess> server_;
};

TEST_F(TraceTest, RequestsAreChildrenOfWhoCalls) {
    start({"--traces.sample_permille", "0", "--logging.level", "debug"});
    EXPECT_EQ(
        search({{"traceparent", parent_of("01")}, {"tracestate", "other=1"}, {"X-Request-Id", "by-rest"}}),
        200);
    EXPECT_EQ(search({{"traceparent", parent_of("00")}}), 200) << "whose caller does not record it";
    EXPECT_EQ(search(), 200);
    for (const std::string& garbage :
         {std::string("garbage"), parent_of("01") + "0", std::string(4'000, '0')}) {
        EXPECT_EQ(search({{"traceparent", garbage}}), 200) << garbage.substr(0, 80);
    }
    EXPECT_EQ(search({{"traceparent", parent_of("01")}, {"traceparent", parent_of("01")}}), 200);
    const grpc::Status status = search_by_grpc(parent_of("01"));
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_TRUE(search_by_grpc("nonsense").ok());
    ASSERT_TRUE(becomes([&] { return named("akidb.v1.SearchService/Search").size() == 1; }));
    ASSERT_EQ(named(kSearchName).size(), 1u);
    for (const CollectedSpan& root :
         {named(kSearchName).front(), named("akidb.v1.SearchService/Search").front()}) {
        EXPECT_EQ(root.trace_id, kTrace);
        EXPECT_EQ(root.parent, kCaller);
        EXPECT_EQ(root.state, "other=1");
        EXPECT_EQ(root.kind, otlp::Span::SERVER);
        EXPECT_FALSE(root.is_failed);
        EXPECT_EQ(root.facts.at("akidb.collection"), "c");
        EXPECT_EQ(root.facts.at("akidb.tenant"), "default");
        EXPECT_EQ(root.resource.at("service.name"), "akidb");
        EXPECT_FALSE(root.resource.at("service.version").empty());
        EXPECT_FALSE(root.resource.at("service.instance.id").empty());
        EXPECT_FALSE(root.resource.at("host.name").empty());
        child(root, "parse");
        child(root, "encode");
        const auto searched = child(root, "search");
        ASSERT_TRUE(searched);
        EXPECT_EQ(searched->kind, otlp::Span::INTERNAL);
        EXPECT_EQ(searched->facts.at("akidb.top_k"), "5");
        EXPECT_EQ(searched->facts.at("akidb.plan"), "flat");
        EXPECT_EQ(searched->facts.at("akidb.filter"), "none");
        EXPECT_EQ(searched->facts.at("akidb.results"), "5");
        EXPECT_EQ(searched->facts.at("akidb.candidates"), "20");
    }
    const CollectedSpan by_rest = named(kSearchName).front();
    EXPECT_EQ(by_rest.facts.at("http.request.method"), "POST");
    EXPECT_EQ(by_rest.facts.at("http.route"), "/api/v1/collections/{collection}/search");
    EXPECT_EQ(by_rest.facts.at("http.response.status_code"), "200");
    EXPECT_EQ(by_rest.facts.at("akidb.request_id"), "by-rest");
    const CollectedSpan by_grpc = named("akidb.v1.SearchService/Search").front();
    EXPECT_EQ(by_grpc.facts.at("rpc.system"), "grpc");
    EXPECT_EQ(by_grpc.facts.at("rpc.service"), "akidb.v1.SearchService");
    EXPECT_EQ(by_grpc.facts.at("rpc.method"), "Search");
    EXPECT_EQ(by_grpc.facts.at("rpc.grpc.status_code"), "0");
    // Of requests whose caller has a trace the log knows it, recorded or not.
    size_t lines = 0;
    std::istringstream log(server_->log());
    for (std::string line; std::getline(log, line);) {
        const Json parsed = Json::parse(line, nullptr, false);
        lines +=
            !parsed.is_discarded() && parsed["event"] == "request" && parsed["trace_id"] == kTrace ? 1 : 0;
    }
    EXPECT_EQ(lines, 3u);
    EXPECT_EQ(stop(), 0);
}

TEST_F(TraceTest, TheShareDecidesAboutTheOthers) {
    start({"--traces.sample_permille", "1000"});
    for (int i = 0; i < 10; ++i) {
        ASSERT_EQ(search(), 200);
        ASSERT_EQ(ask(*server_, "GET", "/ready").status, 200);
    }
    EXPECT_EQ(ask(*server_, "GET", "/api/v1/collections/none").status, 404);
    EXPECT_EQ(ask(*server_, "GET", "/nowhere/secret-path").status, 404);
    ASSERT_TRUE(becomes([&] { return named("HTTP").size() == 1; }));
    const std::vector<CollectedSpan> searches = named(kSearchName);
    ASSERT_EQ(searches.size(), 10u);
    for (size_t i = 0; i < searches.size(); ++i) {
        EXPECT_EQ(searches[i].parent, "") << "a trace begins";
        EXPECT_NE(searches[i].trace_id, searches[(i + 1) % 10].trace_id);
    }
    for (const CollectedSpan& span : collector_.spans()) {
        EXPECT_THAT(span.name, Not(HasSubstr("ready"))) << "probes are not traced";
    }
    const std::vector<CollectedSpan> missing = named("GET /api/v1/collections/{collection}");
    ASSERT_EQ(missing.size(), 1u);
    EXPECT_EQ(missing[0].facts.at("http.response.status_code"), "404");
    EXPECT_FALSE(missing[0].is_failed) << "a client's mistake is none of the server";
    // A write tells what of it was the log's.
    const std::vector<CollectedSpan> put = named("PUT /api/v1/collections/{collection}/documents");
    ASSERT_EQ(put.size(), 1u);
    const auto write = child(put[0], "write");
    ASSERT_TRUE(write);
    EXPECT_EQ(write->facts.at("akidb.documents"), "20");
    const auto log = child(*write, "log");
    ASSERT_TRUE(log);
    EXPECT_EQ(log->facts.at("akidb.group_writes"), "1");
    EXPECT_EQ(stop(), 0);
}

TEST_F(TraceTest, NothingOfADocumentOrACredentialIsInThem) {
    start({"--traces.sample_permille", "1000"});
    const Json document = {
        {"id", "secret-id"}, {"vector", vector_of(40)}, {"metadata", {{"note", "secret-value"}}}};
    ASSERT_EQ(ask(*server_, "PUT", "/api/v1/collections/c/documents", {{"documents", {document}}}).status,
              200);
    ASSERT_EQ(search({{"Authorization", "Bearer secret-token"},
                      {"Cookie", "a=secret-cookie"},
                      {"User-Agent", "secret-agent"}},
                     {{"filter", {{"must", {{{"key", "note"}, {"match", {{"value", "secret-value"}}}}}}}}}),
              200);
    ASSERT_EQ(ask(*server_, "GET", "/api/v1/collections/c/documents/secret-id").status, 200);
    ASSERT_EQ(search({}, {{"secret-field", 1}}), 400);
    ASSERT_EQ(
        ask(*server_, "POST", "/api/v1/collections/c/documents/get?secret-query=1", {{"ids", {"secret-id"}}})
            .status,
        400);
    ASSERT_TRUE(
        becomes([&] { return named("POST /api/v1/collections/{collection}/documents/get").size() == 1; }));
    EXPECT_THAT(collector_.bytes(), Not(HasSubstr("secret")));
    const std::vector<CollectedSpan> searched = named("search");
    ASSERT_EQ(searched.size(), 1u);
    EXPECT_EQ(searched[0].facts.at("akidb.filter"), "must(note match)");
    EXPECT_EQ(stop(), 0);
}

TEST_F(TraceTest, ASilentCollectorHoldsUpNoRequest) {
    start({"--traces.sample_permille", "1000", "--traces.queue_spans", "1024"});
    ASSERT_TRUE(becomes([&] { return collector_.requests() > 0; }));
    collector_.fall_silent();
    ASSERT_EQ(search(), 200);
    ASSERT_TRUE(becomes([&] { return collector_.held() == 1; }));
    for (int i = 0; i < 600; ++i) {
        ASSERT_EQ(search(), 200);
    }
    EXPECT_EQ(collector_.held(), 1u) << "all of them were answered while the collector was not";
    EXPECT_GT(counted("dropped"), 0);
    const double before = counted("exported");
    collector_.speak();
    ASSERT_TRUE(becomes([&] { return counted("exported") > before + 1'000; })) << "what waited comes after";
    EXPECT_EQ(counted("failed"), 0);
    EXPECT_EQ(stop(), 0);
}

TEST_F(TraceTest, WhatIsRefusedForNowComesOnceAndLater) {
    start({"--traces.sample_permille", "0"});
    collector_.plan({503, 429});
    ASSERT_EQ(search({{"traceparent", parent_of("01")}}), 200);
    ASSERT_TRUE(becomes([&] { return counted("exported") > 0; }));
    EXPECT_EQ(named(kSearchName).size(), 1u);
    EXPECT_GE(collector_.requests(), 3u);
    EXPECT_EQ(counted("failed"), 0);
    EXPECT_EQ(stop(), 0);
}

TEST_F(TraceTest, AStopSendsWhatIsLeft) {
    std::ofstream(files_.path() + "/headers") << "Authorization: Bearer of-the-collector\n";
    ASSERT_EQ(::chmod((files_.path() + "/headers").c_str(), 0600), 0);
    start({"--traces.sample_permille", "1000", "--traces.headers_file", files_.path() + "/headers"});
    ASSERT_EQ(search(), 200);
    EXPECT_EQ(stop(), 0);
    EXPECT_EQ(named(kSearchName).size(), 1u);
    EXPECT_EQ(named("PUT /api/v1/collections/{collection}/documents").size(), 1u);
    EXPECT_EQ(collector_.authorization(), "Bearer of-the-collector");
}

TEST_F(TraceTest, ACollectorThatIsNotThereOrSilentHoldsUpNoStop) {
    collector_.fall_silent();
    start({"--traces.sample_permille", "1000", "--traces.timeout_ms", "60000"});
    ASSERT_TRUE(becomes([&] { return collector_.held() == 1; }));
    ASSERT_EQ(search(), 200);
    EXPECT_EQ(stop(), 0);
    EXPECT_THAT(server_->log(), Not(HasSubstr("cut short")));
    const Result<Finished> refused =
        run_akidb({"serve", "--data", files_.path() + "/other", "--traces.endpoint", "collector:4317"});
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->exit_code, 78);
    EXPECT_THAT(refused->err, HasSubstr("traces.endpoint"));
    std::filesystem::remove_all(files_.path() + "/data");
    start({"--traces.sample_permille", "1000"}, "http://127.0.0.1:1");
    ASSERT_EQ(search(), 200);
    EXPECT_EQ(stop(), 0);
}

TEST_F(TraceTest, WorkOfTheBackgroundIsTracedByItself) {
    start({"--traces.sample_permille", "1"});
    const Json to = {{"to", files_.path() + "/backups"}};
    ASSERT_EQ(ask(*server_, "POST", "/api/v1/backups", to).status, 202);
    ASSERT_TRUE(becomes([&] { return named("backup").size() == 1; }));
    EXPECT_EQ(named("backup")[0].parent, "");
    EXPECT_FALSE(named("backup")[0].is_failed);
    ASSERT_EQ(ask(*server_, "DELETE", "/api/v1/collections/c/documents/3").status, 200);
    ASSERT_EQ(ask(*server_, "POST", "/api/v1/collections/c/optimize").status, 200);
    ASSERT_TRUE(becomes([&] { return !named("checkpoint").empty(); }));
    EXPECT_EQ(named("checkpoint")[0].facts.at("akidb.collection"), "c");
    EXPECT_EQ(stop(), 0);
}

}  // namespace
}  // namespace akidb::e2e
