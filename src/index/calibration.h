// Calibration: how wide a beam must be on this very graph for a wanted recall@10. Measured by walks towards
// rows of the graph, which may not pass through the row that is asked for, as if it were not there; their
// answers are held against the nearest rows by a scan of all. Takes between a hundred and a thousand scans,
// and ten times as many walks. A curve is immutable; measuring may run beside searches and one builder.
#pragma once

#include <cstdint>
#include <vector>

#include "base/function_ref.h"
#include "index/graph.h"

namespace akidb::index {

struct RecallPoint {
    uint32_t ef = 0;
    double recall = 0;
};

class RecallCurve {
  public:
    RecallCurve() = default;
    /// Points by ascending ef; a point below one before it counts as equal to it.
    RecallCurve(uint32_t rows, std::vector<RecallPoint> points);

    bool is_empty() const { return points_.empty(); }
    /// Rows in the graph when it was measured.
    uint32_t rows() const { return rows_; }
    const std::vector<RecallPoint>& points() const { return points_; }
    /// The least ef for the target, between points by interpolation; beyond the last point its ef doubled.
    uint32_t ef_for(double target) const;
    double recall_at(uint32_t ef) const;

  private:
    uint32_t rows_ = 0;
    std::vector<RecallPoint> points_;
};

/// Over rows [0, linked) that `accept` lets through; empty when `cancelled` said so, or there are too few.
/// First the growth of the graph is measured and set, which its walks then go by.
RecallCurve measure_recall(Graph& graph, const Rows& rows, uint32_t linked, Accept accept,
                           FunctionRef<bool()> cancelled, SearchScratch& scratch);

}  // namespace akidb::index
