#include "objects/sha256.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "base/assert.h"

namespace akidb::objects {
namespace {

constexpr uint64_t kHashedAtOnce = 128 << 10;  // stays in the cache of one processor

// Looked up once: each look-up costs as much as hashing a short text.
const EVP_MD* algorithm() {
    static const EVP_MD* const found = EVP_sha256();
    return found;
}

}  // namespace

struct Sha256::Impl {
    std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
};

Sha256::Sha256() : impl_(std::make_unique<Impl>()) {
    AKIDB_ASSERT(impl_->context != nullptr &&
                 EVP_DigestInit_ex(impl_->context.get(), algorithm(), nullptr) == 1);
}

Sha256::~Sha256() = default;

Sha256& Sha256::add(std::string_view piece) {
    AKIDB_ASSERT(EVP_DigestUpdate(impl_->context.get(), piece.data(), piece.size()) == 1);
    return *this;
}

Sha256Digest Sha256::finish() {
    Sha256Digest digest;
    AKIDB_ASSERT(EVP_DigestFinal_ex(impl_->context.get(), digest.data(), nullptr) == 1);
    return digest;
}

Sha256Digest sha256(std::string_view text) {
    return Sha256().add(text).finish();
}

Sha256Digest hmac_sha256(std::string_view key, std::string_view text) {
    Sha256Digest digest;
    const unsigned char* made =
        HMAC(algorithm(), key.data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), nullptr);
    AKIDB_ASSERT(made != nullptr);
    return digest;
}

std::string hex(const Sha256Digest& digest) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    text.reserve(2 * digest.size());
    for (const uint8_t byte : digest) {
        text.push_back(kDigits[byte >> 4]);
        text.push_back(kDigits[byte & 15]);
    }
    return text;
}

std::string sha256_hex(std::string_view text) {
    return hex(sha256(text));
}

bool is_sha256_hex(std::string_view text) {
    return text.size() == 2 * Sha256Digest().size() && std::all_of(text.begin(), text.end(), [](char letter) {
               return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f');
           });
}

Result<std::string> sha256_of_file(const io::ReadFile& file, uint64_t bytes) {
    Sha256 hash;
    std::string piece;
    for (uint64_t at = 0; at < bytes; at += piece.size()) {
        AKIDB_TRY(file.read_at(at, static_cast<size_t>(std::min(kHashedAtOnce, bytes - at)), piece));
        hash.add(piece);
    }
    return hex(hash.finish());
}

}  // namespace akidb::objects
