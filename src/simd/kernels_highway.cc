// The kernels, written once and compiled by Highway for each instruction set; see kernels.h for what may be
// included. Intrinsics stand only where the CPU has an instruction that Highway 1.0.3 does not name: byte
// products summed by fours (VNNI), and look-ups in 64 bytes (VBMI).
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "simd/kernels_highway.cc"
#define HWY_WANT_AVX3_DL
#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#endif
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "simd/kernels.h"

#if HWY_TARGET == \
    HWY_AVX3_DL  // Highway 1.0.3 checks the CPU for avx512vnni, but does not ask the compiler for it
#undef HWY_TARGET_STR
#define HWY_TARGET_STR  \
    HWY_TARGET_STR_AVX3 \
    ",vpclmulqdq,avx512vbmi,avx512vbmi2,vaes,avxvnni,avx512vnni,avx512bitalg,avx512vpopcntdq"
#endif

HWY_BEFORE_NAMESPACE();
namespace akidb::simd::HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128

// What Highway falls back to on a CPU without any of the sets; the oracle is as good.
const Kernels* kernels() {
    return nullptr;
}

#else

namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Words that another thread may be storing are read here by whole vectors. Each aligned word arrives old or
// new, which is all that is promised; ThreadSanitizer cannot know that.
#if defined(__SANITIZE_THREAD__)
#define AKIDB_READS_SHARED __attribute__((no_sanitize("thread")))
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define AKIDB_READS_SHARED __attribute__((no_sanitize("thread")))
#endif
#endif
#ifndef AKIDB_READS_SHARED
#define AKIDB_READS_SHARED
#endif

using Floats = hn::ScalableTag<float>;

template <class Combine>
HWY_INLINE float sum_pairs(const float* a, const float* b, size_t count, Combine combine) {
    const Floats d;
    const size_t lanes = hn::Lanes(d);
    auto sum0 = hn::Zero(d);
    auto sum1 = hn::Zero(d);
    auto sum2 = hn::Zero(d);
    auto sum3 = hn::Zero(d);
    size_t i = 0;
    for (; i + 4 * lanes <= count; i += 4 * lanes) {
        sum0 = combine(hn::LoadU(d, a + i), hn::LoadU(d, b + i), sum0);
        sum1 = combine(hn::LoadU(d, a + i + lanes), hn::LoadU(d, b + i + lanes), sum1);
        sum2 = combine(hn::LoadU(d, a + i + 2 * lanes), hn::LoadU(d, b + i + 2 * lanes), sum2);
        sum3 = combine(hn::LoadU(d, a + i + 3 * lanes), hn::LoadU(d, b + i + 3 * lanes), sum3);
    }
    for (; i + lanes <= count; i += lanes) {
        sum0 = combine(hn::LoadU(d, a + i), hn::LoadU(d, b + i), sum0);
    }
    if (i < count) {
#if HWY_ARCH_X86  // a masked load touches only what the mask lets through
        const auto mask = hn::FirstN(d, count - i);
        sum1 = combine(hn::MaskedLoad(mask, d, a + i), hn::MaskedLoad(mask, d, b + i), sum1);
#else
        const hn::CappedTag<float, 1> one;
        auto rest = hn::Zero(one);
        for (; i < count; ++i) {
            rest = combine(hn::LoadU(one, a + i), hn::LoadU(one, b + i), rest);
        }
        return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(sum0, sum1), hn::Add(sum2, sum3)))) +
               hn::GetLane(rest);
#endif
    }
    return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(sum0, sum1), hn::Add(sum2, sum3))));
}

float dot_f32(const float* a, const float* b, size_t count) {
    return sum_pairs(a, b, count, [](auto x, auto y, auto sum) HWY_ATTR { return hn::MulAdd(x, y, sum); });
}

float l2_f32(const float* a, const float* b, size_t count) {
    return sum_pairs(a, b, count, [](auto x, auto y, auto sum) HWY_ATTR {
        const auto difference = hn::Sub(x, y);
        return hn::MulAdd(difference, difference, sum);
    });
}

