// Going on from lists that another builder wrote and a file brought back.
#include <algorithm>

#include "index/graph_builder.h"

namespace akidb::index {

bool GraphBuilder::begin(uint32_t count, FunctionRef<bool()> cancelled) {
    reserve(count);
    SearchScratch::State state;
    for (; measured_ < count; ++measured_) {
        if (cancelled()) {
            return false;
        }
        measure_imported(measured_, state);
    }
    if (count == 0) {
        return true;
    }
    ranks_.assign(count, kNoNeighbour);
    pledge_breadth_first(count);
    mend(count);
    ranks_ = {};
    return true;
}

// Lists that came from a file bring neither distances nor codes of edges.
void GraphBuilder::measure_imported(uint32_t row, SearchScratch::State& state) {
    state.query.set_row(graph_.space, graph_.codes.codes8(row), graph_.codes.factors8(row), graph_.forms());
    float* const own = distances(row);
    for (uint32_t slot = 0; slot < options_.degree; ++slot) {
        const uint32_t neighbour = lists_.load(row, slot);
        if (neighbour != kNoNeighbour) {
            own[slot] =
                state.query.distance_to_row(graph_.codes.codes8(neighbour), graph_.codes.factors8(neighbour));
            if (is_turbo()) {
                encode_slot(state.query, row, slot, neighbour, state.edge);
            }
        }
    }
    for (uint32_t slot = 0; slot < options_.degree; ++slot) {
        const Candidate candidate{own[slot], lists_.load(row, slot)};
        Link nearer{.ordinal = row, .state = state, .chosen = {}, .chosen_rows = {}};
        for (uint32_t other = 0; candidate.ordinal != kNoNeighbour && other < options_.degree; ++other) {
            const uint32_t kept = lists_.load(row, other);
            if (kept != kNoNeighbour && Candidate{own[other], kept} < candidate) {
                nearer.chosen_rows[nearer.count++] = kept;
            }
        }
        if (is_occluded_by_chosen(nearer, candidate.ordinal, candidate.distance)) {
            state_of(row).occluded |= bit_of(slot);
        }
    }
}

// Every row reached is pledged its edge from a row reached before it, from the one with the fewest pledges.
void GraphBuilder::pledge_breadth_first(uint32_t count) {
    std::vector<uint32_t> order{0};
    order.reserve(count);
    ranks_[0] = 0;
    for (size_t next = 0; next < order.size(); ++next) {
        for (uint32_t slot = 0; slot < options_.degree; ++slot) {
            const uint32_t neighbour = lists_.load(order[next], slot);
            if (neighbour < count && ranks_[neighbour] == kNoNeighbour) {
                ranks_[neighbour] = static_cast<uint32_t>(order.size());
                order.push_back(neighbour);
            }
        }
    }
    struct Way {
        uint32_t row = kNoNeighbour;
        uint32_t slot = 0;
    };
    std::vector<Way> ways(count);
    std::vector<uint32_t> pledges(count);
    for (const uint32_t row : order) {
        for (uint32_t slot = 0; slot < options_.degree; ++slot) {
            const uint32_t neighbour = lists_.load(row, slot);
            if (neighbour >= count || ranks_[neighbour] <= ranks_[row]) {
                continue;
            }
            Way& way = ways[neighbour];
            if (way.row == kNoNeighbour || pledges[row] + 1 < pledges[way.row]) {
                pledges[row] += 1;
                if (way.row != kNoNeighbour) {
                    pledges[way.row] -= 1;
                }
                way = {row, slot};
            }
        }
    }
    for (const Way& way : ways) {
        if (way.row != kNoNeighbour) {
            state_of(way.row).pledged |= bit_of(way.slot);
        }
    }
}

// A file written by a builder has nothing to mend; one that was not must not break the promise for good.
void GraphBuilder::mend(uint32_t count) {
    CodedQuery aim;
    for (uint32_t ordinal = 0; ordinal < count; ++ordinal) {
        if (ranks_[ordinal] != kNoNeighbour) {
            continue;
        }
        aim.set_row(graph_.space, graph_.codes.codes8(ordinal), graph_.codes.factors8(ordinal), {});
        uint32_t row = 0;
        while (!can_pledge(row)) {
            row = next_down(row, ordinal, aim);
        }
        force(row, {aim.distance_to_row(graph_.codes.codes8(row), graph_.codes.factors8(row)), ordinal});
        ranks_[ordinal] = 0;
    }
}

}  // namespace akidb::index
