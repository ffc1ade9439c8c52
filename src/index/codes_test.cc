// What codes promise about distances, held against the distances themselves.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <tuple>
#include <vector>

#include "index/edge_codes.h"
#include "index/entry_table.h"
#include "index/neighbour_lists.h"
#include "index/row_codes.h"
#include "index/test_data.h"

namespace akidb::index {
namespace {

using model::Metric;
using testing::DataSet;
using testing::Vector;

constexpr uint32_t kRows = 2'048;
constexpr uint32_t kQueries = 40;
constexpr uint32_t kBlock = simd::kScanRows;

struct Coded {
    Coded(Metric metric, uint32_t dimension)
        : vectors(testing::gaussian_clusters(kRows + kQueries, dimension, 20, 31, 0.6f)),
          data(metric, {vectors.begin(), vectors.begin() + kRows}),
          space(data.rows(), kRows),
          codes(space, true) {
        codes.encode(kRows);
    }
    void ask(uint32_t i) {
        floats = data.query(vectors[kRows + i]);
        query.set(space, floats.data(), {.pairs = true, .table = true});
    }
    /// As codes measure: squared under cosine too.
    double exact(uint32_t row) const {
        const double distance = data.rows().distance(floats.data(), row);
        return data.rows().metric() == Metric::kCosine ? 2 + 2 * distance : distance;
    }
    double scale_of(uint32_t row) const {
        return query.terms().weight * query.length() * std::sqrt(codes.factors8(row).squared);
    }

