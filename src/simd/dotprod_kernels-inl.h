// The integer kernels of kernels_highway.cc by NEON's sums of four signed byte products, for programs
// compiled for CPUs that have them (-march=armv8.2-a+dotprod); code_kernels-inl.h has what they replace. No
// include guard, no include.

// Codes are unsigned, so each is lowered by 128, and 128 times the query's sum is added in the end.
template <size_t kRows>
HWY_INLINE void dots_u8_rows(const uint8_t* const* codes, const int8_t* query, size_t count, int32_t* dots) {
    const uint8x16_t top = vdupq_n_u8(128);
    const int8x16_t ones = vdupq_n_s8(1);
    int32x4_t query_sum = vdupq_n_s32(0);
    int32x4_t sums[kRows];
    for (size_t row = 0; row < kRows; ++row) {
        sums[row] = vdupq_n_s32(0);
    }
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        const int8x16_t part = vld1q_s8(query + i);
        query_sum = vdotq_s32(query_sum, part, ones);
        for (size_t row = 0; row < kRows; ++row) {
            const uint8x16_t lowered = veorq_u8(vld1q_u8(codes[row] + i), top);
            sums[row] = vdotq_s32(sums[row], vreinterpretq_s8_u8(lowered), part);
        }
    }
    const int32_t raised = 128 * vaddvq_s32(query_sum);
    for (size_t row = 0; row < kRows; ++row) {
        int32_t sum = vaddvq_s32(sums[row]) + raised;
        for (size_t rest = i; rest < count; ++rest) {
            sum += codes[row][rest] * query[rest];
        }
        dots[row] = sum;
    }
}

HWY_INLINE int8x16_t low_halves(uint8x16_t pairs) {
    return vreinterpretq_s8_u8(vandq_u8(pairs, vdupq_n_u8(15)));
}

HWY_INLINE int8x16_t high_halves(uint8x16_t pairs) {
    return vreinterpretq_s8_u8(vshrq_n_u8(pairs, 4));
}

template <size_t kRows>
HWY_INLINE void dots_u4_rows(const uint8_t* const* codes, const int8_t* query, size_t count, int32_t* dots) {
    int32x4_t sums[kRows];
    for (size_t row = 0; row < kRows; ++row) {
        sums[row] = vdupq_n_s32(0);
    }
    for (size_t i = 0; i < count; i += 128) {
        const size_t bytes = i + 128 <= count ? 64 : 32;
        for (size_t j = 0; j < bytes; j += 16) {
            const int8x16_t part0 = vld1q_s8(query + i + j);
            const int8x16_t part1 = vld1q_s8(query + i + bytes + j);
            for (size_t row = 0; row < kRows; ++row) {
                const uint8x16_t pairs = vld1q_u8(codes[row] + i / 2 + j);
                sums[row] = vdotq_s32(sums[row], low_halves(pairs), part0);
                sums[row] = vdotq_s32(sums[row], high_halves(pairs), part1);
            }
        }
    }
    for (size_t row = 0; row < kRows; ++row) {
        dots[row] = vaddvq_s32(sums[row]);
    }
}

AKIDB_READS_SHARED void scan_b4(const uint8_t* codes, const int8_t* query, size_t steps, int32_t* sums) {
    int32x4_t totals[kScanRows / 4];
    for (int32x4_t& total : totals) {
        total = vdupq_n_s32(0);
    }
    for (size_t step = 0; step < steps; ++step, codes += kScanStepBytes, query += kScanDimensions4) {
        int32_t words[2];
        __builtin_memcpy(words, query, sizeof(words));
        const int8x16_t first = vreinterpretq_s8_s32(vdupq_n_s32(words[0]));
        const int8x16_t second = vreinterpretq_s8_s32(vdupq_n_s32(words[1]));
        for (size_t part = 0; part < kScanRows / 4; ++part) {
            const uint8x16_t pairs = vld1q_u8(codes + part * 16);
            totals[part] = vdotq_s32(totals[part], low_halves(pairs), first);
            totals[part] = vdotq_s32(totals[part], high_halves(pairs), second);
        }
    }
    for (size_t part = 0; part < kScanRows / 4; ++part) {
        vst1q_s32(sums + part * 4, totals[part]);
    }
}
