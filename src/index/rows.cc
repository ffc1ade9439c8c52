#include "index/rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/assert.h"

namespace akidb::index {
namespace {

// In double: the square of a large float is not a float.
double squared_norm(std::span<const float> vector) {
    double sum = 0;
    for (const float component : vector) {
        sum += static_cast<double>(component) * component;
    }
    return sum;
}

// A vector without a direction has cosine 0 with everything.
double inverse_norm(double squared) {
    return squared > 0 && std::isfinite(squared) ? 1 / std::sqrt(squared) : 0;
}

float to_finite_float(double value) {
    return static_cast<float>(std::min(value, static_cast<double>(std::numeric_limits<float>::max())));
}

float row_factor(model::Metric metric, double squared) {
    switch (metric) {
        case model::Metric::kCosine:
            return to_finite_float(inverse_norm(squared));
        case model::Metric::kDot:
            return 1;
        case model::Metric::kL2:
            return 0;
    }
    return 0;
}

}  // namespace

void encode_row(const RowShape& shape, std::span<const float> vector, std::span<std::byte> row) {
    AKIDB_ASSERT(vector.size() == shape.dimension &&
                 row.size() == size_t{row_stride(shape.dimension, shape.storage)} * 4);
    const float scale = put_components(shape.storage, vector, row.data());
    double squared = 0;
    if (shape.storage == model::VectorStorage::kF32) {
        squared = squared_norm(vector);
    } else {
        std::vector<float> kept(vector.size());
        get_components(shape.storage, row.data(), scale, kept);
        squared = squared_norm(kept);
    }
    const float factors[] = {row_factor(shape.metric, squared), to_finite_float(squared), scale};
    const size_t components = vector.size() * component_bytes(shape.storage);
    const size_t offset = factors_offset(shape.dimension, shape.storage);
    const size_t factor_bytes =
        shape.storage == model::VectorStorage::kInt8 ? sizeof(factors) : 2 * sizeof(float);
    std::fill(row.begin() + static_cast<std::ptrdiff_t>(components), row.end(), std::byte{0});
    std::memcpy(row.data() + offset, factors, factor_bytes);
}

uint32_t row_stride(std::span<const model::VectorSpec> vectors) {
    uint32_t words = 0;
    for (const model::VectorSpec& vector : vectors) {
        words += row_stride(vector.dimension, vector.storage);
    }
    return words;
}

void encode_wide_row(std::span<const model::VectorSpec> vectors, std::span<const float> floats,
                     uint8_t lacking, std::span<std::byte> row) {
    uint32_t bit = 1;
    for (const model::VectorSpec& vector : vectors) {
        const auto part = row.first(size_t{row_stride(vector.dimension, vector.storage)} * 4);
        if (!vector.name.empty() && (lacking & bit) != 0) {
            std::fill(part.begin(), part.end(), std::byte{0});
        } else {
            encode_row({vector.metric, vector.dimension, vector.storage}, floats.first(vector.dimension),
                       part);
        }
        bit <<= vector.name.empty() ? 0 : 1;
        floats = floats.subspan(vector.dimension);
        row = row.subspan(part.size());
    }
    AKIDB_ASSERT(floats.empty() && row.empty());
}

void encode_query(model::Metric metric, std::span<const float> vector, std::span<float> query) {
    AKIDB_ASSERT(query.size() >= vector.size());
    const double factor = metric == model::Metric::kCosine ? inverse_norm(squared_norm(vector)) : 1;
    const auto rest = std::transform(vector.begin(), vector.end(), query.begin(), [factor](float component) {
        return static_cast<float>(component * factor);
    });
    std::fill(rest, query.end(), 0.0f);
}

float score_of(model::Metric metric, float distance) {
    return metric == model::Metric::kL2 ? std::sqrt(std::max(distance, 0.0f)) : -distance;
}

float distance_of(model::Metric metric, float score) {
    // A negative Euclidean distance is below every row's, so its square must not be.
    return metric == model::Metric::kL2 ? score * std::abs(score) : -score;
}

Rows::Rows(const RowShape& shape, const simd::Kernels& kernels, RowPart part)
    : shape_(shape),
      padded_dimension_(shape.storage == model::VectorStorage::kF32
                            ? (shape.dimension + 7) / 8 * 8
                            : index::factors_offset(shape.dimension, shape.storage) /
                                  component_bytes(shape.storage)),
      factors_offset_(index::factors_offset(shape.dimension, shape.storage)),
      stride_(row_stride(shape.dimension, shape.storage)),
      part_offset_(size_t{part.offset} * 4),
      pitch_bytes_(size_t{part.pitch == 0 ? stride_ : part.pitch} * 4),
      kernels_(&kernels),
      pages_(kChunksMax * sizeof(std::atomic<const std::byte*>), Pages::Size::kSmall),
      // Zeroed memory is a null pointer; starting the lifetime of each one by hand would touch every page.
      chunks_(static_cast<std::atomic<const std::byte*>*>(pages_.data())) {
    static_assert(std::atomic<const std::byte*>::is_always_lock_free &&
                  sizeof(std::atomic<const std::byte*>) == sizeof(const std::byte*));
}

Rows::Rows(const Rows& all, const Members& members)
    : shape_(all.shape_),
      padded_dimension_(all.padded_dimension_),
      factors_offset_(all.factors_offset_),
      stride_(all.stride_),
      part_offset_(all.part_offset_),
      pitch_bytes_(all.pitch_bytes_),
      members_(&members),
      kernels_(all.kernels_),
      chunks_(all.chunks_) {}

const float* Rows::vector(uint32_t ordinal, float* room) const {
    const std::byte* const data = row(ordinal);
    if (shape_.storage == model::VectorStorage::kF32) {
        return reinterpret_cast<const float*>(data);
    }
    const float scale = shape_.storage == model::VectorStorage::kInt8 ? factors_of(data)[2] : 1;
    get_components(shape_.storage, data, scale, {room, shape_.dimension});
    return room;
}

}  // namespace akidb::index
