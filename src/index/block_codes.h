// BlockCodes: four-bit codes of rows as they lie in a file, 32 rows to a block, for a scan of all of them by
// one query: component ≈ scale · (level − 7.5), where the scale makes ⟨x', code⟩ unbiased (row_codes.h).
// Beside the distance that the codes tell, the scan says how far off it may be, so that who has the codes
// alone knows which rows to look at themselves. A block is the levels as simd::Kernels::scan_b4 reads them,
// then |x'|², the scale and the error of each row, f32. Pure, thread-safe.
#pragma once

#include <array>
#include <cstdint>

#include "index/code_space.h"
#include "index/coded_query.h"

namespace akidb::index {

inline constexpr uint32_t kBlockRows = simd::kScanRows;

constexpr uint64_t code_block_bytes(uint32_t code_dimension) {
    return (code_dimension + simd::kScanDimensions4 - 1) / simd::kScanDimensions4 * simd::kScanStepBytes +
           3 * kBlockRows * sizeof(float);
}

/// Rows [0, count) of the space, count ≤ kBlockRows, into code_block_bytes; zeros for those that are lacking.
/// No row may be as long as kFarthestSquared.
void encode_block(const CodeSpace& space, uint32_t count, uint8_t* block);

struct BlockDistances {
    std::array<float, kBlockRows> distances;
    /// Of 1,000 rows, so far off is one or none.
    std::array<float, kBlockRows> errors;
};
/// `block` is aligned as floats are.
void scan_block(const CodeSpace& space, const CodedQuery& query, const uint8_t* block, BlockDistances& out);

}  // namespace akidb::index
