#include "simd/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
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

TEST(Kernels, ScalarComputesTheDefinition) {
    const float a[] = {1, 2, 3, 4, 5};
    const float b[] = {2, 0, -1, 1, 10};
    EXPECT_EQ(scalar_kernels().dot_f32(a, b, 5), 53.0f);
    EXPECT_EQ(scalar_kernels().l2_f32(a, b, 5), 55.0f);
    EXPECT_EQ(scalar_kernels().dot_f32(a, b, 0), 0.0f);
}

TEST(Kernels, Avx2EqualsTheScalarOracleForAllLengthsAndAlignments) {
    if (avx2_kernels() == nullptr) {
        GTEST_SKIP() << "no AVX2 here";
    }
    std::mt19937 random(7);
    std::normal_distribution<float> normal;
    for (const size_t length : lengths()) {
        for (size_t shift = 0; shift < 4; ++shift) {
            // Values beyond the length are not numbers, so that a kernel that reads too far is caught.
            std::vector<float> a(length + shift + 16, std::nanf(""));
            std::vector<float> b(length + shift + 16, std::nanf(""));
            for (size_t i = 0; i < length; ++i) {
                a[i + shift] = normal(random);
                b[i + 1] = normal(random);
            }
            SCOPED_TRACE("length " + std::to_string(length) + " shift " + std::to_string(shift));
            expect_equal_sums(*avx2_kernels(), a.data() + shift, b.data() + 1, length);
        }
    }
}

TEST(Kernels, ChoiceFollowsTheForcedNameAndElseTheCpu) {
    EXPECT_STREQ(choose_kernels("scalar").name, "scalar");
    const char* const best = avx2_kernels() != nullptr ? "avx2" : "scalar";
    EXPECT_STREQ(choose_kernels("").name, best);
    EXPECT_STREQ(choose_kernels("avx2").name, best);
    EXPECT_STREQ(choose_kernels("neon").name, best);
    EXPECT_STREQ(choose_kernels(nullptr).name, best);
}

}  // namespace
}  // namespace akidb::simd
