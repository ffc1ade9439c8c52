#include "index/rows.h"

#include <algorithm>
#include <cmath>

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

void encode_row(model::Metric metric, std::span<const float> vector, std::span<float> row) {
    AKIDB_ASSERT(row.size() >= vector.size() + kRowFactors);
    const double squared = squared_norm(vector);
    const auto factors = std::copy(vector.begin(), vector.end(), row.begin());
    factors[0] = row_factor(metric, squared);
    factors[1] = to_finite_float(squared);
    std::fill(factors + kRowFactors, row.end(), 0.0f);
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

Rows::Rows(model::Metric metric, uint32_t dimension, const simd::Kernels& kernels)
    : metric_(metric),
      dimension_(dimension),
      padded_dimension_((dimension + 7) / 8 * 8),
      stride_(row_stride(dimension)),
      kernels_(&kernels),
      pages_(kChunksMax * sizeof(std::atomic<const float*>), Pages::Size::kSmall),
      // Zeroed memory is a null pointer; starting the lifetime of each one by hand would touch every page.
      chunks_(static_cast<std::atomic<const float*>*>(pages_.data())) {
    static_assert(std::atomic<const float*>::is_always_lock_free &&
                  sizeof(std::atomic<const float*>) == sizeof(const float*));
}

}  // namespace akidb::index
