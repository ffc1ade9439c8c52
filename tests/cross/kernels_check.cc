// Compares every set of kernels that this CPU runs with the scalar one, without a test library: for programs
// compiled for another machine and run by an emulator. Prints "N comparisons, M differences"; exit 1 when
// there is a difference, or nothing to compare. src/simd/kernels_test.cc says why each tolerance is what it
// is.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "simd/kernels.h"

namespace akidb::simd {
namespace {

constexpr size_t kRows = 7;

class Comparison {
  public:
    explicit Comparison(const Kernels& kernels) : kernels_(kernels) {}

    void run() {
        for (size_t length = 0; length <= 130; ++length) {
            run_length(length);
        }
        run_length(768);
        run_length(784);
    }

    size_t count() const { return count_; }
    size_t differences() const { return differences_; }

  private:
    void run_length(size_t length) {
        length_ = length;
        compare_float_sums();
        compare_half_sums();
        compare_scaled_byte_sums();
        compare_steps_of_rotation();
        compare_byte_dots();
        compare_four_bit_dots();
        compare_scans();
        compare_tables_and_estimates();
        compare_edges();
        if (length > 0 && (length & (length - 1)) == 0) {
            compare_hadamard();
        }
    }

    void expect(bool is_equal, const char* kernel) {
        ++count_;
        if (!is_equal) {
            ++differences_;
            std::printf("%s: %s differs at length %zu\n", kernels_.name, kernel, length_);
        }
    }

    void expect_near(double found, double expected, double tolerance, const char* kernel) {
        expect(std::abs(found - expected) <= tolerance, kernel);
    }

    template <class Value>
    void expect_same(const std::vector<Value>& found, const std::vector<Value>& expected,
                     const char* kernel) {
        expect(found == expected, kernel);
    }

    std::vector<float> floats(size_t count) {
        std::normal_distribution<float> normal;
        std::vector<float> values(count);
        for (float& value : values) {
            value = normal(random_);
        }
        return values;
    }

    template <class Byte>
    std::vector<Byte> bytes(size_t count) {
        std::vector<Byte> values(count);
        for (Byte& value : values) {
            value = static_cast<Byte>(random_());
        }
        return values;
    }

    void compare_float_sums() {
        const std::vector<float> a = floats(length_);
        const std::vector<float> b = floats(length_);
        double dots = 0;
        double squares = 0;
        for (size_t i = 0; i < length_; ++i) {
            dots += std::abs(static_cast<double>(a[i]) * b[i]);
            squares += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
        }
        const double factor = 2.0 * static_cast<double>(length_ + 2) * std::numeric_limits<float>::epsilon();
        expect_near(kernels_.dot_f32(a.data(), b.data(), length_),
                    scalar_.dot_f32(a.data(), b.data(), length_), factor * dots, "dot_f32");
        expect_near(kernels_.l2_f32(a.data(), b.data(), length_), scalar_.l2_f32(a.data(), b.data(), length_),
                    factor * squares, "l2_f32");
    }

    void compare_half_sums() {
        const std::vector<float> a = floats(length_);
        std::vector<uint16_t> half(length_);
        double magnitude = 0;
        for (size_t i = 0; i < length_; ++i) {
            half[i] = static_cast<uint16_t>((random_() & 0x83ffu) | (random_() % 20) << 10);
            magnitude += 64 * std::abs(a[i]);
        }
        expect_near(kernels_.dot_f16(a.data(), half.data(), length_),
                    scalar_.dot_f16(a.data(), half.data(), length_), 1e-6 * magnitude, "dot_f16");
        const float squares = scalar_.l2_f16(a.data(), half.data(), length_);
        expect_near(kernels_.l2_f16(a.data(), half.data(), length_), squares, 1e-5 * squares, "l2_f16");
    }

    void compare_scaled_byte_sums() {
        constexpr float kScale = 0.03f;
        const std::vector<float> a = floats(length_);
        std::vector<int8_t> codes(length_);
        double magnitude = 0;
        for (size_t i = 0; i < length_; ++i) {
            codes[i] = static_cast<int8_t>(random_());
            magnitude += std::abs(a[i] * static_cast<float>(codes[i]));
        }
        expect_near(kernels_.dot_i8(a.data(), codes.data(), length_),
                    scalar_.dot_i8(a.data(), codes.data(), length_), 1e-5 * magnitude, "dot_i8");
        const float squares = scalar_.l2_i8(a.data(), codes.data(), kScale, length_);
        expect_near(kernels_.l2_i8(a.data(), codes.data(), kScale, length_), squares, 1e-5 * squares,
                    "l2_i8");
    }

