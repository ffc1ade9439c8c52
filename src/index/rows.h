// Rows: the vectors of one collection as the index sees them: row-major, in chunks of kRowsPerChunk rows
// whose addresses never change. A chunk may be heap memory (new rows) or a mapped segment file (rows after a
// restart); the index does not know which. One writer appends; readers see rows below a count that the writer
// published.
//
// A row is `dimension` components as the collection keeps them (stored_vector.h), then factors, f32 each,
// made from what is kept, zero-padded to a multiple of 64 bytes, so that rows start on a cache line:
//   factor 0 — cosine: 1/|x|; dot: 1; l2: 0        factor 1 — |x|²        factor 2, int8 only — the scale
// f16 and int8 have zeros before the factors up to a multiple of 16 bytes, so that no kernel needs a tail.
// A query is `dimension` floats (cosine: divided by its norm) and zeros up to query_size.
// *Distance* orders candidates, smaller is nearer: cosine and dot −⟨q,x⟩·factor0; l2 Σ(q−x)² over the
// dimension; always of what is kept, so that "exact" means the same wherever a row lies.
//
// Documents with several vectors have wide rows: one such row after the other (*parts*), each with its
// factors. A Rows is one part of all of them, or of those rows that have it (members.h).
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "index/members.h"
#include "index/pages.h"
#include "index/stored_vector.h"
#include "model/collection_spec.h"
#include "simd/kernels.h"

namespace akidb::index {

inline constexpr uint32_t kRowsPerChunk = 4096;
inline constexpr uint32_t kChunkShift = 12;
inline constexpr uint32_t kChunksMax = 1u << 16;
inline constexpr uint32_t kRowsMax = kRowsPerChunk * (kChunksMax - 1);

/// What decides how a row lies.
struct RowShape {
    model::Metric metric = model::Metric::kCosine;
    uint32_t dimension = 0;
    model::VectorStorage storage = model::VectorStorage::kF32;
};

/// In words of four bytes: where a part begins in a wide row, and how wide that is; 0: as the part alone.
struct RowPart {
    uint32_t offset = 0;
    uint32_t pitch = 0;
};

/// Bytes of a row before its factors.
constexpr uint32_t factors_offset(uint32_t dimension, model::VectorStorage storage) {
    const uint32_t bytes = dimension * component_bytes(storage);
    return storage == model::VectorStorage::kF32 ? bytes : (bytes + 15) / 16 * 16;
}
/// Words of four bytes from one row to the next.
constexpr uint32_t row_stride(uint32_t dimension, model::VectorStorage storage) {
    const uint32_t factors = storage == model::VectorStorage::kInt8 ? 3 : 2;
    return (factors_offset(dimension, storage) / 4 + factors + 15) / 16 * 16;
}
/// Floats of an encoded query.
constexpr uint32_t query_size(uint32_t dimension) {
    return (dimension + 15) / 16 * 16;
}

/// Of a wide row.
uint32_t row_stride(std::span<const model::VectorSpec> vectors);

/// `row` has row_stride words.
void encode_row(const RowShape& shape, std::span<const float> vector, std::span<std::byte> row);
/// `floats`: those of all vectors, one after the other. Bit i of `lacking`: the i-th of those with names is
/// not there; its part becomes zeros.
void encode_wide_row(std::span<const model::VectorSpec> vectors, std::span<const float> floats,
                     uint8_t lacking, std::span<std::byte> row);
void encode_query(model::Metric metric, std::span<const float> vector, std::span<float> query);
/// From a distance to the score of product.md: cosine and dot −distance; l2 its square root.
float score_of(model::Metric metric, float distance);
/// The distance that a score stands for, to compare thresholds without converting each candidate.
float distance_of(model::Metric metric, float score);

/// Asks for all cache lines of a row (at most the first twelve; the hardware follows longer runs by itself).
inline void prefetch_row(const std::byte* row, size_t bytes) {
    constexpr size_t kLineBytes = 64;
    constexpr size_t kLinesMax = 12;
    for (size_t offset = 0; offset < std::min(bytes, kLineBytes * kLinesMax); offset += kLineBytes) {
        __builtin_prefetch(row + offset);
    }
}

/// The table of chunk addresses. set_chunk is the writer's; row() is any reader's, for rows below a published
/// count.
class Rows {
  public:
    explicit Rows(const RowShape& shape, const simd::Kernels& kernels = simd::choose_kernels(""),
                  RowPart part = {});
    /// Of `all`, which gets the chunks, those that are members, counted from 0. Both must outlive it.
    Rows(const Rows& all, const Members& members);

