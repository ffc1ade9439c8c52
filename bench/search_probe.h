// SearchProbe: searches at a fixed rate while something else goes on, and what they found. Latencies come
// from an open loop (wire_load.h); recall from a second, slow stream of searches, judged afterwards by brute
// force against the rows that were acknowledged before the search was sent: whatever is nearer than the k-th
// of these counts as right. Used from one thread; runs two of its own until stop().
#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "bench/brute_force.h"
#include "bench/rest_collection.h"
#include "bench/vector_file.h"
#include "bench/wire_load.h"

namespace akidb::bench {

/// Which batches of a fixed size were acknowledged; rows before `base_rows` were there from the start.
struct Acknowledged {
    size_t base_rows = 0;
    size_t batch = 1;
    std::vector<std::atomic<bool>> batches;
    explicit Acknowledged(size_t count) : batches(count) {}
};

struct ProbeResult {
    WireResult latency;
    double recall = 0;
    size_t judged = 0;
};

class SearchProbe {
  public:
    /// Everything referred to must outlive it. `acknowledged` grows while it runs.
    SearchProbe(const std::string& url, const std::string& collection, Metric metric, double rate,
                const VectorFile& base, const VectorFile& queries, const Acknowledged& acknowledged);
    ~SearchProbe();
    SearchProbe(const SearchProbe&) = delete;
    SearchProbe& operator=(const SearchProbe&) = delete;

    /// Ends both streams, then judges.
    ProbeResult stop();

  private:
    struct Sample {
        size_t query = 0;
        std::vector<bool> seen;
        std::vector<uint32_t> rows;
    };
    void sample(const std::stop_token& stop, const std::string& url, const std::string& collection);
    double recall_of(const Sample& sample) const;

    Metric metric_;
    const VectorFile& base_;
    const VectorFile& queries_;
    const Acknowledged& acknowledged_;
    WirePlan plan_;
    WireResult latency_;
    std::vector<Sample> samples_;
    std::jthread latencies_;
    std::jthread sampler_;
};

}  // namespace akidb::bench
