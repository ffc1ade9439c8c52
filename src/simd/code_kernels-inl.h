// The integer kernels of kernels_highway.cc on codes: by VNNI and VBMI where the CPU has them, by 16-bit
// products and look-ups in 16 bytes elsewhere. Included once for each instruction set, into its namespace: no
// include guard, and no include but of what belongs into that namespace too.

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

#if HWY_ARCH_ARM_A64 && defined(__ARM_FEATURE_DOTPROD)

#include "simd/dotprod_kernels-inl.h"

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
