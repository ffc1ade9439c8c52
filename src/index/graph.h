// Graph: the one live proximity graph of a collection: a single layer of fixed out-degree, robust-pruned as
// in Vamana (Subramanya et al. 2019, Alg. 2 and 3), that builders append to while readers search it without
// locks. A neighbour list is `degree` plain u32 stored and loaded relaxed through std::atomic_ref: a torn
// list is a mix of old and new neighbours, which is a valid list (index design §2.1). Unused slots hold
// kNoNeighbour. Rows are encoded, then linked, both in order of their ordinal: linked() = n means rows [0, n)
// are in the graph; the rest is the head, scanned flat. Walks go by codes (coded_graph.h), and what they
// bring home is compared exactly, by the rows themselves. Deleted rows stay as way-points and are kept out by
// `accept`.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
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

enum class Layout {
    kSplit,  // codes of rows beside the lists: the least memory
    kTurbo,  // codes of edges with each row: the fewest places read
    kAuto,   // turbo while twice the rows at hand would fit into turbo_bytes_max, else split
};

struct GraphOptions {
    uint32_t degree = 32;     // neighbours a row, a multiple of 16; 32 fill a scan
    uint32_t build_ef = 160;  // beam while linking
    float alpha = 1.04f;      // robust prune: keep a neighbour unless a kept one is alpha times nearer to it
    Layout layout = Layout::kAuto;
    uint64_t turbo_bytes_max = uint64_t{4} << 30;
    /// A component, of the codes that walks go by: split 4 or 8, turbo 1 or 4; 0 = by dimension.
    uint32_t bits = 0;
    /// Imported lists of less are copied at once, for less than keeping a file open costs.
    size_t lent_bytes_min = size_t{8} << 20;

    /// The same, with layout and bits chosen for that many rows at hand.
    GraphOptions for_rows(uint64_t rows, uint32_t dimension) const;
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
    uint32_t distances = 0;  // codes or rows compared one by one (turbo: rows visited)
    uint32_t hops = 0;       // rows visited
    uint32_t exact = 0;      // rows compared exactly
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
    /// Any thread. How fast rows get many with distance (stop_rule.h); 0, as long as nobody has measured it:
    /// then each walk visits what a beam of its ef holds. Dot has none.
    void set_growth(float growth);
    float growth() const;
    /// Rows that walks and scans know by code; 0 until those in the graph all are.
    uint32_t encoded() const;

    /// Any thread. Walks with a beam of `ef` (of a typical query so many rows are visited, stop_rule.h) over
    /// rows below min(linked(), end) and offers the accepted rows nearest by code, as many as `best` has room
    /// for and those that may tie with them, compared exactly. `accept` narrows what is returned, never what
    /// is walked.
    SearchCost search(const float* query, uint32_t ef, uint32_t end, Accept accept, SearchScratch& scratch,
                      TopK& best) const;
    /// The same without ever visiting `avoided`, as if it were not in the graph.
    SearchCost search_avoiding(uint32_t avoided, const float* query, uint32_t ef, uint32_t end, Accept accept,
                               SearchScratch& scratch, TopK& best) const;
    /// Any thread. Offers the accepted rows of [begin, end) that are nearest: by one-bit codes where rows
    /// have them, exactly where they may be near enough.
    SearchCost scan(const float* query, uint32_t begin, uint32_t end, Accept accept, SearchScratch& scratch,
                    TopK& best) const;

    /// Any thread. Gets `scratch` ready for scan_rows() of this query.
    void aim(const float* query, SearchScratch& scratch) const;
    /// Any thread, after aim(). As scan(), of just these rows, ascending: block by block of those that hold
    /// one.
    SearchCost scan_rows(const float* query, std::span<const uint32_t> ordinals, Accept accept,
                         SearchScratch& scratch, TopK& best) const;

    /// Any thread. Walks as the filter allows (filtered_search.h) and offers the matches it meets to `best`.
    FilteredCost search_filtered(const float* query, const FilteredSearch& filtered, SearchScratch& scratch,
                                 TopK& best) const;

    /// The builder only: gives rows [0, end) codes, checking `cancelled` now and then; returns how many have.
    uint32_t encode(uint32_t end, FunctionRef<bool()> cancelled);
    /// Builders only: encodes what is not yet, then links rows [linked(), end), checking `cancelled` between
    /// rows; returns linked(). Several threads may call it at once with the same `end` and share the rows
    /// (then no other builder's call may run); one thread builds the same graph every time.
    uint32_t link(uint32_t end, FunctionRef<bool()> cancelled, SearchScratch& scratch);

    /// The builder, or while nothing links: neighbour lists of rows [begin, end) appended to `out`, degree ×
    /// u32 a row.
    void export_lists(uint32_t begin, uint32_t end, std::string& out) const;
    /// Lists of rows as a file has them.
    struct ImportedLists {
        std::string_view bytes;
        /// Of a file in memory, or nothing where `bytes` live no longer than the call. It keeps them alive,
        /// and is called once by own_lists(); who still reads them then must meet zeros.
        std::function<void()> forget;
    };
    /// Before the first search: lists of rows [0, count). kDataLoss when a neighbour is ≥ count and not
    /// kNoNeighbour, or the size does not fit. Until the rows are encoded, searches compare exactly, and
    /// large lists are read where they lie.
    Result<void> import_lists(ImportedLists lists, uint32_t count);
    /// The builder, at the latest when it encodes: copies lists that are read where they lie; a neighbour
    /// that the file has no longer right becomes none. Nothing where there are no such lists. False when
    /// `cancelled` said so; called again it goes on.
    bool own_lists(FunctionRef<bool()> cancelled);

    /// Rows that no walk from the entry points can reach (breadth first over all lists); 0 is the promise.
    uint32_t count_unreachable() const;
    /// Memory of lists and codes, and of the builder beside them.
    size_t memory_bytes() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace akidb::index
