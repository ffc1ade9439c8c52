#include "index/graph.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/assert.h"
#include "index/coded_graph.h"
#include "index/filtered_walk.h"
#include "index/graph_builder.h"
#include "index/neighbour_lists.h"
#include "index/walk.h"

namespace akidb::index {
namespace {

// A turbo walk keeps twice what it visits: at recall 0.95 on 768 dimensions that saves every third visit.
constexpr uint32_t kKeptPerVisited = 2;
// Rows encoded between two looks at `cancelled`.
constexpr uint32_t kEncodeSlice = 256;
// Candidates of a walk by four-bit codes that are compared by eight-bit ones, per result (index design §3.4).
constexpr size_t kRefinedPerResult = 4;
constexpr size_t kRefinedMin = 40;
// One bit a component tells enough from about here on: the error of its estimates falls with the root of the
// dimension (measured on GloVe-100 and on 768 dimensions, docs/index.md).
constexpr uint32_t kOneBitDimensionMin = 384;
// Four bits a component are too few for less than this (index design §3.3).
constexpr uint32_t kFourBitDimensionMin = 64;

}  // namespace

GraphOptions GraphOptions::for_rows(uint64_t rows, uint32_t dimension) const {
    GraphOptions chosen = *this;
    const uint32_t turbo_bits = bits != 0 ? bits : dimension >= kOneBitDimensionMin ? 1 : 4;
    if (layout == Layout::kAuto) {
        const uint64_t row_bytes = uint64_t{degree} * dimension * turbo_bits / 8;
        chosen.layout = 2 * rows * row_bytes <= turbo_bytes_max ? Layout::kTurbo : Layout::kSplit;
    }
    if (chosen.layout == Layout::kTurbo) {
        chosen.bits = turbo_bits;
    } else if (bits == 0) {
        chosen.bits = dimension >= kFourBitDimensionMin ? 4 : 8;
    }
    return chosen;
}

SearchScratch::SearchScratch() : state_(std::make_unique<State>()) {}
SearchScratch::~SearchScratch() = default;

struct Graph::Impl {
    Impl(const Rows& all_rows, const GraphOptions& graph_options)
        : rows(all_rows), options(graph_options), lists(graph_options.degree) {}

    /// For readers: the codes if rows below `count` have them.
    const CodedGraph* coded_for(uint32_t count) const {
        const CodedGraph* const ready = coded.load(std::memory_order_acquire);
        return ready != nullptr && ready->codes.encoded() >= count ? ready : nullptr;
    }
    void rerank(const float* query, const RowCodes& codes, Accept accept, SearchScratch::State& state,
                TopK& best, SearchCost& cost) const;
    void refine_unvisited(const CodedGraph& graph, SearchScratch::State& state) const;
    float code_bound(const TopK& best) const;

