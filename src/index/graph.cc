#include "index/graph.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/assert.h"
#include "index/graph_impl.h"

namespace akidb::index {
namespace {

// The first rows are linked one by one even by many threads: a graph needs a core that they can walk.
constexpr uint32_t kLinkedAlone = 256;
// Rows encoded between two looks at `cancelled`.
constexpr uint32_t kEncodeSlice = 256;
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

void Graph::set_growth(float growth) {
    impl_->growth.store(growth, std::memory_order_relaxed);
}

float Graph::growth() const {
    return impl_->growth.load(std::memory_order_relaxed);
}

uint32_t Graph::encoded() const {
    const CodedGraph* const graph = impl_->coded.load(std::memory_order_acquire);
    return graph == nullptr ? 0 : graph->codes.encoded();
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
            impl_->builder = std::make_unique<GraphBuilder>(*impl_->graph, impl_->options, impl_->lists);
        }
        if (!own_lists(cancelled) || !impl_->builder->begin(linked, cancelled)) {
            return 0;
        }
        if (linked > 0) {
            impl_->graph->entries.grow(linked);
        }
        impl_->coded.store(impl_->graph.get(), std::memory_order_release);
    }
    return codes.encoded();
}

uint32_t Graph::link(uint32_t end, FunctionRef<bool()> cancelled, SearchScratch& scratch) {
    {
        MutexLock lock(impl_->link_mutex);
        if (linked() >= end || encode(end, cancelled) < end) {
            return linked();
        }
        impl_->builder->reserve(end);
        impl_->claimed = std::max(impl_->claimed, linked());
    }
    while (!cancelled()) {
        uint32_t row = 0;
        {
            MutexLock lock(impl_->link_mutex);
            if (impl_->claimed >= end) {
                break;
            }
            row = impl_->claimed++;
            if (row < kLinkedAlone) {
                impl_->builder->link_row(row, row, scratch.state());
                impl_->publish(row);
                continue;
            }
        }
        impl_->builder->link_row(row, linked(), scratch.state());
        MutexLock lock(impl_->link_mutex);
        impl_->publish(row);
    }
    return linked();
}

// Readers see rows in order: a row waits for those before it that other threads are still linking.
void Graph::Impl::publish(uint32_t row) {
    finished.push_back(row);
    uint32_t next = linked.load(std::memory_order_relaxed);
    for (auto it = std::find(finished.begin(), finished.end(), next); it != finished.end();
         it = std::find(finished.begin(), finished.end(), next)) {
        *it = finished.back();
        finished.pop_back();
        ++next;
    }
    if (next > linked.load(std::memory_order_relaxed)) {
        graph->entries.grow(next);
        linked.store(next, std::memory_order_release);
    }
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

Result<void> Graph::import_lists(ImportedLists lists, uint32_t count) {
    const uint32_t degree = impl_->options.degree;
    const size_t list_bytes = degree * sizeof(uint32_t);
    AKIDB_ASSERT(linked() == 0 && !impl_->graph);
    if (count > kRowsMax || lists.bytes.size() != count * list_bytes) {
        return Error(Code::kDataLoss, "the graph has " + std::to_string(lists.bytes.size()) +
                                          " bytes of lists, not " + std::to_string(count * list_bytes));
    }
    const char* const data = lists.bytes.data();
    const bool is_aligned = reinterpret_cast<uintptr_t>(data) % alignof(uint32_t) == 0;
    if (lists.forget && lists.bytes.size() >= impl_->options.lent_bytes_min && is_aligned) {
        impl_->lists.lend(reinterpret_cast<const uint32_t*>(data), count);
        impl_->forget_lent = std::move(lists.forget);
        impl_->has_lent_lists = true;
    } else {
        impl_->lists.reserve(count);
        for (uint32_t ordinal = 0; ordinal < count; ++ordinal) {
            impl_->lists.set_list(ordinal, data + ordinal * list_bytes);
        }
    }
    for (uint32_t ordinal = 0; ordinal < count; ++ordinal) {
        const uint32_t* const list = impl_->lists.list(ordinal);
        bool is_valid = true;
        for (uint32_t slot = 0; slot < degree; ++slot) {  // without a branch: several slots in one step
            is_valid &= (list[slot] < count) | (list[slot] == kNoNeighbour);
        }
        if (!is_valid) {
            return Error(Code::kDataLoss, "row " + std::to_string(ordinal) + " of the graph of " +
                                              std::to_string(count) +
                                              " rows has a neighbour that is none of them");
        }
    }
    impl_->linked.store(count, std::memory_order_release);
    return {};
}

bool Graph::own_lists(FunctionRef<bool()> cancelled) {
    if (!impl_->has_lent_lists) {
        return true;
    }
    if (!impl_->lists.own(cancelled)) {
        return false;
    }
    // The system may have read the file again since they were checked. Readers look at each neighbour; the
    // builder does not.
    const uint32_t count = linked();
    for (uint32_t ordinal = 0; ordinal < count; ++ordinal) {
        for (uint32_t slot = 0; slot < impl_->options.degree; ++slot) {
            if (impl_->lists.load(ordinal, slot) >= count) {
                impl_->lists.store(ordinal, slot, kNoNeighbour);
            }
        }
    }
    impl_->has_lent_lists = false;
    impl_->forget_lent();
    return true;
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
