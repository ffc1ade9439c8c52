// EncryptedStore: what lies in the store behind it cannot be read, changed, cut short or swapped for another
// object without the key. XChaCha20-Poly1305 of libsodium over chunks, each with its number and whether it is
// the last in its nonce (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015), so ranges
// can be read; the key of an object follows from the key given, a salt of its own, and its name.
// docs/formats/backup.md has the bytes. Names, sizes, and which objects there are stay visible. Thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "io/random.h"
#include "objects/object_store.h"

namespace akidb::objects {

/// 256 bits that somebody keeps elsewhere. Immutable.
class EncryptionKey {
  public:
    /// 64 hex digits.
    static Result<EncryptionKey> parse(std::string_view text);
    /// 16 hex digits that tell keys apart and nothing else.
    const std::string& id() const { return id_; }

  private:
    friend class EncryptedStore;
    explicit EncryptionKey(Secret bytes);
    Secret bytes_;
    std::string id_;
};

/// From a file that others than its owner and group cannot read. The error names the path.
Result<EncryptionKey> read_encryption_key(const std::string& path);

/// The id of the key that the beginning of an object says; none: it is not encrypted.
std::optional<std::string> encryption_key_id(std::string_view object);

/// kPermissionDenied for an object of another key, or of none; kDataLoss for one that was changed. Single
/// puts are a few KiB less than kSinglePutBytesMax. Store and random must outlive it.
std::unique_ptr<ObjectStore> make_encrypted_store(ObjectStore& store, EncryptionKey key, io::Random& random);

}  // namespace akidb::objects
