#include "index/graph.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "index/test_data.h"

namespace akidb::index {
namespace {

using model::Metric;
using testing::DataSet;
using testing::kAcceptAll;
using testing::kNeverCancelled;
using testing::Vector;

void link_all(Graph& graph, const DataSet& data) {
    SearchScratch scratch;
    ASSERT_EQ(graph.link(data.count(), kNeverCancelled, scratch), data.count());
}

std::vector<Candidate> find(const Graph& graph, const Vector& query, uint32_t ef, size_t k) {
    SearchScratch scratch;
    TopK best(k);
    graph.search(query.data(), ef, kRowsMax, kAcceptAll, scratch, best);
    return best.take_sorted();
}

double recall(const Graph& graph, const DataSet& data, const std::vector<Vector>& queries, uint32_t ef) {
    constexpr size_t kTop = 10;
    size_t hits = 0;
    for (const Vector& vector : queries) {
        const Vector query = data.query(vector);
        const auto exact = data.nearest(query, kTop);
        for (const Candidate& found : find(graph, query, ef, kTop)) {
            hits += found.distance <= exact.back().distance ? 1 : 0;
        }
    }
    return static_cast<double>(hits) / static_cast<double>(kTop * queries.size());
}

std::string exported(const Graph& graph) {
    std::string lists;
    graph.export_lists(0, graph.linked() / 2, lists);
    graph.export_lists(graph.linked() / 2, graph.linked(), lists);
    return lists;
}

TEST(Graph, FindsTheNearestInClusteredDataForEveryMetric) {
    auto vectors = testing::gaussian_clusters(8'200, 32, 80, 11);
    const std::vector<Vector> queries(vectors.end() - 200, vectors.end());
    vectors.resize(8'000);
    for (const Metric metric : {Metric::kCosine, Metric::kDot, Metric::kL2}) {
        const DataSet data(metric, vectors);
        Graph graph(data.rows(), {});
        link_all(graph, data);
        EXPECT_EQ(graph.count_unreachable(), 0u);
        EXPECT_GE(recall(graph, data, queries, 96), 0.95) << model::kMetricNames[static_cast<size_t>(metric)];
    }
}

TEST(Graph, FindsTheNearestOfWhatIsKeptForEveryStorage) {
    auto vectors = testing::gaussian_clusters(3'200, 48, 30, 13);
    const std::vector<Vector> queries(vectors.end() - 200, vectors.end());
    vectors.resize(3'000);
    for (const auto storage : {model::VectorStorage::kF16, model::VectorStorage::kInt8}) {
        for (const Metric metric : {Metric::kCosine, Metric::kDot, Metric::kL2}) {
            const DataSet data(metric, vectors, storage);
            Graph graph(data.rows(), {});
            link_all(graph, data);
            EXPECT_EQ(graph.count_unreachable(), 0u);
            EXPECT_GE(recall(graph, data, queries, 96), 0.95)
                << model::name_of(metric) << " " << model::name_of(storage);
        }
    }
}

TEST(Graph, FindsTheNearestWithWidelyDifferentNormsUnderDot) {
    auto vectors = testing::gaussian_clusters(5'100, 16, 20, 12);
    for (size_t i = 0; i < vectors.size(); ++i) {
        for (float& component : vectors[i]) {
            component *= 0.1f + static_cast<float>(i % 50);
        }
    }
    const std::vector<Vector> queries(vectors.end() - 100, vectors.end());
    vectors.resize(5'000);
    const DataSet data(Metric::kDot, vectors);
    Graph graph(data.rows(), {});
    link_all(graph, data);
    EXPECT_GE(recall(graph, data, queries, 96), 0.95);
}

TEST(Graph, ReachesEveryRowOfALineAndOfTightClusters) {
    for (const auto& vectors :
         {testing::line(4'000, 3), testing::gaussian_clusters(4'000, 16, 100, 4, 1e-3f)}) {
        const DataSet data(Metric::kL2, vectors);
        Graph graph(data.rows(), {});
        link_all(graph, data);
        EXPECT_EQ(graph.count_unreachable(), 0u);
        size_t found_itself = 0;
        for (size_t i = 0; i < vectors.size(); i += 20) {
            const Vector query = data.query(vectors[i]);
            found_itself += find(graph, query, 64, 1).front() == data.nearest(query, 1).front() ? 1 : 0;
        }
        EXPECT_GE(found_itself, vectors.size() / 20 * 99 / 100);
    }
}

TEST(Graph, ReachesEveryCopyAmongThousandsAndWhatLiesBeyondThem) {
    auto vectors = testing::gaussian_clusters(8'000, 16, 20, 5);
    for (size_t i = 1'000; i < 7'000; ++i) {
        vectors[i] = vectors[7];
    }
    const DataSet data(Metric::kL2, vectors);
    Graph graph(data.rows(), {});
    link_all(graph, data);
    EXPECT_EQ(graph.count_unreachable(), 0u);
    std::vector<Vector> others(vectors.begin(), vectors.begin() + 100);
    others.insert(others.end(), vectors.end() - 100, vectors.end());
    EXPECT_GE(recall(graph, data, others, 96), 0.95);
    // Copies do not make a search endless.
    SearchScratch scratch;
    TopK best(10);
    const SearchCost cost =
        graph.search(data.query(vectors[7]).data(), 64, kRowsMax, kAcceptAll, scratch, best);
    EXPECT_LE(cost.hops, 200u);
    EXPECT_EQ(best.take_sorted().back().distance, 0.0f);
}

TEST(Graph, SearchesAsWellWhereHalfTheRowsAreCopies) {
    constexpr uint32_t kRows = 6'000;
    constexpr uint32_t kWidth = 96;
    auto vectors = testing::gaussian_clusters(kRows + 100, 48, 60, 14, 0.6f);
    const std::vector<Vector> queries(vectors.end() - 100, vectors.end());
    vectors.resize(kRows);
    std::vector<Vector> twice = vectors;       // side by side
    std::vector<Vector> one_of_two = vectors;  // is the same as all others
    for (uint32_t i = 1; i < kRows; i += 2) {
        twice[i] = twice[i - 1];
        one_of_two[i] = one_of_two[0];
    }
    for (const auto* copies : {&twice, &one_of_two}) {
        const DataSet data(Metric::kCosine, *copies);
        for (const Layout layout : {Layout::kSplit, Layout::kTurbo}) {
            Graph graph(data.rows(), {.layout = layout});
            link_all(graph, data);
            EXPECT_EQ(graph.count_unreachable(), 0u);
            EXPECT_GE(recall(graph, data, queries, kWidth), 0.98);
            SearchScratch scratch;
            TopK best(10);
            uint32_t hops = 0;
            for (const Vector& query : queries) {
                hops +=
                    graph.search(data.query(query).data(), kWidth, kRowsMax, kAcceptAll, scratch, best).hops;
                best.reset(10);
            }
            EXPECT_LE(hops, queries.size() * kWidth * 11 / 10);
        }
    }
}

TEST(Graph, LinksNothingButCopiesAndRowsWithoutADirection) {
    const DataSet copies(Metric::kDot, std::vector<Vector>(5'000, Vector(16, 0.5f)));
    const DataSet zeros(Metric::kCosine, std::vector<Vector>(2'000, Vector(16)));
    for (const DataSet* data : {&copies, &zeros}) {
        Graph graph(data->rows(), {});
        link_all(graph, *data);
        EXPECT_EQ(graph.count_unreachable(), 0u);
    }
}

TEST(Graph, ReturnsAcceptedRowsOnly) {
    const auto vectors = testing::gaussian_clusters(5'000, 16, 20, 6);
    const DataSet data(Metric::kCosine, vectors);
    Graph graph(data.rows(), {});
    link_all(graph, data);
    const auto divisible_by_three = [](uint32_t ordinal) { return ordinal % 3 == 0; };
    SearchScratch scratch;
    TopK best(10);
    graph.search(data.query(vectors[1]).data(), 128, kRowsMax, divisible_by_three, scratch, best);
    const auto found = best.take_sorted();
    EXPECT_EQ(found.size(), 10u);
    for (const Candidate& candidate : found) {
        EXPECT_EQ(candidate.ordinal % 3, 0u);
    }
}

TEST(Graph, SearchesOnlyRowsBelowTheEndItIsGiven) {
    const auto vectors = testing::gaussian_clusters(3'000, 16, 20, 6);
    const DataSet data(Metric::kL2, vectors);
    Graph graph(data.rows(), {});
    SearchScratch scratch;
    TopK best(2'000);
    EXPECT_EQ(graph.search(data.query(vectors[0]).data(), 16, kRowsMax, kAcceptAll, scratch, best).distances,
              0u);
    link_all(graph, data);
    // With a beam as wide as the graph the walk meets every row below the end, and no other.
    graph.search(data.query(vectors[0]).data(), 5'000, 1'000, kAcceptAll, scratch, best);
    const auto found = best.take_sorted();
    EXPECT_EQ(found.size(), 1'000u);
    for (const Candidate& candidate : found) {
        EXPECT_LT(candidate.ordinal, 1'000u);
    }
}

TEST(Graph, StopsBetweenRowsWhenCancelledAndGoesOnLater) {
    const DataSet data(Metric::kL2, testing::gaussian_clusters(1'000, 16, 20, 6));
    Graph graph(data.rows(), {});
    SearchScratch scratch;
    EXPECT_EQ(graph.encode(1'000, [] { return true; }), 0u);
    EXPECT_EQ(graph.encode(1'000, kNeverCancelled), 1'000u);
    uint32_t asked = 0;
    EXPECT_EQ(graph.link(
                  1'000, [&] { return ++asked > 300; }, scratch),
              300u);
    EXPECT_EQ(graph.linked(), 300u);
    link_all(graph, data);
    Graph in_one_go(data.rows(), {});
    link_all(in_one_go, data);
    EXPECT_EQ(exported(graph), exported(in_one_go));
}

TEST(Graph, AnswersAfterImportAndTheSameOnceEncoded) {
    const auto vectors = testing::gaussian_clusters(6'000, 16, 20, 6);
    const DataSet data(Metric::kDot, vectors);
    Graph graph(data.rows(), {});
    SearchScratch scratch;
    graph.link(5'000, kNeverCancelled, scratch);
    Graph imported(data.rows(), {});
    ASSERT_TRUE(imported.import_lists({exported(graph), {}}, 5'000).has_value());
    EXPECT_EQ(imported.linked(), 5'000u);
    // Without codes yet, by exact distances; then by the codes, made from 5,000 rows as before.
    const std::vector<Vector> queries(vectors.begin(), vectors.begin() + 100);
    // 5,000 of the 6,000 rows are there, so that five in six can be found.
    EXPECT_GE(recall(imported, data, queries, 192), 0.8);
    EXPECT_EQ(imported.encode(5'000, [] { return true; }), 0u);
    imported.encode(5'000, kNeverCancelled);
    for (size_t i = 0; i < vectors.size(); i += 100) {
        const Vector query = data.query(vectors[i]);
        EXPECT_EQ(find(imported, query, 64, 10), find(graph, query, 64, 10));
    }
    link_all(imported, data);
    EXPECT_EQ(imported.count_unreachable(), 0u);
    EXPECT_GE(recall(imported, data, {vectors.begin() + 5'000, vectors.begin() + 5'200}, 96), 0.95);
}

/// Lists large enough to be read where they lie. The slow path copies them at once.
TEST(Graph, ReadsLargeListsWhereTheyLieUntilItNeedsItsOwn) {
    constexpr uint32_t kCount = 70'000;
    constexpr uint32_t kDegree = 32;
    const auto vectors = testing::gaussian_clusters(kCount + 100, 4, 20, 6);
    const DataSet data(Metric::kL2, vectors);
    std::vector<uint32_t> ring;  // each row leads to the next ones
    for (uint32_t row = 0; row < kCount; ++row) {
        for (uint32_t slot = 0; slot < kDegree; ++slot) {
            ring.push_back((row + 1 + slot * slot * 67) % kCount);
        }
    }
    const std::string_view bytes(reinterpret_cast<const char*>(ring.data()), ring.size() * sizeof(uint32_t));
    Graph copied(data.rows(), {.degree = kDegree});
    ASSERT_TRUE(copied.import_lists({bytes, {}}, kCount).has_value());
    int forgotten = 0;
    Graph lent(data.rows(), {.degree = kDegree});
    const auto forget = [&] {
        ++forgotten;
        std::fill(ring.begin(), ring.end(), 0);
    };
    // The file is read again and has gone bad since it was checked.
    Graph rotted(data.rows(), {.degree = kDegree});
    ASSERT_TRUE(rotted.import_lists({bytes, [] {}}, kCount).has_value());
    const uint32_t right = std::exchange(ring[7], kCount);
    ASSERT_TRUE(rotted.own_lists(kNeverCancelled));
    ring[7] = right;
    std::string none;
    rotted.export_lists(0, 1, none);
    EXPECT_EQ(none.substr(28, 4), std::string(4, '\xff'));
    EXPECT_EQ(rotted.encode(kCount, kNeverCancelled), kCount);
    std::string before;
    copied.export_lists(0, kCount, before);
    ASSERT_TRUE(lent.import_lists({bytes, forget}, kCount).has_value());
    const auto expect_equal = [&] {
        ASSERT_EQ(lent.linked(), kCount);
        EXPECT_TRUE(exported(lent) == before);
        for (uint32_t row = 0; row < kCount; row += 7'000) {
            const Vector query = data.query(vectors[row]);
            EXPECT_EQ(find(lent, query, 64, 10), find(copied, query, 64, 10));
        }
    };
    expect_equal();
    EXPECT_EQ(forgotten, 0);
    uint32_t asked = 0;  // cancelled while lists are copied
    EXPECT_EQ(lent.encode(kCount, [&] { return ++asked > kCount / 256 + 2; }), 0u);
    expect_equal();
    EXPECT_EQ(forgotten, 0);
    EXPECT_EQ(lent.encode(kCount, kNeverCancelled), kCount);
    EXPECT_EQ(copied.encode(kCount, kNeverCancelled), kCount);
    EXPECT_EQ(forgotten, 1);
    expect_equal();
    SearchScratch scratch;
    EXPECT_EQ(lent.link(kCount + 100, kNeverCancelled, scratch), kCount + 100);
    EXPECT_EQ(copied.link(kCount + 100, kNeverCancelled, scratch), kCount + 100);
    EXPECT_TRUE(exported(lent) == exported(copied));
    EXPECT_EQ(forgotten, 1);
}

/// The slow path is the exact comparison with the same rows. In the end rows that have no code yet are among
/// them.
TEST(Graph, ComparesChosenRowsByCodesAsWellAsExactly) {
    auto vectors = testing::gaussian_clusters(3'100, 128, 20, 11);
    const std::vector<testing::Vector> queries(vectors.end() - 100, vectors.end());
    vectors.resize(3'000);
    for (const model::Metric metric : {model::Metric::kCosine, model::Metric::kL2, model::Metric::kDot}) {
        const DataSet data(metric, vectors);
        Graph graph(data.rows(), {});
        SearchScratch scratch;
        for (const uint32_t encoded : {0u, 2'990u}) {
            graph.encode(encoded, [] { return false; });
            size_t missed = 0;
            for (const uint32_t step : {1u, 3u, 50u, 1'000u}) {
                std::vector<uint32_t> chosen;
                for (uint32_t row = step / 2; row < data.count(); row += step) {
                    chosen.push_back(row);
                }
                const auto accept = [](uint32_t row) { return row % 7 != 0; };
                for (const testing::Vector& vector : queries) {
                    const testing::Vector query = data.query(vector);
                    TopK exact(10);
                    scan_ordinals(data.rows(), query.data(), chosen, accept, exact);
                    TopK best(10);
                    graph.aim(query.data(), scratch);
                    const size_t half = chosen.size() / 2;  // in two batches, as a query gives them
                    graph.scan_rows(query.data(), std::span(chosen).first(half), accept, scratch, best);
                    graph.scan_rows(query.data(), std::span(chosen).subspan(half), accept, scratch, best);
                    const auto wanted = exact.take_sorted();
                    const auto found = best.take_sorted();
                    ASSERT_EQ(found.size(), wanted.size());
                    for (size_t i = 0; i < found.size(); ++i) {
                        missed += found[i].ordinal != wanted[i].ordinal ? 1 : 0;
                        ASSERT_TRUE(accept(found[i].ordinal));
                    }
                }
            }
            EXPECT_LE(missed, encoded == 0 ? 0u : 8u) << "of 3,000 one-bit codes let 3 slip";
        }
    }
}

TEST(Graph, RefusesListsThatCannotBeItsOwn) {
    const DataSet data(Metric::kL2, testing::gaussian_clusters(1'000, 16, 20, 6));
    Graph graph(data.rows(), {});
    link_all(graph, data);
    const std::string lists = exported(graph);
    const auto import_code = [&](std::string_view bytes, uint32_t count) {
        Graph fresh(data.rows(), {});
        const auto result = fresh.import_lists({bytes, {}}, count);
        EXPECT_EQ(fresh.linked(), result.has_value() ? count : 0);
        return result.has_value() ? std::string() : std::string(row_of(result.error().code()).name);
    };
    EXPECT_EQ(import_code(lists, 1'000), "");
    EXPECT_EQ(import_code("", 0), "");
    EXPECT_EQ(import_code(lists, 999), "DATA_LOSS");
    EXPECT_EQ(import_code(std::string_view(lists).substr(1), 1'000), "DATA_LOSS");
    EXPECT_EQ(import_code("", kNoNeighbour), "DATA_LOSS");
    std::string damaged = lists;
    const uint32_t beyond = 1'000;
    std::memcpy(damaged.data() + 4 * 77, &beyond, sizeof(beyond));
    EXPECT_EQ(import_code(damaged, 1'000), "DATA_LOSS");
}

TEST(Graph, MendsImportedListsThatLeaveRowsUnreachable) {
    const DataSet data(Metric::kL2, testing::gaussian_clusters(3'000, 16, 20, 6));
    Graph graph(data.rows(), {});
    // No row has a neighbour, or every row has only itself.
    std::string lists(size_t{2'000} * 32 * sizeof(uint32_t), '\xff');
    for (uint32_t ordinal = 1'000; ordinal < 2'000; ++ordinal) {
        for (size_t slot = 0; slot < 32; ++slot) {
            std::memcpy(lists.data() + (ordinal * 32 + slot) * sizeof(ordinal), &ordinal, sizeof(ordinal));
        }
    }
    ASSERT_TRUE(graph.import_lists({lists, {}}, 2'000).has_value());
    EXPECT_GT(graph.count_unreachable(), 1'000u);
    link_all(graph, data);
    EXPECT_EQ(graph.count_unreachable(), 0u);
}

}  // namespace
}  // namespace akidb::index