float dot_f16(const float* a, const uint16_t* half, size_t count) {
    const Floats d;
    const hn::Rebind<hwy::float16_t, Floats> d16;
    const hn::Rebind<uint16_t, Floats> du16;
    const size_t lanes = hn::Lanes(d);
    auto sum0 = hn::Zero(d);
    auto sum1 = hn::Zero(d);
    const auto load = [&](const uint16_t* from)
                          HWY_ATTR { return hn::PromoteTo(d, hn::BitCast(d16, hn::LoadU(du16, from))); };
    size_t i = 0;
    for (; i + 2 * lanes <= count; i += 2 * lanes) {
        sum0 = hn::MulAdd(hn::LoadU(d, a + i), load(half + i), sum0);
        sum1 = hn::MulAdd(hn::LoadU(d, a + i + lanes), load(half + i + lanes), sum1);
    }
    if (i < count) {
        HWY_ALIGN float a_rest[2 * HWY_LANES(float)] = {};
        HWY_ALIGN uint16_t half_rest[2 * HWY_LANES(float)] = {};
        for (size_t j = 0; i + j < count; ++j) {
            a_rest[j] = a[i + j];
            half_rest[j] = half[i + j];
        }
        sum0 = hn::MulAdd(hn::LoadU(d, a_rest), load(half_rest), sum0);
        sum1 = hn::MulAdd(hn::LoadU(d, a_rest + lanes), load(half_rest + lanes), sum1);
    }
    return hn::GetLane(hn::SumOfLanes(d, hn::Add(sum0, sum1)));
}

// The steps whose partners share a vector: 1 and 2 lanes, then 4 and 8 where there are as many.
template <class V>
HWY_INLINE V hadamard_within(Floats d, V v) {
    const hn::Repartition<uint64_t, Floats> d64;
    auto other = hn::Shuffle2301(v);
    v = hn::OddEven(hn::Sub(other, v), hn::Add(v, other));
    other = hn::Shuffle1032(v);
    v = hn::BitCast(d, hn::OddEven(hn::BitCast(d64, hn::Sub(other, v)), hn::BitCast(d64, hn::Add(v, other))));
#if HWY_MAX_BYTES >= 32
    other = hn::SwapAdjacentBlocks(v);
    v = hn::OddEvenBlocks(hn::Sub(other, v), hn::Add(v, other));
#endif
#if HWY_MAX_BYTES >= 64
    other = hn::ConcatLowerUpper(d, v, v);
    v = hn::ConcatUpperLower(d, hn::Sub(other, v), hn::Add(v, other));
#endif
    return v;
}

void hadamard_f32(float* values, size_t count) {
    const Floats d;
    const size_t lanes = hn::Lanes(d);
    size_t width = 1;
    if (count >= lanes) {
        for (size_t i = 0; i < count; i += lanes) {
            hn::StoreU(hadamard_within(d, hn::LoadU(d, values + i)), d, values + i);
        }
        width = lanes;
    }
    for (; width < count; width *= 2) {
        for (size_t start = 0; start < count; start += 2 * width) {
            for (size_t i = start; i < start + width; i += lanes <= width ? lanes : 1) {
                if (lanes <= width) {
                    const auto a = hn::LoadU(d, values + i);
                    const auto b = hn::LoadU(d, values + i + width);
                    hn::StoreU(hn::Add(a, b), d, values + i);
                    hn::StoreU(hn::Sub(a, b), d, values + i + width);
                } else {
                    const float a = values[i];
                    const float b = values[i + width];
                    values[i] = a + b;
                    values[i + width] = a - b;
                }
            }
        }
    }
}

