// Digest128: 128 bits that stand for a text: BLAKE2b with a digest of 16 bytes and no key (RFC 7693). Two
// texts with one digest are not found by chance, nor on purpose with less than about 2^64 tries, and the text
// cannot be read back from it. About 1 GB/s. Digester takes the text in pieces; where the pieces end makes no
// difference. Values; thread-compatible.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string_view>

namespace akidb {

struct Digest128 {
    std::array<uint8_t, 16> bytes{};

    auto operator<=>(const Digest128&) const = default;
};

class Digester {
  public:
    Digester();
    Digester& add(std::string_view piece);
    /// Once, at the end.
    Digest128 finish();

  private:
    static constexpr size_t kBlockBytes = 128;
    void compress(bool is_last);

    std::array<uint64_t, 8> state_;
    std::array<uint8_t, kBlockBytes> block_{};
    size_t block_used_ = 0;
    uint64_t total_bytes_ = 0;  // the other half of RFC 7693's counter is for texts beyond 16 EiB
};

}  // namespace akidb
