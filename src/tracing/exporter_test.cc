#include "tracing/exporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "io/clock_for_tests.h"
#include "tracing/spans_for_tests.h"

namespace akidb::tracing {
namespace {

using testing::HasSubstr;

class ExporterTest : public testing::Test {
  protected:
    ~ExporterTest() override { exporter_.reset(); }

    void open(ExporterOptions options = {}, size_t queue_spans = 8192) {
        tracer_.emplace(clock_, *random_, metrics_, TracerOptions{1000, queue_spans});
        auto client = std::make_unique<CollectorForTests>();
        collector_ = client.get();
        options.url = "http://collector/v1/traces";
        exporter_.emplace(Exporter::Dependencies{*tracer_, clock_, thread_, metrics_, logger_},
                          std::move(client), std::move(options));
    }
    void trace(size_t count) {
        for (size_t i = 0; i < count; ++i) {
            tracer_->begin({}).trace->end({.name = "x"});
        }
    }
    /// Sends what waits, as far as it goes now.
    void send() {
        exporter_->tick();
        while (thread_.pending() > 0) {
            std::this_thread::yield();
        }
    }
    std::string counted(const std::string& result) const {
        const std::string text = metrics_.expose();
        const std::string name = "akidb_trace_spans_total{result=\"" + result + "\"} ";
        const size_t begin = text.find(name) + name.size();
        return text.substr(begin, text.find('\n', begin) - begin);
    }