// Entry n of a group is the sum of its four components, each with the sign that n's bit says, brought from
// [-range, range] to [0, kScanTableMax].
float make_table_b1(const float* query, size_t steps, uint8_t* table) {
    const hn::CappedTag<float, 16> d;
    const hn::Rebind<int32_t, decltype(d)> d32;
    const hn::Rebind<uint8_t, decltype(d)> d8;
    float range = 0;
    for (size_t i = 0; i < steps * kScanDimensions1; i += 4) {
        const auto magnitude = [&](size_t j)
                                   HWY_ATTR { return query[i + j] < 0 ? -query[i + j] : query[i + j]; };
        const float sum = magnitude(0) + magnitude(1) + magnitude(2) + magnitude(3);
        range = sum > range ? sum : range;
    }
    const float scale = range > 0 ? static_cast<float>(kScanTableMax) / (2 * range) : 0;
    HWY_ALIGN float signs[4][16];
    for (size_t n = 0; n < 16; ++n) {
        for (size_t bit = 0; bit < 4; ++bit) {
            signs[bit][n] = (n >> bit & 1) != 0 ? scale : -scale;
        }
    }
    const auto middle = hn::Set(d, static_cast<float>(kScanTableMax) / 2);
    for (size_t step = 0; step < steps; ++step) {
        for (size_t group = 0; group < 8; ++group) {
            const float* const part = query + step * kScanDimensions1 + group * 4;
            uint8_t* const entries = table + step * kScanTableBytes + group % 2 * 64 + group / 2 * 16;
            for (size_t n = 0; n < 16; n += hn::Lanes(d)) {
                auto sum = hn::MulAdd(hn::Set(d, part[0]), hn::Load(d, signs[0] + n), middle);
                sum = hn::MulAdd(hn::Set(d, part[1]), hn::Load(d, signs[1] + n), sum);
                sum = hn::MulAdd(hn::Set(d, part[2]), hn::Load(d, signs[2] + n), sum);
                sum = hn::MulAdd(hn::Set(d, part[3]), hn::Load(d, signs[3] + n), sum);
                hn::StoreU(hn::DemoteTo(d8, hn::ConvertTo(d32, hn::Add(sum, hn::Set(d, 0.5f)))), d8,
                           entries + n);
            }
        }
    }
    return range;
}

AKIDB_READS_SHARED uint32_t estimate_32(const int32_t* sums, const float* factors, const Estimate& estimate,
                                        float* distances) {
    const hn::CappedTag<float, 16> d;
    const hn::Rebind<int32_t, decltype(d)> d32;
    const auto bound = hn::Set(d, estimate.bound);
    uint32_t nearer = 0;
    for (size_t i = 0; i < kScanRows; i += hn::Lanes(d)) {
        const auto sum = hn::MulAdd(hn::ConvertTo(d, hn::LoadU(d32, sums + i)), hn::Set(d, estimate.scale),
                                    hn::Set(d, estimate.offset));
        const auto distance = hn::NegMulAdd(
            sum, hn::LoadU(d, factors + kScanRows + i),
            hn::MulAdd(hn::LoadU(d, factors + i), hn::Set(d, estimate.constant), hn::Set(d, estimate.base)));
        hn::StoreU(distance, d, distances + i);
        uint8_t mask[8] = {};
        hn::StoreMaskBits(d, hn::Lt(distance, bound), mask);
        uint32_t lanes = 0;
        __builtin_memcpy(&lanes, mask, sizeof(lanes));
        nearer |= lanes << i;
    }
    return nearer;
}

#if HWY_TARGET == HWY_AVX3_DL

HWY_INLINE __m512i load_part(const uint8_t* from, size_t count) {
    const __mmask64 mask = count >= 64 ? ~__mmask64{0} : (__mmask64{1} << count) - 1;
    return _mm512_maskz_loadu_epi8(mask, from);
}

// Four rows share each load of the query, and their sums are folded together.
template <size_t kRows>
HWY_INLINE void dots_u8_rows(const uint8_t* const* codes, const int8_t* query, size_t count, int32_t* dots) {
    __m512i sums[kRows];
    for (size_t row = 0; row < kRows; ++row) {
        sums[row] = _mm512_setzero_si512();
    }
    size_t i = 0;
    for (; i + 64 <= count; i += 64) {
        const __m512i part = _mm512_loadu_si512(query + i);
        for (size_t row = 0; row < kRows; ++row) {
            sums[row] = _mm512_dpbusd_epi32(sums[row], _mm512_loadu_si512(codes[row] + i), part);
        }
    }
    if (i < count) {
        const __m512i part = load_part(reinterpret_cast<const uint8_t*>(query) + i, count - i);
        for (size_t row = 0; row < kRows; ++row) {
            sums[row] = _mm512_dpbusd_epi32(sums[row], load_part(codes[row] + i, count - i), part);
        }
    }
    for (size_t row = 0; row < kRows; ++row) {
        dots[row] = _mm512_reduce_add_epi32(sums[row]);
    }
}

