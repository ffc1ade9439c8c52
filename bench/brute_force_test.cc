#include "bench/brute_force.h"

#include <gmock/gmock.h>

#include "bench/temporary_file.h"

namespace akidb::bench {
namespace {

std::vector<uint32_t> rows_of(const std::vector<Neighbour>& neighbours) {
    std::vector<uint32_t> rows;
    for (const Neighbour& neighbour : neighbours) {
        rows.push_back(neighbour.row);
    }
    return rows;
}

TEST(BruteForce, RanksByEachMetricAsItsFormulaSays) {
    TemporaryFile base_file(fbin(3, 2, {1, 0, 10, 10, 0, 2}));
    TemporaryFile query_file(fbin(1, 2, {2, 1}));
    VectorFile base(base_file.path());
    VectorFile queries(query_file.path());
    EXPECT_THAT(rows_of(exact_neighbours(Metric::kCosine, base, queries, 3)[0]),
                testing::ElementsAre(1, 0, 2));
    EXPECT_THAT(rows_of(exact_neighbours(Metric::kDot, base, queries, 2)[0]), testing::ElementsAre(1, 0));
    EXPECT_THAT(rows_of(exact_neighbours(Metric::kL2, base, queries, 3)[0]), testing::ElementsAre(0, 2, 1));
}

TEST(BruteForce, RecallCountsTiesAndNeverARowTwice) {
    std::vector<Neighbour> truth{{0.9F, 1}, {0.5F, 2}};
    EXPECT_EQ(recall_of(truth, {{0.9F, 1}, {0.5F, 7}}), 1.0);
    EXPECT_EQ(recall_of(truth, {{0.9F, 1}, {0.9F, 1}}), 0.5);
    EXPECT_EQ(recall_of(truth, {{0.1F, 5}, {0.2F, 6}}), 0.0);
    EXPECT_EQ(recall_of(truth, {}), 0.0);
}

TEST(VectorFile, RefusesAFileWhoseSizeIsNotWhatItsHeaderSays) {
    TemporaryFile file(fbin(3, 2, {1, 2, 3}));
    EXPECT_THROW(VectorFile{file.path()}, std::runtime_error);
}

}  // namespace
}  // namespace akidb::bench
