#include "index/graph.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/assert.h"
#include "index/filtered_walk.h"
#include "index/graph_builder.h"
#include "index/neighbour_lists.h"
#include "index/walk.h"

namespace akidb::index {

SearchScratch::SearchScratch() : state_(std::make_unique<State>()) {}
SearchScratch::~SearchScratch() = default;

struct Graph::Impl {
    Impl(const Rows& all_rows, const GraphOptions& graph_options)
        : rows(all_rows), options(graph_options), lists(graph_options.degree) {}

    const Rows& rows;
    const GraphOptions options;
    NeighbourLists lists;
    std::atomic<uint32_t> linked{0};
    std::optional<GraphBuilder>
        builder;  // made by the first link, so that searching alone costs nothing for it
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

SearchCost Graph::search(const float* query, uint32_t ef, uint32_t end, Accept accept, SearchScratch& scratch,
                         TopK& best) const {
    const uint32_t count = std::min(linked(), end);
    if (count == 0) {
        return {};
    }
    return walk(
        impl_->rows, impl_->lists, count, std::clamp(ef, 1u, count), scratch.state(),
        [this, query](uint32_t ordinal) { return impl_->rows.distance(query, ordinal); },
        [&](Candidate met) {
            if (met.distance <= best.bound() && accept(met.ordinal)) {
                best.offer(met);
            }
        });
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
    AKIDB_ASSERT(end <= kRowsMax);
    uint32_t next = impl_->linked.load(std::memory_order_relaxed);
    if (next < end && !impl_->builder) {
        impl_->builder.emplace(impl_->rows, impl_->options, impl_->lists);
        impl_->builder->begin(next, end);
    }
    while (next < end && !cancelled()) {
        impl_->builder->link_row(next, scratch.state());
        impl_->linked.store(++next, std::memory_order_release);
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
    AKIDB_ASSERT(linked() == 0 && !impl_->builder);
    if (count > kRowsMax || lists.size() != uint64_t{count} * degree * sizeof(uint32_t)) {
        return Error(Code::kDataLoss, "the graph has " + std::to_string(lists.size()) +
                                          " bytes of lists, not " +
                                          std::to_string(uint64_t{count} * degree * sizeof(uint32_t)));
    }
    const char* at = lists.data();
    for (uint32_t ordinal = 0; ordinal < count; ++ordinal) {
        impl_->lists.reserve(ordinal);
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
    for (uint64_t entry = 0; entry < count; entry += entry_step(count)) {
        reach(static_cast<uint32_t>(entry));
    }
    for (size_t next = 0; next < queue.size(); ++next) {
        for (uint32_t slot = 0; slot < impl_->options.degree; ++slot) {
            reach(impl_->lists.load(queue[next], slot));
        }
    }
    return count - static_cast<uint32_t>(queue.size());
}

}  // namespace akidb::index
