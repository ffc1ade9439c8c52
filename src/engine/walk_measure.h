// WalkMeasure: how many rows a walk of one collection's graph compares for each row that it visits. That
// depends on the vectors (twice as many where their intrinsic dimension is high), and the planner's prices
// depend on it. Measured by a few walks towards rows of the collection, anew each time the graph has doubled,
// so that it is a function of the graph alone. One job measures; any thread reads.
#pragma once

#include <atomic>
#include <cstdint>

#include "engine/row_store.h"
#include "index/graph.h"

namespace akidb::engine {

class WalkMeasure {
  public:
    /// Of a visited row's neighbours, those that were not met before.
    double fresh_share() const { return fresh_share_.load(std::memory_order_relaxed); }
    bool is_due(uint32_t linked) const {
        return linked >= kRowsMin && linked / 2 >= measured_rows_.load(std::memory_order_relaxed);
    }
    /// Some milliseconds.
    void measure(const index::Rows& rows, const index::Graph& graph, index::SearchScratch& scratch);

  private:
    static constexpr uint32_t kRowsMin = 1024;
    static constexpr double kUsual = 0.5;  // word vectors of 100 dimensions

    std::atomic<double> fresh_share_{kUsual};
    std::atomic<uint32_t> measured_rows_{0};
};

}  // namespace akidb::engine