    const RowShape& shape() const { return shape_; }
    model::Metric metric() const { return shape_.metric; }
    uint32_t dimension() const { return shape_.dimension; }
    /// Words of four bytes.
    uint32_t stride() const { return stride_; }
    size_t row_bytes() const { return size_t{stride_} * 4; }
    uint32_t query_size() const { return index::query_size(shape_.dimension); }
    const simd::Kernels& kernels() const { return *kernels_; }
    /// `data`: of whole rows.
    void set_chunk(uint32_t chunk, const std::byte* data) {
        chunks_[chunk].store(data + part_offset_, std::memory_order_release);
    }
    const std::byte* row(uint32_t ordinal) const {
        const uint32_t place = members_ == nullptr ? ordinal : members_->row_of(ordinal);
        const std::byte* chunk = chunks_[place >> kChunkShift].load(std::memory_order_acquire);
        return chunk + static_cast<size_t>(place & (kRowsPerChunk - 1)) * pitch_bytes_;
    }
    /// The vector that is kept: in the row itself where it keeps floats, else widened into `room`, which has
    /// `dimension` floats.
    const float* vector(uint32_t ordinal, float* room) const;
    /// Factor 0 and factor 1.
    float factor(uint32_t ordinal) const { return factors_of(row(ordinal))[0]; }
    float squared(uint32_t ordinal) const { return factors_of(row(ordinal))[1]; }

    void prefetch(uint32_t ordinal) const { prefetch_row(row(ordinal), row_bytes()); }
    /// From an encoded query. Never NaN: what overflows is as far as can be.
    float distance(const float* query, uint32_t ordinal) const {
        const std::byte* const data = row(ordinal);
        const float distance = shape_.metric == model::Metric::kL2
                                   ? squared_distance(query, data)
                                   : -product(query, data) * factors_of(data)[0];
        return distance < std::numeric_limits<float>::max() ? distance : std::numeric_limits<float>::max();
    }

  private:
    const float* factors_of(const std::byte* row) const {
        return reinterpret_cast<const float*>(row + factors_offset_);
    }
    float product(const float* query, const std::byte* row) const {
        switch (shape_.storage) {
            case model::VectorStorage::kF32:
                break;
            case model::VectorStorage::kF16:
                return kernels_->dot_f16(query, reinterpret_cast<const uint16_t*>(row), padded_dimension_);
            case model::VectorStorage::kInt8:
                return kernels_->dot_i8(query, reinterpret_cast<const int8_t*>(row), padded_dimension_) *
                       factors_of(row)[2];
        }
        return kernels_->dot_f32(query, reinterpret_cast<const float*>(row), padded_dimension_);
    }
    float squared_distance(const float* query, const std::byte* row) const {
        switch (shape_.storage) {
            case model::VectorStorage::kF32:
                break;
            case model::VectorStorage::kF16:
                return kernels_->l2_f16(query, reinterpret_cast<const uint16_t*>(row), padded_dimension_);
            case model::VectorStorage::kInt8:
                return kernels_->l2_i8(query, reinterpret_cast<const int8_t*>(row), factors_of(row)[2],
                                       padded_dimension_);
        }
        return kernels_->l2_f32(query, reinterpret_cast<const float*>(row), shape_.dimension);
    }

    RowShape shape_;
    // What kernels go over, within the query's zeros. Beyond the dimension f16 and int8 rows have zeros as
    // well; f32 rows have factors there, which count for nothing in a product, but would in a difference.
    uint32_t padded_dimension_;
    uint32_t factors_offset_;
    uint32_t stride_;
    size_t part_offset_;  // bytes, as the next
    size_t pitch_bytes_;
    const Members* members_ = nullptr;
    const simd::Kernels* kernels_;
    Pages pages_;                            // of chunks_: only what is used of it costs memory
    std::atomic<const std::byte*>* chunks_;  // kChunksMax
};

}  // namespace akidb::index
