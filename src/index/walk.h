// walk(): the beam search by exact distances, for graphs whose rows have no codes yet (after a start). It
// begins at rows spread evenly over the graph and visits the nearest row not visited yet until the beam holds
// visited rows only. All rows of a step are asked for before the first is compared: hiding that latency is
// worth more than any arithmetic (index design §3.2). Source of the loop: Alg. 1 of Subramanya et al. 2019.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "index/beam.h"
#include "index/coded_query.h"
#include "index/edge_codes.h"
#include "index/graph.h"
#include "index/neighbour_lists.h"

namespace akidb::index {

inline constexpr uint32_t kDegreeMax = NeighbourLists::kDegreeMax;
inline constexpr uint32_t kEntriesMax = 64;

struct SearchScratch::State {
    Marks marks;
    Beam beam;
    CodedQuery query;
    std::vector<Candidate> candidates;  // what a walk brought home, nearest first

    // The builder's.
    struct Visit {
        Candidate row;
        uint32_t number;  // of the visit: estimates and neighbours lie at degree · number
    };
    std::vector<Visit> visits;
    std::vector<float> estimates;
    std::vector<uint32_t> neighbours;
    std::vector<float> distances;  // split: of each marked row from the row being linked
    CodedQuery aim;
    EdgeCodes::Edge edge;
};

/// Entry points of a graph of `count` rows: every multiple of this. A power of two, so that they stay the
/// same, and in cache, while the graph grows.
constexpr uint32_t entry_step(uint32_t count) {
    return count <= kEntriesMax ? 1 : std::bit_ceil((count + kEntriesMax - 1) / kEntriesMax);
}

/// Rows [0, count), count > 0. The beam holds what was found.
template <class Distance>
SearchCost walk(const Rows& rows, const NeighbourLists& lists, uint32_t count, uint32_t width,
                SearchScratch::State& state, Distance distance) {
    std::array<uint32_t, kDegreeMax> fresh;
    SearchCost cost;
    state.marks.reset(count);
    state.beam.reset(width);
    const auto compare_fresh = [&](uint32_t number) {
        for (uint32_t i = 0; i < number; ++i) {
            rows.prefetch(fresh[i]);
        }
        for (uint32_t i = 0; i < number; ++i) {
            const Candidate candidate{distance(fresh[i]), fresh[i]};
            if (candidate.distance < state.beam.worst()) {
                state.beam.insert(candidate);
            }
        }
        cost.distances += number;
    };
    uint32_t found = 0;
    for (uint64_t entry = 0; entry < count; entry += entry_step(count)) {
        fresh[found] = static_cast<uint32_t>(entry);
        state.marks.set(fresh[found++]);
    }
    compare_fresh(found);
    for (uint32_t row = state.beam.visit_next(); row != Beam::kNone; row = state.beam.visit_next()) {
        const uint32_t* const list = lists.list(row);
        found = 0;
        for (uint32_t slot = 0; slot < lists.degree(); ++slot) {
            const uint32_t neighbour = NeighbourLists::load(list + slot);
            if (neighbour < count && !state.marks.is_set(neighbour)) {  // kNoNeighbour is above every count
                state.marks.set(neighbour);
                fresh[found++] = neighbour;
            }
        }
        compare_fresh(found);
        ++cost.hops;
        if (const uint32_t next = state.beam.peek_next(); next != Beam::kNone) {
            lists.prefetch(next);
        }
    }
    return cost;
}

}  // namespace akidb::index
