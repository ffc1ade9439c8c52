// That a scan of blocks tells every distance within the error that it says, and says a small one.
#include "index/block_codes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <tuple>
#include <vector>

#include "index/test_data.h"

namespace akidb::index {
namespace {

using model::Metric;
using testing::DataSet;
using testing::Vector;

constexpr uint32_t kRowCount = 2'048;
constexpr uint32_t kQueryCount = 30;

class BlockCodes : public ::testing::TestWithParam<std::tuple<Metric, uint32_t>> {};

TEST_P(BlockCodes, TellDistancesWithinTheErrorThatTheySay) {
    const auto [metric, dimension] = GetParam();
    const auto vectors = testing::gaussian_clusters(kRowCount + kQueryCount, dimension, 20, 31, 0.6f);
    const DataSet data(metric, {vectors.begin(), vectors.begin() + kRowCount});
    const CodeFrame frame = CodeSpace(data.rows(), kRowCount).frame();
    const uint64_t block_bytes = code_block_bytes(code_dimension(data.rows().shape()));
    Rows window(data.rows().shape());
    const CodeSpace space(window, frame);
    std::vector<uint8_t> blocks(kRowCount / kBlockRows * block_bytes);
    for (uint32_t block = 0; block * kBlockRows < kRowCount; ++block) {
        window.set_chunk(0, data.rows().row(block * kBlockRows));
        encode_block(space, kBlockRows, blocks.data() + block * block_bytes);
    }
    uint32_t beyond = 0;
    double said = 0;
    double spread = 0;
    for (uint32_t i = 0; i < kQueryCount; ++i) {
        const Vector floats = data.query(vectors[kRowCount + i]);
        CodedQuery query;
        query.set(space, floats.data(), {});
        double mean = 0;
        for (uint32_t row = 0; row < kRowCount; ++row) {
            mean += data.rows().distance(floats.data(), row) / double{kRowCount};
        }
        for (uint32_t row = 0; row < kRowCount; ++row) {
            BlockDistances told;
            scan_block(space, query, blocks.data() + row / kBlockRows * block_bytes, told);
            const uint32_t at = row % kBlockRows;
            // As codes measure: squared under cosine too.
            const double scale = metric == Metric::kCosine ? 2 : 1;
            const double exact =
                scale * data.rows().distance(floats.data(), row) + (metric == Metric::kCosine ? 2 : 0);
            beyond += std::abs(told.distances[at] - exact) > told.errors[at] ? 1 : 0;
            said += told.errors[at];
            spread += std::abs(exact - (metric == Metric::kCosine ? 2 : 0) - scale * mean);
        }
    }
    EXPECT_LE(beyond, kQueryCount * kRowCount / 1'000);
    EXPECT_LT(said, spread) << "an error that says nothing is never passed";
}

INSTANTIATE_TEST_SUITE_P(MetricsAndDimensions, BlockCodes,
                         ::testing::Combine(::testing::Values(Metric::kCosine, Metric::kDot, Metric::kL2),
                                            ::testing::Values(16u, 100u, 257u)));

TEST(BlockCodesOfFewRows, LeaveZerosWhereNoRowIs) {
    const DataSet data(Metric::kL2, testing::gaussian_clusters(5, 16, 2, 7, 0.5f));
    const CodeSpace space(data.rows(), 5);
    std::vector<uint8_t> block(code_block_bytes(16), 0xff);
    encode_block(space, 5, block.data());
    for (uint32_t row = 5; row < kBlockRows; ++row) {
        EXPECT_EQ(block[row * sizeof(uint32_t)], 0);
    }
}

}  // namespace
}  // namespace akidb::index
