#include "tracing/tracer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <thread>

#include "io/clock_for_tests.h"

namespace akidb::tracing {
namespace {

const std::string kSampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const std::string kUnsampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

class TracerTest : public testing::Test {
  protected:
    std::unique_ptr<Tracer> make(uint32_t permille, size_t queue_spans = 8192) {
        return std::make_unique<Tracer>(clock_, *random_, metrics_, TracerOptions{permille, queue_spans});
    }
    std::string exposed() const { return metrics_.expose(); }

    io::HandClock clock_;
    std::unique_ptr<io::Random> random_ = io::make_seeded_random(11);
    telemetry::Metrics metrics_;
};

TEST_F(TracerTest, WhoCallsDecidesFirst) {
    for (const uint32_t share : {0u, 1000u}) {
        const auto tracer = make(share);
        const Begun with = tracer->begin({.parents = {kSampled}});
        ASSERT_NE(with.trace, nullptr) << share;
        EXPECT_EQ(with.id->to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        const Begun without = tracer->begin({.parents = {kUnsampled}});
        EXPECT_EQ(without.trace, nullptr) << share;
        EXPECT_EQ(without.id, with.id) << "known to the log all the same";
        EXPECT_EQ(tracer->begin({}).trace != nullptr, share == 1000);
        EXPECT_EQ(tracer->begin({.parents = {"00-garbage"}}).trace != nullptr, share == 1000);
    }
}

TEST_F(TracerTest, AShareIsAbout) {
    const auto tracer = make(100);
    size_t recorded = 0;
    std::set<TraceId> ids;
    for (int i = 0; i < 20'000; ++i) {
        if (const Begun begun = tracer->begin({}); begun.trace != nullptr) {
            ++recorded;
            ids.insert(*begun.id);
        }
    }
    // Five standard deviations of a binomial distribution with p = 0.1 are 212.
    EXPECT_NEAR(static_cast<double>(recorded), 2'000, 212);
    EXPECT_EQ(ids.size(), recorded);
    tracer->set_share(0);
    EXPECT_EQ(tracer->begin({}).trace, nullptr);
    tracer->set_share(1000);
    EXPECT_NE(tracer->begin({}).trace, nullptr);
}

TEST_F(TracerTest, StepsLieUnderTheRootAndTheRootUnderItsCaller) {
    const auto tracer = make(0);
    const Begun begun = tracer->begin({.parents = {kSampled}, .states = {"a=1"}});
    {
        Step step(begun.trace.get(), "search");
        clock_.advance_us(250);
        step.set("akidb.top_k", 10);
    }
    {
        Step step(begun.trace.get(), "encode");
        step.fail("INTERNAL");
    }
    begun.trace->add({.parent = begun.trace->make_span_id(), .name = "late"});
    begun.trace->end({.name = "POST /x", .kind = SpanKind::kServer});
    begun.trace->end({.name = "twice"});
    begun.trace->add({.name = "after the end"});
    Step nothing(nullptr, "nothing");
    EXPECT_FALSE(nothing.is_recorded());
    const std::vector<EndedTrace> taken = tracer->take(100);
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_EQ(taken[0].id, *begun.id);
    EXPECT_EQ(taken[0].state, "a=1");
    const std::vector<Span>& spans = taken[0].spans;
    ASSERT_EQ(spans.size(), 4u);
    EXPECT_EQ(spans[0].name, "POST /x");
    EXPECT_EQ(spans[0].parent.to_string(), "00f067aa0ba902b7");
    EXPECT_EQ(spans[0].end_us - spans[0].begin_us, 250u);
    EXPECT_EQ(spans[1].name, "search");
    EXPECT_EQ(spans[1].parent, spans[0].id);
    EXPECT_EQ(spans[1].end_us - spans[1].begin_us, 250u);
    EXPECT_TRUE(spans[2].is_failed);
    EXPECT_EQ(spans[2].parent, spans[0].id);
    EXPECT_NE(spans[3].parent, spans[0].id);
    EXPECT_EQ(tracer->waiting_spans(), 0u);
}

TEST_F(TracerTest, TimesAreThoseOfTheWorldToTheMicrosecond) {
    const auto tracer = make(1000);
    // The two clocks tick apart: all looks together know by how much.
    for (int i = 0; i < 3'000; ++i) {
        tracer->begin({});
        clock_.advance_us(777);
    }
    const uint64_t before_us = clock_.unix_ms() * 1000;
    const Begun begun = tracer->begin({});
    begun.trace->end({.name = "x"});
    const uint64_t begin_us = tracer->take(1).front().spans.front().begin_us;
    EXPECT_GE(begin_us, before_us);
    EXPECT_LT(begin_us, before_us + 1'000);
    clock_.set_unix_ms(1'800'000'000'000);  // somebody set it
    const Begun later = tracer->begin({});
    later.trace->end({.name = "x"});
    EXPECT_EQ(tracer->take(1).front().spans.front().begin_us / 1000, 1'800'000'000'000u);
}

TEST_F(TracerTest, ATraceHoldsSoManySpans) {
    const auto tracer = make(1000);
    const Begun begun = tracer->begin({});
    for (size_t i = 0; i < kSpansPerTraceMax + 9; ++i) {
        const Step step(begun.trace.get(), "search");
    }
    begun.trace->end({.name = "POST /x"});
    const std::vector<EndedTrace> taken = tracer->take(1);
    EXPECT_EQ(taken[0].spans.size(), kSpansPerTraceMax);
    EXPECT_EQ(taken[0].spans[0].attributes.back().key, "akidb.spans_omitted");
    EXPECT_EQ(std::get<int64_t>(taken[0].spans[0].attributes.back().value.held()), 10);
}

TEST_F(TracerTest, AFullQueueDropsWholeTracesAndCountsTheirSpans) {
    const auto tracer = make(1000, 10);
    int woken = 0;
    tracer->set_wake(9, [&] { ++woken; });
    for (int i = 0; i < 5; ++i) {
        const Begun begun = tracer->begin({});
        { const Step step(begun.trace.get(), "a"); }
        { const Step step(begun.trace.get(), "b"); }
        begun.trace->end({.name = "x"});
    }
    EXPECT_EQ(tracer->waiting_spans(), 9u);
    EXPECT_EQ(woken, 1);
    EXPECT_THAT(exposed(), testing::HasSubstr("akidb_trace_spans_total{result=\"dropped\"} 6\n"));
    EXPECT_EQ(tracer->take(4).size(), 2u) << "the trace that passes the limit is the last";
    EXPECT_EQ(tracer->waiting_spans(), 3u);
}

TEST_F(TracerTest, JobsAreTracesOfTheirOwn) {
    const auto tracer = make(1);
    const uint64_t began_us = clock_.monotonic_us();
    clock_.advance_us(5'000);
    tracer->note_job({"checkpoint", began_us, Result<void>(), {{"akidb.collection", "words"}}});
    tracer->note_job({"backup", began_us, Error(Code::kDiskFull, "full")});
    tracer->set_share(0);
    tracer->note_job({"rewrite", began_us, Result<void>()});
    const std::vector<EndedTrace> taken = tracer->take(10);
    ASSERT_EQ(taken.size(), 2u);
    EXPECT_NE(taken[0].id, taken[1].id);
    EXPECT_TRUE(taken[0].spans[0].parent.is_none());
    EXPECT_EQ(taken[0].spans[0].end_us - taken[0].spans[0].begin_us, 5'000u);
    EXPECT_FALSE(taken[0].spans[0].is_failed);
    EXPECT_TRUE(taken[1].spans[0].is_failed);
    EXPECT_EQ(std::get<std::string>(taken[1].spans[0].attributes.back().value.held()), "DISK_FULL");
}

TEST_F(TracerTest, ManyThreadsTraceAtOnce) {
    const auto tracer = make(1000, 1 << 20);
    const Begun shared = tracer->begin({});
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int round = 0; round < 200; ++round) {
                const Begun begun = tracer->begin({});
                { const Step step(begun.trace.get(), "own"); }
                { const Step step(shared.trace.get(), "shared"); }
                begun.trace->end({.name = "x"});
            }
        });
    }
    threads.clear();
    shared.trace->end({.name = "x"});
    EXPECT_EQ(tracer->waiting_spans(), 4u * 200 * 2 + kSpansPerTraceMax);
}

}  // namespace
}  // namespace akidb::tracing