    std::vector<Vector> vectors;
    DataSet data;
    CodeSpace space;
    RowCodes codes;
    Vector floats;
    CodedQuery query;
};

class Codes : public ::testing::TestWithParam<std::tuple<Metric, uint32_t>> {
  protected:
    Coded coded_{std::get<0>(GetParam()), std::get<1>(GetParam())};
};

INSTANTIATE_TEST_SUITE_P(MetricsAndDimensions, Codes,
                         ::testing::Combine(::testing::Values(Metric::kCosine, Metric::kDot, Metric::kL2),
                                            ::testing::Values(16u, 100u, 768u)));

TEST_P(Codes, OfEightBitsStayWithinTheirMargin) {
    size_t beyond = 0;
    for (uint32_t i = 0; i < kQueries; ++i) {
        coded_.ask(i);
        for (uint32_t row = 0; row < kRows; ++row) {
            float distance = 0;
            coded_.codes.distances8(coded_.query, &row, 1, &distance);
            const double error = std::abs(distance - coded_.exact(row));
            beyond += error > coded_.query.margin(coded_.codes.factors8(row).squared) ? 1 : 0;
        }
    }
    EXPECT_LE(beyond, kQueries * kRows / 1'000);
}

TEST_P(Codes, OfFourBitsErrLittle) {
    const auto dimension = static_cast<double>(std::get<1>(GetParam()));
    double squares = 0;
    for (uint32_t i = 0; i < kQueries; ++i) {
        coded_.ask(i);
        for (uint32_t row = 0; row < kRows; ++row) {
            float distance = 0;
            coded_.codes.distances4(coded_.query, &row, 1, &distance);
            const double error = (distance - coded_.exact(row)) / coded_.scale_of(row);
            squares += error * error;
        }
    }
    // Sixteen levels a third of a deviation apart leave about a tenth of it; over the root of the dimension.
    EXPECT_LE(std::sqrt(squares / (kQueries * kRows)), 0.16 / std::sqrt(dimension));
}

TEST_P(Codes, OfOneBitMissNoMoreThanOneRowInAThousand) {
    size_t missed = 0;
    for (uint32_t i = 0; i < kQueries; ++i) {
        coded_.ask(i);
        std::array<float, simd::kScanRows> distances;
        for (uint32_t row = 0; row < kRows; ++row) {
            // A bound just beyond the row's own distance must let it through.
            const auto bound = static_cast<float>(coded_.exact(row) + 1e-3 * coded_.scale_of(row));
            const uint32_t may = coded_.codes.scan_block(coded_.query, row / kBlock, bound, distances.data());
            missed += (may >> row % kBlock & 1) == 0 ? 1 : 0;
        }
    }
    EXPECT_LE(missed, kQueries * kRows / 1'000);
}

TEST_P(Codes, OfEdgesEstimateWithoutBiasFromEitherEnd) {
    const auto dimension = static_cast<double>(std::get<1>(GetParam()));
    for (const uint32_t bits : {1u, 4u}) {
        EdgeCodes edges(coded_.space, 32, bits);
        edges.reserve(kRows);
        EdgeCodes::Edge edge;
        CodedQuery from;
        for (uint32_t row = 0; row < 200; ++row) {
            from.set_row(coded_.space, coded_.codes.codes8(row), coded_.codes.factors8(row),
                         {.pairs = false, .table = true});
            for (uint32_t slot = 0; slot < 32; ++slot) {
                const uint32_t to = (row * 32 + slot * 7 + 1) % kRows;
                edges.encode(from, coded_.codes.codes8(to), coded_.codes.factors8(to), edge);
                edges.store(row, slot, edge);
                edges.store_reversed(1'000 + row, slot, edge);
            }
        }
        std::array<double, 2> sum{};
        std::array<double, 2> squares{};
        alignas(64) std::array<float, NeighbourLists::kDegreeMax> estimates;
        for (uint32_t i = 0; i < kQueries; ++i) {
            coded_.ask(i);
            for (uint32_t row = 0; row < 200; ++row) {
                for (const uint32_t end : {0u, 1u}) {
                    for (uint32_t slot = 0; slot < 32; ++slot) {
                        const uint32_t to = (row * 32 + slot * 7 + 1) % kRows;
                        // The other way round, the query is measured from where the edge led to.
                        const uint32_t start = end == 0 ? row : to;
                        const uint32_t goal = end == 0 ? to : row;
                        float distance = 0;
                        coded_.codes.distances8(coded_.query, &start, 1, &distance);
                        edges.scan(coded_.query, end == 0 ? row : 1'000 + row, distance, 0, estimates.data());
                        const double error = (estimates[slot] - coded_.exact(goal)) / coded_.scale_of(goal);
                        sum[end] += error;
                        squares[end] += error * error;
                    }
                }
            }
        }
        const double number = kQueries * 200 * 32;
        for (const size_t end : {0u, 1u}) {
            const double allowed = (bits == 1 ? 2.5 : 0.4) / std::sqrt(dimension);
            EXPECT_LE(std::sqrt(squares[end] / number), allowed) << bits << " bits, end " << end;
            EXPECT_LE(std::abs(sum[end] / number), allowed / 10) << bits << " bits, end " << end;
        }
    }
}

TEST(RowCodes, PutsRowsTooLongForThemFarAwayAndNothingElseSuffers) {
    std::vector<Vector> vectors = testing::gaussian_clusters(64, 16, 4, 5);
    vectors[3].assign(16, 1e30f);
    const DataSet data(Metric::kL2, vectors);
    const CodeSpace space(data.rows(), 3);  // made before the long one came
    RowCodes codes(space, true);
    codes.encode(64);
    CodedQuery query;
    query.set(space, data.query(vectors[5]).data(), {.pairs = true, .table = true});
    std::array<float, simd::kScanRows> distances;
    EXPECT_EQ(codes.scan_block(query, 0, 1e20f, distances.data()) >> 3 & 1, 0u);
    EXPECT_EQ(codes.scan_block(query, 0, std::numeric_limits<float>::infinity(), distances.data()),
              0xffffffffu);
    // From so far away all look the same by code, and none is left out.
    query.set(space, data.query(vectors[3]).data(), {.pairs = true, .table = true});
    EXPECT_EQ(codes.scan_block(query, 0, 1.0f, distances.data()), 0xffffffffu);
}

TEST(EntryTable, FindsTheNearestOfRowsSpreadOverTheGraph) {
    Coded coded(Metric::kL2, 64);
    EntryTable entries(coded.codes);
    std::array<Candidate, EntryTable::kNearestMax> nearest;
    for (const uint32_t count : {1u, 31u, 511u, 512u, 513u, 1'500u, kRows}) {
        entries.grow(count);
        coded.ask(0);
        const uint32_t found = entries.find(coded.query, count, 4, nearest);
        EXPECT_EQ(found, std::min(count, 4u));
        for (uint32_t i = 0; i < found; ++i) {
            EXPECT_LT(nearest[i].ordinal, count);
            EXPECT_TRUE(i == 0 || nearest[i - 1] < nearest[i]);
        }
    }
    // A reader that sees fewer rows than the table has is given none beyond them.
    EXPECT_EQ(entries.find(coded.query, 1, 4, nearest), 1u);
    EXPECT_EQ(nearest[0].ordinal, 0u);
}

}  // namespace
}  // namespace akidb::index
