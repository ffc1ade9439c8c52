#include "index/graph_builder.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "base/assert.h"

namespace akidb::index {

GraphBuilder::GraphBuilder(CodedGraph& graph, const GraphOptions& options, NeighbourLists& lists)
    : graph_(graph),
      options_(options),
      alpha_squared_(options.alpha * options.alpha),
      lists_(lists),
      states_(sizeof(RowState)),
      distances_(options.degree * sizeof(float)) {}

void GraphBuilder::reserve(uint32_t end) {
    lists_.reserve(end);
    states_.reserve(end);
    distances_.reserve(end);
    if (is_turbo()) {
        graph_.edges->reserve(end);
    }
}

void GraphBuilder::link_row(uint32_t ordinal, uint32_t count, SearchScratch::State& state) {
    Link link{.ordinal = ordinal, .state = state, .chosen = {}, .chosen_rows = {}};
    state.query.set_row(graph_.space, graph_.codes.codes8(ordinal), graph_.codes.factors8(ordinal),
                        graph_.forms());
    if (count > 0) {
        walk_to_candidates(count, state);
        choose_neighbours(link);
    }
    store_list(link);
    bool is_pledged = ordinal == 0;
    for (uint32_t i = 0; i < link.count; ++i) {
        const uint32_t to = link.chosen[i].to.ordinal;
        MutexLock lock(lock_of(to));
        const uint32_t slot = offer(link, link.chosen[i]);
        if (slot != kNoSlot && !is_pledged && can_pledge(to)) {
            state_of(to).pledged |= bit_of(slot);
            is_pledged = true;
        }
    }
    if (!is_pledged) {
        pledge_way_to(link);
    }
}

// Into state.visits, nearest first by eight-bit codes.
void GraphBuilder::walk_to_candidates(uint32_t count, SearchScratch::State& state) {
    const uint32_t width = std::max(options_.build_ef, 1u);
    state.visits.clear();
    if (is_turbo()) {
        state.estimates.clear();
        state.neighbours.clear();
        walk_turbo(graph_, lists_, count, {width, width}, kNoNeighbour, state,
                   [&](uint32_t row, float distance, const float* estimates) {
                       state.visits.push_back({{distance, row}, static_cast<uint32_t>(state.visits.size())});
                       state.estimates.insert(state.estimates.end(), estimates, estimates + options_.degree);
                       const uint32_t* const list = lists_.list(row);
                       for (uint32_t slot = 0; slot < options_.degree; ++slot) {
                           state.neighbours.push_back(NeighbourLists::load(list + slot));
                       }
                   });
    } else {
        if (state.distances.size() < count) {
            state.distances.resize(count);
        }
        walk_split(graph_, lists_, count, width, kNoNeighbour, state,
                   [&state](Candidate met) { state.distances[met.ordinal] = met.distance; });
        for (size_t i = 0; i < state.beam.size(); ++i) {
            Candidate candidate = state.beam.at(i);
            if (graph_.codes.has_pairs()) {
                graph_.codes.distances8(state.query, &candidate.ordinal, 1, &candidate.distance);
            }
            state.visits.push_back({candidate, 0});
        }
    }
    std::sort(state.visits.begin(), state.visits.end(),
              [](const auto& a, const auto& b) { return a.row < b.row; });
}

// What is rejected for want of difference fills the list to its half; rows linked later make better use of
// the other half (fewer distances at equal recall on GloVe-100 than filling it all, or none).
void GraphBuilder::choose_neighbours(Link& link) const {
    std::array<Edge, kDegreeMax> rejected;
    uint32_t rejected_count = 0;
    for (const SearchScratch::State::Visit& visit : link.state.visits) {
        if (link.count == options_.degree) {
            break;
        }
        const float distance = std::max(visit.row.distance, 0.0f);
        const Edge edge{{distance, visit.row.ordinal}, visit.number, false};
        if (!is_occluded_by_chosen(link, visit.row.ordinal, distance)) {
            link.chosen_rows[link.count] = visit.row.ordinal;
            link.chosen[link.count++] = edge;
        } else if (rejected_count < options_.degree / 2) {
            rejected[rejected_count] = edge;
            rejected[rejected_count++].is_occluded = true;
        }
    }
    for (uint32_t i = 0; i < rejected_count && link.count < options_.degree / 2; ++i) {
        link.chosen[link.count++] = rejected[i];
    }
}

bool GraphBuilder::is_occluded_by_chosen(const Link& link, uint32_t ordinal, float distance) const {
    if (link.count == 0) {
        return false;
    }
    constexpr uint32_t kBatch = 8;
    std::array<float, kBatch> apart;
    CodedQuery& aim = link.state.aim;
    aim.set_row(graph_.space, graph_.codes.codes8(ordinal), graph_.codes.factors8(ordinal), {});
    for (uint32_t begin = 0; begin < link.count; begin += kBatch) {
        const uint32_t number = std::min(kBatch, link.count - begin);
        graph_.codes.distances8(aim, link.chosen_rows.data() + begin, number, apart.data());
        for (uint32_t i = 0; i < number; ++i) {
            if (alpha_squared_ * apart[i] <= distance) {
                return true;
            }
        }
    }
    return false;
}

// Codes before lists: whoever finds the neighbour finds its code.
void GraphBuilder::store_list(Link& link) {
    const uint32_t row = link.ordinal;
    if (is_turbo()) {
        for (uint32_t slot = 0; slot < link.count; ++slot) {
            encode_slot(link.state.query, row, slot, link.chosen[slot].to.ordinal, link.state.edge);
        }
    }
    MutexLock lock(lock_of(row));
    for (uint32_t slot = 0; slot < options_.degree; ++slot) {
        if (slot < link.count) {
            put(row, slot, link.chosen[slot].to, link.chosen[slot].is_occluded);
        } else {
            lists_.store(row, slot, kNoNeighbour);
        }
    }
}

// `row_query` is set to the row.
void GraphBuilder::encode_slot(const CodedQuery& row_query, uint32_t row, uint32_t slot, uint32_t neighbour,
                               EdgeCodes::Edge& edge) const {
    graph_.edges->encode(row_query, graph_.codes.codes8(neighbour), graph_.codes.factors8(neighbour), edge);
    graph_.edges->store(row, slot, edge);
}

// Between the row being linked and the neighbour in a slot of one that it chose.
float GraphBuilder::distance_to_slot(const Link& link, const Edge& edge, uint32_t slot,
                                     uint32_t neighbour) const {
    const SearchScratch::State& state = link.state;
    if (is_turbo()) {
        const size_t at = size_t{edge.visit} * options_.degree + slot;
        if (state.neighbours[at] == neighbour) {
            return std::max(state.estimates[at], 0.0f);
        }
    } else if (neighbour < state.distances.size() && state.marks.is_set(neighbour)) {
        return std::max(state.distances[neighbour], 0.0f);
    }
    return state.query.distance_to_row(graph_.codes.codes8(neighbour), graph_.codes.factors8(neighbour));
}

// Offers the row being linked to the list of edge.to; the slot it got, or kNoSlot.
uint32_t GraphBuilder::offer(Link& link, const Edge& edge) {
    const uint32_t to = edge.to.ordinal;
    const float newcomer = edge.to.distance;
    const float* const own = distances(to);
    bool is_occluded = false;
    for (uint32_t slot = 0; slot < options_.degree; ++slot) {
        const uint32_t neighbour = lists_.load(to, slot);
        if (neighbour == kNoNeighbour) {
            continue;
        }
        const float apart = alpha_squared_ * distance_to_slot(link, edge, slot, neighbour);
        if (own[slot] <= newcomer) {
            is_occluded = is_occluded || apart <= newcomer;
        } else if (apart <= own[slot]) {
            state_of(to).occluded |= bit_of(slot);
        }
    }
    const uint32_t slot = find_slot(to, newcomer, is_occluded);
    if (slot != kNoSlot) {
        if (is_turbo()) {
            graph_.edges->encode(link.state.query, graph_.codes.codes8(to), graph_.codes.factors8(to),
                                 link.state.edge);
            graph_.edges->store_reversed(to, slot, link.state.edge);
        }
        put(to, slot, {newcomer, link.ordinal}, is_occluded);
    }
    return slot;
}

// A free slot; else that of the farthest occluded neighbour, which an occluded newcomer must be nearer than;
// else, for one that is not occluded, that of the farthest neighbour if it is farther.
uint32_t GraphBuilder::find_slot(uint32_t row, float distance, bool is_occluded) const {
    const float* const own = distances(row);
    const RowState& state = state_of(row);
    uint32_t farthest = kNoSlot;
    uint32_t farthest_occluded = kNoSlot;
    for (uint32_t slot = 0; slot < options_.degree; ++slot) {
        if (lists_.load(row, slot) == kNoNeighbour) {
            return slot;
        }
        if ((state.pledged & bit_of(slot)) != 0) {
            continue;
        }
        if (farthest == kNoSlot || own[slot] > own[farthest]) {
            farthest = slot;
        }
        const bool slot_occluded = (state.occluded & bit_of(slot)) != 0;
        if (slot_occluded && (farthest_occluded == kNoSlot || own[slot] > own[farthest_occluded])) {
            farthest_occluded = slot;
        }
    }
    if (farthest_occluded != kNoSlot && (!is_occluded || own[farthest_occluded] > distance)) {
        return farthest_occluded;
    }
    return !is_occluded && farthest != kNoSlot && own[farthest] > distance ? farthest : kNoSlot;
}

void GraphBuilder::put(uint32_t row, uint32_t slot, Candidate neighbour, bool is_occluded) {
    distances(row)[slot] = neighbour.distance;
    uint64_t& occluded = state_of(row).occluded;
    occluded = is_occluded ? occluded | bit_of(slot) : occluded & ~bit_of(slot);
    lists_.store(row, slot, neighbour.ordinal);
}

bool GraphBuilder::can_pledge(uint32_t row) const {
    return static_cast<uint32_t>(std::popcount(state_of(row).pledged)) < options_.degree / 2;
}

// No chosen row has taken the new one and can pledge: the nearest that can pledge is made to take it, else
// one further down the tree of pledges.
void GraphBuilder::pledge_way_to(Link& link) {
    AKIDB_ASSERT(link.count > 0);  // a walk brings home at least where it began
    uint32_t row = link.chosen[0].to.ordinal;
    for (uint32_t i = 0; i < link.count; ++i) {
        MutexLock lock(lock_of(link.chosen[i].to.ordinal));
        if (can_pledge(link.chosen[i].to.ordinal)) {
            row = link.chosen[i].to.ordinal;
            break;
        }
    }
    const CodedQuery& query = link.state.query;
    while (true) {
        MutexLock lock(lock_of(row));
        if (can_pledge(row)) {
            const float distance =
                query.distance_to_row(graph_.codes.codes8(row), graph_.codes.factors8(row));
            force(row, {distance, link.ordinal});
            return;
        }
        row = next_down(row, link.ordinal, query);
    }
}

// Puts the neighbour in whatever it costs and pledges it. The row can pledge, so half of its slots are not
// pledged.
void GraphBuilder::force(uint32_t row, Candidate neighbour) {
    uint32_t slot = find_slot(row, neighbour.distance, false);
    if (slot == kNoSlot) {
        slot = find_slot(row, -1, false);
    }
    AKIDB_ASSERT(slot != kNoSlot);
    if (is_turbo()) {
        CodedQuery row_query;
        EdgeCodes::Edge edge;
        row_query.set_row(graph_.space, graph_.codes.codes8(row), graph_.codes.factors8(row), graph_.forms());
        encode_slot(row_query, row, slot, neighbour.ordinal, edge);
    }
    put(row, slot, neighbour, false);
    state_of(row).pledged |= bit_of(slot);
}

// The child of `row` in the tree of pledges that is nearest to the aim. Among equally near children the start
// of the search turns with the ordinal: copies then make a bushy tree and not a long chain.
uint32_t GraphBuilder::next_down(uint32_t row, uint32_t ordinal, const CodedQuery& aim) const {
    Candidate nearest{std::numeric_limits<float>::infinity(), kNoNeighbour};
    for (uint32_t i = 0; i < options_.degree; ++i) {
        const uint32_t slot = (ordinal + i) % options_.degree;
        if ((state_of(row).pledged & bit_of(slot)) == 0) {
            continue;
        }
        const uint32_t child = lists_.load(row, slot);
        const float distance = aim.distance_to_row(graph_.codes.codes8(child), graph_.codes.factors8(child));
        if (distance < nearest.distance) {
            nearest = {distance, child};
        }
    }
    AKIDB_ASSERT(nearest.ordinal != kNoNeighbour);
    return nearest.ordinal;
}

}  // namespace akidb::index
