// walk(): the beam search that split searches, building on row codes and graphs without codes (after a start)
// share. It begins at the rows it is given and visits the nearest row not visited yet until the beam holds
// visited rows only. All rows of a step are asked for before the first is compared: hiding that latency is
// worth more than any arithmetic (index design §3.2). Source of the loop: Alg. 1 of Subramanya et al. 2019.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>

#include "index/beam.h"
#include "index/coded_query.h"
#include "index/edge_codes.h"
#include "index/graph.h"
#include "index/neighbour_lists.h"
#include "index/stop_rule.h"

namespace akidb::index {

inline constexpr uint32_t kDegreeMax = NeighbourLists::kDegreeMax;
inline constexpr uint32_t kEntriesMax = 64;

struct CodedGraph;

struct SearchScratch::State {
    Marks marks;
    Beam beam;
    CodedQuery query;
    std::vector<Candidate> candidates;  // what a walk brought home, nearest first
    TopK nearest{1};                    // of a stop rule
    const CodedGraph* aimed = nullptr;  // of aim(): what `query` was made for

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

/// Every entry point of a graph of `count` rows; how many there are.
inline uint32_t spread_entries(uint32_t count, std::array<uint32_t, kEntriesMax>& entries) {
    uint32_t found = 0;
    for (uint64_t entry = 0; entry < count; entry += entry_step(count)) {
        entries[found++] = static_cast<uint32_t>(entry);
    }
    return found;
}

/// Nothing met yet, in a graph of `count` rows without `avoided` (kNoNeighbour: with all).
inline void begin_walk(uint32_t count, uint32_t avoided, SearchScratch::State& state) {
    state.marks.reset(count);
    if (avoided < count) {
        state.marks.set(avoided);
    }
}

/// Rows [0, count) without `avoided`, count > 0, from `starts` (at most kDegreeMax); the beam holds what was
/// found. `compare(ordinals, number, distances)` asks for the memory of a step's rows and then measures them;
/// `meet(candidate)` is told each row met, once. `stop` as stop_rule.h has it; its margin is 0.
template <class Compare, class Meet, class Stop = NoStopRule>
SearchCost walk(const NeighbourLists& lists, uint32_t count, uint32_t width, std::span<const uint32_t> starts,
                uint32_t avoided, SearchScratch::State& state, Compare compare, Meet meet, Stop stop = {}) {
    std::array<uint32_t, kDegreeMax> fresh;
    std::array<float, kDegreeMax> distances;
    uint32_t found = 0;
    SearchCost cost;
    begin_walk(count, avoided, state);
    state.beam.reset(width);
    const auto take = [&](uint32_t row) {
        if (row < count && !state.marks.is_set(row)) {  // kNoNeighbour is above every count
            state.marks.set(row);
            fresh[found++] = row;
        }
    };
    const auto compare_fresh = [&] {
        compare(fresh.data(), found, distances.data());
        for (uint32_t i = 0; i < found; ++i) {
            const Candidate candidate{distances[i], fresh[i]};
            meet(candidate);
            if (candidate.distance < state.beam.worst()) {
                state.beam.insert(candidate);
                stop.met(candidate);
            }
        }
        cost.distances += found;
        found = 0;
    };
    for (const uint32_t start : starts) {
        take(start);
    }
    compare_fresh();
    for (uint32_t row = state.beam.visit_next(); row != Beam::kNone; row = state.beam.visit_next()) {
        const uint32_t* const list = lists.list(row);
        for (uint32_t slot = 0; slot < lists.degree(); ++slot) {
            take(NeighbourLists::load(list + slot));
        }
        compare_fresh();
        ++cost.hops;
        stop.visited(state.beam, 0, [] { return 0.0f; });
        if (const uint32_t next = state.beam.peek_next(); next != Beam::kNone) {
            lists.prefetch(next);
        }
    }
    return cost;
}

}  // namespace akidb::index
