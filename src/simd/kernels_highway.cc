// The kernels, written once and compiled by Highway for each instruction set; see kernels.h for what may be
// included. Intrinsics stand only where the CPU has an instruction that Highway 1.0.3 does not name: byte
// products summed by fours (VNNI, NEON's dot product), and look-ups in 64 bytes (VBMI).
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

#include "simd/float_kernels-inl.h"

// Entry n of a group is the sum of its four components, each with the sign that n's bit says, brought from
// [-range, range] to [0, kScanTableMax].
void make_table_b1(const float* query, size_t steps, float range, uint8_t* table) {
    const hn::CappedTag<float, 16> d;
    const hn::Rebind<int32_t, decltype(d)> d32;
    const hn::Rebind<uint8_t, decltype(d)> d8;
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
}

void multiply_f32(float* values, const float* factors, size_t count) {
    const Floats d;
    size_t i = 0;
    for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) {
        hn::StoreU(hn::Mul(hn::LoadU(d, values + i), hn::LoadU(d, factors + i)), d, values + i);
    }
    for (; i < count; ++i) {
        values[i] *= factors[i];
    }
}

void mix_f32(float* a, float* b, size_t count) {
    constexpr float kShrink = 0.70710678f;
    const Floats d;
    size_t i = 0;
    for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) {
        const auto x = hn::LoadU(d, a + i);
        const auto y = hn::LoadU(d, b + i);
        hn::StoreU(hn::Mul(hn::Add(x, y), hn::Set(d, kShrink)), d, a + i);
        hn::StoreU(hn::Mul(hn::Sub(x, y), hn::Set(d, kShrink)), d, b + i);
    }
    for (; i < count; ++i) {
        const float x = a[i];
        const float y = b[i];
        a[i] = (x + y) * kShrink;
        b[i] = (x - y) * kShrink;
    }
}

float largest_f32(const float* values, size_t count) {
    const Floats d;
    auto largest = hn::Zero(d);
    size_t i = 0;
    for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) {
        largest = hn::Max(largest, hn::Abs(hn::LoadU(d, values + i)));
    }
    float result = hn::GetLane(hn::MaxOfLanes(d, largest));
    for (; i < count; ++i) {
        const float magnitude = values[i] < 0 ? -values[i] : values[i];
        result = magnitude > result ? magnitude : result;
    }
    return result;
}

int32_t round_f32(const float* values, float factor, size_t count, int8_t* bytes) {
    const hn::CappedTag<float, 16> d;
    const hn::Rebind<int32_t, decltype(d)> d32;
    const hn::Rebind<int8_t, decltype(d)> d8;
    auto sum = hn::Zero(d32);
    size_t i = 0;
    for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) {
        const auto rounded = hn::NearestInt(hn::Mul(hn::LoadU(d, values + i), hn::Set(d, factor)));
        sum = hn::Add(sum, rounded);
        hn::StoreU(hn::DemoteTo(d8, rounded), d8, bytes + i);
    }
    int32_t result = hn::GetLane(hn::SumOfLanes(d32, sum));
    const hn::CappedTag<float, 1> one;
    for (; i < count; ++i) {
        const int32_t rounded = hn::GetLane(hn::NearestInt(hn::Set(one, values[i] * factor)));
        bytes[i] = static_cast<int8_t>(rounded);
        result += rounded;
    }
    return result;
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

#include "simd/code_kernels-inl.h"

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
        dot_f32, l2_f32, dot_f16, l2_f16, dot_i8, l2_i8, dots_u8, dots_u4, scan_b1, scan_b4, make_table_b1,
        estimate_32, hadamard_f32, multiply_f32, mix_f32, largest_f32, round_f32, encode_edge_b1,
        encode_edge_b4
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

#if (HWY_TARGETS & (HWY_TARGETS - 1)) == 0

// Compiled for one set, which every CPU of its kind has: nothing to ask Highway's library.
size_t highway_kernels(const Kernels** sets, size_t room) {
    const Kernels* const only = HWY_STATIC_DISPATCH(kernels)();
    if (only == nullptr || room == 0) {
        return 0;
    }
    sets[0] = only;
    return 1;
}

#else

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

#endif

}  // namespace akidb::simd
#endif
