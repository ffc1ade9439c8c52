#include "tracing/tracer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace akidb::tracing {

Tracer::Tracer(const io::Clock& clock, io::Random& random, telemetry::Metrics& metrics, TracerOptions options)
    : clock_(clock),
      random_(random),
      queue_spans_max_(options.queue_spans_max),
      share_permille_(options.sample_permille),
      dropped_(metrics.counter(telemetry::MetricId::kTraceSpans, {"dropped"})) {}

void Tracer::set_wake(size_t batch_spans, std::function<void()> wake) {
    batch_spans_ = batch_spans;
    wake_ = std::move(wake);
}

Begun Tracer::begin(const TraceHeaders& headers) {
    if (std::optional<ParentContext> parent = parse_parent(headers)) {
        const TraceId id = parent->trace;
        return {id, parent->is_sampled ? make_trace(std::move(*parent)) : nullptr};
    }
    const uint32_t share = share_permille_.load(std::memory_order_relaxed);
    const uint64_t draw = share == 0 ? 0 : random_.next_u64();
    // The draw decides, and is the second half of the id.
    if (share == 0 || draw % 1000 >= share) {
        return {};
    }
    const std::array<uint64_t, 2> numbers{random_.next_u64() | 1, draw};  // zero is no id
    ParentContext root;
    std::memcpy(root.trace.bytes.data(), numbers.data(), root.trace.bytes.size());
    return {root.trace, make_trace(std::move(root))};
}

std::shared_ptr<Trace> Tracer::make_trace(ParentContext parent) {
    return std::make_shared<Trace>(Trace::Doors{*this, clock_, random_}, std::move(parent), unix_offset_us());
}

/// The wall clock tells milliseconds, and spans are shorter. Each look at both clocks bounds the offset
/// between them, and all looks together know it to some microseconds. When they disagree, the wall clock was
/// set.
int64_t Tracer::unix_offset_us() {
    const auto before = static_cast<int64_t>(clock_.monotonic_us());
    const auto unix_us = static_cast<int64_t>(clock_.unix_ms() * 1000);
    const auto after = static_cast<int64_t>(clock_.monotonic_us());
    const int64_t low = unix_us - after;
    const int64_t high = unix_us + 999 - before;
    MutexLock lock(mutex_);
    if (low > offset_max_us_ || high < offset_min_us_) {
        offset_min_us_ = low;
        offset_max_us_ = high;
    }
    offset_min_us_ = std::max(offset_min_us_, low);
    offset_max_us_ = std::min(offset_max_us_, high);
    return offset_min_us_;
}

void Tracer::note_job(EndedJob job) {
    if (share_permille_.load(std::memory_order_relaxed) == 0) {
        return;
    }
    const std::array<uint64_t, 2> numbers{random_.next_u64() | 1, random_.next_u64()};
    ParentContext root;
    std::memcpy(root.trace.bytes.data(), numbers.data(), root.trace.bytes.size());
    Span span{
        .name = std::string(job.name), .begin_us = job.began_us, .attributes = std::move(job.attributes)};
    if (!job.outcome) {
        span.is_failed = true;
        span.attributes.push_back({"error.type", row_of(job.outcome.error().code()).name});
    }
    make_trace(std::move(root))->end(std::move(span));
}

void Tracer::put(EndedTrace trace) {
    const size_t count = trace.spans.size();
    bool is_batch = false;
    {
        MutexLock lock(mutex_);
        if (waiting_ + count <= queue_spans_max_) {
            waiting_ += count;
            is_batch = wake_ != nullptr && waiting_ >= batch_spans_;
            queue_.push_back(std::move(trace));
        } else {
            dropped_.add(static_cast<double>(count));
        }
    }
    if (is_batch) {
        wake_();
    }
}

std::vector<EndedTrace> Tracer::take(size_t spans_max) {
    std::vector<EndedTrace> taken;
    MutexLock lock(mutex_);
    for (size_t spans = 0; !queue_.empty() && spans < spans_max;) {
        spans += queue_.front().spans.size();
        waiting_ -= queue_.front().spans.size();
        taken.push_back(std::move(queue_.front()));
        queue_.pop_front();
    }
    return taken;
}

size_t Tracer::waiting_spans() const {
    MutexLock lock(mutex_);
    return waiting_;
}

}  // namespace akidb::tracing
