// What the sources of this room share of libsodium: its start, random bytes from the door of `io`, digests of
// texts made of parts, and the two ways to write bytes. For sources of this room only. Pure but for
// random_bytes; thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "io/random.h"

namespace akidb::access {

/// Before any other function of libsodium: picks the implementations for this processor, once a process.
void require_sodium();

void fill_random(io::Random& random, std::span<uint8_t> out);
template <size_t kCount>
std::array<uint8_t, kCount> random_bytes(io::Random& random) {
    std::array<uint8_t, kCount> made{};
    fill_random(random, made);
    return made;
}

/// Text as libsodium takes it.
inline const uint8_t* raw(std::string_view text) {
    return reinterpret_cast<const uint8_t*>(text.data());
}

using Sha256 = std::array<uint8_t, 32>;
/// Each part goes in behind its length, so that no two lists of parts give one text.
Sha256 sha256_of_parts(std::initializer_list<std::string_view> parts);
/// HMAC-SHA256 of the text as it stands.
Sha256 hmac_sha256(std::span<const uint8_t> key, std::string_view text);
/// Takes as long for bytes that differ early as for equal ones; of unequal sizes, no time.
bool equal_in_constant_time(std::span<const uint8_t> a, std::span<const uint8_t> b);

std::string to_hex(std::span<const uint8_t> bytes);
/// Exactly out.size() bytes in lower-case digits; false for all else.
bool from_hex(std::string_view text, std::span<uint8_t> out);
std::string to_base64(std::span<const uint8_t> bytes);
/// The standard alphabet with padding; nothing for all else.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace akidb::access
