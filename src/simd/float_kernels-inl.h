// The float kernels of kernels_highway.cc: sums over pairs, half floats, the Walsh–Hadamard transform.
// Included once for each instruction set, into its namespace: no include guard, no include.

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

// Of floats and narrower numbers, which `load` widens to a vector of floats.
template <class T, class Load, class Combine>
HWY_INLINE float sum_widened(const float* a, const T* b, size_t count, Load load, Combine combine) {
    const Floats d;
    const size_t lanes = hn::Lanes(d);
    auto sum0 = hn::Zero(d);
    auto sum1 = hn::Zero(d);
    auto sum2 = hn::Zero(d);
    auto sum3 = hn::Zero(d);
    size_t i = 0;
    for (; i + 4 * lanes <= count; i += 4 * lanes) {
        sum0 = combine(hn::LoadU(d, a + i), load(b + i), sum0);
        sum1 = combine(hn::LoadU(d, a + i + lanes), load(b + i + lanes), sum1);
        sum2 = combine(hn::LoadU(d, a + i + 2 * lanes), load(b + i + 2 * lanes), sum2);
        sum3 = combine(hn::LoadU(d, a + i + 3 * lanes), load(b + i + 3 * lanes), sum3);
    }
    for (; i + lanes <= count; i += lanes) {
        sum0 = combine(hn::LoadU(d, a + i), load(b + i), sum0);
    }
    if (i < count) {  // zeros add nothing to either sum
        HWY_ALIGN float a_rest[HWY_LANES(float)] = {};
        HWY_ALIGN T b_rest[HWY_LANES(float)] = {};
        for (size_t j = 0; i + j < count; ++j) {
            a_rest[j] = a[i + j];
            b_rest[j] = b[i + j];
        }
        sum1 = combine(hn::LoadU(d, a_rest), load(b_rest), sum1);
    }
    return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(sum0, sum1), hn::Add(sum2, sum3))));
}

HWY_INLINE hn::Vec<Floats> load_f16(const uint16_t* from) {
    const Floats d;
    const hn::Rebind<hwy::float16_t, Floats> d16;
    const hn::Rebind<uint16_t, Floats> du16;
    return hn::PromoteTo(d, hn::BitCast(d16, hn::LoadU(du16, from)));
}

HWY_INLINE hn::Vec<Floats> load_i8(const int8_t* from) {
    const Floats d;
    const hn::Rebind<int32_t, Floats> d32;
    const hn::Rebind<int8_t, Floats> d8;
    return hn::ConvertTo(d, hn::PromoteTo(d32, hn::LoadU(d8, from)));
}

float dot_f16(const float* a, const uint16_t* half, size_t count) {
    return sum_widened(
        a, half, count, [](const uint16_t* from) HWY_ATTR { return load_f16(from); },
        [](auto x, auto y, auto sum) HWY_ATTR { return hn::MulAdd(x, y, sum); });
}

float l2_f16(const float* a, const uint16_t* half, size_t count) {
    return sum_widened(
        a, half, count, [](const uint16_t* from) HWY_ATTR { return load_f16(from); },
        [](auto x, auto y, auto sum) HWY_ATTR {
            const auto difference = hn::Sub(x, y);
            return hn::MulAdd(difference, difference, sum);
        });
}

float dot_i8(const float* a, const int8_t* codes, size_t count) {
    return sum_widened(
        a, codes, count, [](const int8_t* from) HWY_ATTR { return load_i8(from); },
        [](auto x, auto y, auto sum) HWY_ATTR { return hn::MulAdd(x, y, sum); });
}

float l2_i8(const float* a, const int8_t* codes, float scale, size_t count) {
    const auto factor = hn::Set(Floats(), scale);
    return sum_widened(
        a, codes, count, [](const int8_t* from) HWY_ATTR { return load_i8(from); },
        [factor](auto x, auto y, auto sum) HWY_ATTR {
            const auto difference = hn::NegMulAdd(y, factor, x);
            return hn::MulAdd(difference, difference, sum);
        });
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
