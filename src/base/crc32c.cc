#include "base/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace akidb {
namespace {

constexpr std::array<uint32_t, 256> make_table() {
    std::array<uint32_t, 256> table{};
    for (uint32_t i = 0; i < 256; ++i) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit) {
            value = (value >> 1) ^ ((value & 1) != 0 ? 0x82f63b78u : 0u);
        }
        table[i] = value;
    }
    return table;
}
constexpr std::array<uint32_t, 256> kTable = make_table();

uint32_t by_table(const unsigned char* data, size_t size, uint32_t state) {
    for (size_t i = 0; i < size; ++i) {
        state = kTable[(state ^ data[i]) & 0xff] ^ (state >> 8);
    }
    return state;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t by_instruction(const unsigned char* data, size_t size,
                                                          uint32_t state) {
    uint64_t wide = state;
    while (size >= 8) {
        uint64_t word = 0;
        std::memcpy(&word, data, 8);
        wide = _mm_crc32_u64(wide, word);
        data += 8;
        size -= 8;
    }
    auto narrow = static_cast<uint32_t>(wide);
    while (size > 0) {
        narrow = _mm_crc32_u8(narrow, *data);
        ++data;
        --size;
    }
    return narrow;
}
#endif

}  // namespace

uint32_t crc32c(std::string_view bytes, uint32_t seed) {
    const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) {
        return ~by_instruction(data, bytes.size(), ~seed);
    }
#endif
    return ~by_table(data, bytes.size(), ~seed);
}

}  // namespace akidb
