#include "index/graph_builder.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "base/assert.h"

namespace akidb::index {
namespace {

constexpr uint64_t bit_of(uint32_t slot) {
    return uint64_t{1} << slot;
}

constexpr float kUnknown = -1;

}  // namespace

GraphBuilder::GraphBuilder(const Rows& rows, const GraphOptions& options, NeighbourLists& lists)
    : rows_(rows),
      options_(options),
      alpha_squared_(options.alpha * options.alpha),
      lists_(lists),
      space_(rows) {
    chosen_.reserve(options.degree);
    rejected_.reserve(options.build_ef);
}

void GraphBuilder::begin(uint32_t count, uint32_t end) {
    space_.fix_scale(end);
    if (count == 0) {
        return;
    }
    rows_state_.resize(count);
    ranks_.assign(count, kNoNeighbour);
    pledge_breadth_first(count);
    mend(count);
    ranks_ = {};
}

void GraphBuilder::link_row(uint32_t ordinal, SearchScratch::State& state) {
    lists_.reserve(ordinal);
    rows_state_.resize(ordinal + 1);
    chosen_.clear();
    if (ordinal > 0) {
        space_.aim(ordinal);
        if (state.distances.size() < ordinal) {
            state.distances.resize(ordinal);
        }
        walk(
            rows_, lists_, ordinal, std::max(options_.build_ef, 1u), state,
            [this](uint32_t other) { return space_.from_aim(other); },
            [&state](Candidate met) { state.distances[met.ordinal] = met.distance; });
        choose_neighbours(state.beam);
    }
    store_list(ordinal);
    for (Edge& edge : chosen_) {
        edge.slot = offer(edge.to.ordinal, {edge.to.distance, ordinal}, state);
    }
    if (ordinal > 0) {
        pledge_way_to(ordinal);
    }
}

float* GraphBuilder::distances(uint32_t ordinal) {
    const uint32_t chunk = ordinal >> kChunkShift;
    if (distances_.size() <= chunk) {
        distances_.resize(chunk + 1);
    }
    if (distances_[chunk] == nullptr) {
        const size_t size = size_t{kRowsPerChunk} * options_.degree;
        distances_[chunk] = std::make_unique_for_overwrite<float[]>(size);
        std::fill_n(distances_[chunk].get(), size, kUnknown);
    }
    return distances_[chunk].get() + static_cast<size_t>(ordinal & (kRowsPerChunk - 1)) * options_.degree;
}

// Lists that came from a file bring no distances: they are measured when the list is first about to change.
void GraphBuilder::ensure_distances(uint32_t ordinal) {
    float* const own = distances(ordinal);
    if (own[0] != kUnknown) {
        return;
    }
    for (uint32_t slot = 0; slot < options_.degree; ++slot) {
        const uint32_t neighbour = lists_.load(ordinal, slot);
        own[slot] = neighbour == kNoNeighbour ? 0 : space_.between(ordinal, neighbour);
    }
    for (uint32_t slot = 0; slot < options_.degree; ++slot) {
        const Candidate candidate{own[slot], lists_.load(ordinal, slot)};
        for (uint32_t other = 0; candidate.ordinal != kNoNeighbour && other < options_.degree; ++other) {
            const uint32_t kept = lists_.load(ordinal, other);
            const bool is_nearer = Candidate{own[other], kept} < candidate;
            if (is_nearer && kept != kNoNeighbour && occludes(kept, candidate)) {
                rows_state_[ordinal].occluded |= bit_of(slot);
                break;
            }
        }
    }
}

bool GraphBuilder::occludes(uint32_t kept, Candidate candidate) const {
    return alpha_squared_ * space_.between(kept, candidate.ordinal) <= candidate.distance;
}

// The beam is nearest first. What is rejected for want of difference fills the list to its half; rows linked
// later make better use of the other half (fewer distances at equal recall on GloVe-100 than filling it all,
// or none).
void GraphBuilder::choose_neighbours(const Beam& beam) {
    rejected_.clear();
    for (size_t i = 0; i < beam.size() && chosen_.size() < options_.degree; ++i) {
        const Candidate candidate = beam.at(i);
        const bool is_occluded = std::any_of(chosen_.begin(), chosen_.end(), [&](const Edge& kept) {
            return occludes(kept.to.ordinal, candidate);
        });
        if (is_occluded) {
            rejected_.push_back(candidate);
        } else {
            chosen_.push_back({candidate, false, kNoSlot});
        }
    }
    const size_t filled = options_.degree / 2;
    for (size_t i = 0; i < rejected_.size() && chosen_.size() < filled; ++i) {
        chosen_.push_back({rejected_[i], true, kNoSlot});
    }
}

void GraphBuilder::store_list(uint32_t ordinal) {
    for (uint32_t slot = 0; slot < options_.degree; ++slot) {
        if (slot < chosen_.size()) {
            put(ordinal, slot, chosen_[slot].to, chosen_[slot].is_occluded);
        } else {
            lists_.store(ordinal, slot, kNoNeighbour);
        }
    }
    float* const own = distances(ordinal);
    own[0] = std::max(own[0], 0.0f);  // known, even when there is no neighbour yet
}

float GraphBuilder::distance_from_new(uint32_t ordinal, const SearchScratch::State& state) const {
    return state.marks.is_set(ordinal) ? state.distances[ordinal] : space_.from_aim(ordinal);
}

// Offers the row being linked to the list of `to`; the slot it got, or kNoSlot.
uint32_t GraphBuilder::offer(uint32_t to, Candidate newcomer, const SearchScratch::State& state) {
    ensure_distances(to);
    const float* const own = distances(to);
    bool is_occluded = false;
    for (uint32_t slot = 0; slot < options_.degree; ++slot) {
        const uint32_t neighbour = lists_.load(to, slot);
        if (neighbour >= newcomer.ordinal) {  // none
            continue;
        }
        const float apart = alpha_squared_ * distance_from_new(neighbour, state);
        if (own[slot] <= newcomer.distance) {
            is_occluded = is_occluded || apart <= newcomer.distance;
        } else if (apart <= own[slot]) {
            rows_state_[to].occluded |= bit_of(slot);
        }
    }
    const uint32_t slot = find_slot(to, newcomer.distance, is_occluded);
    if (slot != kNoSlot) {
        put(to, slot, newcomer, is_occluded);
    }
    return slot;
}

// A free slot; else that of the farthest occluded neighbour, which an occluded newcomer must be nearer than;
// else, for one that is not occluded, that of the farthest neighbour if it is farther.
uint32_t GraphBuilder::find_slot(uint32_t row, float distance, bool is_occluded) const {
    const float* const own = distances_[row >> kChunkShift].get() +
                             static_cast<size_t>(row & (kRowsPerChunk - 1)) * options_.degree;
    uint32_t farthest = kNoSlot;
    uint32_t farthest_occluded = kNoSlot;
    for (uint32_t slot = 0; slot < options_.degree; ++slot) {
        if (lists_.load(row, slot) == kNoNeighbour) {
            return slot;
        }
        if ((rows_state_[row].pledged & bit_of(slot)) != 0) {
            continue;
        }
        if (farthest == kNoSlot || own[slot] > own[farthest]) {
            farthest = slot;
        }
        const bool slot_occluded = (rows_state_[row].occluded & bit_of(slot)) != 0;
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
    uint64_t& occluded = rows_state_[row].occluded;
    occluded = is_occluded ? occluded | bit_of(slot) : occluded & ~bit_of(slot);
    lists_.store(row, slot, neighbour.ordinal);
}

bool GraphBuilder::can_pledge(uint32_t row) const {
    return static_cast<uint32_t>(std::popcount(rows_state_[row].pledged)) < options_.degree / 2;
}

void GraphBuilder::pledge(uint32_t row, uint32_t slot) {
    rows_state_[row].pledged |= bit_of(slot);
}

// Sees to it that one row linked earlier keeps an edge to `ordinal`: the nearest that has taken it, else the
// nearest that can be made to, else one further down the tree of pledges.
void GraphBuilder::pledge_way_to(uint32_t ordinal) {
    for (const Edge& edge : chosen_) {
        if (edge.slot != kNoSlot && can_pledge(edge.to.ordinal)) {
            pledge(edge.to.ordinal, edge.slot);
            return;
        }
    }
    AKIDB_ASSERT(!chosen_.empty());  // row 0 is in every walk
    uint32_t row = chosen_.front().to.ordinal;
    for (const Edge& edge : chosen_) {
        if (can_pledge(edge.to.ordinal)) {
            row = edge.to.ordinal;
            break;
        }
    }
    row = descend(row, ordinal);
    pledge(row, force(row, {space_.from_aim(row), ordinal}));
}

// Puts the neighbour in whatever it costs; the slot. The row can pledge, so half of its slots are not
// pledged.
uint32_t GraphBuilder::force(uint32_t row, Candidate neighbour) {
    ensure_distances(row);
    uint32_t slot = find_slot(row, neighbour.distance, false);
    if (slot == kNoSlot) {
        slot = find_slot(row, kUnknown, false);
    }
    AKIDB_ASSERT(slot != kNoSlot);
    put(row, slot, neighbour, false);
    return slot;
}

// The first row at or below `row` in the tree of pledges that can pledge, going to the child nearest to
// `ordinal` (the aim). Among equally near children the start of the search turns with the ordinal: copies
// then make a bushy tree and not a long chain.
uint32_t GraphBuilder::descend(uint32_t row, uint32_t ordinal) const {
    while (!can_pledge(row)) {
        Candidate nearest{std::numeric_limits<float>::infinity(), row};
        for (uint32_t i = 0; i < options_.degree; ++i) {
            const uint32_t slot = (ordinal + i) % options_.degree;
            if ((rows_state_[row].pledged & bit_of(slot)) == 0) {
                continue;
            }
            const uint32_t child = lists_.load(row, slot);
            if (const float distance = space_.from_aim(child); distance < nearest.distance) {
                nearest = {distance, child};
            }
        }
        row = nearest.ordinal;
    }
    return row;
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
            pledge(way.row, way.slot);
        }
    }
}

// A file written by a builder has nothing to mend; one that was not must not break the promise for good.
void GraphBuilder::mend(uint32_t count) {
    for (uint32_t ordinal = 0; ordinal < count; ++ordinal) {
        if (ranks_[ordinal] != kNoNeighbour) {
            continue;
        }
        space_.aim(ordinal);
        const uint32_t row = descend(0, ordinal);
        pledge(row, force(row, {space_.from_aim(row), ordinal}));
        ranks_[ordinal] = 0;
    }
}

}  // namespace akidb::index
