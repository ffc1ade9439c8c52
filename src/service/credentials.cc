#include "service/credentials.h"

#include <sodium.h>

#include <algorithm>

namespace akidb::service {
namespace {

constexpr size_t kIdDigits = 32;
constexpr size_t kSecretLetters = 43;  // 43 · log2(62) = 256.03 bits
constexpr size_t kPrefix = 3;
constexpr std::string_view kLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

std::string_view prefix_of(TokenKind kind) {
    return kind == TokenKind::kKey ? "ak_" : "as_";
}

std::optional<uint8_t> digit_of(char letter) {
    if (letter >= '0' && letter <= '9') {
        return static_cast<uint8_t>(letter - '0');
    }
    if (letter >= 'a' && letter <= 'f') {
        return static_cast<uint8_t>(letter - 'a' + 10);
    }
    return std::nullopt;
}

bool is_bearer(std::string_view scheme) {
    constexpr std::string_view kBearer = "bearer";
    return std::equal(scheme.begin(), scheme.end(), kBearer.begin(), kBearer.end(),
                      [](char a, char b) { return (a | 0x20) == b; });
}

}  // namespace

Result<std::string_view> find_token(const Credentials& given) {
    const size_t count = given.authorization.size() + given.api_key.size() + given.cookies.size();
    if (count == 0) {
        return std::string_view();
    }
    if (count > 1) {
        return invalid_argument("Authorization",
                                "the request carries credentials " + std::to_string(count) + " times",
                                "one of Authorization, api-key and the session's cookie, once");
    }
    if (!given.api_key.empty()) {
        return std::string_view(given.api_key.front());
    }
    if (!given.cookies.empty()) {
        return std::string_view(given.cookies.front());
    }
    const std::string_view text = given.authorization.front();
    const size_t space = text.find(' ');
    if (space == std::string_view::npos || !is_bearer(text.substr(0, space))) {
        return Error(Code::kUnauthenticated, "the Authorization is not of the kind that is understood here")
            .with_field("Authorization")
            .with_allowed("Bearer <API key or session token>");
    }
    return text.substr(space + 1);
}

std::optional<Token> parse_token(std::string_view text) {
    if (text.size() != kPrefix + kIdDigits + 1 + kSecretLetters || text[kPrefix + kIdDigits] != '_') {
        return std::nullopt;
    }
    Token token{};
    if (text.starts_with(prefix_of(TokenKind::kKey))) {
        token.kind = TokenKind::kKey;
    } else if (text.starts_with(prefix_of(TokenKind::kSession))) {
        token.kind = TokenKind::kSession;
    } else {
        return std::nullopt;
    }
    for (size_t i = 0; i < token.id.bytes.size(); ++i) {
        const auto high = digit_of(text[kPrefix + 2 * i]);
        const auto low = digit_of(text[kPrefix + 2 * i + 1]);
        if (!high || !low) {
            return std::nullopt;
        }
        token.id.bytes[i] = static_cast<uint8_t>(*high << 4 | *low);
    }
    token.secret = text.substr(kPrefix + kIdDigits + 1);
    return token;
}

std::string write_token(TokenKind kind, const Uuid& id, std::string_view secret) {
    std::string digits = id.to_string();
    std::erase(digits, '-');
    return std::string(prefix_of(kind)).append(digits).append("_").append(secret);
}

std::string make_secret(io::Random& random) {
    std::string secret;
    while (secret.size() < kSecretLetters) {
        // Six bits at a time; 62 and 63 are thrown away, so that every letter is as likely as any.
        uint64_t bits = random.next_u64();
        for (int i = 0; i < 10 && secret.size() < kSecretLetters; ++i, bits >>= 6) {
            if (const uint64_t index = bits & 63; index < kLetters.size()) {
                secret.push_back(kLetters[index]);
            }
        }
    }
    return secret;
}

std::string csrf_token_of(std::string_view session_token) {
    const catalog::SecretHash hash = hash_secret(std::string("akidb csrf ").append(session_token));
    std::string digits(2 * hash.size() + 1, '\0');
    sodium_bin2hex(digits.data(), digits.size(), hash.data(), hash.size());
    digits.pop_back();
    return digits;
}

catalog::SecretHash hash_secret(std::string_view secret) {
    static_assert(crypto_hash_sha256_BYTES == std::tuple_size_v<catalog::SecretHash>);
    catalog::SecretHash hash{};
    crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(secret.data()), secret.size());
    return hash;
}

bool is_secret(std::string_view secret, const catalog::SecretHash& hash) {
    const catalog::SecretHash given = hash_secret(secret);
    return sodium_memcmp(given.data(), hash.data(), hash.size()) == 0;
}

}  // namespace akidb::service
