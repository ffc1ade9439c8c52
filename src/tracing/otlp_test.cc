#include "tracing/otlp.h"

#include <gtest/gtest.h>
#include <otlp_for_tests.pb.h>

#include <map>
#include <random>

namespace akidb::tracing {
namespace {

otlp::ExportRequest read(const std::string& bytes) {
    otlp::ExportRequest request;
    EXPECT_TRUE(request.ParseFromString(bytes));
    // What the reader does not know would be kept as it came: there is none.
    EXPECT_EQ(request.ByteSizeLong(), bytes.size());
    return request;
}

std::map<std::string, otlp::AnyValue> by_key(
    const google::protobuf::RepeatedPtrField<otlp::KeyValue>& attributes) {
    std::map<std::string, otlp::AnyValue> found;
    for (const otlp::KeyValue& one : attributes) {
        EXPECT_TRUE(found.emplace(one.key(), one.value()).second) << one.key() << " stands there twice";
    }
    return found;
}

EndedTrace example() {
    EndedTrace trace{.state = "vendor=1"};
    trace.id.bytes = {0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6,
                      0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36};
    Span root{.name = "POST /x",
              .kind = SpanKind::kServer,
              .begin_us = 1'700'000'000'000'001,
              .end_us = 1'700'000'000'000'301};
    root.id.bytes = {1, 2, 3, 4, 5, 6, 7, 8};
    root.attributes = {{"text", "words"}, {"yes", true},   {"no", false}, {"count", uint64_t{1} << 40},
                       {"less", -1},      {"share", 0.25}, {"empty", ""}};
    root.is_failed = true;
    Span child{.parent = root.id,
               .name = "search",
               .begin_us = 1'700'000'000'000'010,
               .end_us = 1'700'000'000'000'020};
    child.id.bytes = {8, 7, 6, 5, 4, 3, 2, 1};
    trace.spans = {root, child};
    return trace;
}

TEST(Otlp, ProtobufReadsWhatIsWritten) {
    const EndedTrace trace = example();
    const otlp::ExportRequest request = read(
        encode_traces({.version = "1.2.3", .instance = "i-1", .host = "db", .process = 77}, {&trace, 1}));
    ASSERT_EQ(request.resource_spans_size(), 1);
    auto resource = by_key(request.resource_spans(0).resource().attributes());
    EXPECT_EQ(resource["service.name"].string_value(), "akidb");
    EXPECT_EQ(resource["service.version"].string_value(), "1.2.3");
    EXPECT_EQ(resource["service.instance.id"].string_value(), "i-1");
    EXPECT_EQ(resource["host.name"].string_value(), "db");
    EXPECT_EQ(resource["process.pid"].int_value(), 77);
    ASSERT_EQ(request.resource_spans(0).scope_spans_size(), 1);
    const otlp::ScopeSpans& scoped = request.resource_spans(0).scope_spans(0);
    EXPECT_EQ(scoped.scope().name(), "akidb");
    EXPECT_EQ(scoped.scope().version(), "1.2.3");
    ASSERT_EQ(scoped.spans_size(), 2);
    const otlp::Span& root = scoped.spans(0);
    EXPECT_EQ(root.trace_id(), std::string(reinterpret_cast<const char*>(trace.id.bytes.data()), 16));
    EXPECT_EQ(root.span_id(), "\1\2\3\4\5\6\7\10");
    EXPECT_EQ(root.parent_span_id(), "");
    EXPECT_EQ(root.trace_state(), "vendor=1");
    EXPECT_EQ(root.name(), "POST /x");
    EXPECT_EQ(root.kind(), otlp::Span::SERVER);
    EXPECT_EQ(root.start_time_unix_nano(), 1'700'000'000'000'001'000u);
    EXPECT_EQ(root.end_time_unix_nano(), 1'700'000'000'000'301'000u);
    EXPECT_EQ(root.status().code(), otlp::Status::ERROR);
    EXPECT_EQ(root.flags(), 1u);
    auto facts = by_key(root.attributes());
    EXPECT_EQ(facts["text"].string_value(), "words");
    EXPECT_TRUE(facts["yes"].bool_value());
    EXPECT_EQ(facts["no"].value_case(), otlp::AnyValue::kBoolValue);
    EXPECT_EQ(facts["count"].int_value(), int64_t{1} << 40);
    EXPECT_EQ(facts["less"].int_value(), -1);
    EXPECT_EQ(facts["share"].double_value(), 0.25);
    EXPECT_EQ(facts["empty"].value_case(), otlp::AnyValue::kStringValue);
    const otlp::Span& child = scoped.spans(1);
    EXPECT_EQ(child.parent_span_id(), root.span_id());
    EXPECT_EQ(child.kind(), otlp::Span::INTERNAL);
    EXPECT_FALSE(child.has_status());
}

TEST(Otlp, TextOfAnybodyIsUtf8AndBounded) {
    EndedTrace trace = example();
    const std::string letters(kTextBytesMax - 1, 'a');
    trace.spans[0].attributes = {
        {"broken", "a\xff\xc3"}, {"long", letters + "é" + letters}, {"full", letters + "b"}};
    const otlp::ExportRequest request = read(encode_traces({.version = "1"}, {&trace, 1}));
    auto facts = by_key(request.resource_spans(0).scope_spans(0).spans(0).attributes());
    EXPECT_EQ(facts["broken"].string_value(), "a??");
    EXPECT_EQ(facts["long"].string_value(), letters) << "not cut inside a letter";
    EXPECT_EQ(facts["full"].string_value(), letters + "b");
}

TEST(Otlp, ReadsWhatACollectorLeftOut) {
    otlp::ExportReply reply;
    EXPECT_EQ(read_rejected_spans(reply.SerializeAsString()), 0u);
    reply.mutable_partial_success()->set_error_message("no room");
    EXPECT_EQ(read_rejected_spans(reply.SerializeAsString()), 0u);
    reply.mutable_partial_success()->set_rejected_spans(300);
    EXPECT_EQ(read_rejected_spans(reply.SerializeAsString()), 300u);
    reply.mutable_partial_success()->set_rejected_spans(-1);
    EXPECT_EQ(read_rejected_spans(reply.SerializeAsString()), 0u);
}

TEST(Otlp, ReadsAnyAnswerWithoutHarm) {
    otlp::ExportReply reply;
    reply.mutable_partial_success()->set_rejected_spans(5);
    reply.mutable_partial_success()->set_error_message(std::string(300, 'x'));
    const std::string whole = reply.SerializeAsString();
    std::mt19937 random(7);
    for (size_t cut = 0; cut <= whole.size(); ++cut) {
        EXPECT_LE(read_rejected_spans(whole.substr(0, cut)), 5u);
    }
    for (int round = 0; round < 20'000; ++round) {
        std::string bytes(random() % 40, '\0');
        for (char& byte : bytes) {
            byte = static_cast<char>(random() % 4 == 0 ? random() : random() % 24);
        }
        read_rejected_spans(bytes);
    }
    EXPECT_EQ(read_rejected_spans("{\"partialSuccess\":{}}"), 0u);
}

}  // namespace
}  // namespace akidb::tracing
