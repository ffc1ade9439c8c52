// Kernels: one table of distance functions per instruction set, chosen once when the server starts, never
// inside a loop. AKIDB_SIMD=scalar|neon|avx2|avx3|avx3_dl forces one; the scalar one is the oracle,
// and the integer kernels equal it bit for bit. kernels_highway.cc is compiled once per instruction set by
// Google Highway; it includes nothing but Highway and this file: an inline standard template compiled there
// with wider instructions could be picked by the linker for the whole program. Pure functions, thread-safe.
// No alignment is required. Kernels that read codes may read them while another thread stores into them: each
// aligned 32-bit word is then an old or a new one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace akidb::simd {

/// Rows that the scan kernels compare at once, and dimensions that one of their steps covers.
inline constexpr size_t kScanRows = 32;
inline constexpr size_t kScanDimensions1 = 32;  // a step of one-bit codes
inline constexpr size_t kScanDimensions4 = 8;   // a step of four-bit codes
inline constexpr size_t kScanStepBytes = 128;   // one 32-bit word a row
inline constexpr size_t kScanTableBytes = 128;  // a step of the table of scan_b1
inline constexpr uint8_t kScanTableMax = 127;   // what its entries may be, so that two add up in a byte

/// What encoding the difference of two vectors tells, see encode_edge_*.
struct EdgeSums {
    float squared = 0;  // Σ d²
    float product = 0;  // Σ d·c
    float from = 0;     // Σ from·c
};

/// distances[i] = base + constant · factors[i] − (scale · sums[i] + offset) · factors[32 + i].
struct Estimate {
    float base = 0;
    float constant = 1;
    float scale = 1;
    float offset = 0;
    float bound = 0;
};

struct Kernels {
    const char* name;
    /// `count` is any number of components.
    float (*dot_f32)(const float* a, const float* b, size_t count);
    float (*l2_f32)(const float* a, const float* b, size_t count);  // squared
    /// `half` are IEEE binary16.
    float (*dot_f16)(const float* a, const uint16_t* half, size_t count);
    float (*l2_f16)(const float* a, const uint16_t* half, size_t count);
    /// Σ a[j] · codes[j], and Σ (a[j] − scale · codes[j])².
    float (*dot_i8)(const float* a, const int8_t* codes, size_t count);
    float (*l2_i8)(const float* a, const int8_t* codes, float scale, size_t count);

    /// dots[i] = Σ codes[i][j] · query[j], exact for count ≤ 65,536.
    void (*dots_u8)(const uint8_t* const* codes, size_t rows, const int8_t* query, size_t count,
                    int32_t* dots);
    /// The same of four-bit codes. They lie in blocks of 128 (64 bytes: byte j holds code j in its low half
    /// and code j + 64 in its high half); what is left over, a multiple of 64, in a block of 32 bytes with
    /// code j and code j + 32. `count` is a multiple of 64.
    void (*dots_u4)(const uint8_t* const* codes, size_t rows, const int8_t* query, size_t count,
                    int32_t* dots);

    /// Compares one query with 32 rows of one-bit codes, that lie in `steps` steps of kScanStepBytes: word i
    /// is of row i, bit j is of dimension 32·step + j. The table has per step 16 bytes for each group of four
    /// dimensions, entry n for the four bits n, the even groups first: 0 2 4 6 1 3 5 7. sums[i] is the sum of
    /// the chosen entries. steps ≤ 2^15.
    void (*scan_b1)(const uint8_t* codes, const uint8_t* table, size_t steps, int32_t* sums);
    /// The same of four-bit codes: byte t of a word holds dimension 8·step + t in its low and 8·step + 4 + t
    /// in its high half. sums[i] = Σ code · query, exact. steps ≤ 2^15.
    void (*scan_b4)(const uint8_t* codes, const int8_t* query, size_t steps, int32_t* sums);

    /// Fills the table of scan_b1 for 32 · steps components of at most range / 4: the sum of an entry's
    /// components with their signs, linearly from [−range, range] to [0, kScanTableMax].
    void (*make_table_b1)(const float* query, size_t steps, float range, uint8_t* table);
    /// From the sums of a scan and two factors a row to 32 distances; bit i of the answer is set when
    /// distances[i] < bound.
    uint32_t (*estimate_32)(const int32_t* sums, const float* factors, const Estimate& estimate,
                            float* distances);

    /// The unnormalised Walsh–Hadamard transform of `count` floats in place; count is a power of two.
    void (*hadamard_f32)(float* values, size_t count);

    /// values[i] *= factors[i].
    void (*multiply_f32)(float* values, const float* factors, size_t count);
    /// (a, b) becomes ((a + b), (a − b)) · √½, component by component.
    void (*mix_f32)(float* a, float* b, size_t count);
    /// The largest magnitude.
    float (*largest_f32)(const float* values, size_t count);
    /// bytes[i] = values[i] · factor, rounded, |values[i] · factor| ≤ 127; the sum of the bytes.
    int32_t (*round_f32)(const float* values, float factor, size_t count, int8_t* bytes);

    /// Encodes d = to − from, where to[j] = (codes[j] − 128) · scale: c[j] = ±1, the sign of d[j], written as
    /// bit j (set for d[j] > 0) of `bits`; `count` is a multiple of 32.
    EdgeSums (*encode_edge_b1)(const uint8_t* codes, float scale, const float* from, size_t count,
                               uint8_t* bits);
    /// c[j] = n − 7.5 with n = d[j] / step + 7.5 rounded down to 0..15, written as byte j of `levels`.
    EdgeSums (*encode_edge_b4)(const uint8_t* codes, float scale, const float* from, size_t count,
                               float inverse_step, uint8_t* levels);
};

const Kernels& scalar_kernels();
/// The sets of this program that this CPU can run, best first; the last is the scalar one. `count` of them.
size_t runnable_kernels(const Kernels* const** sets);
/// The best set this CPU has, or the one named by `forced` (empty or unknown = the best).
const Kernels& choose_kernels(const char* forced);

}  // namespace akidb::simd
