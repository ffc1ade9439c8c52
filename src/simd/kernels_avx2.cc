// Compiled with -mavx2 -mfma: nothing but intrinsics and the table may be included here (see kernels.h).
#include <immintrin.h>

#include "simd/kernels.h"

namespace akidb::simd {

extern const Kernels kAvx2Kernels;

namespace {

// Reading eight lanes from kMask + 8 - n gives a mask of the first n.
alignas(32) constexpr int32_t kMask[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};

inline __m256i tail_mask(size_t rest) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kMask + 8 - rest));
}

inline float add_lanes(__m256 v) {
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    sum = _mm_add_ss(sum, _mm_movehdup_ps(sum));
    return _mm_cvtss_f32(sum);
}

inline __m256 add_product(const float* a, const float* b, __m256 sum) {
    return _mm256_fmadd_ps(_mm256_loadu_ps(a), _mm256_loadu_ps(b), sum);
}

inline __m256 add_square(const float* a, const float* b, __m256 sum) {
    const __m256 difference = _mm256_sub_ps(_mm256_loadu_ps(a), _mm256_loadu_ps(b));
    return _mm256_fmadd_ps(difference, difference, sum);
}

float dot_avx2(const float* a, const float* b, size_t count) {
    __m256 sum0 = _mm256_setzero_ps();
    __m256 sum1 = _mm256_setzero_ps();
    __m256 sum2 = _mm256_setzero_ps();
    __m256 sum3 = _mm256_setzero_ps();
    size_t i = 0;
    for (; i + 32 <= count; i += 32) {
        sum0 = add_product(a + i, b + i, sum0);
        sum1 = add_product(a + i + 8, b + i + 8, sum1);
        sum2 = add_product(a + i + 16, b + i + 16, sum2);
        sum3 = add_product(a + i + 24, b + i + 24, sum3);
    }
    for (; i + 8 <= count; i += 8) {
        sum0 = add_product(a + i, b + i, sum0);
    }
    if (i < count) {
        const __m256i mask = tail_mask(count - i);
        sum1 = _mm256_fmadd_ps(_mm256_maskload_ps(a + i, mask), _mm256_maskload_ps(b + i, mask), sum1);
    }
    return add_lanes(_mm256_add_ps(_mm256_add_ps(sum0, sum1), _mm256_add_ps(sum2, sum3)));
}

float l2_avx2(const float* a, const float* b, size_t count) {
    __m256 sum0 = _mm256_setzero_ps();
    __m256 sum1 = _mm256_setzero_ps();
    __m256 sum2 = _mm256_setzero_ps();
    __m256 sum3 = _mm256_setzero_ps();
    size_t i = 0;
    for (; i + 32 <= count; i += 32) {
        sum0 = add_square(a + i, b + i, sum0);
        sum1 = add_square(a + i + 8, b + i + 8, sum1);
        sum2 = add_square(a + i + 16, b + i + 16, sum2);
        sum3 = add_square(a + i + 24, b + i + 24, sum3);
    }
    for (; i + 8 <= count; i += 8) {
        sum0 = add_square(a + i, b + i, sum0);
    }
    if (i < count) {
        const __m256i mask = tail_mask(count - i);
        const __m256 difference =
            _mm256_sub_ps(_mm256_maskload_ps(a + i, mask), _mm256_maskload_ps(b + i, mask));
        sum1 = _mm256_fmadd_ps(difference, difference, sum1);
    }
    return add_lanes(_mm256_add_ps(_mm256_add_ps(sum0, sum1), _mm256_add_ps(sum2, sum3)));
}

}  // namespace

constexpr Kernels kAvx2Kernels{"avx2", dot_avx2, l2_avx2};

}  // namespace akidb::simd
