#include "simd/kernels.h"

#include <cstring>

namespace akidb::simd {

#ifdef AKIDB_HAVE_AVX2
extern const Kernels kAvx2Kernels;
#endif

namespace {

// Four sums, as in the wide kernels: the compiler may not reorder float additions, so one sum would be a
// chain.
float dot_scalar(const float* a, const float* b, size_t count) {
    float sums[4] = {0, 0, 0, 0};
    size_t i = 0;
    for (; i + 4 <= count; i += 4) {
        for (size_t lane = 0; lane < 4; ++lane) {
            sums[lane] += a[i + lane] * b[i + lane];
        }
    }
    for (; i < count; ++i) {
        sums[0] += a[i] * b[i];
    }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

float l2_scalar(const float* a, const float* b, size_t count) {
    float sums[4] = {0, 0, 0, 0};
    size_t i = 0;
    for (; i + 4 <= count; i += 4) {
        for (size_t lane = 0; lane < 4; ++lane) {
            const float difference = a[i + lane] - b[i + lane];
            sums[lane] += difference * difference;
        }
    }
    for (; i < count; ++i) {
        const float difference = a[i] - b[i];
        sums[0] += difference * difference;
    }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

constexpr Kernels kScalarKernels{"scalar", dot_scalar, l2_scalar};

}  // namespace

const Kernels& scalar_kernels() {
    return kScalarKernels;
}

const Kernels* avx2_kernels() {
#ifdef AKIDB_HAVE_AVX2
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return &kAvx2Kernels;
    }
#endif
    return nullptr;
}

const Kernels& choose_kernels(const char* forced) {
    const Kernels* const avx2 = avx2_kernels();
    const bool scalar_forced = forced != nullptr && std::strcmp(forced, "scalar") == 0;
    return avx2 != nullptr && !scalar_forced ? *avx2 : kScalarKernels;
}

}  // namespace akidb::simd