template <size_t kRows>
HWY_INLINE void dots_u4_rows(const uint8_t* const* codes, const int8_t* query, size_t count, int32_t* dots) {
    const __m512i low = _mm512_set1_epi8(15);
    __m512i sums[kRows];
    for (size_t row = 0; row < kRows; ++row) {
        sums[row] = _mm512_setzero_si512();
    }
    size_t i = 0;
    for (; i + 128 <= count; i += 128) {
        const __m512i part0 = _mm512_loadu_si512(query + i);
        const __m512i part1 = _mm512_loadu_si512(query + i + 64);
        for (size_t row = 0; row < kRows; ++row) {
            const __m512i pairs = _mm512_loadu_si512(codes[row] + i / 2);
            sums[row] = _mm512_dpbusd_epi32(sums[row], _mm512_and_si512(pairs, low), part0);
            sums[row] =
                _mm512_dpbusd_epi32(sums[row], _mm512_and_si512(_mm512_srli_epi16(pairs, 4), low), part1);
        }
    }
    if (i < count) {
        const __m512i part = _mm512_loadu_si512(query + i);  // 64 left: 32 bytes of codes
        for (size_t row = 0; row < kRows; ++row) {
            const __m256i pairs = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes[row] + i / 2));
            const __m512i both =
                _mm512_inserti64x4(_mm512_castsi256_si512(pairs), _mm256_srli_epi16(pairs, 4), 1);
            sums[row] = _mm512_dpbusd_epi32(sums[row], _mm512_and_si512(both, low), part);
        }
    }
    for (size_t row = 0; row < kRows; ++row) {
        dots[row] = _mm512_reduce_add_epi32(sums[row]);
    }
}

AKIDB_READS_SHARED void scan_b1(const uint8_t* codes, const uint8_t* table, size_t steps, int32_t* sums) {
    // Byte t of a word chooses from the t-th sixteen bytes of a 64-byte table.
    const __m512i sixteenths = _mm512_set1_epi32(0x30201000);
    const __m512i low = _mm512_set1_epi8(15);
    const __m512i ones = _mm512_set1_epi8(1);
    __m512i sum0 = _mm512_setzero_si512();
    __m512i sum1 = _mm512_setzero_si512();
    __m512i sum2 = _mm512_setzero_si512();
    __m512i sum3 = _mm512_setzero_si512();
    constexpr int kAndOr = 0xea;  // (a & b) | c
    for (size_t step = 0; step < steps; ++step, codes += kScanStepBytes, table += kScanTableBytes) {
        const __m512i even = _mm512_loadu_si512(table);
        const __m512i odd = _mm512_loadu_si512(table + 64);
        const __m512i a = _mm512_loadu_si512(codes);
        const __m512i b = _mm512_loadu_si512(codes + 64);
        const auto choose = [&](__m512i words, __m512i from) HWY_ATTR {
            return _mm512_permutexvar_epi8(_mm512_ternarylogic_epi32(words, low, sixteenths, kAndOr), from);
        };
        sum0 = _mm512_dpbusd_epi32(sum0, choose(a, even), ones);
        sum1 = _mm512_dpbusd_epi32(sum1, choose(b, even), ones);
        sum2 = _mm512_dpbusd_epi32(sum2, choose(_mm512_srli_epi16(a, 4), odd), ones);
        sum3 = _mm512_dpbusd_epi32(sum3, choose(_mm512_srli_epi16(b, 4), odd), ones);
    }
    _mm512_storeu_si512(sums, _mm512_add_epi32(sum0, sum2));
    _mm512_storeu_si512(sums + 16, _mm512_add_epi32(sum1, sum3));
}

AKIDB_READS_SHARED void scan_b4(const uint8_t* codes, const int8_t* query, size_t steps, int32_t* sums) {
    const __m512i low = _mm512_set1_epi8(15);
    __m512i sum0 = _mm512_setzero_si512();
    __m512i sum1 = _mm512_setzero_si512();
    __m512i sum2 = _mm512_setzero_si512();
    __m512i sum3 = _mm512_setzero_si512();
    for (size_t step = 0; step < steps; ++step, codes += kScanStepBytes, query += kScanDimensions4) {
        int32_t words[2];
        __builtin_memcpy(words, query, sizeof(words));
        const __m512i first = _mm512_set1_epi32(words[0]);
        const __m512i second = _mm512_set1_epi32(words[1]);
        const __m512i a = _mm512_loadu_si512(codes);
        const __m512i b = _mm512_loadu_si512(codes + 64);
        sum0 = _mm512_dpbusd_epi32(sum0, _mm512_and_si512(a, low), first);
        sum1 = _mm512_dpbusd_epi32(sum1, _mm512_and_si512(b, low), first);
        sum2 = _mm512_dpbusd_epi32(sum2, _mm512_and_si512(_mm512_srli_epi16(a, 4), low), second);
        sum3 = _mm512_dpbusd_epi32(sum3, _mm512_and_si512(_mm512_srli_epi16(b, 4), low), second);
    }
    _mm512_storeu_si512(sums, _mm512_add_epi32(sum0, sum2));
    _mm512_storeu_si512(sums + 16, _mm512_add_epi32(sum1, sum3));
}