    io::HandClock clock_;
    std::unique_ptr<io::Random> random_ = io::make_seeded_random(5);
    telemetry::Metrics metrics_;
    NullLogger logger_;
    io::ThreadPool thread_{{.name = "trace"}};
    std::optional<Tracer> tracer_;
    CollectorForTests* collector_ = nullptr;
    std::optional<Exporter> exporter_;
};

TEST_F(ExporterTest, SendsInBatchesWhatWaits) {
    open();
    send();
    EXPECT_EQ(collector_->requests(), 0u) << "nothing is nothing";
    trace(Exporter::kBatchSpans - 1);
    send();
    EXPECT_EQ(collector_->requests(), 1u);
    trace(2);
    send();
    EXPECT_EQ(collector_->spans().size(), Exporter::kBatchSpans + 1);
    EXPECT_EQ(counted("exported"), std::to_string(Exporter::kBatchSpans + 1));
    EXPECT_EQ(counted("dropped"), "0");
    EXPECT_EQ(counted("failed"), "0");
    EXPECT_THAT(collector_->headers(), testing::Contains(std::pair<std::string, std::string>(
                                           "Content-Type", "application/x-protobuf")));
}

TEST_F(ExporterTest, AFullBatchGoesWithoutWaitingForATick) {
    open();
    trace(Exporter::kBatchSpans);
    collector_->wait_for_requests(1);
}

TEST_F(ExporterTest, TriesAgainAfterPausesThatDouble) {
    open();
    collector_->plan({{.status = 503}, {.status = 429}, {.status = 502}});
    trace(3);
    uint64_t pause_s = 1;
    send();
    for (size_t tries = 1; tries <= 3; ++tries, pause_s *= 2) {
        EXPECT_EQ(collector_->requests(), tries);
        clock_.advance_us(pause_s * 1'000'000 - 1);
        send();
        EXPECT_EQ(collector_->requests(), tries) << "before the pause of " << pause_s << " s is over";
        clock_.advance_us(1);
        send();
    }
    EXPECT_EQ(collector_->requests(), 4u);
    EXPECT_EQ(collector_->spans().size(), 3u) << "once, however often it was tried";
    EXPECT_EQ(counted("exported"), "3");
}

TEST_F(ExporterTest, WaitsAsLongAsItIsAskedTo) {
    open();
    collector_->plan({{.status = 503, .headers = {{"retry-after", "7"}}},
                      {.status = 503, .headers = {{"retry-after", "4000000000"}}},
                      {.status = 503, .headers = {{"retry-after", "Wed, 21 Oct 2026 07:28:00 GMT"}}}});
    trace(1);
    send();
    clock_.advance_us(6'999'999);
    send();
    EXPECT_EQ(collector_->requests(), 1u);
    clock_.advance_us(1);
    send();
    EXPECT_EQ(collector_->requests(), 2u);
    clock_.advance_s(60);
    send();
    EXPECT_EQ(collector_->requests(), 3u) << "but not for ever";
    clock_.advance_s(4);
    send();
    EXPECT_EQ(collector_->spans().size(), 1u);
}

TEST_F(ExporterTest, GivesUpAfterFiveTriesAndGoesOnWithTheNext) {
    open();
    collector_->plan(std::vector<io::HttpReply>(Exporter::kTriesMax, {.status = 503}));
    trace(4);
    for (int tries = 0; tries < Exporter::kTriesMax; ++tries) {
        send();
        clock_.advance_s(60);
    }
    EXPECT_EQ(counted("failed"), "4");
    trace(2);
    send();
    EXPECT_EQ(collector_->spans().size(), 2u);
    EXPECT_EQ(counted("exported"), "2");
}

TEST_F(ExporterTest, WhatIsRefusedForGoodIsNotTriedAgain) {
    open();
    collector_->plan({{.status = 400}, {.status = 401}});
    trace(5);
    send();
    trace(1);
    send();
    EXPECT_EQ(counted("failed"), "6");
    trace(1);
    send();
    EXPECT_EQ(collector_->requests(), 3u);
    EXPECT_EQ(counted("exported"), "1");
}

TEST_F(ExporterTest, CountsWhatACollectorLeftOut) {
    open();
    otlp::ExportReply reply;
    reply.mutable_partial_success()->set_rejected_spans(2);
    collector_->plan({{.status = 200, .body = reply.SerializeAsString()},
                      {.status = 200, .body = "\x0a\x0a\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f"}});
    trace(5);
    send();
    EXPECT_EQ(counted("exported"), "3");
    EXPECT_EQ(counted("failed"), "2");
    trace(1);
    send();
    EXPECT_EQ(counted("failed"), "3") << "no more than were sent, whatever it says";
}

TEST_F(ExporterTest, ASilentCollectorHoldsUpNobody) {
    open({}, 2 * Exporter::kBatchSpans);
    collector_->fall_silent();
    trace(Exporter::kBatchSpans);
    collector_->wait_for_requests(1);
    trace(2 * Exporter::kBatchSpans + 100);  // comes back although the one request does not
    EXPECT_EQ(counted("dropped"), "100");
    exporter_->close(0);
    EXPECT_EQ(counted("dropped"), std::to_string(3 * Exporter::kBatchSpans + 100)) << "all are accounted for";
}

TEST_F(ExporterTest, ClosingSendsWhatIsLeftEvenInAPause) {
    open();
    collector_->plan({{.status = 503}});
    trace(2);
    send();
    trace(Exporter::kBatchSpans);
    exporter_->close(1'000);
    EXPECT_EQ(collector_->spans().size(), Exporter::kBatchSpans + 2);
    EXPECT_EQ(counted("exported"), std::to_string(Exporter::kBatchSpans + 2));
    trace(1);
    exporter_->tick();
    exporter_->close(1'000);
    EXPECT_EQ(collector_->spans().size(), Exporter::kBatchSpans + 2) << "nothing afterwards";
}

TEST_F(ExporterTest, ClosingTriesEachBatchOnce) {
    open();
    collector_->plan({{.status = 503}});
    trace(Exporter::kBatchSpans - 1);
    exporter_->close(1'000);
    EXPECT_EQ(collector_->requests(), 1u);
    EXPECT_EQ(counted("dropped"), std::to_string(Exporter::kBatchSpans - 1));
}

TEST_F(ExporterTest, HeadersComeFromAPrivateFileEachTime) {
    std::string pattern = (std::filesystem::temp_directory_path() / "akidb-headers-XXXXXX").string();
    const std::string folder = ::mkdtemp(pattern.data());
    const std::string path = folder + "/headers";
    const auto write = [&](const std::string& text) {
        std::ofstream(path) << text;
        ::chmod(path.c_str(), 0600);
    };
    write("Authorization: Bearer one\r\n\n  \nx-scope-orgid:\t7 \n");
    const Result<Headers> read = read_headers(path);
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(*read, (Headers{{"Authorization", "Bearer one"}, {"x-scope-orgid", "7"}}));
    open({.headers_file = path});
    trace(1);
    send();
    EXPECT_THAT(collector_->headers(),
                testing::Contains(std::pair<std::string, std::string>("Authorization", "Bearer one")));
    write("Authorization: Bearer two\n");
    trace(1);
    send();
    EXPECT_THAT(collector_->headers(),
                testing::Contains(std::pair<std::string, std::string>("Authorization", "Bearer two")));
    std::filesystem::remove(path);
    trace(1);
    send();
    EXPECT_EQ(collector_->requests(), 2u) << "not without its token";
    for (const char* wrong : {"no header", ": x", "a b: x", "a:", "a: \t", "a: b\x01", "secret\x7f: x"}) {
        write(std::string("ok: 1\n") + wrong + "\n");
        const Result<Headers> refused = read_headers(path);
        ASSERT_FALSE(refused) << wrong;
        EXPECT_THAT(refused.error().message(), HasSubstr("line 2 of " + path));
        EXPECT_THAT(refused.error().message(), testing::Not(HasSubstr("secret")));
    }
    ::chmod(path.c_str(), 0644);
    EXPECT_EQ(read_headers(path).error().code(), Code::kPermissionDenied);
    std::filesystem::remove_all(folder);
}

TEST(CollectorUrl, IsCompletedOrRefused) {
    const std::vector<std::pair<std::string, std::string>> good{
        {"http://localhost:4318", "http://localhost:4318/v1/traces"},
        {"http://localhost:4318/", "http://localhost:4318/v1/traces"},
        {"https://otel.example/api/traces", "https://otel.example/api/traces"},
        {"http://[::1]:4318", "http://[::1]:4318/v1/traces"}};
    for (const auto& [given, whole] : good) {
        const Result<std::string> url = parse_collector_url(given);
        ASSERT_TRUE(url) << given;
        EXPECT_EQ(*url, whole);
    }
    for (const char* wrong :
         {"", "localhost:4318", "ftp://x", "http://", "http:///v1", "http://:4318", "http://a b",
          "http://user:secret@x", "http://x/?a=1", "http://x/#a", "grpc://x:4317", "http://\xff"}) {
        EXPECT_FALSE(parse_collector_url(wrong)) << wrong;
    }
}

}  // namespace
}  // namespace akidb::tracing
