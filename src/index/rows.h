// Rows: the vectors of one collection as the index sees them: f32, row-major, in chunks of kRowsPerChunk rows
// whose addresses never change. A chunk may be heap memory (new rows) or a mapped segment file (rows after a
// restart); the index does not know which. One writer appends; readers see rows below a count that the writer
// published.
//
// A row is `dimension` components as the client sent them, then kRowFactors floats made from them,
// zero-padded to a multiple of 16 floats (64 bytes, so that no kernel needs a tail and rows start on a cache
// line):
//   factor 0 — cosine: 1/|x|; dot: 1; l2: 0        factor 1 — |x|²
// A query is `dimension` components (cosine: divided by its norm) and zeros up to the stride.
// *Distance* orders candidates, smaller is nearer: cosine and dot −⟨q,x⟩·factor0; l2 Σ(q−x)² over the
// dimension.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "index/pages.h"
#include "model/collection_spec.h"
#include "simd/kernels.h"

namespace akidb::index {

inline constexpr uint32_t kRowsPerChunk = 4096;
inline constexpr uint32_t kChunkShift = 12;
inline constexpr uint32_t kChunksMax = 1u << 16;
inline constexpr uint32_t kRowsMax = kRowsPerChunk * (kChunksMax - 1);
inline constexpr uint32_t kRowFactors = 2;

/// Floats from one row to the next.
constexpr uint32_t row_stride(uint32_t dimension) {
    return (dimension + kRowFactors + 15) / 16 * 16;
}

void encode_row(model::Metric metric, std::span<const float> vector, std::span<float> row);
void encode_query(model::Metric metric, std::span<const float> vector, std::span<float> query);
/// From a distance to the score of product.md: cosine and dot −distance; l2 its square root.
float score_of(model::Metric metric, float distance);
/// The distance that a score stands for, to compare thresholds without converting each candidate.
float distance_of(model::Metric metric, float score);

/// Asks for all cache lines of a row (at most the first twelve; the hardware follows longer runs by itself).
inline void prefetch_row(const float* row, uint32_t stride) {
    constexpr uint32_t kFloatsPerLine = 16;
    constexpr uint32_t kLinesMax = 12;
    const uint32_t floats = stride < kFloatsPerLine * kLinesMax ? stride : kFloatsPerLine * kLinesMax;
    for (uint32_t offset = 0; offset < floats; offset += kFloatsPerLine) {
        __builtin_prefetch(row + offset);
    }
}

/// The table of chunk addresses. set_chunk is the writer's; row() is any reader's, for rows below a published
/// count.
class Rows {
  public:
    Rows(model::Metric metric, uint32_t dimension, const simd::Kernels& kernels = simd::choose_kernels(""));

    model::Metric metric() const { return metric_; }
    uint32_t dimension() const { return dimension_; }
    uint32_t stride() const { return stride_; }
    const simd::Kernels& kernels() const { return *kernels_; }
    void set_chunk(uint32_t chunk, const float* data) {
        chunks_[chunk].store(data, std::memory_order_release);
    }
    const float* row(uint32_t ordinal) const {
        const float* chunk = chunks_[ordinal >> kChunkShift].load(std::memory_order_acquire);
        return chunk + static_cast<size_t>(ordinal & (kRowsPerChunk - 1)) * stride_;
    }

    void prefetch(uint32_t ordinal) const { prefetch_row(row(ordinal), stride_); }
    /// From an encoded query. Never NaN: what overflows is as far as can be.
    float distance(const float* query, uint32_t ordinal) const {
        const float* const data = row(ordinal);
        const float distance = metric_ == model::Metric::kL2
                                   ? kernels_->l2_f32(query, data, dimension_)
                                   : -kernels_->dot_f32(query, data, padded_dimension_) * data[dimension_];
        return distance < std::numeric_limits<float>::max() ? distance : std::numeric_limits<float>::max();
    }

  private:
    model::Metric metric_;
    uint32_t dimension_;
    uint32_t padded_dimension_;  // to a multiple of 8, within the query's zeros: dot kernels need no tail
    uint32_t stride_;
    const simd::Kernels* kernels_;
    Pages pages_;                        // of chunks_: only what is used of it costs memory
    std::atomic<const float*>* chunks_;  // kChunksMax
};

}  // namespace akidb::index
