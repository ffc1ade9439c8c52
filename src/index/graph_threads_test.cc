// One builder links while readers search; what ThreadSanitizer and the readers' own checks say about it.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "index/graph.h"
#include "index/test_data.h"

namespace akidb::index {
namespace {

using testing::DataSet;
using testing::kAcceptAll;

TEST(GraphThreads, ReadersSearchWhileTheBuilderLinks) {
    const auto vectors = testing::gaussian_clusters(6'000, 16, 20, 9);
    const DataSet data(model::Metric::kCosine, vectors);
    Graph graph(data.rows(), {});
    std::atomic<bool> is_built{false};
    std::atomic<uint32_t> wrong{0};
    const auto read = [&](uint32_t first) {
        SearchScratch scratch;
        TopK best(10);
        for (uint32_t i = first; !is_built.load(); i = (i + 7) % data.count()) {
            const auto query = data.query(vectors[i]);
            const uint32_t before = graph.linked();
            graph.search(query.data(), 32, kRowsMax, kAcceptAll, scratch, best);
            const uint32_t after = graph.linked();
            const auto found = best.take_sorted();
            wrong += found.size() < std::min(before, 10u) ? 1 : 0;
            for (const Candidate& candidate : found) {
                wrong += candidate.ordinal >= after ? 1 : 0;
            }
        }
    };
    std::thread first_reader(read, 0);
    std::thread second_reader(read, 1);
    SearchScratch scratch;
    graph.link(
        data.count(), [] { return false; }, scratch);
    is_built = true;
    first_reader.join();
    second_reader.join();
    EXPECT_EQ(wrong.load(), 0u);
    EXPECT_EQ(graph.count_unreachable(), 0u);
}

}  // namespace
}  // namespace akidb::index
