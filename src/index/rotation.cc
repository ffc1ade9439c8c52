#include "index/rotation.h"

#include <bit>
#include <cmath>

namespace akidb::index {
namespace {

// splitmix64 (Steele, Lea and Flood 2014): the same numbers with every standard library.
uint64_t next_random(uint64_t& state) {
    state += 0x9e3779b97f4a7c15u;
    uint64_t mixed = state;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
    return mixed ^ mixed >> 31;
}

}  // namespace

Rotation::Rotation(uint32_t dimension, uint64_t seed, const simd::Kernels& kernels)
    : dimension_(dimension), power_(std::bit_floor(dimension)), kernels_(&kernels) {
    uint64_t state = seed;
    // The transform lengthens by the root of its size: taken back together with the signs before it.
    const float scale = 1 / std::sqrt(static_cast<float>(power_));
    for (size_t round = 0; round < kRounds; ++round) {
        const uint32_t first = round % 2 == 0 ? 0 : dimension_ - power_;
        for (uint32_t i = 0; i < dimension_; ++i) {
            const float sign = (next_random(state) & 1) != 0 ? 1.0f : -1.0f;
            signs_[round].push_back(i >= first && i < first + power_ ? sign * scale : sign);
        }
    }
}

void Rotation::apply(float* vector) const {
    for (size_t round = 0; round < kRounds; ++round) {
        kernels_->multiply_f32(vector, signs_[round].data(), dimension_);
        kernels_->hadamard_f32(vector + (round % 2 == 0 ? 0 : dimension_ - power_), power_);
        if (power_ != dimension_) {
            kernels_->mix_f32(vector, vector + (dimension_ - dimension_ / 2), dimension_ / 2);
        }
    }
}

}  // namespace akidb::index
