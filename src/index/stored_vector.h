// What a collection keeps of the components of a vector (model::VectorStorage), to the bit: replay, repair
// and rewrite must come to the same rows, so none of this may ever change for a storage that has a name
// (docs/formats/segment.md). Keeping what was kept before changes nothing. Pure functions, thread-safe.
//   f32   as sent
//   f16   IEEE binary16, rounded to nearest, ties to even: within 1/2048 of the component, or 2^−25 near zero
//   int8  codes −127…127 times one scale a vector, the largest magnitude / 127 cut to 17 bits so that all
//         products are floats: each component within 1/253 of the largest one; a vector whose largest
//         magnitude is below 2^−100 is kept as zeros
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "model/collection_spec.h"

namespace akidb::index {

constexpr uint32_t component_bytes(model::VectorStorage storage) {
    switch (storage) {
        case model::VectorStorage::kF32:
            return 4;
        case model::VectorStorage::kF16:
            return 2;
        case model::VectorStorage::kInt8:
            return 1;
    }
    return 4;
}

/// To IEEE binary16; the magnitude is at most kF16Max (model/limits.h).
uint16_t to_half(float value);
float from_half(uint16_t half);

/// `out` has room for vector.size() components, aligned to 4 bytes. Returns the scale: 1 but for int8.
float put_components(model::VectorStorage storage, std::span<const float> vector, std::byte* out);
void get_components(model::VectorStorage storage, const std::byte* from, float scale,
                    std::span<float> vector);
/// `vector` becomes what is kept of it.
void round_to_stored(model::VectorStorage storage, std::span<float> vector);

}  // namespace akidb::index
