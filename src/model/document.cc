#include "model/document.h"

#include <algorithm>
#include <cmath>

#include "base/printable.h"
#include "model/limits.h"

namespace akidb::model {

const std::vector<float>& vector_of(const Document& document, std::string_view name) {
    static const std::vector<float> kNone;
    if (name.empty()) {
        return document.vector;
    }
    const auto found = std::find_if(document.vectors.begin(), document.vectors.end(),
                                    [&](const NamedVector& vector) { return vector.name == name; });
    return found == document.vectors.end() ? kNone : found->values;
}

bool Include::has_vector(std::string_view name) const {
    return vector || std::find(vectors.begin(), vectors.end(), name) != vectors.end();
}

Result<void> validate(const Include& include, const CollectionSpec& spec) {
    for (const std::string& name : include.vectors) {
        AKIDB_TRY(find_vector(spec, name, "include"));
    }
    return {};
}

size_t content_bytes(const Document& document) {
    size_t floats = document.vector.size();
    for (const NamedVector& vector : document.vectors) {
        floats += vector.values.size();
    }
    return floats * sizeof(float) + document.metadata.size();
}

Result<void> validate_vector(const VectorSpec& spec, const std::vector<float>& vector) {
    if (vector.size() != spec.dimension) {
        return invalid_argument("vector",
                                "the vector has " + std::to_string(vector.size()) + " components but " +
                                    (spec.name.empty() ? std::string("the collection") : spec.name) +
                                    " has dimension " + std::to_string(spec.dimension),
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

Result<void> validate_kept_vector(const VectorSpec& spec, const std::vector<float>& vector) {
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

Result<void> validate_kept_vectors(const CollectionSpec& spec, const std::vector<float>& vector,
                                   const std::vector<NamedVector>& named) {
    if (spec.dimension == 0 && !vector.empty()) {
        return invalid_argument("vector", "all vectors of the collection have names",
                                "vectors with " + names_of(spec.vectors));
    }
    if (spec.dimension > 0 && vector.empty()) {
        return invalid_argument("vector", "the field \"vector\" is missing",
                                "an array of " + std::to_string(spec.dimension) + " finite numbers");
    }
    if (spec.dimension > 0) {
        AKIDB_TRY(validate_kept_vector(
            {.dimension = spec.dimension, .metric = spec.metric, .storage = spec.storage}, vector));
    }
    return validate_named_vectors(spec, named);
}

Result<void> validate_named_vectors(const CollectionSpec& spec, const std::vector<NamedVector>& named) {
    for (size_t i = 0; i < named.size(); ++i) {
        const std::string field = "vectors." + printable(named[i].name);
        if (named[i].name.empty()) {
            return invalid_argument("vectors", "a vector here has a name", names_of(spec.vectors));
        }
        if (std::any_of(named.begin(), named.begin() + static_cast<std::ptrdiff_t>(i),
                        [&](const NamedVector& other) { return other.name == named[i].name; })) {
            return invalid_argument(field, "the vector is there twice", "each name once");
        }
        AKIDB_TRY(const VectorSpec known, find_vector(spec, named[i].name, field));
        if (Result<void> valid = validate_kept_vector(known, named[i].values); !valid) {
            constexpr size_t kPlainField = std::string_view("vector").size();
            const std::string place = field + valid.error().field().substr(kPlainField);
            return std::move(valid).error().with_field(place);
        }
    }
    return {};
}

}  // namespace akidb::model
