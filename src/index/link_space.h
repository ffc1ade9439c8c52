// LinkSpace: the squared Euclidean distance in which the graph is built, where the triangle inequality that
// pruning rests on holds. Cosine: between unit vectors. L2: as it is. Dot: with one more component, sqrt(M² −
// |x|²), which makes norms up to M equal, so that the nearest is the one with the largest product (Bachrach
// et al. 2014). M is 0.4 times the largest norm when linking began; longer rows get 0 there. Distances are
// never negative and never NaN. Used by the builder only; thread-compatible.
#pragma once

#include <cstdint>
#include <vector>

#include "index/rows.h"

namespace akidb::index {

class LinkSpace {
  public:
    explicit LinkSpace(const Rows& rows);

    /// Fixes M from rows [0, count); once, before the first distance.
    void fix_scale(uint32_t count);
    /// Chooses the row that from_aim measures from.
    void aim(uint32_t ordinal);
    float from_aim(uint32_t ordinal) const;
    float between(uint32_t a, uint32_t b) const;

  private:
    float augmented(float squared_norm_a, float squared_norm_b, float product) const;

    const Rows& rows_;
    float scale_squared_ = 0;
    float aim_squared_norm_ = 0;
    std::vector<float> query_;
};

}  // namespace akidb::index