#else

// Products in 16 bits, summed in 32.
template <size_t kRows>
HWY_INLINE void dots_u8_rows(const uint8_t* const* codes, const int8_t* query, size_t count, int32_t* dots) {
    const hn::ScalableTag<int32_t> d32;
    const hn::Repartition<int16_t, decltype(d32)> d16;
    const hn::Rebind<int8_t, decltype(d16)> d8;
    const hn::Rebind<uint8_t, decltype(d16)> du8;
    const size_t lanes = hn::Lanes(d16);
    using Sums = decltype(hn::Zero(d32));
    Sums sums[kRows];
    Sums more[kRows];
    for (size_t row = 0; row < kRows; ++row) {
        sums[row] = hn::Zero(d32);
        more[row] = hn::Zero(d32);
    }
    size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        const auto part = hn::PromoteTo(d16, hn::LoadU(d8, query + i));
        for (size_t row = 0; row < kRows; ++row) {
            const auto code = hn::PromoteTo(d16, hn::LoadU(du8, codes[row] + i));
            sums[row] = hn::ReorderWidenMulAccumulate(d32, code, part, sums[row], more[row]);
        }
    }
    for (size_t row = 0; row < kRows; ++row) {
        int32_t sum = hn::GetLane(hn::SumOfLanes(d32, hn::Add(sums[row], more[row])));
        for (size_t rest = i; rest < count; ++rest) {
            sum += codes[row][rest] * query[rest];
        }
        dots[row] = sum;
    }
}

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3

// Sums of two products of a four-bit code and a signed byte: at most 2 · 15 · 128 in 16 bits.
HWY_INLINE __m256i pair_sums(__m256i codes, __m256i query) {
    return _mm256_maddubs_epi16(codes, query);
}

HWY_INLINE __m256i load256(const void* from) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}

HWY_INLINE int32_t sum_lanes(__m256i v) {
    const __m128i half = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    const __m128i quarter = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(quarter, _mm_shuffle_epi32(quarter, 0xb1)));
}

template <size_t kRows>
HWY_INLINE void dots_u4_rows(const uint8_t* const* codes, const int8_t* query, size_t count, int32_t* dots) {
    const __m256i low = _mm256_set1_epi8(15);
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i sums[kRows];
    for (size_t row = 0; row < kRows; ++row) {
        sums[row] = _mm256_setzero_si256();
    }
    // `apart`: how far behind the code of a low half lies the one of its high half.
    const auto add = [&](size_t at, const int8_t* from, size_t apart) HWY_ATTR {
        const __m256i part0 = load256(from);
        const __m256i part1 = load256(from + apart);
        for (size_t row = 0; row < kRows; ++row) {
            const __m256i pairs = load256(codes[row] + at);
            const __m256i both =
                _mm256_add_epi16(pair_sums(_mm256_and_si256(pairs, low), part0),
                                 pair_sums(_mm256_and_si256(_mm256_srli_epi16(pairs, 4), low), part1));
            sums[row] = _mm256_add_epi32(sums[row], _mm256_madd_epi16(both, ones));
        }
    };
    size_t i = 0;
    for (; i + 128 <= count; i += 128) {
        add(i / 2, query + i, 64);
        add(i / 2 + 32, query + i + 32, 64);
    }
    if (i < count) {
        add(i / 2, query + i, 32);
    }
    for (size_t row = 0; row < kRows; ++row) {
        dots[row] = sum_lanes(sums[row]);
    }
}

