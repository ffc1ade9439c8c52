// RecallProbe: a share of the live searches that went by a graph is answered once more by comparing with
// every document, on what the search itself saw, and what it missed goes into the window of its graph. One at
// a time and nothing waits: a search that is chosen while another is answered again, or before that one has
// been paid for, is skipped. So whatever the share, a probe takes at most half a percent of the processors,
// on a thread that yields to searches, and holds one snapshot, and that no longer than it takes. One probe is
// shared by all collections. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>

#include "engine/query.h"
#include "io/executor.h"
#include "telemetry/metrics.h"

namespace akidb::engine {

struct RecallProbeOptions {
    uint32_t share_permille = 10;
    uint32_t processors = 1;
};

/// A search that was answered, as it was asked.
struct ProbedSearch {
    Snapshot snapshot;
    model::SearchRequest request;
    QuerySettings settings;
    FilterKind filter = FilterKind::kNone;
};

class RecallProbe {
  public:
    /// `executor` has one thread of low priority and must outlive the probe's jobs, as must all else.
    RecallProbe(io::Executor& executor, const io::Clock& clock, telemetry::Metrics& metrics,
                RecallProbeOptions options);

    void set_share(uint32_t permille) { share_permille_.store(permille, std::memory_order_relaxed); }
    /// Whether the search that just ended is to be handed to take(), which must follow then. Quick.
    bool wants_next();
    void take(ProbedSearch search, const model::SearchReply& reply);

  private:
    void answer_again(const ProbedSearch& search, const std::vector<float>& scores);

    io::Executor& executor_;
    const io::Clock& clock_;
    const uint32_t processors_;
    std::atomic<uint32_t> share_permille_;
    std::atomic<uint64_t> searches_{0};
    std::atomic<bool> is_busy_{false};
    std::atomic<uint64_t> not_before_us_{0};
    telemetry::Counter& done_;
    telemetry::Counter& skipped_;
};

}  // namespace akidb::engine