    const Rows& rows;
    const GraphOptions options;
    NeighbourLists lists;
    std::atomic<uint32_t> linked{0};
    std::atomic<const CodedGraph*> coded{nullptr};
    // The builder's.
    std::unique_ptr<CodedGraph> graph;
    std::optional<GraphBuilder> builder;
};

Graph::Graph(const Rows& rows, GraphOptions options) : impl_(std::make_unique<Impl>(rows, options)) {
    AKIDB_ASSERT(options.degree >= 16 && options.degree <= kDegreeMax && options.degree % 16 == 0);
    AKIDB_ASSERT(options.alpha >= 1);
}

Graph::~Graph() = default;

const GraphOptions& Graph::options() const {
    return impl_->options;
}

uint32_t Graph::linked() const {
    return impl_->linked.load(std::memory_order_acquire);
}

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
        if (candidates[i].distance - margin > code_bound(best)) {
            break;
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

uint32_t Graph::encoded() const {
    const CodedGraph* const graph = impl_->coded.load(std::memory_order_acquire);
    return graph == nullptr ? 0 : graph->codes.encoded();
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
        SearchCost cost = walk(impl_->rows, impl_->lists, count, width, state,
                               [&](uint32_t ordinal) { return impl_->rows.distance(query, ordinal); });
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
    if (graph->edges) {
        cost = walk_turbo(*graph, impl_->lists, count, {width, kKeptPerVisited * width}, avoided, state,
                          [&](uint32_t row, float distance, const float*) {
                              state.candidates.push_back({distance, row});
                          });
        impl_->refine_unvisited(*graph, state);
    } else {
        cost = walk_split(*graph, impl_->lists, count, width, avoided, state, [](Candidate) {});
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

SearchCost Graph::scan(const float* query, uint32_t begin, uint32_t end, Accept accept,
                       SearchScratch& scratch, TopK& best) const {
    constexpr uint32_t kRows = simd::kScanRows;
    SearchCost cost;
    SearchScratch::State& state = scratch.state();
    const CodedGraph* const graph = impl_->coded.load(std::memory_order_acquire);
    const uint32_t encoded = graph == nullptr ? 0 : std::min(graph->codes.encoded(), end);
    if (begin < encoded) {
        state.query.set(graph->space, query, graph->forms());
    }
    std::array<float, kRows> distances;
    for (uint32_t first = begin / kRows * kRows; first < encoded; first += kRows) {
        const float bound = impl_->code_bound(best);
        uint32_t left = graph->codes.scan_block(state.query, first / kRows, bound, distances.data());
        for (; left != 0; left &= left - 1) {
            const uint32_t ordinal = first + static_cast<uint32_t>(std::countr_zero(left));
            if (ordinal < begin || ordinal >= encoded) {
                continue;
            }
            float distance = 0;
            graph->codes.distances8(state.query, &ordinal, 1, &distance);
            ++cost.distances;
            const float margin = state.query.margin(graph->codes.factors8(ordinal).squared);
            if (distance - margin <= impl_->code_bound(best) && accept(ordinal)) {
                best.offer({impl_->rows.distance(query, ordinal), ordinal});
                ++cost.exact;
            }
        }
    }
    const uint32_t rest = std::max(begin, encoded);
    if (rest < end) {
        scan_range(impl_->rows, query, rest, end, accept, best);
        cost.exact += end - rest;
    }
    return cost;
}

uint32_t Graph::encode(uint32_t end, FunctionRef<bool()> cancelled) {
    AKIDB_ASSERT(end <= kRowsMax);
    if (end == 0) {
        return 0;
    }
    if (!impl_->graph) {
        const GraphOptions chosen = impl_->options.for_rows(end, impl_->rows.dimension());
        impl_->graph = std::make_unique<CodedGraph>(impl_->rows, end, chosen);
    }
    RowCodes& codes = impl_->graph->codes;
    const uint32_t linked = impl_->linked.load(std::memory_order_relaxed);
    while (codes.encoded() < end && !cancelled()) {
        codes.encode(std::min(end, codes.encoded() + kEncodeSlice));
    }
    if (codes.encoded() >= linked && !impl_->coded.load(std::memory_order_relaxed)) {
        if (!impl_->builder) {
            impl_->builder.emplace(*impl_->graph, impl_->options, impl_->lists);
        }
        if (!impl_->builder->begin(linked, cancelled)) {
            return 0;
        }
        if (linked > 0) {
            impl_->graph->entries.grow(linked);
        }
        impl_->coded.store(impl_->graph.get(), std::memory_order_release);
    }
    return codes.encoded();
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

uint32_t Graph::link(uint32_t end, FunctionRef<bool()> cancelled, SearchScratch& scratch) {
    uint32_t next = impl_->linked.load(std::memory_order_relaxed);
    if (next >= end) {
        return next;
    }
    if (encode(end, cancelled) < end) {
        return next;
    }
    impl_->builder->reserve(end);
    while (next < end && !cancelled()) {
        impl_->builder->link_row(next, next, scratch.state());
        ++next;
        impl_->graph->entries.grow(next);
        impl_->linked.store(next, std::memory_order_release);
    }
    return next;
}
void Graph::export_lists(uint32_t begin, uint32_t end, std::string& out) const {
    static_assert(std::endian::native == std::endian::little, "files are little-endian");
    const uint32_t degree = impl_->options.degree;
    AKIDB_ASSERT(begin <= end && end <= linked());
    std::vector<uint32_t> list(degree);
    const size_t bytes = list.size() * sizeof(uint32_t);
    size_t at = out.size();
    out.resize(at + (end - begin) * bytes);
    for (uint32_t ordinal = begin; ordinal < end; ++ordinal, at += bytes) {
        for (uint32_t slot = 0; slot < degree; ++slot) {
            list[slot] = impl_->lists.load(ordinal, slot);
        }
        std::memcpy(out.data() + at, list.data(), bytes);
    }
}

Result<void> Graph::import_lists(std::string_view lists, uint32_t count) {
    const uint32_t degree = impl_->options.degree;
    AKIDB_ASSERT(linked() == 0 && !impl_->graph);
    if (count > kRowsMax || lists.size() != uint64_t{count} * degree * sizeof(uint32_t)) {
        return Error(Code::kDataLoss, "the graph has " + std::to_string(lists.size()) +
                                          " bytes of lists, not " +
                                          std::to_string(uint64_t{count} * degree * sizeof(uint32_t)));
    }
    const char* at = lists.data();
    impl_->lists.reserve(count);
    for (uint32_t ordinal = 0; ordinal < count; ++ordinal) {
        for (uint32_t slot = 0; slot < degree; ++slot, at += sizeof(uint32_t)) {
            uint32_t neighbour = 0;
            std::memcpy(&neighbour, at, sizeof(neighbour));
            if (neighbour >= count && neighbour != kNoNeighbour) {
                return Error(Code::kDataLoss, "row " + std::to_string(ordinal) + " of the graph of " +
                                                  std::to_string(count) + " rows has neighbour " +
                                                  std::to_string(neighbour));
            }
            impl_->lists.store(ordinal, slot, neighbour);
        }
    }
    impl_->linked.store(count, std::memory_order_release);
    return {};
}

uint32_t Graph::count_unreachable() const {
    const uint32_t count = linked();
    std::vector<bool> reached(count);
    std::vector<uint32_t> queue;
    const auto reach = [&](uint32_t ordinal) {
        if (ordinal < count && !reached[ordinal]) {
            reached[ordinal] = true;
            queue.push_back(ordinal);
        }
    };
    reach(0);
    for (size_t next = 0; next < queue.size(); ++next) {
        for (uint32_t slot = 0; slot < impl_->options.degree; ++slot) {
            reach(impl_->lists.load(queue[next], slot));
        }
    }
    return count - static_cast<uint32_t>(queue.size());
}

size_t Graph::memory_bytes() const {
    const CodedGraph* const graph = impl_->coded.load(std::memory_order_acquire);
    size_t bytes = impl_->lists.bytes();
    if (graph != nullptr) {
        bytes += graph->codes.bytes() + (graph->edges ? graph->edges->bytes() : 0) +
                 impl_->builder->memory_bytes();
    }
    return bytes;
}

}  // namespace akidb::index