    void compare_steps_of_rotation() {
        const std::vector<float> a = floats(length_);
        const std::vector<float> b = floats(length_);
        const auto apply = [&](const Kernels& kernels) {
            std::vector<float> x = a;
            std::vector<float> y = b;
            kernels.multiply_f32(x.data(), y.data(), length_);
            kernels.mix_f32(x.data(), y.data(), length_);
            x.insert(x.end(), y.begin(), y.end());
            return x;
        };
        expect_same(apply(kernels_), apply(scalar_), "multiply_f32 and mix_f32");
        const float largest = scalar_.largest_f32(a.data(), length_);
        expect(kernels_.largest_f32(a.data(), length_) == largest, "largest_f32");
        std::vector<int8_t> found(length_);
        std::vector<int8_t> expected(length_);
        const float factor = largest > 0 ? 127 / largest : 0;
        expect(kernels_.round_f32(a.data(), factor, length_, found.data()) ==
                   scalar_.round_f32(a.data(), factor, length_, expected.data()),
               "the sum of round_f32");
        expect_same(found, expected, "round_f32");
    }

    void compare_byte_dots() {
        const std::vector<uint8_t> codes = bytes<uint8_t>((length_ + 1) * kRows);
        const std::vector<int8_t> query = bytes<int8_t>(length_);
        const uint8_t* rows[kRows];
        for (size_t row = 0; row < kRows; ++row) {
            rows[row] = codes.data() + row * (length_ + 1);
        }
        std::vector<int32_t> found(kRows);
        std::vector<int32_t> expected(kRows);
        kernels_.dots_u8(rows, kRows, query.data(), length_, found.data());
        scalar_.dots_u8(rows, kRows, query.data(), length_, expected.data());
        expect_same(found, expected, "dots_u8");
    }

    /// As many blocks of 64 as there are lengths: also long ones.
    void compare_four_bit_dots() {
        const size_t count = length_ % 64 * 64;
        const std::vector<uint8_t> codes = bytes<uint8_t>((count / 2 + 1) * kRows);
        const std::vector<int8_t> query = bytes<int8_t>(count);
        const uint8_t* rows[kRows];
        for (size_t row = 0; row < kRows; ++row) {
            rows[row] = codes.data() + row * (count / 2 + 1);
        }
        std::vector<int32_t> found(kRows);
        std::vector<int32_t> expected(kRows);
        kernels_.dots_u4(rows, kRows, query.data(), count, found.data());
        scalar_.dots_u4(rows, kRows, query.data(), count, expected.data());
        expect_same(found, expected, "dots_u4");
    }

    /// `length_` steps; the extremes too, where narrow sums would overflow.
    void compare_scans() {
        for (const bool is_extreme : {false, true}) {
            std::vector<uint8_t> codes = bytes<uint8_t>(length_ * kScanStepBytes);
            std::vector<uint8_t> table = bytes<uint8_t>(length_ * kScanTableBytes);
            std::vector<int8_t> query = bytes<int8_t>(length_ * kScanDimensions4);
            for (uint8_t& entry : table) {
                entry = is_extreme ? kScanTableMax : entry & kScanTableMax;
            }
            if (is_extreme) {
                codes.assign(codes.size(), 255);
                query.assign(query.size(), -128);
            }
            std::vector<int32_t> found(kScanRows);
            std::vector<int32_t> expected(kScanRows);
            kernels_.scan_b1(codes.data(), table.data(), length_, found.data());
            scalar_.scan_b1(codes.data(), table.data(), length_, expected.data());
            expect_same(found, expected, "scan_b1");
            kernels_.scan_b4(codes.data(), query.data(), length_, found.data());
            scalar_.scan_b4(codes.data(), query.data(), length_, expected.data());
            expect_same(found, expected, "scan_b4");
        }
    }

