#include "simd/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace akidb::simd {
namespace {

std::vector<size_t> lengths() {
    std::vector<size_t> all;
    for (size_t length = 0; length <= 130; ++length) {
        all.push_back(length);
    }
    all.insert(all.end(), {768, 784, 1536});
    return all;
}

std::vector<const Kernels*> wide_kernels() {
    const Kernels* const* sets = nullptr;
    const size_t count = runnable_kernels(&sets);
    return {sets, sets + count - 1};
}

std::string name_of(const testing::TestParamInfo<const Kernels*>& info) {
    return info.param->name;
}

class WideKernels : public testing::TestWithParam<const Kernels*> {};

// Nothing to run on a CPU without any of the sets.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(WideKernels);
INSTANTIATE_TEST_SUITE_P(Kernels, WideKernels, testing::ValuesIn(wide_kernels()), name_of);

struct Floats {
    std::vector<float> a, b;
    const float* a_begin = nullptr;
    const float* b_begin = nullptr;
};

// Values beyond the length are not numbers, so that a kernel that reads too far is caught.
Floats make_floats(size_t length, size_t shift, std::mt19937& random) {
    std::normal_distribution<float> normal;
    Floats floats{std::vector<float>(length + shift + 16, std::nanf("")),
                  std::vector<float>(length + shift + 16, std::nanf("")), nullptr, nullptr};
    for (size_t i = 0; i < length; ++i) {
        floats.a[i + shift] = normal(random);
        floats.b[i + 1] = normal(random);
    }
    floats.a_begin = floats.a.data() + shift;
    floats.b_begin = floats.b.data() + 1;
    return floats;
}

// Summing n terms in any order errs by at most about n * epsilon * (sum of the terms' magnitudes); two orders
// by twice that (Higham, Accuracy and Stability of Numerical Algorithms, 4.2).
void expect_equal_sums(const Kernels& kernels, const float* a, const float* b, size_t count) {
    double dot_magnitude = 0;
    double l2_magnitude = 0;
    for (size_t i = 0; i < count; ++i) {
        dot_magnitude += std::abs(static_cast<double>(a[i]) * b[i]);
        l2_magnitude += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
    }
    const double factor = 2.0 * static_cast<double>(count + 2) * std::numeric_limits<float>::epsilon();
    EXPECT_NEAR(kernels.dot_f32(a, b, count), scalar_kernels().dot_f32(a, b, count), factor * dot_magnitude);
    EXPECT_NEAR(kernels.l2_f32(a, b, count), scalar_kernels().l2_f32(a, b, count), factor * l2_magnitude);
}

std::vector<uint8_t> random_bytes(size_t count, std::mt19937& random) {
    std::vector<uint8_t> bytes(count);
    for (uint8_t& byte : bytes) {
        byte = static_cast<uint8_t>(random());
    }
    return bytes;
}

std::vector<int8_t> random_query(size_t count, std::mt19937& random) {
    std::vector<int8_t> query(count);
    for (int8_t& component : query) {
        component = static_cast<int8_t>(random());
    }
    return query;
}

TEST(Kernels, ScalarComputesTheDefinition) {
    const float a[] = {1, 2, 3, 4, 5};
    const float b[] = {2, 0, -1, 1, 10};
    EXPECT_EQ(scalar_kernels().dot_f32(a, b, 5), 53.0f);
    EXPECT_EQ(scalar_kernels().l2_f32(a, b, 5), 55.0f);
    EXPECT_EQ(scalar_kernels().dot_f32(a, b, 0), 0.0f);
    const uint16_t half[] = {0x3c00, 0xc000, 0x0001, 0x7bff, 0x0000};  // 1, −2, 2^−24, 65504, 0
    EXPECT_EQ(scalar_kernels().dot_f16(a, half, 5), 1 - 4 + 3 * std::ldexp(1.0f, -24) + 4 * 65504.0f);
    EXPECT_EQ(scalar_kernels().l2_f16(a, half, 2), 0.0f + 16.0f);
    const int8_t codes[] = {2, -127, 0, 127, 1};
    EXPECT_EQ(scalar_kernels().dot_i8(a, codes, 5), 2 - 254 + 508 + 5.0f);
    EXPECT_EQ(scalar_kernels().l2_i8(a, codes, 0.5f, 3), 0.0f + 65.5f * 65.5f + 9.0f);
}

TEST(Kernels, ScalarScansFindEachRowsOwnBits) {
    std::vector<uint8_t> codes(kScanStepBytes);
    codes[3 * 4 + 1] = 0x21;  // row 3: dimensions 8 and 13
    std::vector<uint8_t> table(kScanTableBytes);
    table[16 + 1] = 5;       // dimensions 8–11 (group 2), the lowest bit
    table[64 + 16 + 2] = 7;  // dimensions 12–15 (group 3), the second bit
    int32_t sums[kScanRows];
    scalar_kernels().scan_b1(codes.data(), table.data(), 1, sums);
    for (size_t row = 0; row < kScanRows; ++row) {
        EXPECT_EQ(sums[row], row == 3 ? 12 : 0);
    }
    const int8_t query[] = {0, 3, 0, 0, 0, -2, 0, 0};
    int32_t dots[kScanRows];
    scalar_kernels().scan_b4(codes.data(), query, 1, dots);
    EXPECT_EQ(dots[3], 1 * 3 + 2 * -2);
}

TEST_P(WideKernels, FloatSumsEqualTheOracleForAllLengthsAndAlignments) {
    std::mt19937 random(7);
    for (const size_t length : lengths()) {
        for (size_t shift = 0; shift < 4; ++shift) {
            SCOPED_TRACE("length " + std::to_string(length) + " shift " + std::to_string(shift));
            const Floats floats = make_floats(length, shift, random);
            expect_equal_sums(*GetParam(), floats.a_begin, floats.b_begin, length);
        }
    }
}

TEST_P(WideKernels, HalfFloatSumsEqualTheOracle) {
    std::mt19937 random(8);
    for (const size_t length : lengths()) {
        const Floats floats = make_floats(length, 3, random);
        std::vector<uint16_t> half(length + 5, 0x7e00);
        double magnitude = 0;
        for (size_t i = 0; i < length; ++i) {
            // Sign, a small exponent or none (subnormal), any fraction.
            half[i + 1] = static_cast<uint16_t>((random() & 0x83ffu) | (random() % 20) << 10);
            magnitude += 64 * std::abs(floats.a_begin[i]);
        }
        EXPECT_NEAR(GetParam()->dot_f16(floats.a_begin, half.data() + 1, length),
                    scalar_kernels().dot_f16(floats.a_begin, half.data() + 1, length), 1e-6 * magnitude)
            << length;
        const float squares = scalar_kernels().l2_f16(floats.a_begin, half.data() + 1, length);
        EXPECT_NEAR(GetParam()->l2_f16(floats.a_begin, half.data() + 1, length), squares, 1e-5 * squares)
            << length;
    }
}

TEST_P(WideKernels, SumsWithScaledBytesEqualTheOracle) {
    constexpr float kScale = 0.03f;
    std::mt19937 random(16);
    for (const size_t length : lengths()) {
        const Floats floats = make_floats(length, 3, random);
        std::vector<int8_t> codes = random_query(length + 5, random);
        const int8_t* const row = codes.data() + 1;
        double magnitude = 0;
        for (size_t i = 0; i < length; ++i) {
            magnitude += std::abs(static_cast<double>(floats.a_begin[i]) * row[i]);
        }
        EXPECT_NEAR(GetParam()->dot_i8(floats.a_begin, row, length),
                    scalar_kernels().dot_i8(floats.a_begin, row, length), 1e-5 * magnitude)
            << length;
        const float squares = scalar_kernels().l2_i8(floats.a_begin, row, kScale, length);
        EXPECT_NEAR(GetParam()->l2_i8(floats.a_begin, row, kScale, length), squares, 1e-5 * squares)
            << length;
    }
}

TEST_P(WideKernels, ByteDotsEqualTheOracleForAnyNumberOfRows) {
    std::mt19937 random(9);
    for (const size_t length : lengths()) {
        const std::vector<uint8_t> bytes = random_bytes(length * 7 + 8, random);
        const std::vector<int8_t> query = random_query(length, random);
        const uint8_t* rows[7];
        for (size_t row = 0; row < 7; ++row) {
            rows[row] = bytes.data() + row * (length + 1);
        }
        for (size_t count = 0; count <= 7; ++count) {
            int32_t expected[7] = {};
            int32_t found[7] = {};
            scalar_kernels().dots_u8(rows, count, query.data(), length, expected);
            GetParam()->dots_u8(rows, count, query.data(), length, found);
            EXPECT_EQ(std::memcmp(found, expected, sizeof(found)), 0) << length << " of " << count << " rows";
        }
    }
}

TEST_P(WideKernels, FourBitDotsEqualTheOracle) {
    std::mt19937 random(10);
    for (size_t length = 0; length <= 1024; length += 64) {
        const std::vector<uint8_t> bytes = random_bytes(length / 2 * 7 + 8, random);
        const std::vector<int8_t> query = random_query(length, random);
        const uint8_t* rows[7];
        for (size_t row = 0; row < 7; ++row) {
            rows[row] = bytes.data() + row * (length / 2 + 1);
        }
        int32_t expected[7] = {};
        int32_t found[7] = {};
        scalar_kernels().dots_u4(rows, 7, query.data(), length, expected);
        GetParam()->dots_u4(rows, 7, query.data(), length, found);
        EXPECT_EQ(std::memcmp(found, expected, sizeof(found)), 0) << length;
    }
}

TEST_P(WideKernels, ExtremeCodesDoNotOverflow) {
    const std::vector<uint8_t> codes(4096, 255);
    const std::vector<int8_t> query(4096, -128);
    const uint8_t* const row = codes.data();
    int32_t dot = 0;
    GetParam()->dots_u8(&row, 1, query.data(), 4096, &dot);
    EXPECT_EQ(dot, 255 * -128 * 4096);
    GetParam()->dots_u4(&row, 1, query.data(), 4096, &dot);
    EXPECT_EQ(dot, 15 * -128 * 4096);
    const std::vector<uint8_t> many(kScanStepBytes * 512, 255);
    int32_t dots[kScanRows];
    GetParam()->scan_b4(many.data(), query.data(), 512, dots);
    EXPECT_EQ(dots[31], 15 * -128 * 4096);
    const std::vector<uint8_t> table(kScanTableBytes * 512, kScanTableMax);
    int32_t sums[kScanRows];
    GetParam()->scan_b1(many.data(), table.data(), 512, sums);
    EXPECT_EQ(sums[31], kScanTableMax * 8 * 512);
}

TEST_P(WideKernels, ScansEqualTheOracleForAllNumbersOfSteps) {
    std::mt19937 random(11);
    for (size_t steps = 0; steps <= 130; ++steps) {
        const std::vector<uint8_t> codes = random_bytes(steps * kScanStepBytes, random);
        std::vector<uint8_t> table = random_bytes(steps * kScanTableBytes, random);
        for (uint8_t& entry : table) {
            entry &= kScanTableMax;
        }
        const std::vector<int8_t> query = random_query(steps * kScanDimensions4, random);
        int32_t sums[kScanRows];
        int32_t expected_sums[kScanRows];
        GetParam()->scan_b1(codes.data(), table.data(), steps, sums);
        scalar_kernels().scan_b1(codes.data(), table.data(), steps, expected_sums);
        EXPECT_EQ(std::memcmp(sums, expected_sums, sizeof(sums)), 0) << steps;
        int32_t dots[kScanRows];
        int32_t expected_dots[kScanRows];
        GetParam()->scan_b4(codes.data(), query.data(), steps, dots);
        scalar_kernels().scan_b4(codes.data(), query.data(), steps, expected_dots);
        EXPECT_EQ(std::memcmp(dots, expected_dots, sizeof(dots)), 0) << steps;
    }
}

TEST_P(WideKernels, TablesAndEstimatesEqualTheOracle) {
    std::mt19937 random(14);
    for (size_t steps = 1; steps <= 25; ++steps) {
        const Floats floats = make_floats(steps * kScanDimensions1, 1, random);
        std::vector<uint8_t> table(steps * kScanTableBytes);
        std::vector<uint8_t> expected = table;
        const float range = 4 * GetParam()->largest_f32(floats.a_begin, steps * kScanDimensions1);
        GetParam()->make_table_b1(floats.a_begin, steps, range, table.data());
        scalar_kernels().make_table_b1(floats.a_begin, steps, range, expected.data());
        for (size_t i = 0; i < table.size(); ++i) {
            EXPECT_LE(table[i], kScanTableMax);
            EXPECT_LE(std::abs(table[i] - expected[i]), 1);  // a sum may be rounded once or four times
        }
    }
    const Floats factors = make_floats(2 * kScanRows, 0, random);
    int32_t sums[kScanRows];
    for (int32_t& sum : sums) {
        sum = static_cast<int32_t>(random() % 20'000) - 10'000;
    }
    const Estimate estimate{.base = 3, .constant = 0.5f, .scale = 0.01f, .offset = -7, .bound = 3};
    float found[kScanRows];
    float expected[kScanRows];
    const uint32_t nearer = GetParam()->estimate_32(sums, factors.a_begin, estimate, found);
    EXPECT_EQ(nearer, scalar_kernels().estimate_32(sums, factors.a_begin, estimate, expected));
    for (size_t i = 0; i < kScanRows; ++i) {
        EXPECT_NEAR(found[i], expected[i], 1e-4 * (1 + std::abs(expected[i])));
    }
}

TEST_P(WideKernels, HadamardEqualsTheOracle) {
    std::mt19937 random(12);
    for (size_t count = 1; count <= 2048; count *= 2) {
        Floats floats = make_floats(count, 1, random);
        std::vector<float> values(floats.a_begin, floats.a_begin + count);
        std::vector<float> expected = values;
        GetParam()->hadamard_f32(values.data(), count);
        scalar_kernels().hadamard_f32(expected.data(), count);
        EXPECT_EQ(values, expected) << count;  // the same additions in the same order
    }
}

TEST_P(WideKernels, StepsOfRotationAndRoundingEqualTheOracle) {
    std::mt19937 random(15);
    for (const size_t length : lengths()) {
        const Floats floats = make_floats(length, 1, random);
        const std::vector<float> a(floats.a_begin, floats.a_begin + length);
        const std::vector<float> b(floats.b_begin, floats.b_begin + length);
        const float largest = scalar_kernels().largest_f32(a.data(), length);
        EXPECT_EQ(GetParam()->largest_f32(a.data(), length), largest);
        const auto apply = [&](const Kernels& kernels) {
            std::vector<float> x = a;
            std::vector<float> y = b;
            kernels.multiply_f32(x.data(), y.data(), length);
            kernels.mix_f32(x.data(), y.data(), length);
            x.insert(x.end(), y.begin(), y.end());
            return x;
        };
        EXPECT_EQ(apply(*GetParam()), apply(scalar_kernels())) << length;
        std::vector<int8_t> bytes(length), expected(length);
        const float factor = largest > 0 ? 127 / largest : 0;
        EXPECT_EQ(GetParam()->round_f32(a.data(), factor, length, bytes.data()),
                  scalar_kernels().round_f32(a.data(), factor, length, expected.data()));
        EXPECT_EQ(bytes, expected) << length;
    }
}

TEST_P(WideKernels, EdgesAreEncodedAsByTheOracle) {
    std::mt19937 random(13);
    for (size_t length = 0; length <= 1024; length += 32) {
        const Floats floats = make_floats(length, 2, random);
        const std::vector<uint8_t> codes = random_bytes(length, random);
        const double tolerance = 1e-5 * static_cast<double>(length + 1) * 16;
        std::vector<uint8_t> bits(length / 8), expected_bits(length / 8);
        const auto expect_near = [&](const EdgeSums& found, const EdgeSums& expected) {
            EXPECT_NEAR(found.squared, expected.squared, tolerance);
            EXPECT_NEAR(found.product, expected.product, tolerance);
            EXPECT_NEAR(found.from, expected.from, tolerance);
        };
        expect_near(GetParam()->encode_edge_b1(codes.data(), 0.013f, floats.a_begin, length, bits.data()),
                    scalar_kernels().encode_edge_b1(codes.data(), 0.013f, floats.a_begin, length,
                                                    expected_bits.data()));
        EXPECT_EQ(bits, expected_bits);
        std::vector<uint8_t> levels(length), expected_levels(length);
        expect_near(
            GetParam()->encode_edge_b4(codes.data(), 0.013f, floats.a_begin, length, 4.3f, levels.data()),
            scalar_kernels().encode_edge_b4(codes.data(), 0.013f, floats.a_begin, length, 4.3f,
                                            expected_levels.data()));
        // A product and a sum may be rounded once or twice: at the edge of a level that decides.
        size_t different = 0;
        for (size_t i = 0; i < length; ++i) {
            different += levels[i] != expected_levels[i] ? 1 : 0;
            EXPECT_LE(std::abs(levels[i] - expected_levels[i]), 1);
        }
        EXPECT_LE(different, 1u);
    }
}

TEST(Kernels, ChoiceFollowsTheForcedNameAndElseTheCpu) {
    const Kernels* const* sets = nullptr;
    const size_t count = runnable_kernels(&sets);
    ASSERT_GE(count, 1u);
    for (size_t i = 0; i < count; ++i) {
        EXPECT_EQ(&choose_kernels(sets[i]->name), sets[i]);
    }
    EXPECT_STREQ(sets[count - 1]->name, "scalar");
    EXPECT_EQ(&choose_kernels(""), sets[0]);
    EXPECT_EQ(&choose_kernels("mmx"), sets[0]);
    EXPECT_EQ(&choose_kernels(nullptr), sets[0]);
}

}  // namespace
}  // namespace akidb::simd
