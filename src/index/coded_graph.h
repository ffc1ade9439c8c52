// CodedGraph: the lists of a graph together with the codes that its walks read, and the two walks. *Split*:
// the beam holds distances by row codes; a hop reads one list and then the codes of the neighbours not met
// before. *Turbo*: a hop reads the row's own code, its list and the codes of its edges, all in three places,
// and the beam holds estimates; what a walk brings home are the rows it visited, whose distances are those of
// eight-bit codes. Split takes the least memory, turbo the least time (docs/index.md has the figures). Source
// of the loop: Alg. 1 of Subramanya et al. 2019. One writer prepares rows, any threads walk.
#pragma once

#include <array>
#include <optional>
#include <span>

#include "index/coded_query.h"
#include "index/edge_codes.h"
#include "index/entry_table.h"
#include "index/graph.h"
#include "index/neighbour_lists.h"
#include "index/row_codes.h"
#include "index/walk.h"

namespace akidb::index {

struct CodedGraph {
    CodedGraph(const Rows& rows, uint32_t count, const GraphOptions& options)
        : space(rows, count),
          codes(space, options.layout == Layout::kSplit && options.bits == 4),
          entries(codes) {
        if (options.layout == Layout::kTurbo) {
            edges.emplace(space, options.degree, options.bits);
        }
    }

    CodeSpace space;
    RowCodes codes;
    std::optional<EdgeCodes> edges;
    EntryTable entries;

    QueryForms forms() const { return {.pairs = codes.has_pairs(), .table = true}; }
};

inline constexpr uint32_t kEntries = 4;

/// walk() by row codes, for state.query, from the nearest entries.
template <class Meet, class Stop = NoStopRule>
SearchCost walk_split(const CodedGraph& graph, const NeighbourLists& lists, uint32_t count, uint32_t width,
                      uint32_t avoided, SearchScratch::State& state, Meet meet, Stop stop = {}) {
    std::array<Candidate, EntryTable::kNearestMax> nearest;
    std::array<uint32_t, EntryTable::kNearestMax> starts;
    const uint32_t found = graph.entries.find(state.query, count, kEntries, nearest);
    for (uint32_t i = 0; i < found; ++i) {
        starts[i] = nearest[i].ordinal;
    }
    const bool has_pairs = graph.codes.has_pairs();
    const auto compare = [&](const uint32_t* ordinals, uint32_t number, float* distances) {
        for (uint32_t i = 0; i < number; ++i) {
            has_pairs ? graph.codes.prefetch4(ordinals[i]) : graph.codes.prefetch8(ordinals[i]);
        }
        has_pairs ? graph.codes.distances4(state.query, ordinals, number, distances)
                  : graph.codes.distances8(state.query, ordinals, number, distances);
    };
    return walk(lists, count, width, std::span(starts).first(found), avoided, state, compare, meet, stop);
}

/// How many of the nearest rows a turbo walk visits, and how many it keeps: those beyond are not worth a
/// visit, but their estimates may be wrong enough for them to belong to the answer.
struct BeamWidth {
    uint32_t visited = 0;
    uint32_t kept = 0;
};

/// The same with edge codes. `visit(row, distance, estimates)` is told each row visited, once, with its
/// distance by its eight-bit code and the estimates of its neighbours' distances, slot by slot.
template <class Visit, class Stop = NoStopRule>
SearchCost walk_turbo(const CodedGraph& graph, const NeighbourLists& lists, uint32_t count, BeamWidth width,
                      uint32_t avoided, SearchScratch::State& state, Visit visit, Stop stop = {}) {
    constexpr size_t kLinesAhead = 72;  // a row of edge codes at 768 dimensions and more
    // Rows whose memory is asked for before they are visited: one at a time, a walk would wait for each.
    constexpr uint32_t kAhead = 3;
    alignas(64) std::array<float, kDegreeMax> estimates;
    SearchCost cost;
    begin_walk(count, avoided, state);
    state.beam.reset(width.kept, width.visited);
    std::array<Candidate, EntryTable::kNearestMax> nearest;
    const uint32_t entries = graph.entries.find(state.query, count, kEntries, nearest);
    for (uint32_t i = 0; i < entries; ++i) {
        if (nearest[i].ordinal != avoided && nearest[i].distance < state.beam.worst()) {
            state.marks.set(nearest[i].ordinal);
            state.beam.insert(nearest[i]);
        }
    }
    const auto ask = [&](uint32_t next) {
        graph.codes.prefetch8(next);
        lists.prefetch(next);
        graph.edges->prefetch(next, kLinesAhead);
    };
    state.beam.ask_ahead(kAhead, ask);
    for (uint32_t row = state.beam.visit_asked(kAhead); row != Beam::kNone;
         row = state.beam.visit_asked(kAhead)) {
        float distance = 0;
        graph.codes.distances8(state.query, &row, 1, &distance);
        stop.met({distance, row});
        stop.visited(state.beam, width.kept - width.visited,
                     [&] { return state.query.margin(graph.codes.factors8(row).squared); });
        uint64_t nearer = graph.edges->scan(state.query, row, distance, state.beam.worst(), estimates.data());
        visit(row, distance, estimates.data());
        const uint32_t* const list = lists.list(row);
        for (; nearer != 0; nearer &= nearer - 1) {
            const auto slot = static_cast<uint32_t>(std::countr_zero(nearer));
            const uint32_t neighbour = NeighbourLists::load(list + slot);
            if (neighbour < count && !state.marks.is_set(neighbour) && estimates[slot] < state.beam.worst()) {
                state.marks.set(neighbour);
                state.beam.insert({estimates[slot], neighbour});
            }
        }
        ++cost.hops;
        state.beam.ask_ahead(kAhead, ask);
    }
    cost.distances = cost.hops;
    return cost;
}

}  // namespace akidb::index