AKIDB_READS_SHARED void scan_b4(const uint8_t* codes, const int8_t* query, size_t steps, int32_t* sums) {
    const __m256i low = _mm256_set1_epi8(15);
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i totals[4];
    for (__m256i& total : totals) {
        total = _mm256_setzero_si256();
    }
    for (size_t step = 0; step < steps; ++step, codes += kScanStepBytes, query += kScanDimensions4) {
        int32_t words[2];
        __builtin_memcpy(words, query, sizeof(words));
        const __m256i first = _mm256_set1_epi32(words[0]);
        const __m256i second = _mm256_set1_epi32(words[1]);
        for (size_t part = 0; part < 4; ++part) {
            const __m256i pairs = load256(codes + part * 32);
            const __m256i both =
                _mm256_add_epi16(pair_sums(_mm256_and_si256(pairs, low), first),
                                 pair_sums(_mm256_and_si256(_mm256_srli_epi16(pairs, 4), low), second));
            totals[part] = _mm256_add_epi32(totals[part], _mm256_madd_epi16(both, ones));
        }
    }
    for (size_t part = 0; part < 4; ++part) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + part * 8), totals[part]);
    }
}

#else

HWY_INLINE int32_t dot_halves(const uint8_t* codes, const int8_t* query, size_t bytes) {
    const hn::ScalableTag<int32_t> d32;
    const hn::Repartition<int16_t, decltype(d32)> d16;
    const hn::Rebind<int8_t, decltype(d16)> d8;
    const hn::Rebind<uint8_t, decltype(d16)> du8;
    auto sum = hn::Zero(d32);
    auto more = hn::Zero(d32);
    for (size_t i = 0; i < bytes; i += hn::Lanes(d16)) {
        const auto pairs = hn::PromoteTo(d16, hn::LoadU(du8, codes + i));
        const auto first = hn::And(pairs, hn::Set(d16, 15));
        const auto second = hn::ShiftRight<4>(pairs);
        sum = hn::ReorderWidenMulAccumulate(d32, first, hn::PromoteTo(d16, hn::LoadU(d8, query + i)), sum,
                                            more);
        sum = hn::ReorderWidenMulAccumulate(d32, second, hn::PromoteTo(d16, hn::LoadU(d8, query + bytes + i)),
                                            sum, more);
    }
    return hn::GetLane(hn::SumOfLanes(d32, hn::Add(sum, more)));
}

template <size_t kRows>
HWY_INLINE void dots_u4_rows(const uint8_t* const* codes, const int8_t* query, size_t count, int32_t* dots) {
    for (size_t row = 0; row < kRows; ++row) {
        int32_t sum = 0;
        size_t i = 0;
        for (; i + 128 <= count; i += 128) {
            sum += dot_halves(codes[row] + i / 2, query + i, 64);
        }
        dots[row] = i < count ? sum + dot_halves(codes[row] + i / 2, query + i, 32) : sum;
    }
}

// Each word's bytes are parted, so that a vector holds one dimension pair of many rows.
AKIDB_READS_SHARED void scan_b4(const uint8_t* codes, const int8_t* query, size_t steps, int32_t* sums) {
    const hn::ScalableTag<int32_t> d32;
    const hn::Repartition<int16_t, decltype(d32)> d16;
    const hn::Rebind<uint8_t, decltype(d16)> du8;
    const size_t lanes = hn::Lanes(d16);
    for (size_t row = 0; row < kScanRows; row += lanes) {
        auto low_sums = hn::Zero(d32);
        auto high_sums = hn::Zero(d32);
        for (size_t step = 0; step < steps; ++step) {
            auto bytes0 = hn::Zero(du8);
            auto bytes1 = bytes0;
            auto bytes2 = bytes0;
            auto bytes3 = bytes0;
            hn::LoadInterleaved4(du8, codes + step * kScanStepBytes + row * 4, bytes0, bytes1, bytes2,
                                 bytes3);
            const int8_t* const part = query + step * kScanDimensions4;
            auto sum = hn::Zero(d16);  // at most 8 · 15 · 128
            const auto add = [&](auto bytes, size_t at) HWY_ATTR {
                const auto pairs = hn::PromoteTo(d16, bytes);
                sum = hn::Add(sum, hn::Mul(hn::And(pairs, hn::Set(d16, 15)), hn::Set(d16, part[at])));
                sum = hn::Add(sum, hn::Mul(hn::ShiftRight<4>(pairs), hn::Set(d16, part[at + 4])));
            };
            add(bytes0, 0);
            add(bytes1, 1);
            add(bytes2, 2);
            add(bytes3, 3);
            low_sums = hn::Add(low_sums, hn::PromoteTo(d32, hn::LowerHalf(sum)));
            high_sums = hn::Add(high_sums, hn::PromoteTo(d32, hn::UpperHalf(hn::Half<decltype(d16)>(), sum)));
        }
        hn::StoreU(low_sums, d32, sums + row);
        hn::StoreU(high_sums, d32, sums + row + lanes / 2);
    }
}

