#include "objects/encryption_key.h"

#include <sodium.h>

#include <algorithm>

#include "base/assert.h"
#include "base/bytes.h"
#include "io/private_file.h"

namespace akidb::objects {
namespace {

constexpr size_t kEncryptionKeyBytes = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr size_t kIdHashBytes = 16;
constexpr size_t kIdDigits = 16;  // of the first half of that
constexpr uint64_t kKeyFileBytesMax = 4096;

const uint8_t* bytes_of(std::string_view text) {
    return reinterpret_cast<const uint8_t*>(text.data());
}

uint8_t* bytes_of(std::string& text) {
    return reinterpret_cast<uint8_t*>(text.data());
}

}  // namespace

void require_sodium() {
    static const int kStarted = sodium_init();
    AKIDB_ASSERT(kStarted >= 0);
}

std::string keyed_hash(const Secret& key, std::string_view text, size_t bytes) {
    std::string digest(bytes, '\0');
    const std::string& key_bytes = key.reveal();
    AKIDB_ASSERT(crypto_generichash(bytes_of(digest), digest.size(), bytes_of(text), text.size(),
                                    bytes_of(key_bytes), key_bytes.size()) == 0);
    return digest;
}

std::string hex_of_bytes(std::string_view bytes) {
    std::string text(bytes.size() * 2 + 1, '\0');
    sodium_bin2hex(text.data(), text.size(), bytes_of(bytes), bytes.size());
    text.pop_back();
    return text;
}

EncryptionKey::EncryptionKey(Secret bytes)
    : bytes_(std::move(bytes)),
      id_(hex_of_bytes(keyed_hash(bytes_, "akidb key id", kIdHashBytes)).substr(0, kIdDigits)) {}

Result<EncryptionKey> EncryptionKey::parse(std::string_view text) {
    require_sodium();
    std::string bytes(kEncryptionKeyBytes, '\0');
    size_t size = 0;
    const char* end = nullptr;
    const int outcome =
        sodium_hex2bin(bytes_of(bytes), bytes.size(), text.data(), text.size(), nullptr, &size, &end);
    if (outcome != 0 || size != bytes.size() || end != text.data() + text.size()) {
        return Error(Code::kInvalidArgument, "is no key").with_allowed("64 hex digits");
    }
    return EncryptionKey(Secret(std::move(bytes)));
}

Secret EncryptionKey::draw(io::Random& random) {
    require_sodium();
    std::string bytes;
    ByteWriter writer(bytes);
    for (size_t i = 0; i < kEncryptionKeyBytes / sizeof(uint64_t); ++i) {
        writer.put(random.next_u64());
    }
    Secret text(hex_of_bytes(bytes));
    sodium_memzero(bytes.data(), bytes.size());
    return text;
}

bool is_encryption_key_id(std::string_view text) {
    return text.size() == kIdDigits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<EncryptionKey> read_encryption_key(const std::string& path) {
    AKIDB_TRY(const std::string content, io::read_private_file(path, kKeyFileBytesMax));
    const std::string_view text =
        std::string_view(content).substr(0, content.find_last_not_of(" \t\r\n") + 1);
    Result<EncryptionKey> key = EncryptionKey::parse(text);
    return key ? std::move(key)
               : Error(Code::kInvalidArgument, path + " holds no key")
                     .with_allowed("64 hex digits, as of openssl rand -hex 32");
}

std::optional<EncryptionKey> Keyring::find(const std::string& id) const {
    MutexLock lock(mutex_);
    const auto found = keys_.find(id);
    return found == keys_.end() ? std::nullopt : std::optional(found->second);
}

void Keyring::add(const EncryptionKey& key) {
    MutexLock lock(mutex_);
    keys_.emplace(key.id(), key);
}

void Keyring::remove(const std::string& id) {
    MutexLock lock(mutex_);
    keys_.erase(id);
}

}  // namespace akidb::objects
