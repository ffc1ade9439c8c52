#include "base/digest.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace akidb {
namespace {

// RFC 7693, 2.6: the fractional parts of the square roots of the first eight primes.
constexpr std::array<uint64_t, 8> kInitial{0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
                                           0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
                                           0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
// RFC 7693, 2.7.
constexpr std::array<std::array<uint8_t, 16>, 10> kSigma{{
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
}};
constexpr size_t kRounds = 12;
constexpr size_t kDigestBytes = 16;
// Digest length, no key, fanout 1, depth 1.
constexpr uint64_t kParameters = 0x01010000 | kDigestBytes;

struct Words {
    std::array<uint64_t, 16> v;

    void mix(size_t a, size_t b, size_t c, size_t d, uint64_t x, uint64_t y) {
        v[a] += v[b] + x;
        v[d] = std::rotr(v[d] ^ v[a], 32);
        v[c] += v[d];
        v[b] = std::rotr(v[b] ^ v[c], 24);
        v[a] += v[b] + y;
        v[d] = std::rotr(v[d] ^ v[a], 16);
        v[c] += v[d];
        v[b] = std::rotr(v[b] ^ v[c], 63);
    }
};

}  // namespace

Digester::Digester() : state_(kInitial) {
    state_[0] ^= kParameters;
}

void Digester::compress(bool is_last) {
    std::array<uint64_t, 16> m;
    std::memcpy(m.data(), block_.data(), kBlockBytes);
    Words words;
    std::copy(state_.begin(), state_.end(), words.v.begin());
    std::copy(kInitial.begin(), kInitial.end(), words.v.begin() + 8);
    words.v[12] ^= total_bytes_;
    if (is_last) {
        words.v[14] = ~words.v[14];
    }
    for (size_t round = 0; round < kRounds; ++round) {
        const auto& s = kSigma[round % kSigma.size()];
        words.mix(0, 4, 8, 12, m[s[0]], m[s[1]]);
        words.mix(1, 5, 9, 13, m[s[2]], m[s[3]]);
        words.mix(2, 6, 10, 14, m[s[4]], m[s[5]]);
        words.mix(3, 7, 11, 15, m[s[6]], m[s[7]]);
        words.mix(0, 5, 10, 15, m[s[8]], m[s[9]]);
        words.mix(1, 6, 11, 12, m[s[10]], m[s[11]]);
        words.mix(2, 7, 8, 13, m[s[12]], m[s[13]]);
        words.mix(3, 4, 9, 14, m[s[14]], m[s[15]]);
    }
    for (size_t i = 0; i < state_.size(); ++i) {
        state_[i] ^= words.v[i] ^ words.v[i + 8];
    }
}

Digester& Digester::add(std::string_view piece) {
    while (!piece.empty()) {
        if (block_used_ == kBlockBytes) {  // only when more follows: the last block is told as such
            compress(false);
            block_used_ = 0;
        }
        const size_t taken = std::min(piece.size(), kBlockBytes - block_used_);
        std::memcpy(block_.data() + block_used_, piece.data(), taken);
        block_used_ += taken;
        total_bytes_ += taken;
        piece.remove_prefix(taken);
    }
    return *this;
}

Digest128 Digester::finish() {
    std::fill(block_.begin() + static_cast<std::ptrdiff_t>(block_used_), block_.end(), uint8_t{0});
    compress(true);
    Digest128 digest;
    std::memcpy(digest.bytes.data(), state_.data(), digest.bytes.size());
    return digest;
}

}  // namespace akidb
