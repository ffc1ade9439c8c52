#include "index/coded_query.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "index/row_codes.h"

namespace akidb::index {
void CodedQuery::set(const CodeSpace& space, const float* query, QueryForms forms) {
    kernels_ = &space.kernels();
    rotated_.resize(space.padded_dimension());
    bytes_.resize(space.padded_dimension());
    terms_ = space.place_query(query, rotated_.data());
    squared_ = space.kernels().dot_f32(rotated_.data(), rotated_.data(), rotated_.size());
    if (!(squared_ < kFarthestSquared)) {  // too long for codes: all rows are equally far by them
        std::fill(rotated_.begin(), rotated_.end(), 0.0f);
        terms_.base = 0;
        terms_.constant = 0;
        squared_ = 0;
    }
    round_to_bytes(space.dimension());
    make_forms(space, forms);
}

void CodedQuery::set_row(const CodeSpace& space, const uint8_t* codes, RowFactors factors, QueryForms forms) {
    const auto [scale, squared] = factors;
    kernels_ = &space.kernels();
    bytes_.resize(space.padded_dimension());
    dimension_ = space.dimension();
    terms_ = {squared, 1, 2};
    squared_ = squared;
    scale_ = scale;
    sum_ = 0;
    for (uint32_t i = 0; i < dimension_; ++i) {
        const int code = codes[i] - 128;
        bytes_[i] = static_cast<int8_t>(code);
        sum_ += code;
    }
    std::fill(bytes_.begin() + dimension_, bytes_.end(), int8_t{0});
    largest_ = 128 * scale;
    if (forms.table) {
        rotated_.assign(space.padded_dimension(), 0.0f);
        for (uint32_t i = 0; i < dimension_; ++i) {
            rotated_[i] = static_cast<float>(codes[i] - 128) * scale;
        }
    }
    weight8_ = terms_.weight * scale_;
    make_forms(space, forms);
}

float CodedQuery::distance_to_row(const uint8_t* codes, RowFactors to) const {
    int32_t dot = 0;
    kernels_->dots_u8(&codes, 1, bytes_.data(), dimension_, &dot);
    return std::max(distance8(dot, to.scale, to.squared), 0.0f);
}

float CodedQuery::margin(float squared) const {
    // Rounding to steps of max/127, where the largest of d rotated components is about 4 times their root
    // mean square, errs by 4/127/√12 of it; in a product with a vector of random direction that adds up to
    // this times both lengths over √d, from either side.
    constexpr float kRounding = 4.0f / 127 / 3.46f * 1.42f;
    constexpr float kDeviations = 4;
    return kDeviations * kRounding * terms_.weight *
           std::sqrt(squared_ * squared / static_cast<float>(dimension_));
}

void CodedQuery::round_to_bytes(uint32_t dimension) {
    dimension_ = dimension;
    largest_ = kernels_->largest_f32(rotated_.data(), dimension);
    scale_ = largest_ / 127;
    sum_ = kernels_->round_f32(rotated_.data(), largest_ > 0 ? 127 / largest_ : 0, dimension, bytes_.data());
    std::fill(bytes_.begin() + dimension, bytes_.end(), int8_t{0});
    weight8_ = terms_.weight * scale_;
}

void CodedQuery::make_forms(const CodeSpace& space, QueryForms forms) {
    length_ = std::sqrt(squared_);
    if (forms.pairs) {
        pairs_.resize(2 * pair_code_bytes(dimension_));
        arrange_pairs(bytes_.data(), dimension_, pairs_);
    }
    if (forms.table) {
        const size_t steps = space.scan_steps(simd::kScanDimensions1);
        table_.resize(steps * simd::kScanTableBytes);
        const float range = 4 * largest_;
        kernels_->make_table_b1(rotated_.data(), steps, range, table_.data());
        table_scale_ = terms_.weight * 2 * range / simd::kScanTableMax;
        table_offset_ = -terms_.weight * range * 8;
    }
}

}  // namespace akidb::index
