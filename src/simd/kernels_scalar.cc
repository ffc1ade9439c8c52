// The oracle: each kernel by its definition, in plain C++.
#include <algorithm>
#include <cmath>

#include "simd/kernels.h"

namespace akidb::simd {
namespace {

// Four sums, as in the wide kernels: the compiler may not reorder float additions, so one sum would be a
// chain.
float dot_f32(const float* a, const float* b, size_t count) {
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

float l2_f32(const float* a, const float* b, size_t count) {
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

// IEEE binary16 by its definition: 1 sign, 5 exponent, 10 fraction bits.
float to_float(uint16_t half) {
    const int exponent = (half >> 10) & 31;
    const auto fraction = static_cast<float>(half & 1023);
    float magnitude = 0;
    if (exponent == 31) {
        magnitude = fraction == 0 ? HUGE_VALF : std::nanf("");
    } else if (exponent == 0) {
        magnitude = std::ldexp(fraction, -24);
    } else {
        magnitude = std::ldexp(1024 + fraction, exponent - 25);
    }
    return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

float dot_f16(const float* a, const uint16_t* half, size_t count) {
    float sums[4] = {0, 0, 0, 0};
    for (size_t i = 0; i < count; ++i) {
        sums[i % 4] += a[i] * to_float(half[i]);
    }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

float l2_f16(const float* a, const uint16_t* half, size_t count) {
    float sums[4] = {0, 0, 0, 0};
    for (size_t i = 0; i < count; ++i) {
        const float difference = a[i] - to_float(half[i]);
        sums[i % 4] += difference * difference;
    }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

float dot_i8(const float* a, const int8_t* codes, size_t count) {
    float sums[4] = {0, 0, 0, 0};
    for (size_t i = 0; i < count; ++i) {
        sums[i % 4] += a[i] * static_cast<float>(codes[i]);
    }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

float l2_i8(const float* a, const int8_t* codes, float scale, size_t count) {
    float sums[4] = {0, 0, 0, 0};
    for (size_t i = 0; i < count; ++i) {
        const float difference = a[i] - scale * static_cast<float>(codes[i]);
        sums[i % 4] += difference * difference;
    }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

void dots_u8(const uint8_t* const* codes, size_t rows, const int8_t* query, size_t count, int32_t* dots) {
    for (size_t row = 0; row < rows; ++row) {
        int32_t sum = 0;
        for (size_t i = 0; i < count; ++i) {
            sum += codes[row][i] * query[i];
        }
        dots[row] = sum;
    }
}

int32_t dot_halves(const uint8_t* codes, const int8_t* query, size_t bytes) {
    int32_t sum = 0;
    for (size_t i = 0; i < bytes; ++i) {
        sum += (codes[i] & 15) * query[i] + (codes[i] >> 4) * query[bytes + i];
    }
    return sum;
}

void dots_u4(const uint8_t* const* codes, size_t rows, const int8_t* query, size_t count, int32_t* dots) {
    for (size_t row = 0; row < rows; ++row) {
        int32_t sum = 0;
        size_t i = 0;
        for (; i + 128 <= count; i += 128) {
            sum += dot_halves(codes[row] + i / 2, query + i, 64);
        }
        dots[row] = i < count ? sum + dot_halves(codes[row] + i / 2, query + i, 32) : sum;
    }
}

// Where a step of the table keeps the group of four dimensions that half `half` of byte `byte` chooses from.
const uint8_t* group(const uint8_t* table, size_t byte, size_t half) {
    return table + half * 64 + byte * 16;
}

void scan_b1(const uint8_t* codes, const uint8_t* table, size_t steps, int32_t* sums) {
    for (size_t row = 0; row < kScanRows; ++row) {
        int32_t sum = 0;
        for (size_t step = 0; step < steps; ++step) {
            const uint8_t* const word = codes + step * kScanStepBytes + row * 4;
            const uint8_t* const entries = table + step * kScanTableBytes;
            for (size_t byte = 0; byte < 4; ++byte) {
                sum += group(entries, byte, 0)[word[byte] & 15] + group(entries, byte, 1)[word[byte] >> 4];
            }
        }
        sums[row] = sum;
    }
}

void scan_b4(const uint8_t* codes, const int8_t* query, size_t steps, int32_t* sums) {
    for (size_t row = 0; row < kScanRows; ++row) {
        int32_t sum = 0;
        for (size_t step = 0; step < steps; ++step) {
            sum += dot_halves(codes + step * kScanStepBytes + row * 4, query + step * kScanDimensions4, 4);
        }
        sums[row] = sum;
    }
}

void make_table_b1(const float* query, size_t steps, float range, uint8_t* table) {
    const float scale = range > 0 ? kScanTableMax / (2 * range) : 0;
    for (size_t step = 0; step < steps; ++step) {
        for (size_t group = 0; group < 8; ++group) {
            for (size_t n = 0; n < 16; ++n) {
                float sum = kScanTableMax / 2.0f;
                for (size_t bit = 0; bit < 4; ++bit) {
                    const float component = query[step * kScanDimensions1 + group * 4 + bit];
                    sum += (n >> bit & 1) != 0 ? component * scale : -component * scale;
                }
                table[step * kScanTableBytes + group % 2 * 64 + group / 2 * 16 + n] =
                    static_cast<uint8_t>(sum + 0.5f);
            }
        }
    }
}

void multiply_f32(float* values, const float* factors, size_t count) {
    for (size_t i = 0; i < count; ++i) {
        values[i] *= factors[i];
    }
}

void mix_f32(float* a, float* b, size_t count) {
    constexpr float kShrink = 0.70710678f;
    for (size_t i = 0; i < count; ++i) {
        const float x = a[i];
        const float y = b[i];
        a[i] = (x + y) * kShrink;
        b[i] = (x - y) * kShrink;
    }
}

float largest_f32(const float* values, size_t count) {
    float largest = 0;
    for (size_t i = 0; i < count; ++i) {
        largest = std::fmax(largest, std::fabs(values[i]));
    }
    return largest;
}

int32_t round_f32(const float* values, float factor, size_t count, int8_t* bytes) {
    int32_t sum = 0;
    for (size_t i = 0; i < count; ++i) {
        const auto rounded = static_cast<int32_t>(std::nearbyint(values[i] * factor));
        bytes[i] = static_cast<int8_t>(rounded);
        sum += rounded;
    }
    return sum;
}

uint32_t estimate_32(const int32_t* sums, const float* factors, const Estimate& estimate, float* distances) {
    uint32_t nearer = 0;
    for (size_t i = 0; i < kScanRows; ++i) {
        const float sum = static_cast<float>(sums[i]) * estimate.scale + estimate.offset;
        distances[i] = estimate.base + estimate.constant * factors[i] - sum * factors[kScanRows + i];
        nearer |= distances[i] < estimate.bound ? 1u << i : 0u;
    }
    return nearer;
}

void hadamard_f32(float* values, size_t count) {
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t start = 0; start < count; start += 2 * width) {
            for (size_t i = start; i < start + width; ++i) {
                const float a = values[i];
                const float b = values[i + width];
                values[i] = a + b;
                values[i + width] = a - b;
            }
        }
    }
}

EdgeSums encode_edge_b1(const uint8_t* codes, float scale, const float* from, size_t count, uint8_t* bits) {
    EdgeSums sums;
    std::fill_n(bits, count / 8, uint8_t{0});
    for (size_t i = 0; i < count; ++i) {
        const float difference = static_cast<float>(codes[i] - 128) * scale - from[i];
        const float sign = difference > 0 ? 1.0f : -1.0f;
        if (difference > 0) {
            bits[i / 8] = static_cast<uint8_t>(bits[i / 8] | 1u << i % 8);
        }
        sums.squared += difference * difference;
        sums.product += difference * sign;
        sums.from += from[i] * sign;
    }
    return sums;
}

EdgeSums encode_edge_b4(const uint8_t* codes, float scale, const float* from, size_t count,
                        float inverse_step, uint8_t* levels) {
    EdgeSums sums;
    for (size_t i = 0; i < count; ++i) {
        const float difference = static_cast<float>(codes[i] - 128) * scale - from[i];
        const float place = difference * inverse_step + 8.0f;
        const float level = place < 0    ? 0.0f
                            : place > 15 ? 15.0f
                                         : static_cast<float>(static_cast<int>(place));
        levels[i] = static_cast<uint8_t>(level);
        sums.squared += difference * difference;
        sums.product += difference * (level - 7.5f);
        sums.from += from[i] * (level - 7.5f);
    }
    return sums;
}

constexpr Kernels kScalarKernels{"scalar", dot_f32,       l2_f32,      dot_f16,        l2_f16,
                                 dot_i8,   l2_i8,         dots_u8,     dots_u4,        scan_b1,
                                 scan_b4,  make_table_b1, estimate_32, hadamard_f32,   multiply_f32,
                                 mix_f32,  largest_f32,   round_f32,   encode_edge_b1, encode_edge_b4};

}  // namespace

const Kernels& scalar_kernels() {
    return kScalarKernels;
}

}  // namespace akidb::simd
