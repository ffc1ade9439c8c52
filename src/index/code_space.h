// CodeSpace: where codes are made. A row becomes a vector x of the space in which the graph is built, where
// nearness is Euclidean and the triangle inequality that pruning rests on holds; then the mean of the rows is
// taken away and the rest rotated: x' = R(x − m). Cosine: x is the unit vector. L2: as it is. Dot: with one
// more component, sqrt(M² − |x|²), which makes norms up to M equal, so that the nearest is the one with the
// largest product (Bachrach et al. 2014); M is 0.4 times the largest norm when the space was made, longer
// rows get 0 there. Mean, M and rotation stay as they are for the life of the space, however the rows change:
// they decide how good codes are, never whether answers are right. Immutable, thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "index/rotation.h"
#include "index/rows.h"

namespace akidb::index {

/// Of the rotation, which is the same in every space of a dimension.
inline constexpr uint64_t kCodeSpaceSeed = 0x616b6964622e3031u;

/// What a space is made of beside its rotation, for codes that are kept in a file.
struct CodeFrame {
    float scale_squared = 0;  // M²
    std::vector<float> mean{};
};

/// Components of a vector of the space.
constexpr uint32_t code_dimension(const RowShape& shape) {
    return shape.dimension + (shape.metric == model::Metric::kDot ? 1 : 0);
}

class CodeSpace {
  public:
    /// From rows [0, count), count > 0.
    CodeSpace(const Rows& rows, uint32_t count);
    /// As it was, over other rows of that shape. The mean has code_dimension components.
    CodeSpace(const Rows& rows, CodeFrame frame);
    CodeFrame frame() const { return {scale_squared_, mean_}; }

    /// Components of x'.
    uint32_t dimension() const { return dimension_; }
    /// Floats of a vector of the space, zeros at the end: a multiple of 64.
    uint32_t padded_dimension() const { return (dimension_ + 63) / 64 * 64; }
    /// Steps of a scan that compares `per_step` components in each.
    size_t scan_steps(size_t per_step) const { return (dimension_ + per_step - 1) / per_step; }
    const simd::Kernels& kernels() const { return rows_.kernels(); }

    /// x' of a row into `padded_dimension` floats.
    void place_row(uint32_t ordinal, float* out) const;

    /// A query as encode_query made it. Its distance to a row in terms of x' is
    /// base + constant · |x'|² − weight · ⟨out, x'⟩ and orders rows as Rows::distance does, but for dot
    /// beyond M, where it is that distance itself.
    struct Terms {
        float base = 0;
        float constant = 0;
        float weight = 0;
    };
    Terms place_query(const float* query, float* out) const;

  private:
    float extra_component(float squared_norm) const;

    const Rows& rows_;
    uint32_t dimension_;
    float scale_squared_ = 0;  // M²
    std::vector<float> mean_;
    Rotation rotation_;
};

}  // namespace akidb::index
