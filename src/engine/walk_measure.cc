#include "engine/walk_measure.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace akidb::engine {
namespace {

constexpr uint32_t kWalks = 16;
constexpr uint32_t kWidth = 256;

}  // namespace

void WalkMeasure::measure(const index::Rows& rows, const index::Graph& graph, index::SearchScratch& scratch) {
    const uint32_t linked = graph.linked();
    std::vector<float> query(rows.query_size());
    uint64_t distances = 0;
    uint64_t hops = 0;
    for (uint32_t i = 0; i < kWalks; ++i) {
        const auto row = static_cast<uint32_t>(uint64_t{linked} * i / kWalks);
        index::encode_query(rows.metric(), RowStore::vector(row, rows), query);
        index::TopK best(1);
        const auto all = [](uint32_t) { return true; };
        const index::FilteredCost cost =
            graph.search_filtered(query.data(),
                                  {.ef = std::min(kWidth, linked),
                                   .end = linked,
                                   .matches = all,
                                   .accept = all,
                                   .choose =
                                       [](double) {
                                           return index::WalkChoice{index::WalkKind::kInline, kWidth};
                                       },
                                   .spend_max = std::numeric_limits<double>::infinity()},
                                  scratch, best);
        distances += cost.distances;
        hops += cost.hops;
    }
    const double neighbours = static_cast<double>(hops) * graph.options().degree;
    fresh_share_.store(std::clamp(static_cast<double>(distances) / std::max(neighbours, 1.0), 0.05, 1.0),
                       std::memory_order_relaxed);
    measured_rows_.store(linked, std::memory_order_relaxed);
}

}  // namespace akidb::engine
