// IndexSweep: one built engine measured at several widths. Recall and distances come from a pass that is not
// timed and warms up as well; then timed rounds, which the caller alternates between engines. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/curve.h"
#include "bench/index_engine.h"
#include "bench/recall.h"

namespace akidb::bench {

struct EnginePoint {
    size_t ef = 0;
    double recall1 = 0;
    double recall10 = 0;
    double recall100 = 0;
    double distances = 0;  // mean of a search with k 10
    double qps = 0;        // median over the rounds, as are the next three
    double qps_cpu =
        0;  // queries a second of the thread's processor time: what a disturbed machine leaves right
    double p50_us = 0;
    double p99_us = 0;
    std::vector<double> round_qps;
    double spread = 0;  // of queries a second over the rounds: (highest − lowest) / median
};

class IndexSweep {
  public:
    /// Keeps references. `engine` is built.
    IndexSweep(IndexEngine& engine, OrderedBase base, const VectorFile& queries, const RecallJudge& judge);

    /// Widths in rising order; stops after the first whose recall@10 needs no more.
    void measure_recall(const std::vector<size_t>& widths);
    void time_round();
    /// After measure_recall() and at least one time_round().
    std::vector<EnginePoint> points() const;

  private:
    struct Timing {
        std::vector<double> qps;
        std::vector<double> qps_cpu;
        std::vector<double> p50_us;
        std::vector<double> p99_us;
    };
    EnginePoint recall_of_width(size_t ef);
    void warm_up();
    std::vector<uint32_t> found_rows(size_t query, Width width);

    IndexEngine& engine_;
    OrderedBase base_;
    const VectorFile& queries_;
    const RecallJudge& judge_;
    std::vector<EnginePoint> points_;
    std::vector<Timing> timings_;  // one a point
    std::vector<uint32_t> positions_;
};

}  // namespace akidb::bench
