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
    const auto vectors = testing::gaussian_clusters(4'000, 16, 20, 9);
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

// The rows of a block of one-bit codes become ready one after the other: readers scan a block while its later
// rows are written.
TEST(GraphThreads, ReadersScanBlocksThatAreHalfEncoded) {
    const auto vectors = testing::gaussian_clusters(3'000, 16, 20, 9);
    const DataSet data(model::Metric::kL2, vectors);
    Graph graph(data.rows(), {});
    graph.encode(5, [] { return false; });
    std::atomic<bool> is_encoded{false};
    std::atomic<uint32_t> scans{0};
    std::atomic<uint32_t> missed{0};
    const auto read = [&](uint32_t first) {
        SearchScratch scratch;
        TopK best(1);
        for (uint32_t i = first; !is_encoded.load(); ++i) {
            const uint32_t end = graph.encoded();
            const uint32_t row = end - 1 - i % std::min(end, 40u);
            graph.scan(data.query(vectors[row]).data(), end - std::min(end, 100u), end, kAcceptAll, scratch,
                       best);
            const auto found = best.take_sorted();
            missed += found.size() != 1 || found.front().ordinal != row ? 1 : 0;
            ++scans;
        }
    };
    std::thread first_reader(read, 0);
    std::thread second_reader(read, 1);
    for (uint32_t end = 5; end <= data.count(); end += 5) {
        graph.encode(end, [] { return false; });
    }
    is_encoded = true;
    first_reader.join();
    second_reader.join();
    EXPECT_LE(missed.load(), scans.load() / 50) << "one-bit codes let 1 row in 1,000 slip";
}

TEST(GraphThreads, SeveralBuildersShareTheRowsWhileReadersSearch) {
    auto vectors = testing::gaussian_clusters(6'100, 32, 20, 9);
    const std::vector<testing::Vector> queries(vectors.end() - 100, vectors.end());
    vectors.resize(6'000);
    const DataSet data(model::Metric::kL2, vectors);
    for (const Layout layout : {Layout::kTurbo, Layout::kSplit}) {
        Graph graph(data.rows(), {.build_ef = 64, .layout = layout});
        const auto build = [&] {
            SearchScratch scratch;
            graph.link(
                data.count(), [] { return false; }, scratch);
        };
        std::atomic<bool> is_built{false};
        std::thread reader([&] {
            SearchScratch scratch;
            TopK best(10);
            for (size_t i = 0; !is_built.load(); i = (i + 1) % queries.size()) {
                graph.search(data.query(queries[i]).data(), 32, kRowsMax, kAcceptAll, scratch, best);
                best.take_sorted();
            }
        });
        std::thread second(build);
        build();
        second.join();
        is_built = true;
        reader.join();
        EXPECT_EQ(graph.linked(), data.count());
        EXPECT_EQ(graph.count_unreachable(), 0u);
        SearchScratch scratch;
        TopK best(10);
        size_t hits = 0;
        for (const testing::Vector& vector : queries) {
            const testing::Vector query = data.query(vector);
            const float farthest = data.nearest(query, 10).back().distance;
            graph.search(query.data(), 128, kRowsMax, kAcceptAll, scratch, best);
            for (const Candidate& found : best.take_sorted()) {
                hits += found.distance <= farthest ? 1 : 0;
            }
        }
        EXPECT_GE(hits, queries.size() * 95 / 10);
    }
}

}  // namespace
}  // namespace akidb::index
