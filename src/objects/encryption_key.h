// EncryptionKey: 256 bits that objects are encrypted with, and the Keyring: keys beside the one of a place,
// by their ids. An object tells in its beginning which key it is encrypted with (encrypted_store.h), so one
// place may hold objects of several. A key is a value and immutable; a keyring is thread-safe, and a leaf.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "base/result.h"
#include "base/secret.h"
#include "io/random.h"

namespace akidb::objects {

class EncryptionKey {
  public:
    /// 64 hex digits.
    static Result<EncryptionKey> parse(std::string_view text);
    /// A new one, as such text; `random` must be the kernel's.
    static Secret draw(io::Random& random);
    /// 16 hex digits that tell keys apart and nothing else.
    const std::string& id() const { return id_; }

  private:
    friend class EncryptedStore;
    explicit EncryptionKey(Secret bytes);
    Secret bytes_;
    std::string id_;
};

/// Whether it has the form of EncryptionKey::id.
bool is_encryption_key_id(std::string_view text);

/// From a file that others than its owner and group cannot read. The error names the path.
Result<EncryptionKey> read_encryption_key(const std::string& path);

class Keyring {
  public:
    std::optional<EncryptionKey> find(const std::string& id) const AKIDB_EXCLUDES(mutex_);
    void add(const EncryptionKey& key) AKIDB_EXCLUDES(mutex_);
    void remove(const std::string& id) AKIDB_EXCLUDES(mutex_);

  private:
    mutable Mutex mutex_;
    std::map<std::string, EncryptionKey> keys_ AKIDB_GUARDED_BY(mutex_);
};

/// BLAKE2b of `bytes` bytes, under the key.
std::string keyed_hash(const Secret& key, std::string_view text, size_t bytes);
std::string hex_of_bytes(std::string_view bytes);
/// Before anything of libsodium.
void require_sodium();

}  // namespace akidb::objects
