// Graph::Impl: what graph.cc (growing) and graph_search.cc (searching) share, and nobody else includes. See
// graph.h for who may call what.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "index/coded_graph.h"
#include "index/graph.h"
#include "index/graph_builder.h"
#include "index/neighbour_lists.h"
#include "index/walk.h"

namespace akidb::index {

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
    void scan_block(const float* query, const CodedGraph& coded_graph, uint32_t block, uint32_t wanted,
                    Accept accept, SearchScratch::State& state, TopK& best, SearchCost& cost) const;
    void publish(uint32_t row) AKIDB_REQUIRES(link_mutex);

    const Rows& rows;
    const GraphOptions options;
    NeighbourLists lists;
    std::atomic<uint32_t> linked{0};
    std::atomic<float> growth{0};
    std::atomic<const CodedGraph*> coded{nullptr};
    // The builder's.
    std::unique_ptr<CodedGraph> graph;
    bool has_lent_lists = false;
    std::function<void()> forget_lent;      // of lists in a file: keeps their addresses valid
    std::unique_ptr<GraphBuilder> builder;  // apart: its locks are 40 KB, which small collections never need

    Mutex link_mutex;
    uint32_t claimed AKIDB_GUARDED_BY(link_mutex) = 0;            // rows below are linked, or being linked
    std::vector<uint32_t> finished AKIDB_GUARDED_BY(link_mutex);  // linked, but not published yet
};

}  // namespace akidb::index
