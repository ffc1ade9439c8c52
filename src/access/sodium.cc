#include "access/sodium.h"

#include <sodium.h>

#include <cstring>

#include "base/assert.h"
#include "base/bytes.h"

namespace akidb::access {
namespace {

int digit_of(char letter) {
    if (letter >= '0' && letter <= '9') {
        return letter - '0';
    }
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

}  // namespace

void require_sodium() {
    static const int kStarted = sodium_init();
    AKIDB_ASSERT(kStarted >= 0);
}

void fill_random(io::Random& random, std::span<uint8_t> out) {
    for (size_t at = 0; at < out.size(); at += sizeof(uint64_t)) {
        const uint64_t drawn = random.next_u64();
        std::memcpy(out.data() + at, &drawn, std::min(sizeof drawn, out.size() - at));
    }
}

Sha256 sha256_of_parts(std::initializer_list<std::string_view> parts) {
    std::string text;
    ByteWriter writer(text);
    for (const std::string_view part : parts) {
        writer.put_string(part);
    }
    Sha256 digest{};
    crypto_hash_sha256(digest.data(), raw(text), text.size());
    return digest;
}

Sha256 hmac_sha256(std::span<const uint8_t> key, std::string_view text) {
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key.data(), key.size());
    crypto_auth_hmacsha256_update(&state, raw(text), text.size());
    Sha256 code{};
    crypto_auth_hmacsha256_final(&state, code.data());
    return code;
}

bool equal_in_constant_time(std::span<const uint8_t> a, std::span<const uint8_t> b) {
    return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string to_hex(std::span<const uint8_t> bytes) {
    std::string text(bytes.size() * 2 + 1, '\0');
    sodium_bin2hex(text.data(), text.size(), bytes.data(), bytes.size());
    text.pop_back();
    return text;
}

bool from_hex(std::string_view text, std::span<uint8_t> out) {
    if (text.size() != out.size() * 2) {
        return false;
    }
    for (size_t i = 0; i < out.size(); ++i) {
        const int high = digit_of(text[2 * i]);
        const int low = digit_of(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = static_cast<uint8_t>(high * 16 + low);
    }
    return true;
}

std::string to_base64(std::span<const uint8_t> bytes) {
    constexpr int kVariant = sodium_base64_VARIANT_ORIGINAL;
    std::string text(sodium_base64_encoded_len(bytes.size(), kVariant), '\0');
    sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), kVariant);
    text.pop_back();
    return text;
}

std::optional<std::string> from_base64(std::string_view text) {
    std::string bytes(text.size() / 4 * 3 + 3, '\0');
    size_t size = 0;
    const int outcome =
        sodium_base642bin(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size(), text.data(), text.size(),
                          nullptr, &size, nullptr, sodium_base64_VARIANT_ORIGINAL);
    if (outcome != 0) {
        return std::nullopt;
    }
    bytes.resize(size);
    return bytes;
}

}  // namespace akidb::access
