#include "index/code_space.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/assert.h"

namespace akidb::index {
namespace {

// Equal norms for all would need a factor of 1 or more; but then most rows differ little but in the extra
// component. With 0.4, long rows lose some of it and all others keep their directions apart: fewer misses at
// equal cost on GloVe-100 and on norms spread log-normally with sigma 0.1 to 1.5, where angles alone fail.
constexpr float kScale = 0.4f;
// The mean of this many rows is as good as that of all.
constexpr uint32_t kMeanRows = 65'536;

}  // namespace

CodeSpace::CodeSpace(const Rows& rows, uint32_t count)
    : rows_(rows),
      dimension_(code_dimension(rows.shape())),
      mean_(dimension_),
      rotation_(dimension_, kCodeSpaceSeed, rows.kernels()) {
    AKIDB_ASSERT(count > 0);
    if (rows.metric() == model::Metric::kDot) {
        float largest = 0;
        for (uint32_t ordinal = 0; ordinal < count; ++ordinal) {
            largest = std::max(largest, rows.squared(ordinal));
        }
        scale_squared_ = kScale * kScale * largest;
    }
    const uint32_t step = std::max(1u, count / kMeanRows);
    std::vector<double> sums(dimension_);
    std::vector<float> room(rows.dimension());
    double number = 0;
    for (uint32_t ordinal = 0; ordinal < count; ordinal += step, ++number) {
        const float* const row = rows.vector(ordinal, room.data());
        const double factor = rows.metric() == model::Metric::kCosine ? rows.factor(ordinal) : 1;
        for (uint32_t i = 0; i < rows.dimension(); ++i) {
            sums[i] += row[i] * factor;
        }
        if (dimension_ > rows.dimension()) {
            sums.back() += extra_component(rows.squared(ordinal));
        }
    }
    std::transform(sums.begin(), sums.end(), mean_.begin(), [number](double sum) {
        // A sum of large floats may not be one.
        const double mean = sum / number;
        return std::abs(mean) < 1e30 ? static_cast<float>(mean) : 0.0f;
    });
}

CodeSpace::CodeSpace(const Rows& rows, CodeFrame frame)
    : rows_(rows),
      dimension_(code_dimension(rows.shape())),
      scale_squared_(frame.scale_squared),
      mean_(std::move(frame.mean)),
      rotation_(dimension_, kCodeSpaceSeed, rows.kernels()) {
    AKIDB_ASSERT(mean_.size() == dimension_);
}

float CodeSpace::extra_component(float squared_norm) const {
    return std::sqrt(std::max(scale_squared_ - squared_norm, 0.0f));
}

void CodeSpace::place_row(uint32_t ordinal, float* out) const {
    const float* const row = rows_.vector(ordinal, out);
    const uint32_t given = rows_.dimension();
    const float factor = rows_.metric() == model::Metric::kCosine ? rows_.factor(ordinal) : 1;
    for (uint32_t i = 0; i < given; ++i) {
        out[i] = row[i] * factor - mean_[i];
    }
    if (dimension_ > given) {
        out[given] = extra_component(rows_.squared(ordinal)) - mean_[given];
    }
    rotation_.apply(out);
    std::fill(out + dimension_, out + padded_dimension(), 0.0f);
}

CodeSpace::Terms CodeSpace::place_query(const float* query, float* out) const {
    const uint32_t given = rows_.dimension();
    Terms terms;
    if (rows_.metric() == model::Metric::kDot) {
        std::copy(query, query + given, out);
        out[given] = 0;
        terms = {-kernels().dot_f32(query, mean_.data(), given), 0, 1};
    } else {
        for (uint32_t i = 0; i < given; ++i) {
            out[i] = query[i] - mean_[i];
        }
        terms = {kernels().dot_f32(out, out, given), 1, 2};
    }
    rotation_.apply(out);
    std::fill(out + dimension_, out + padded_dimension(), 0.0f);
    return terms;
}

}  // namespace akidb::index