#endif

// Each word's bytes are parted, so that a vector holds one group of many rows and looks up in one table.
AKIDB_READS_SHARED void scan_b1(const uint8_t* codes, const uint8_t* table, size_t steps, int32_t* sums) {
    constexpr size_t kStepsPerRound = 64;  // 64 · 4 · 254 fits into 16 bits
    const hn::CappedTag<uint8_t, kScanRows> d8;
    const hn::Repartition<uint16_t, decltype(d8)> d16;
    const size_t lanes = hn::Lanes(d8);
    const auto low = hn::Set(d8, 15);
    HWY_ALIGN uint16_t evens[kScanRows / 2];
    HWY_ALIGN uint16_t odds[kScanRows / 2];
    for (size_t row = 0; row < kScanRows; ++row) {
        sums[row] = 0;
    }
    for (size_t begin = 0; begin < steps; begin += kStepsPerRound) {
        const size_t end = begin + kStepsPerRound < steps ? begin + kStepsPerRound : steps;
        for (size_t row = 0; row < kScanRows; row += lanes) {
            auto even_sums = hn::Zero(d16);
            auto odd_sums = hn::Zero(d16);
            for (size_t step = begin; step < end; ++step) {
                auto bytes0 = hn::Zero(d8);
                auto bytes1 = bytes0;
                auto bytes2 = bytes0;
                auto bytes3 = bytes0;
                hn::LoadInterleaved4(d8, codes + step * kScanStepBytes + row * 4, bytes0, bytes1, bytes2,
                                     bytes3);
                const uint8_t* const groups = table + step * kScanTableBytes;
                const auto add = [&](auto bytes, size_t byte) HWY_ATTR {
                    const auto high =
                        hn::And(hn::BitCast(d8, hn::ShiftRight<4>(hn::BitCast(d16, bytes))), low);
                    const auto both = hn::BitCast(
                        d16,
                        hn::Add(
                            hn::TableLookupBytes(hn::LoadDup128(d8, groups + byte * 16), hn::And(bytes, low)),
                            hn::TableLookupBytes(hn::LoadDup128(d8, groups + 64 + byte * 16), high)));
                    even_sums = hn::Add(even_sums, hn::And(both, hn::Set(d16, 0xff)));
                    odd_sums = hn::Add(odd_sums, hn::ShiftRight<8>(both));
                };
                add(bytes0, 0);
                add(bytes1, 1);
                add(bytes2, 2);
                add(bytes3, 3);
            }
            hn::StoreU(even_sums, d16, evens);
            hn::StoreU(odd_sums, d16, odds);
            for (size_t i = 0; i < lanes / 2; ++i) {
                sums[row + 2 * i] += evens[i];
                sums[row + 2 * i + 1] += odds[i];
            }
        }
    }
}

#endif

void dots_u8(const uint8_t* const* codes, size_t rows, const int8_t* query, size_t count, int32_t* dots) {
    size_t row = 0;
    for (; row + 4 <= rows; row += 4) {
        dots_u8_rows<4>(codes + row, query, count, dots + row);
    }
    for (; row < rows; ++row) {
        dots_u8_rows<1>(codes + row, query, count, dots + row);
    }
}

void dots_u4(const uint8_t* const* codes, size_t rows, const int8_t* query, size_t count, int32_t* dots) {
    size_t row = 0;
    for (; row + 4 <= rows; row += 4) {
        dots_u4_rows<4>(codes + row, query, count, dots + row);
    }
    for (; row < rows; ++row) {
        dots_u4_rows<1>(codes + row, query, count, dots + row);
    }
}

using Edges = hn::CappedTag<float, 16>;

HWY_INLINE auto difference_at(Edges d, const uint8_t* codes, float scale, const float* from, size_t i) {
    const hn::Rebind<uint8_t, Edges> d8;
    const hn::Rebind<int32_t, Edges> d32;
    const auto code = hn::Sub(hn::PromoteTo(d32, hn::LoadU(d8, codes + i)), hn::Set(d32, 128));
    return hn::Sub(hn::Mul(hn::ConvertTo(d, code), hn::Set(d, scale)), hn::LoadU(d, from + i));
}

