// Rotation: a random orthogonal map of vectors, which spreads every direction evenly over all components, so
// that a code with few bits a component loses the same little on any data. Four rounds, each of random signs,
// a Walsh–Hadamard transform over the largest power of two of components (the first ones and the last ones in
// turn), and, where the dimension is no power of two, one step that mixes the two halves (fast Johnson–
// Lindenstrauss, Ailon and Chazelle 2009; the truncation and halves after Gao and Long's RaBitQ code, 2024).
// O(d log d). Deterministic in dimension and seed. Immutable, thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "simd/kernels.h"

namespace akidb::index {

class Rotation {
  public:
    Rotation(uint32_t dimension, uint64_t seed, const simd::Kernels& kernels);
    /// `dimension` floats, in place.
    void apply(float* vector) const;

  private:
    static constexpr size_t kRounds = 4;

    uint32_t dimension_;
    uint32_t power_;  // the largest power of two in the dimension
    std::array<std::vector<float>, kRounds> signs_;
    const simd::Kernels* kernels_;
};

}  // namespace akidb::index
