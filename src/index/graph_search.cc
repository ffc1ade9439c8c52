// Searching a graph: walks by codes, exact comparison of what they bring home, and the scan of the head.
#include <algorithm>
#include <array>
#include <bit>

#include "index/filtered_walk.h"
#include "index/graph_impl.h"

namespace akidb::index {
namespace {

// Candidates of a walk by four-bit codes that are compared by eight-bit ones, per result (index design §3.4).
constexpr size_t kRefinedPerResult = 4;
constexpr size_t kRefinedMin = 40;
// A turbo walk keeps this many rows more than it visits, but no more than twice as many: at recall 0.95 on
// 768 dimensions that saves every third visit. Wide beams gain nothing by it and pay for each insertion.
constexpr uint32_t kKeptUnvisitedMax = 32;
constexpr uint32_t kScanRows = simd::kScanRows;

}  // namespace

// What a row must be nearer than by code to be nearer than the worst of `best`: codes of unit vectors measure
// |q − x|² = 2 − 2⟨q, x⟩.
float Graph::Impl::code_bound(const TopK& best) const {
    return rows.metric() == model::Metric::kCosine ? 2 + 2 * best.bound() : best.bound();
}

// What a turbo walk kept but did not visit becomes a candidate by its own code.
void Graph::Impl::refine_unvisited(const CodedGraph& coded_graph, SearchScratch::State& state) const {
    constexpr uint32_t kBatch = 64;
    std::array<uint32_t, kBatch> rows_left;
    std::array<float, kBatch> distances;
    uint32_t number = 0;
    const auto compare = [&] {
        coded_graph.codes.distances8(state.query, rows_left.data(), number, distances.data());
        for (uint32_t i = 0; i < number; ++i) {
            state.candidates.push_back({distances[i], rows_left[i]});
        }
        number = 0;
    };
    for (size_t i = 0; i < state.beam.size(); ++i) {
        if (!state.beam.was_visited(i)) {
            rows_left[number] = state.beam.at(i).ordinal;
            coded_graph.codes.prefetch8(rows_left[number++]);
            if (number == kBatch) {
                compare();
            }
        }
    }
    compare();
}

// Candidates are in the order of their codes; only those that the error of the codes leaves in doubt are
// compared.
void Graph::Impl::rerank(const float* query, const RowCodes& codes, Accept accept,
                         SearchScratch::State& state, TopK& best, SearchCost& cost) const {
    constexpr size_t kAhead = 8;
    const std::vector<Candidate>& candidates = state.candidates;
    for (size_t i = 0; i < std::min(candidates.size(), kAhead); ++i) {
        rows.prefetch(candidates[i].ordinal);
    }
    for (size_t i = 0; i < candidates.size(); ++i) {
        const uint32_t ordinal = candidates[i].ordinal;
        const float margin = state.query.margin(codes.factors8(ordinal).squared);
        // One further on may still be in doubt: the margin grows with the length of the row.
        if (candidates[i].distance - margin > code_bound(best)) {
            continue;
        }
        if (i + kAhead < candidates.size()) {
            rows.prefetch(candidates[i + kAhead].ordinal);
        }
        if (accept(ordinal)) {
            best.offer({rows.distance(query, ordinal), ordinal});
            ++cost.exact;
        }
    }
}

SearchCost Graph::search(const float* query, uint32_t ef, uint32_t end, Accept accept, SearchScratch& scratch,
                         TopK& best) const {
    return search_avoiding(kNoNeighbour, query, ef, end, accept, scratch, best);
}

SearchCost Graph::search_avoiding(uint32_t avoided, const float* query, uint32_t ef, uint32_t end,
                                  Accept accept, SearchScratch& scratch, TopK& best) const {
    const uint32_t count = std::min(linked(), end);
    if (count == 0) {
        return {};
    }
    SearchScratch::State& state = scratch.state();
    const uint32_t width = std::clamp(ef, 1u, count);
    const CodedGraph* const graph = impl_->coded_for(count);
    if (graph == nullptr) {
        std::array<uint32_t, kEntriesMax> entries;
        const auto compare = [&](const uint32_t* ordinals, uint32_t number, float* distances) {
            for (uint32_t i = 0; i < number; ++i) {
                impl_->rows.prefetch(ordinals[i]);
            }
            for (uint32_t i = 0; i < number; ++i) {
                distances[i] = impl_->rows.distance(query, ordinals[i]);
            }
        };
        const uint32_t starts = spread_entries(count, entries);
        const SearchCost cost = walk(impl_->lists, count, width, std::span(entries).first(starts), avoided,
                                     state, compare, [](Candidate) {});
        for (size_t i = 0; i < state.beam.size(); ++i) {
            if (state.beam.at(i).distance <= best.bound() && accept(state.beam.at(i).ordinal)) {
                best.offer(state.beam.at(i));
            }
        }
        return cost;
    }
    state.query.set(graph->space, query, graph->forms());
    state.candidates.clear();
    SearchCost cost;
    const auto results = static_cast<uint32_t>(best.capacity());
    const float growth = impl_->growth.load(std::memory_order_relaxed);
    const StopRule stop(count, width, results, growth, accept, state.nearest);
    if (graph->edges) {
        cost = walk_turbo(
            *graph, impl_->lists, count, {width, width + std::min(width, kKeptUnvisitedMax)}, avoided, state,
            [&](uint32_t row, float distance, const float*) {
                state.candidates.push_back({distance, row});
            },
            stop);
        impl_->refine_unvisited(*graph, state);
    } else {
        cost = walk_split(
            *graph, impl_->lists, count, width, avoided, state, [](Candidate) {}, stop);
        size_t kept = state.beam.size();
        if (graph->codes.has_pairs()) {
            kept = std::min(kept, std::max(kRefinedMin, kRefinedPerResult * best.capacity()));
        }
        for (size_t i = 0; i < kept; ++i) {
            state.candidates.push_back(state.beam.at(i));
        }
        if (graph->codes.has_pairs()) {
            for (const Candidate& candidate : state.candidates) {
                graph->codes.prefetch8(candidate.ordinal);
            }
            for (Candidate& candidate : state.candidates) {
                graph->codes.distances8(state.query, &candidate.ordinal, 1, &candidate.distance);
            }
        }
    }
    std::sort(state.candidates.begin(), state.candidates.end());
    impl_->rerank(query, graph->codes, accept, state, best, cost);
    return cost;
}

// The rows of one block that `wanted` names, by one-bit codes, then by eight-bit ones, and exactly.
void Graph::Impl::scan_block(const float* query, const CodedGraph& coded_graph, uint32_t block,
                             uint32_t wanted, Accept accept, SearchScratch::State& state, TopK& best,
                             SearchCost& cost) const {
    std::array<float, kScanRows> distances;
    const RowCodes& codes = coded_graph.codes;
    uint32_t left = wanted & codes.scan_block(state.query, block, code_bound(best), distances.data());
    for (; left != 0; left &= left - 1) {
        const uint32_t ordinal = block * kScanRows + static_cast<uint32_t>(std::countr_zero(left));
        float distance = 0;
        codes.distances8(state.query, &ordinal, 1, &distance);
        ++cost.distances;
        const float margin = state.query.margin(codes.factors8(ordinal).squared);
        if (distance - margin <= code_bound(best) && accept(ordinal)) {
            best.offer({rows.distance(query, ordinal), ordinal});
            ++cost.exact;
        }
    }
}

void Graph::aim(const float* query, SearchScratch& scratch) const {
    SearchScratch::State& state = scratch.state();
    state.aimed = impl_->coded.load(std::memory_order_acquire);
    if (state.aimed != nullptr) {
        state.query.set(state.aimed->space, query, state.aimed->forms());
    }
}

SearchCost Graph::scan_rows(const float* query, std::span<const uint32_t> ordinals, Accept accept,
                            SearchScratch& scratch, TopK& best) const {
    SearchScratch::State& state = scratch.state();
    SearchCost cost;
    const uint32_t encoded = state.aimed == nullptr ? 0 : state.aimed->codes.encoded();
    size_t at = 0;
    while (at < ordinals.size() && ordinals[at] < encoded) {
        const uint32_t block = ordinals[at] / kScanRows;
        uint32_t wanted = 0;
        for (; at < ordinals.size() && ordinals[at] < encoded && ordinals[at] / kScanRows == block; ++at) {
            wanted |= 1u << ordinals[at] % kScanRows;
        }
        impl_->scan_block(query, *state.aimed, block, wanted, accept, state, best, cost);
    }
    scan_ordinals(impl_->rows, query, ordinals.subspan(at), accept, best);
    cost.exact += static_cast<uint32_t>(ordinals.size() - at);
    return cost;
}

SearchCost Graph::scan(const float* query, uint32_t begin, uint32_t end, Accept accept,
                       SearchScratch& scratch, TopK& best) const {
    SearchCost cost;
    SearchScratch::State& state = scratch.state();
    const CodedGraph* const graph = impl_->coded.load(std::memory_order_acquire);
    const uint32_t encoded = graph == nullptr ? 0 : std::min(graph->codes.encoded(), end);
    if (begin < encoded) {
        state.query.set(graph->space, query, graph->forms());
    }
    for (uint32_t block = begin / kScanRows; block * kScanRows < encoded; ++block) {
        const uint32_t first = block * kScanRows;
        uint32_t wanted = UINT32_MAX;
        if (first < begin) {
            wanted &= UINT32_MAX << (begin - first);
        }
        if (encoded - first < kScanRows) {
            wanted &= ~(UINT32_MAX << (encoded - first));
        }
        impl_->scan_block(query, *graph, block, wanted, accept, state, best, cost);
    }
    const uint32_t rest = std::max(begin, encoded);
    if (rest < end) {
        scan_range(impl_->rows, query, rest, end, accept, best);
        cost.exact += end - rest;
    }
    return cost;
}

FilteredCost Graph::search_filtered(const float* query, const FilteredSearch& filtered,
                                    SearchScratch& scratch, TopK& best) const {
    struct Meet {
        const Accept& accept;
        TopK& best;
        bool wants(Candidate met) const { return met.distance <= best.bound(); }
        void operator()(Candidate met) const {
            if (wants(met) && accept(met.ordinal)) {
                best.offer(met);
            }
        }
    };
    const uint32_t count = std::min(linked(), filtered.end);
    if (count == 0) {
        return {};
    }
    FilteredWalk walk(
        impl_->rows, impl_->lists, filtered, count, scratch.state(),
        [this, query](uint32_t ordinal) { return impl_->rows.distance(query, ordinal); },
        Meet{filtered.accept, best});
    return walk.run();
}

}  // namespace akidb::index
