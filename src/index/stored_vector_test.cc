#include "index/stored_vector.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "index/test_data.h"

namespace akidb::index {
namespace {

using model::Metric;
using model::VectorStorage;
using testing::DataSet;
using testing::Vector;

constexpr VectorStorage kNarrow[] = {VectorStorage::kF16, VectorStorage::kInt8};

Vector kept(VectorStorage storage, Vector vector) {
    round_to_stored(storage, vector);
    return vector;
}

/// By the definition of binary16.
double value_of(uint16_t half) {
    const int exponent = half >> 10 & 31;
    const double magnitude =
        exponent == 0 ? std::ldexp(half & 1023, -24) : std::ldexp(1024 + (half & 1023), exponent - 25);
    return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

TEST(StoredVector, EachHalfIsTheFloatOfItsDefinitionAndComesBack) {
    for (uint32_t half = 0; half < 0x10000; ++half) {
        if ((half >> 10 & 31) == 31) {
            continue;  // infinities and what is no number are never kept
        }
        const float value = from_half(static_cast<uint16_t>(half));
        EXPECT_EQ(static_cast<double>(value), value_of(static_cast<uint16_t>(half))) << half;
        EXPECT_EQ(to_half(value), half);
    }
}

TEST(StoredVector, FloatsBecomeTheNearestHalfAndOfTwoTheEven) {
    for (uint32_t half = 0; half < 0x7bff; ++half) {
        const double low = value_of(static_cast<uint16_t>(half));
        const double high = value_of(static_cast<uint16_t>(half + 1));
        const auto middle = static_cast<float>((low + high) / 2);  // a float: it needs one bit more
        const auto even = static_cast<uint16_t>(half + half % 2);
        ASSERT_EQ(to_half(middle), even) << half;
        ASSERT_EQ(to_half(std::nextafter(middle, 0.0f)), half);
        ASSERT_EQ(to_half(std::nextafter(middle, 1e6f)), half + 1);
        ASSERT_EQ(to_half(-middle), even | 0x8000);
    }
    EXPECT_EQ(to_half(65504.0f), 0x7bff);
}

TEST(StoredVector, BytesErrByAtMostA253rdOfTheLargestComponent) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (int i = 0; i < 2000; ++i) {
        const float size = std::ldexp(1.0f, static_cast<int>(random() % 120) - 60);
        Vector vector(1 + random() % 40);
        float largest = 0;
        for (float& component : vector) {
            component = normal(random) * size;
            largest = std::max(largest, std::abs(component));
        }
        const Vector rounded = kept(VectorStorage::kInt8, vector);
        for (size_t j = 0; j < vector.size(); ++j) {
            ASSERT_LE(std::abs(rounded[j] - vector[j]), largest / 253) << vector[j] << " of " << largest;
        }
    }
}

TEST(StoredVector, KeepingWhatWasKeptChangesNothing) {
    std::mt19937 random(2);
    std::normal_distribution<float> normal;
    for (const VectorStorage storage : kNarrow) {
        for (int i = 0; i < 5000; ++i) {
            const float size = std::ldexp(1.0f, static_cast<int>(random() % 50) - 40);
            Vector vector(16);
            for (float& component : vector) {
                component = normal(random) * size;
            }
            const Vector once = kept(storage, vector);
            ASSERT_EQ(kept(storage, once), once);
        }
    }
}

// These bits are in files: docs/formats/segment.md.
TEST(StoredVector, BitsAreThoseOfTheFormat) {
    const Vector vector{1, -0.5f, 0.1f, 3e-8f, -2};
    std::vector<std::byte> bytes(16);
    put_components(VectorStorage::kF16, vector, bytes.data());
    const uint16_t halves[] = {0x3c00, 0xb800, 0x2e66, 0x0001, 0xc000};
    EXPECT_EQ(std::memcmp(bytes.data(), halves, sizeof(halves)), 0);
    const float scale = put_components(VectorStorage::kInt8, vector, bytes.data());
    EXPECT_EQ(scale, 0x1.0204p-6f);  // 2 / 127, cut to 17 bits
    const int8_t codes[] = {64, -32, 6, 0, -127};
    EXPECT_EQ(std::memcmp(bytes.data(), codes, sizeof(codes)), 0);
}

TEST(StoredVector, EndsOfTheRangeAreKeptAsFloats) {
    const float most = std::numeric_limits<float>::max();
    for (const float component : kept(VectorStorage::kInt8, {most, -most, most / 300})) {
        EXPECT_TRUE(std::isfinite(component));
    }
    EXPECT_EQ(kept(VectorStorage::kInt8, {0, 0}), (Vector{0, 0}));
    EXPECT_EQ(kept(VectorStorage::kInt8, {0x1p-101f, -0x1p-140f}), (Vector{0, 0}));
    EXPECT_EQ(kept(VectorStorage::kF16, {0x1p-25f, -0x1p-26f}), (Vector{0, 0}));
}

TEST(StoredVector, DistancesAreThoseOfWhatIsKept) {
    for (const uint32_t dimension : {16u, 17u, 100u, 771u}) {
        const std::vector<Vector> vectors = testing::gaussian_clusters(40, dimension, 3, dimension);
        for (const Metric metric : {Metric::kCosine, Metric::kDot, Metric::kL2}) {
            for (const VectorStorage storage : kNarrow) {
                std::vector<Vector> rounded = vectors;
                for (Vector& vector : rounded) {
                    round_to_stored(storage, vector);
                }
                const DataSet narrow(metric, vectors, storage);
                const DataSet floats(metric, rounded);
                const Vector query = narrow.query(vectors[0]);
                Vector room(dimension);
                for (uint32_t row = 0; row < narrow.count(); ++row) {
                    const float* const found = narrow.rows().vector(row, room.data());
                    ASSERT_EQ(Vector(found, found + dimension), rounded[row]);
                    EXPECT_EQ(narrow.rows().squared(row), floats.rows().squared(row));
                    const float expected = floats.rows().distance(query.data(), row);
                    EXPECT_NEAR(narrow.rows().distance(query.data(), row), expected,
                                2e-6 * (std::abs(expected) +
                                        floats.rows().squared(row) * (metric == Metric::kDot ? 1 : 0) + 1));
                }
            }
        }
    }
}

TEST(StoredVector, RowsTakeAHalfAndAQuarter) {
    EXPECT_EQ(row_stride(768, VectorStorage::kF32) * 4, 3136u);
    EXPECT_EQ(row_stride(768, VectorStorage::kF16) * 4, 1600u);
    EXPECT_EQ(row_stride(768, VectorStorage::kInt8) * 4, 832u);
    EXPECT_EQ(row_stride(16, VectorStorage::kInt8) * 4, 64u);
    EXPECT_EQ(row_stride(4096, VectorStorage::kInt8) * 4, 4160u);
}

}  // namespace
}  // namespace akidb::index
