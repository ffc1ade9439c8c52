#include "index/flat_scan.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "index/test_data.h"

namespace akidb::index {
namespace {

using model::Metric;
using testing::DataSet;
using testing::kAcceptAll;

TEST(FlatScan, EqualsTheDefinitionForEveryMetric) {
    const auto vectors = testing::gaussian_clusters(5000, 20, 8, 1);
    const auto queries = testing::gaussian_clusters(20, 20, 8, 2);
    for (const Metric metric : {Metric::kCosine, Metric::kDot, Metric::kL2}) {
        const DataSet data(metric, vectors);
        TopK best(10);
        for (const auto& vector : queries) {
            const auto query = data.query(vector);
            scan_range(data.rows(), query.data(), 0, data.count(), kAcceptAll, best);
            EXPECT_EQ(best.take_sorted(), data.nearest(query, 10));
        }
    }
}

TEST(FlatScan, StaysWithinItsRangeAndContinuesAnEarlierScan) {
    const DataSet data(Metric::kL2, testing::gaussian_clusters(5000, 20, 8, 1));
    const auto query = data.query(testing::gaussian_clusters(1, 20, 8, 2).front());
    TopK best(10);
    scan_range(data.rows(), query.data(), 4000, 4003, kAcceptAll, best);
    EXPECT_EQ(best.size(), 3u);
    scan_range(data.rows(), query.data(), 0, 4000, kAcceptAll, best);
    scan_range(data.rows(), query.data(), 4003, 5000, kAcceptAll, best);
    EXPECT_EQ(best.take_sorted(), data.nearest(query, 10));
    scan_range(data.rows(), query.data(), 7, 7, kAcceptAll, best);
    EXPECT_EQ(best.size(), 0u);
}

TEST(FlatScan, OrdinalsAreScannedLikeRanges) {
    const DataSet data(Metric::kCosine, testing::gaussian_clusters(5000, 20, 8, 1));
    const auto query = data.query(testing::gaussian_clusters(1, 20, 8, 2).front());
    std::vector<uint32_t> ordinals(data.count());
    std::iota(ordinals.begin(), ordinals.end(), 0u);
    TopK best(10);
    scan_ordinals(data.rows(), query.data(), ordinals, kAcceptAll, best);
    EXPECT_EQ(best.take_sorted(), data.nearest(query, 10));
    scan_ordinals(data.rows(), query.data(), std::vector<uint32_t>{4999, 3}, kAcceptAll, best);
    EXPECT_EQ(best.size(), 2u);
}

TEST(FlatScan, AsksOnlyAboutRowsNearEnoughToEnter) {
    const DataSet data(Metric::kL2, testing::line(1000, 5));
    const auto query = data.query(testing::Vector(16));
    TopK best(1);
    uint32_t asked = 0;
    const auto reject_even = [&](uint32_t ordinal) {
        ++asked;
        return ordinal % 2 == 1;
    };
    scan_range(data.rows(), query.data(), 0, data.count(), reject_even, best);
    EXPECT_LT(asked, 100u);
    const auto found = best.take_sorted();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].ordinal % 2, 1u);
}

}  // namespace
}  // namespace akidb::index
