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

#include "io/random.h"
#include "objects/encryption_key.h"
#include "objects/object_store.h"

namespace akidb::objects {

/// The id of the key that the beginning of an object says; none: it is not encrypted.
std::optional<std::string> encryption_key_id(std::string_view object);

/// Everything is put with `key`, but files that name another one (FileToPut::key), which `others` must have;
/// what is read is opened with the one that it names. kPermissionDenied for an object of a key that is
/// neither, or of none, and for a put with such a key; kDataLoss for an object that was changed. Single puts
/// are a few KiB less than kSinglePutBytesMax. `others` may be null; all must outlive it.
std::unique_ptr<ObjectStore> make_encrypted_store(ObjectStore& store, EncryptionKey key, io::Random& random,
                                                  const Keyring* others = nullptr);

}  // namespace akidb::objects
