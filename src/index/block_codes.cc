#include "index/block_codes.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "base/assert.h"
#include "index/row_codes.h"

namespace akidb::index {
namespace {

constexpr size_t kWordBytes = sizeof(uint32_t);
constexpr size_t kHalfStep = simd::kScanDimensions4 / 2;
// As of one-bit row codes: the error is nearly normal, and passes this many deviations to one side for 1 row
// in 2,000.
constexpr float kErrorDeviations = 3.3f;

void put_factor(uint8_t* factors, size_t kind, uint32_t row, float value) {
    std::memcpy(factors + (kind * kBlockRows + row) * sizeof(float), &value, sizeof(value));
}

}  // namespace

// The error of the estimated product is that of a random direction: |x'| · |q'| · √((1 − c²)/c²/(d − 1)),
// where c is the cosine between x' and its code.
void encode_block(const CodeSpace& space, uint32_t count, uint8_t* block) {
    AKIDB_ASSERT(count <= kBlockRows);
    const uint32_t dimension = space.dimension();
    const size_t steps = space.scan_steps(simd::kScanDimensions4);
    std::memset(block, 0, code_block_bytes(dimension));
    std::vector<float> vector(space.padded_dimension());
    for (uint32_t row = 0; row < count; ++row) {
        space.place_row(row, vector.data());
        const float squared = space.kernels().dot_f32(vector.data(), vector.data(), vector.size());
        AKIDB_ASSERT(squared < kFarthestSquared);
        const float inverse = inverse_step4(space, vector.data());
        float product = 0;
        float code_squared = 0;
        for (uint32_t i = 0; i < dimension; ++i) {
            const float level = level4(vector[i], inverse);
            const float code = level - 7.5f;
            product += vector[i] * code;
            code_squared += code * code;
            const size_t within = i % simd::kScanDimensions4;
            uint8_t& byte = block[i / simd::kScanDimensions4 * simd::kScanStepBytes + row * kWordBytes +
                                  within % kHalfStep];
            byte = static_cast<uint8_t>(byte | static_cast<unsigned>(level) << (within / kHalfStep * 4));
        }
        uint8_t* const factors = block + steps * simd::kScanStepBytes;
        put_factor(factors, 0, row, squared);
        if (product > 0) {
            const float lost = std::max(squared * code_squared / (product * product) - 1, 0.0f);
            put_factor(factors, 1, row, squared / product);
            put_factor(factors, 2, row, std::sqrt(squared * lost / static_cast<float>(dimension - 1)));
        }
    }
}

void scan_block(const CodeSpace& space, const CodedQuery& query, const uint8_t* block, BlockDistances& out) {
    const size_t steps = space.scan_steps(simd::kScanDimensions4);
    alignas(64) std::array<int32_t, kBlockRows> sums;
    space.kernels().scan_b4(block, query.bytes(), steps, sums.data());
    simd::Estimate estimate = query.estimate4();
    estimate.bound = std::numeric_limits<float>::infinity();
    const auto* const factors = reinterpret_cast<const float*>(block + steps * simd::kScanStepBytes);
    space.kernels().estimate_32(sums.data(), factors, estimate, out.distances.data());
    const float reach = kErrorDeviations * query.terms().weight * query.length();
    for (uint32_t row = 0; row < kBlockRows; ++row) {
        out.errors[row] = reach * factors[2 * kBlockRows + row] + query.margin(factors[row]);
    }
}

}  // namespace akidb::index
