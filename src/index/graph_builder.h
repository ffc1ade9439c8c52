// GraphBuilder: links rows into the neighbour lists, one after another. For each row it walks to its nearest
// rows, keeps a robust-pruned choice of them (Subramanya et al. 2019, Alg. 2, filled to half with the nearest
// rejected ones) and offers itself to each as a neighbour. All distances are those of codes. A full list
// takes the newcomer by comparing it with each neighbour once instead of pruning the whole list again: the
// walk has already estimated those distances. Every row stays reachable from row 0: each other row is
// *pledged* one edge from a row linked before it, which pruning never removes. A row pledges at most half of
// its slots; a crowd of copies forms a tree of pledges. Several threads may link different rows at once; a
// list changes under a lock. Readers may load the lists meanwhile. Deterministic when one thread links.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/mutex.h"
#include "index/coded_graph.h"
#include "index/graph.h"
#include "index/neighbour_lists.h"
#include "index/record_array.h"
#include "index/walk.h"

namespace akidb::index {

class GraphBuilder {
  public:
    GraphBuilder(CodedGraph& graph, const GraphOptions& options, NeighbourLists& lists);

    /// Before the first link_row: rows [0, count) were linked by another builder (their lists came from a
    /// file). Measures them, pledges their edges anew and mends what cannot be reached. False when
    /// `cancelled` said so between two rows; called again it goes on.
    bool begin(uint32_t count, FunctionRef<bool()> cancelled);
    /// Room for rows [0, end); while no row is being linked.
    void reserve(uint32_t end);
    /// Rows [0, count) are linked, count ≤ ordinal. The list of `ordinal` is complete on return.
    void link_row(uint32_t ordinal, uint32_t count, SearchScratch::State& state);

    size_t memory_bytes() const { return states_.bytes() + distances_.bytes(); }

  private:
    struct Edge {
        Candidate to;
        uint32_t visit;    // turbo: the number of the visit to it
        bool is_occluded;  // some kept neighbour is nearer to it: here only because there was room
    };
    // Bit i is about slot i of the row's list.
    struct RowState {
        uint64_t occluded = 0;
        uint64_t pledged = 0;
    };
    static constexpr uint32_t kNoSlot = 0xffffffffu;
    static constexpr size_t kLocks = 1024;

    static constexpr uint64_t bit_of(uint32_t slot) { return uint64_t{1} << slot; }

    /// One row being linked.
    struct Link {
        uint32_t ordinal;
        SearchScratch::State& state;
        std::array<Edge, kDegreeMax> chosen;
        std::array<uint32_t, kDegreeMax> chosen_rows;  // of `chosen`, for batches
        uint32_t count = 0;
    };

    RowState& state_of(uint32_t row) const { return *reinterpret_cast<RowState*>(states_.at(row)); }
    float* distances(uint32_t row) const { return reinterpret_cast<float*>(distances_.at(row)); }
    Mutex& lock_of(uint32_t row) { return locks_[row % kLocks]; }
    bool is_turbo() const { return graph_.edges.has_value(); }

    void walk_to_candidates(uint32_t count, SearchScratch::State& state);
    void choose_neighbours(Link& link) const;
    bool is_occluded_by_chosen(const Link& link, uint32_t ordinal, float distance) const;
    void store_list(Link& link);
    float distance_to_slot(const Link& link, const Edge& edge, uint32_t slot, uint32_t neighbour) const;
    uint32_t offer(Link& link, const Edge& edge);
    uint32_t find_slot(uint32_t row, float distance, bool is_occluded) const;
    void put(uint32_t row, uint32_t slot, Candidate neighbour, bool is_occluded);
    bool can_pledge(uint32_t row) const;
    void pledge_way_to(Link& link);
    void force(uint32_t row, Candidate neighbour);
    uint32_t next_down(uint32_t row, uint32_t ordinal, const CodedQuery& aim) const;
    void encode_slot(const CodedQuery& row_query, uint32_t row, uint32_t slot, uint32_t neighbour,
                     EdgeCodes::Edge& edge) const;
    void measure_imported(uint32_t row, SearchScratch::State& state);
    void pledge_breadth_first(uint32_t count);
    void mend(uint32_t count);

    CodedGraph& graph_;
    const GraphOptions options_;
    const float alpha_squared_;
    NeighbourLists& lists_;
    RecordArray states_;     // a RowState a row
    RecordArray distances_;  // a float a slot
    std::array<Mutex, kLocks> locks_;
    uint32_t measured_ = 0;        // imported rows
    std::vector<uint32_t> ranks_;  // while `begin` works
};

}  // namespace akidb::index
