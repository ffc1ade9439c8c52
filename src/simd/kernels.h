// Kernels: one table of distance functions per instruction set, chosen once when a searcher is made, never
// inside a loop. Kernel sources include only intrinsics and this file: an inline standard template compiled
// there with wider instructions could be picked by the linker for the whole program. AKIDB_SIMD=scalar|avx2
// forces one (tests); the scalar one is the oracle. Pure functions, thread-safe. `count` is any number of
// floats; no alignment is required.
#pragma once

#include <cstddef>
#include <cstdint>

namespace akidb::simd {

struct Kernels {
    const char* name;
    float (*dot_f32)(const float* a, const float* b, size_t count);
    float (*l2_f32)(const float* a, const float* b, size_t count);  // squared
};

const Kernels& scalar_kernels();
/// Null where the program was built without it or the CPU lacks it.
const Kernels* avx2_kernels();
/// The best set this CPU has, or the one named by `forced` ("scalar", "avx2"; empty or unknown = the best).
const Kernels& choose_kernels(const char* forced);

}  // namespace akidb::simd
