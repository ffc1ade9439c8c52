#include "model/document.h"

#include <algorithm>
#include <cmath>

#include "model/limits.h"

namespace akidb::model {

Result<void> validate_vector(const CollectionSpec& spec, const std::vector<float>& vector) {
    if (vector.size() != spec.dimension) {
        return invalid_argument("vector",
                                "the vector has " + std::to_string(vector.size()) +
                                    " components but the collection has dimension " +
                                    std::to_string(spec.dimension),
                                std::to_string(spec.dimension) + " finite numbers");
    }
    // Squares of floats neither overflow nor vanish as doubles, so this sum decides safely for the float
    // kernels.
    double squared_norm = 0;
    for (size_t i = 0; i < vector.size(); ++i) {
        if (!std::isfinite(vector[i])) {
            return invalid_argument("vector[" + std::to_string(i) + "]",
                                    "the component is not a finite number", "finite 32-bit floats");
        }
        squared_norm += static_cast<double>(vector[i]) * static_cast<double>(vector[i]);
    }
    if (squared_norm > kSquaredNormMax) {
        return invalid_argument("vector",
                                "the vector is too long: sums of its squares overflow 32-bit floats",
                                "a squared length of at most 4e37");
    }
    if (spec.metric == Metric::kCosine && squared_norm == 0) {
        return invalid_argument("vector", "a zero vector has no direction under cosine",
                                "a vector that is not all zero");
    }
    if (spec.metric == Metric::kCosine && squared_norm < kCosineSquaredNormMin) {
        return invalid_argument(
            "vector",
            "the vector is too short to have a direction in 32-bit floats under cosine: scale it up",
            "a squared length of at least 1e-34");
    }
    return {};
}

Result<void> validate_kept_vector(const CollectionSpec& spec, const std::vector<float>& vector) {
    AKIDB_TRY(validate_vector(spec, vector));
    if (spec.storage != VectorStorage::kF16) {
        return {};
    }
    const auto large = std::find_if(vector.begin(), vector.end(),
                                    [](float component) { return std::abs(component) > kF16Max; });
    if (large != vector.end()) {
        return invalid_argument("vector[" + std::to_string(large - vector.begin()) + "]",
                                "the component is too large for the collection, which keeps 16-bit floats",
                                "-65504..65504");
    }
    const bool is_zero = std::all_of(vector.begin(), vector.end(),
                                     [](float component) { return std::abs(component) <= kF16ZeroMax; });
    if (spec.metric == Metric::kCosine && is_zero) {
        return invalid_argument(
            "vector",
            "the vector is zero in the 16-bit floats that the collection keeps, and has no "
            "direction under cosine: scale it up",
            "a component beyond 3e-8 or -3e-8");
    }
    return {};
}

}  // namespace akidb::model