EdgeSums encode_edge_b1(const uint8_t* codes, float scale, const float* from, size_t count, uint8_t* bits) {
    const Edges d;
    auto squared = hn::Zero(d);
    auto product = hn::Zero(d);
    auto from_sum = hn::Zero(d);
    for (size_t i = 0; i < count; i += 32) {
        uint32_t word = 0;
        for (size_t part = 0; part < 32; part += hn::Lanes(d)) {
            const auto difference = difference_at(d, codes, scale, from, i + part);
            const auto is_set = hn::Gt(difference, hn::Zero(d));
            const auto sign = hn::IfThenElse(is_set, hn::Set(d, 1.0f), hn::Set(d, -1.0f));
            squared = hn::MulAdd(difference, difference, squared);
            product = hn::Add(product, hn::Abs(difference));
            from_sum = hn::MulAdd(hn::LoadU(d, from + i + part), sign, from_sum);
            uint8_t mask[8] = {};
            hn::StoreMaskBits(d, is_set, mask);
            uint32_t lanes = 0;
            __builtin_memcpy(&lanes, mask, sizeof(lanes));
            word |= lanes << part;
        }
        __builtin_memcpy(bits + i / 8, &word, sizeof(word));
    }
    return {hn::GetLane(hn::SumOfLanes(d, squared)), hn::GetLane(hn::SumOfLanes(d, product)),
            hn::GetLane(hn::SumOfLanes(d, from_sum))};
}

EdgeSums encode_edge_b4(const uint8_t* codes, float scale, const float* from, size_t count,
                        float inverse_step, uint8_t* levels) {
    const Edges d;
    const hn::Rebind<int32_t, Edges> d32;
    const hn::Rebind<uint8_t, Edges> d8;
    auto squared = hn::Zero(d);
    auto product = hn::Zero(d);
    auto from_sum = hn::Zero(d);
    for (size_t i = 0; i < count; i += hn::Lanes(d)) {
        const auto difference = difference_at(d, codes, scale, from, i);
        const auto place = hn::MulAdd(difference, hn::Set(d, inverse_step), hn::Set(d, 8.0f));
        const auto level = hn::ConvertTo(d32, hn::Min(hn::Max(place, hn::Zero(d)), hn::Set(d, 15.0f)));
        const auto centred = hn::Sub(hn::ConvertTo(d, level), hn::Set(d, 7.5f));
        hn::StoreU(hn::DemoteTo(d8, level), d8, levels + i);
        squared = hn::MulAdd(difference, difference, squared);
        product = hn::MulAdd(difference, centred, product);
        from_sum = hn::MulAdd(hn::LoadU(d, from + i), centred, from_sum);
    }
    return {hn::GetLane(hn::SumOfLanes(d, squared)), hn::GetLane(hn::SumOfLanes(d, product)),
            hn::GetLane(hn::SumOfLanes(d, from_sum))};
}

constexpr Kernels kKernels {
#if HWY_TARGET == HWY_AVX3_DL
    "avx3_dl",
#elif HWY_TARGET == HWY_AVX3
    "avx3",
#elif HWY_TARGET == HWY_AVX2
    "avx2",
#elif HWY_TARGET == HWY_NEON
    "neon",
#else
#error "a target without a name"
#endif
        dot_f32, l2_f32, dot_f16, dots_u8, dots_u4, scan_b1, scan_b4, make_table_b1, estimate_32,
        hadamard_f32, encode_edge_b1, encode_edge_b4
};

}  // namespace

const Kernels* kernels() {
    return &kKernels;
}

#endif

}  // namespace akidb::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace akidb::simd {

HWY_EXPORT(kernels);

size_t highway_kernels(const Kernels** sets, size_t room) {
    // Highway calls the best target among those it is told to believe in.
    int64_t left = hwy::SupportedTargets();
    size_t count = 0;
    while (left != 0 && count < room) {
        hwy::SetSupportedTargetsForTest(left);
        hwy::GetChosenTarget().Update(left);
        sets[count] = HWY_DYNAMIC_DISPATCH(kernels)();
        count += sets[count] != nullptr ? 1 : 0;
        left &= left - 1;  // the best target is the lowest bit
    }
    hwy::SetSupportedTargetsForTest(0);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    return count;
}

}  // namespace akidb::simd
#endif
