// Graph: the one live proximity graph of a collection: a single layer of fixed out-degree, robust-pruned as
// in Vamana (Subramanya et al. 2019, Alg. 2 and 3), that one builder appends to while readers search it
// without locks. A neighbour list is `degree` plain u32 stored and loaded relaxed through std::atomic_ref: a
// torn list is a mix of old and new neighbours, which is a valid list (index design §2.1). Unused slots hold
// kNoNeighbour. Rows are linked strictly in order of their ordinal: linked() = n means rows [0, n) are in the
// graph; the rest is the head, scanned flat. Deleted rows stay as way-points and are kept out by `accept`.
// For dot the graph is built in the space with one more component that makes most norms equal (Bachrach et
// al. 2014), so that pruning works on true distances; searches need no change.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "index/filtered_search.h"
#include "index/flat_scan.h"
#include "index/rows.h"
#include "index/top_k.h"

namespace akidb::index {

inline constexpr uint32_t kNoNeighbour = 0xffffffffu;

struct GraphOptions {
    uint32_t degree = 32;     // neighbours a row, a multiple of 16
    uint32_t build_ef = 128;  // beam while linking
    float alpha = 1.04f;      // robust prune: keep a neighbour unless a kept one is alpha times nearer to it
};

/// Visited marks and queues of one search or link, reused by its thread. Thread-compatible.
class SearchScratch {
  public:
    SearchScratch();
    ~SearchScratch();
    struct State;
    State& state() { return *state_; }

  private:
    std::unique_ptr<State> state_;
};

struct SearchCost {
    uint32_t distances = 0;
    uint32_t hops = 0;
};

class Graph {
  public:
    /// `rows` must outlive the graph.
    Graph(const Rows& rows, GraphOptions options);
    ~Graph();
    Graph(const Graph&) = delete;
    Graph& operator=(const Graph&) = delete;

    const GraphOptions& options() const;
    /// Rows in the graph, published with release after their lists were written.
    uint32_t linked() const;

    /// Any thread. Walks with a beam of `ef` over rows below min(linked(), end) and offers each accepted row
    /// it meets to `best`. `accept` narrows what is returned, never what is walked.
    SearchCost search(const float* query, uint32_t ef, uint32_t end, Accept accept, SearchScratch& scratch,
                      TopK& best) const;

    /// Any thread. Walks as the filter allows (filtered_search.h) and offers the matches it meets to `best`.
    FilteredCost search_filtered(const float* query, const FilteredSearch& filtered, SearchScratch& scratch,
                                 TopK& best) const;

    /// The builder only: links rows [linked(), end), checking `cancelled` between rows; returns linked().
    uint32_t link(uint32_t end, FunctionRef<bool()> cancelled, SearchScratch& scratch);

    /// The builder, or while nothing links: neighbour lists of rows [begin, end) appended to `out`, degree ×
    /// u32 a row.
    void export_lists(uint32_t begin, uint32_t end, std::string& out) const;
    /// Before the first search: lists of rows [0, count) from a file. kDataLoss when a neighbour is ≥ count
    /// and not kNoNeighbour, or the size does not fit.
    Result<void> import_lists(std::string_view lists, uint32_t count);

    /// Rows that no walk from the entry points can reach (breadth first over all lists); 0 is the promise.
    uint32_t count_unreachable() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace akidb::index