    void compare_tables_and_estimates() {
        const size_t steps = length_ % 32;
        const std::vector<float> query = floats(steps * kScanDimensions1);
        const float range = 4 * scalar_.largest_f32(query.data(), query.size());
        std::vector<uint8_t> found(steps * kScanTableBytes);
        std::vector<uint8_t> expected(steps * kScanTableBytes);
        kernels_.make_table_b1(query.data(), steps, range, found.data());
        scalar_.make_table_b1(query.data(), steps, range, expected.data());
        bool is_near = true;
        for (size_t i = 0; i < found.size(); ++i) {
            is_near = is_near && found[i] <= kScanTableMax && std::abs(found[i] - expected[i]) <= 1;
        }
        expect(is_near, "make_table_b1");

        const std::vector<float> factors = floats(2 * kScanRows);
        int32_t sums[kScanRows];
        for (int32_t& sum : sums) {
            sum = static_cast<int32_t>(random_() % 20'000) - 10'000;
        }
        const Estimate estimate{.base = 3, .constant = 0.5f, .scale = 0.01f, .offset = -7, .bound = 3};
        float distances[kScanRows];
        float expected_distances[kScanRows];
        const uint32_t nearer = kernels_.estimate_32(sums, factors.data(), estimate, distances);
        scalar_.estimate_32(sums, factors.data(), estimate, expected_distances);
        for (size_t i = 0; i < kScanRows; ++i) {
            expect_near(distances[i], expected_distances[i], 1e-4 * (1 + std::abs(expected_distances[i])),
                        "estimate_32");
            expect((nearer >> i & 1) == (distances[i] < estimate.bound ? 1u : 0u), "the mask of estimate_32");
        }
    }

    void expect_near(const EdgeSums& found, const EdgeSums& expected, double tolerance, const char* kernel) {
        expect_near(found.squared, expected.squared, tolerance, kernel);
        expect_near(found.product, expected.product, tolerance, kernel);
        expect_near(found.from, expected.from, tolerance, kernel);
    }

    void compare_edges() {
        const size_t count = length_ % 33 * 32;
        const double tolerance = 1e-5 * static_cast<double>(count + 1) * 16;
        const std::vector<float> from = floats(count);
        const std::vector<uint8_t> codes = bytes<uint8_t>(count);
        std::vector<uint8_t> bits(count / 8);
        std::vector<uint8_t> expected_bits(count / 8);
        expect_near(kernels_.encode_edge_b1(codes.data(), 0.013f, from.data(), count, bits.data()),
                    scalar_.encode_edge_b1(codes.data(), 0.013f, from.data(), count, expected_bits.data()),
                    tolerance, "the sums of encode_edge_b1");
        expect_same(bits, expected_bits, "encode_edge_b1");
        std::vector<uint8_t> levels(count);
        std::vector<uint8_t> expected_levels(count);
        expect_near(
            kernels_.encode_edge_b4(codes.data(), 0.013f, from.data(), count, 4.3f, levels.data()),
            scalar_.encode_edge_b4(codes.data(), 0.013f, from.data(), count, 4.3f, expected_levels.data()),
            tolerance, "the sums of encode_edge_b4");
        size_t different = 0;
        bool is_near = true;
        for (size_t i = 0; i < count; ++i) {
            different += levels[i] != expected_levels[i] ? 1 : 0;
            is_near = is_near && std::abs(levels[i] - expected_levels[i]) <= 1;
        }
        expect(is_near && different <= 1, "encode_edge_b4");
    }

    void compare_hadamard() {
        std::vector<float> found = floats(length_);
        std::vector<float> expected = found;
        kernels_.hadamard_f32(found.data(), length_);
        scalar_.hadamard_f32(expected.data(), length_);
        expect_same(found, expected, "hadamard_f32");
    }

    const Kernels& kernels_;
    const Kernels& scalar_ = scalar_kernels();
    std::mt19937 random_{17};
    size_t length_ = 0;
    size_t count_ = 0;
    size_t differences_ = 0;
};

}  // namespace
}  // namespace akidb::simd

int main() {
    const akidb::simd::Kernels* const* sets = nullptr;
    const size_t count = akidb::simd::runnable_kernels(&sets);
    size_t comparisons = 0;
    size_t differences = 0;
    for (size_t i = 0; i + 1 < count; ++i) {
        akidb::simd::Comparison comparison(*sets[i]);
        comparison.run();
        comparisons += comparison.count();
        differences += comparison.differences();
        std::printf("%s: %zu comparisons\n", sets[i]->name, comparison.count());
    }
    std::printf("%zu comparisons, %zu differences\n", comparisons, differences);
    return comparisons > 0 && differences == 0 ? 0 : 1;
}
