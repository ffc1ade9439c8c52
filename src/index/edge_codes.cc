#include "index/edge_codes.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/assert.h"

namespace akidb::index {
namespace {

constexpr uint32_t kRows = simd::kScanRows;
constexpr size_t kPaddedMax = 32'768 + 64;  // the largest dimension that a setting can allow, and one more
constexpr size_t kFactorBytes = 2 * kRows * sizeof(float);
// Levels of a four-bit code are this share of the root mean square apart: least squared error for normally
// distributed components (Max 1960, uniform quantiser of 16 levels).
constexpr float kLevelStep = 0.335f;

}  // namespace

EdgeCodes::EdgeCodes(const CodeSpace& space, uint32_t degree, uint32_t bits)
    : space_(space),
      degree_(degree),
      bits_(bits),
      steps_(space.scan_steps(bits == 1 ? simd::kScanDimensions1 : simd::kScanDimensions4)),
      group_bytes_(steps_ * simd::kScanStepBytes + kFactorBytes),
      records_((degree + kRows - 1) / kRows * group_bytes_) {
    AKIDB_ASSERT(degree > 0 && degree <= 64 && (bits == 1 || bits == 4));
}

void EdgeCodes::encode(const CodedQuery& from, const uint8_t* to_codes, RowFactors to, Edge& edge) const {
    const size_t dimension = space_.padded_dimension();
    // Room for whole words; what a code has beyond the dimension meets zeros of the query.
    edge.levels.resize(dimension);
    const simd::Kernels& kernels = space_.kernels();
    std::array<uint8_t, kPaddedMax> padded;
    if (dimension != space_.dimension()) {  // factors follow the code: not components
        std::memcpy(padded.data(), to_codes, space_.dimension());
        std::fill(padded.data() + space_.dimension(), padded.data() + dimension, uint8_t{128});
        to_codes = padded.data();
    }
    if (bits_ == 1) {
        edge.sums = kernels.encode_edge_b1(to_codes, to.scale, from.rotated(), dimension, edge.levels.data());
    } else {
        const float spread =
            std::sqrt(from.distance_to_row(to_codes, to) / static_cast<float>(space_.dimension()));
        const float inverse_step = spread > 0 ? 1 / (kLevelStep * spread) : 0;
        std::array<uint8_t, kPaddedMax> levels;
        edge.sums = kernels.encode_edge_b4(to_codes, to.scale, from.rotated(), dimension, inverse_step,
                                           levels.data());
        // Byte t of a word: component 8 · step + t low, 8 · step + 4 + t high.
        for (size_t step = 0; step < steps_; ++step) {
            for (size_t t = 0; t < 4; ++t) {
                edge.levels[step * 4 + t] =
                    static_cast<uint8_t>(levels[step * 8 + t] | levels[step * 8 + 4 + t] << 4);
            }
        }
    }
    edge.scale = edge.sums.product > 0 ? edge.sums.squared / edge.sums.product : 0;
}

void EdgeCodes::store(uint32_t row, uint32_t slot, const Edge& edge) const {
    put(row, slot, edge, edge.sums.from, 0);
}

// The other way −r has the code −c, which is each level's complement; ⟨−c, n'⟩ = −(⟨c, x'⟩ + ⟨c, r⟩).
void EdgeCodes::store_reversed(uint32_t row, uint32_t slot, const Edge& edge) const {
    put(row, slot, edge, -(edge.sums.from + edge.sums.product), 0xffffffffu);
}

void EdgeCodes::put(uint32_t row, uint32_t slot, const Edge& edge, float from_product, uint32_t flip) const {
    uint8_t* const group = records_.at(row) + slot / kRows * group_bytes_;
    const size_t lane = slot % kRows * sizeof(uint32_t);
    for (size_t step = 0; step < steps_; ++step) {
        uint32_t word = 0;
        std::memcpy(&word, edge.levels.data() + step * sizeof(word), sizeof(word));
        store_relaxed(group + step * simd::kScanStepBytes + lane, word ^ flip);
    }
    uint8_t* const factors = group + steps_ * simd::kScanStepBytes + lane;
    store_relaxed(factors, edge.sums.squared + 2 * edge.scale * from_product);
    store_relaxed(factors + kRows * sizeof(float), edge.scale);
}

uint64_t EdgeCodes::scan(const CodedQuery& query, uint32_t row, float distance, float bound,
                         float* distances) const {
    const uint8_t* const record = records_.at(row);
    simd::Estimate estimate = bits_ == 1 ? query.estimate1(steps_) : query.estimate4();
    estimate.base = distance;
    estimate.bound = bound;
    uint64_t nearer = 0;
    for (uint32_t group = 0; group * kRows < degree_; ++group) {
        alignas(64) std::array<int32_t, kRows> sums;
        const uint8_t* const codes = record + group * group_bytes_;
        if (bits_ == 1) {
            space_.kernels().scan_b1(codes, query.table(), steps_, sums.data());
        } else {
            space_.kernels().scan_b4(codes, query.bytes(), steps_, sums.data());
        }
        const uint64_t mask = space_.kernels().estimate_32(
            sums.data(), reinterpret_cast<const float*>(codes + steps_ * simd::kScanStepBytes), estimate,
            distances + group * kRows);
        nearer |= mask << (group * kRows);
    }
    return nearer & ~uint64_t{0} >> (64 - degree_);
}

}  // namespace akidb::index
