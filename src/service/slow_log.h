// SlowLog: one line for a search that took longer than a limit, with all that `explain` would have told of it
// and how the collection stood, so that it can be understood afterwards. No vector, id or value of a filter
// stands in it. When searches are slow they are so by the thousand: one line a second is written, ten at a
// time after a rest, the others are counted, and the next line says how many. Time is that of the search
// itself, without the network and the wait for a thread. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/logger.h"
#include "base/mutex.h"
#include "base/result.h"
#include "engine/collection.h"
#include "io/clock.h"
#include "model/search.h"
#include "service/context.h"
#include "telemetry/metrics.h"

namespace akidb::service {

struct EndedSearch {
    const RequestContext& context;
    const engine::Collection& collection;
    const model::SearchRequest& request;
    const Result<model::SearchReply>& reply;  // with its explanation
    uint64_t took_us = 0;
};

class SlowLog {
  public:
    SlowLog(Logger& logger, const io::Clock& clock, telemetry::Metrics& metrics)
        : logger_(logger), clock_(clock), slow_(metrics.counter(telemetry::MetricId::kSlowSearches)) {}

    /// 0: none is slow.
    void set_limit_ms(uint64_t limit) { limit_us_.store(limit * 1000, std::memory_order_relaxed); }
    bool is_on() const { return limit_us_.load(std::memory_order_relaxed) > 0; }
    /// Of each search while it is on; quick for one that is not slow.
    void note(const EndedSearch& search) AKIDB_EXCLUDES(mutex_);

  private:
    static constexpr uint64_t kLinesAtOnce = 10;

    /// Whether a line may be written, and how many were left out before it.
    bool takes_line(uint64_t& omitted) AKIDB_EXCLUDES(mutex_);

    Logger& logger_;
    const io::Clock& clock_;
    telemetry::Counter& slow_;
    std::atomic<uint64_t> limit_us_{0};
    Mutex mutex_;
    uint64_t lines_left_ AKIDB_GUARDED_BY(mutex_) = kLinesAtOnce;
    uint64_t counted_us_ AKIDB_GUARDED_BY(mutex_) = 0;
    uint64_t omitted_ AKIDB_GUARDED_BY(mutex_) = 0;
};

}  // namespace akidb::service
