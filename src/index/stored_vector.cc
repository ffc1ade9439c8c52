#include "index/stored_vector.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

namespace akidb::index {
namespace {

constexpr float kInt8CodeMax = 127;
// Below it, scale and codes would have to share the few bits of a subnormal float.
constexpr float kInt8Zero = 0x1p-100f;

// Seven bits less leave room for those of a code: scale × code is exact, and so is largest / 127 of what was
// kept. Cut, not rounded, so that 127 × scale is never above the largest magnitude.
float int8_scale(float largest) {
    constexpr uint32_t kKept = ~uint32_t{0x7f};
    return largest < kInt8Zero ? 0 : std::bit_cast<float>(std::bit_cast<uint32_t>(largest / 127) & kKept);
}

float put_int8(std::span<const float> vector, int8_t* codes) {
    float largest = 0;
    for (const float component : vector) {
        largest = std::max(largest, std::abs(component));
    }
    const float scale = int8_scale(largest);
    const float inverse = scale > 0 ? 1 / scale : 0;
    for (size_t i = 0; i < vector.size(); ++i) {
        const float code = std::clamp(std::nearbyint(vector[i] * inverse), -kInt8CodeMax, kInt8CodeMax);
        codes[i] = static_cast<int8_t>(code);
    }
    return scale;
}

}  // namespace

uint16_t to_half(float value) {
    constexpr uint32_t kSmallestNormal = 0x38800000;       // 2^−14
    constexpr uint32_t kExponentShift = (127 - 15) << 23;  // between the biases
    const uint32_t bits = std::bit_cast<uint32_t>(value);
    const uint32_t sign = bits >> 16 & 0x8000;
    const uint32_t magnitude = bits & 0x7fffffff;
    if (magnitude < kSmallestNormal) {
        // Floats from 0.5 on are 2^−24 apart, as subnormal halves are: the sum is rounded as they must be.
        const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
        return static_cast<uint16_t>(sign |
                                     (std::bit_cast<uint32_t>(shifted) - std::bit_cast<uint32_t>(0.5f)));
    }
    const uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
    return static_cast<uint16_t>(sign | (rounded - kExponentShift) >> 13);
}

float from_half(uint16_t half) {
    // In a float's place for exponent and fraction a half is 2^−112 of itself, subnormal or not.
    const uint32_t sign = uint32_t{half & 0x8000u} << 16;
    const float magnitude = std::bit_cast<float>(uint32_t{half & 0x7fffu} << 13) * 0x1p112f;
    return std::bit_cast<float>(std::bit_cast<uint32_t>(magnitude) | sign);
}

float put_components(model::VectorStorage storage, std::span<const float> vector, std::byte* out) {
    switch (storage) {
        case model::VectorStorage::kF32:
            std::memcpy(out, vector.data(), vector.size_bytes());
            return 1;
        case model::VectorStorage::kF16:
            std::transform(vector.begin(), vector.end(), reinterpret_cast<uint16_t*>(out), to_half);
            return 1;
        case model::VectorStorage::kInt8:
            return put_int8(vector, reinterpret_cast<int8_t*>(out));
    }
    return 1;
}

void get_components(model::VectorStorage storage, const std::byte* from, float scale,
                    std::span<float> vector) {
    switch (storage) {
        case model::VectorStorage::kF32:
            std::memcpy(vector.data(), from, vector.size_bytes());
            return;
        case model::VectorStorage::kF16: {
            const auto* const halves = reinterpret_cast<const uint16_t*>(from);
            std::transform(halves, halves + vector.size(), vector.begin(), from_half);
            return;
        }
        case model::VectorStorage::kInt8: {
            const auto* const codes = reinterpret_cast<const int8_t*>(from);
            std::transform(codes, codes + vector.size(), vector.begin(),
                           [scale](int8_t code) { return scale * static_cast<float>(code); });
            return;
        }
    }
}

void round_to_stored(model::VectorStorage storage, std::span<float> vector) {
    if (storage == model::VectorStorage::kF32) {
        return;
    }
    std::vector<uint16_t> kept(vector.size());  // two bytes a component are enough, and aligned
    auto* const bytes = reinterpret_cast<std::byte*>(kept.data());
    const float scale = put_components(storage, vector, bytes);
    get_components(storage, bytes, scale, vector);
}

}  // namespace akidb::index
