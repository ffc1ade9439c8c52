// Tracer: which requests become traces, and the queue of those that ended. Who calls decides first: a request
// that comes with a trace is recorded when that is (parent-based sampling), one without as often as the share
// says. Jobs of the background are rare, so each is recorded unless the share is 0. Ended traces wait for the
// exporter in a queue of so many spans; a trace that does not fit is dropped whole and its spans counted, so
// nobody ever waits here. Thread-safe; outlives its traces.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "telemetry/metrics.h"
#include "tracing/trace.h"

namespace akidb::tracing {

struct TracerOptions {
    uint32_t sample_permille = 10;
    size_t queue_spans_max = 8192;
};

/// What is known of a request's trace at its beginning.
struct Begun {
    std::optional<TraceId> id{};     // for the log: of what is recorded here or by who calls
    std::shared_ptr<Trace> trace{};  // null: not recorded
};

/// Work of the background that ended.
struct EndedJob {
    std::string_view name;
    uint64_t began_us = 0;  // by the tracer's clock
    const Result<void>& outcome;
    std::vector<Attribute> attributes{};
};

class Tracer final : public TraceSink {
  public:
    Tracer(const io::Clock& clock, io::Random& random, telemetry::Metrics& metrics, TracerOptions options);

    void set_share(uint32_t permille) { share_permille_.store(permille, std::memory_order_relaxed); }
    Begun begin(const TraceHeaders& headers) AKIDB_EXCLUDES(mutex_);
    void note_job(EndedJob job) AKIDB_EXCLUDES(mutex_);

    /// Called from any thread once a batch waits; must be quick. Before the first trace.
    void set_wake(size_t batch_spans, std::function<void()> wake);
    /// The oldest, of about `spans_max` spans in all: one trace more than fits ends it.
    std::vector<EndedTrace> take(size_t spans_max) AKIDB_EXCLUDES(mutex_);
    size_t waiting_spans() const AKIDB_EXCLUDES(mutex_);

    void put(EndedTrace trace) override AKIDB_EXCLUDES(mutex_);

  private:
    std::shared_ptr<Trace> make_trace(ParentContext parent) AKIDB_EXCLUDES(mutex_);
    int64_t unix_offset_us() AKIDB_EXCLUDES(mutex_);

    const io::Clock& clock_;
    io::Random& random_;
    const size_t queue_spans_max_;
    std::atomic<uint32_t> share_permille_;
    telemetry::Counter& dropped_;
    size_t batch_spans_ = 0;
    std::function<void()> wake_;
    mutable Mutex mutex_;
    std::deque<EndedTrace> queue_ AKIDB_GUARDED_BY(mutex_);
    size_t waiting_ AKIDB_GUARDED_BY(mutex_) = 0;
    // Between which two the offset from the clock to 1970 lies, as far as is known.
    int64_t offset_min_us_ AKIDB_GUARDED_BY(mutex_) = 1;
    int64_t offset_max_us_ AKIDB_GUARDED_BY(mutex_) = 0;
};

}  // namespace akidb::tracing
