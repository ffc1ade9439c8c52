// GraphBuilder: links rows into the neighbour lists, one after another, for the one thread that builds. For
// each row it walks to its nearest rows, keeps a robust-pruned choice of them (Subramanya et al. 2019, Alg.
// 2, filled to half with the nearest rejected ones) and offers itself to each as a neighbour. A full list
// takes the newcomer by comparing it with each neighbour once instead of pruning the whole list again: the
// walk has already measured nearly all of those distances. Every row stays reachable from row 0: each other
// row is *pledged* one edge from a row linked before it, which pruning never removes. A row pledges at most
// half of its slots; a crowd of copies forms a tree of pledges. Costs up to degree + 4 words a row while
// building. Thread-compatible; readers may load the lists meanwhile.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "index/graph.h"
#include "index/link_space.h"
#include "index/neighbour_lists.h"
#include "index/walk.h"

namespace akidb::index {

class GraphBuilder {
  public:
    GraphBuilder(const Rows& rows, const GraphOptions& options, NeighbourLists& lists);

    /// Before the first link_row: rows [0, count) were linked by another builder (their lists came from a
    /// file), and rows below `end` are about to be linked. Pledges their edges anew and mends what cannot be
    /// reached.
    void begin(uint32_t count, uint32_t end);
    /// Rows [0, ordinal) are linked. The list of `ordinal` is complete on return.
    void link_row(uint32_t ordinal, SearchScratch::State& state);

  private:
    struct Edge {
        Candidate to;
        bool is_occluded;  // some kept neighbour is nearer to it: here only because there was room
        uint32_t slot;     // of the way back in the list of `to`, or kNoSlot
    };
    // Bit i is about slot i of the row's list.
    struct RowState {
        uint64_t occluded = 0;
        uint64_t pledged = 0;
    };
    static constexpr uint32_t kNoSlot = 0xffffffffu;

    float* distances(uint32_t ordinal);
    void ensure_distances(uint32_t ordinal);
    bool occludes(uint32_t kept, Candidate candidate) const;
    void choose_neighbours(const Beam& beam);
    void store_list(uint32_t ordinal);
    float distance_from_new(uint32_t ordinal, const SearchScratch::State& state) const;
    uint32_t offer(uint32_t to, Candidate newcomer, const SearchScratch::State& state);
    uint32_t find_slot(uint32_t row, float distance, bool is_occluded) const;
    void put(uint32_t row, uint32_t slot, Candidate neighbour, bool is_occluded);
    bool can_pledge(uint32_t row) const;
    void pledge(uint32_t row, uint32_t slot);
    void pledge_way_to(uint32_t ordinal);
    uint32_t force(uint32_t row, Candidate neighbour);
    uint32_t descend(uint32_t row, uint32_t ordinal) const;
    void pledge_breadth_first(uint32_t count);
    void mend(uint32_t count);

    const Rows& rows_;
    const GraphOptions options_;
    const float alpha_squared_;
    NeighbourLists& lists_;
    LinkSpace space_;
    std::vector<RowState> rows_state_;
    std::vector<std::unique_ptr<float[]>> distances_;  // per chunk of rows, per slot; −1 first when not known
    std::vector<Edge> chosen_;
    std::vector<Candidate> rejected_;
    std::vector<uint32_t> ranks_;  // while `begin` works
};

}  // namespace akidb::index
