#include "objects/encrypted_store.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/mutex.h"
#include "objects/sha256.h"

namespace akidb::objects {
namespace {

constexpr std::string_view kMagic{"AKIENC1\0", 8};
constexpr size_t kKeyBytes = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr size_t kIdBytes = 8;
constexpr size_t kSaltBytes = 32;
constexpr uint64_t kHeaderBytes = kMagic.size() + kIdBytes + kSaltBytes;
constexpr uint64_t kChunkBytes = 64 << 10;
constexpr uint64_t kSealedChunkBytes = kChunkBytes + kTagBytes;

const uint8_t* raw(std::string_view text) {
    return reinterpret_cast<const uint8_t*>(text.data());
}

uint8_t* raw(std::string& text) {
    return reinterpret_cast<uint8_t*>(text.data());
}

uint64_t chunk_count(uint64_t bytes) {
    return bytes == 0 ? 1 : (bytes + kChunkBytes - 1) / kChunkBytes;
}

uint64_t sealed_bytes(uint64_t bytes) {
    return kHeaderBytes + bytes + chunk_count(bytes) * kTagBytes;
}

/// None: nothing that is encrypted whole has this size.
std::optional<uint64_t> opened_bytes(uint64_t sealed) {
    if (sealed < kHeaderBytes + kTagBytes) {
        return std::nullopt;
    }
    const uint64_t body = sealed - kHeaderBytes;
    const uint64_t chunks = (body + kSealedChunkBytes - 1) / kSealedChunkBytes;
    if (body < chunks * kTagBytes) {
        return std::nullopt;
    }
    const uint64_t bytes = body - chunks * kTagBytes;
    return sealed_bytes(bytes) == sealed ? std::optional(bytes) : std::nullopt;
}

/// One object: its header, and its chunks by number.
class Cipher {
  public:
    Cipher(const Secret& key, std::string header, const std::string& name) : header_(std::move(header)) {
        const std::string salt = header_.substr(header_.size() - kSaltBytes);
        key_ = Secret(keyed_hash(key, salt + name, kKeyBytes));
    }
    const std::string& header() const { return header_; }

    void seal(uint64_t number, bool is_last, std::string_view chunk, std::string& out) const {
        const auto nonce = nonce_of(number, is_last);
        const size_t at = out.size();
        out.resize(at + chunk.size() + kTagBytes);
        crypto_aead_xchacha20poly1305_ietf_encrypt(raw(out) + at, nullptr, raw(chunk), chunk.size(), nullptr,
                                                   0, nullptr, nonce.data(), raw(key_.reveal()));
    }

    [[nodiscard]] bool open(uint64_t number, bool is_last, std::string_view sealed, std::string& out) const {
        if (sealed.size() < kTagBytes) {
            return false;
        }
        const auto nonce = nonce_of(number, is_last);
        const size_t at = out.size();
        out.resize(at + sealed.size() - kTagBytes);
        return crypto_aead_xchacha20poly1305_ietf_decrypt(raw(out) + at, nullptr, nullptr, raw(sealed),
                                                          sealed.size(), nullptr, 0, nonce.data(),
                                                          raw(key_.reveal())) == 0;
    }

  private:
    static std::array<uint8_t, kNonceBytes> nonce_of(uint64_t number, bool is_last) {
        std::array<uint8_t, kNonceBytes> nonce{};
        std::memcpy(nonce.data(), &number, sizeof number);
        nonce[sizeof number] = is_last ? 1 : 0;
        return nonce;
    }

    std::string header_;
    Secret key_;
};

/// The first bytes of a file as they go to the store; the same at each read.
class SealedFile final : public io::ReadFile {
  public:
    SealedFile(const io::ReadFile& file, uint64_t bytes, const Cipher& cipher)
        : file_(file), bytes_(bytes), cipher_(cipher) {}
    uint64_t size() const override { return sealed_bytes(bytes_); }

    Result<void> read_at(uint64_t offset, size_t count, std::string& out) const override {
        out.clear();
        const uint64_t end = std::min(offset + count, size());
        if (offset >= end) {
            return {};
        }
        std::string sealed;
        uint64_t begin = 0;  // where `sealed` begins
        uint64_t number = 0;
        if (offset < kHeaderBytes) {
            sealed = cipher_.header();
        } else {
            number = (offset - kHeaderBytes) / kSealedChunkBytes;
            begin = kHeaderBytes + number * kSealedChunkBytes;
        }
        for (std::string chunk; begin + sealed.size() < end; ++number) {
            AKIDB_TRY(read_chunk(number, chunk));
            cipher_.seal(number, number + 1 == chunk_count(bytes_), chunk, sealed);
        }
        out = sealed.substr(offset - begin, end - offset);
        return {};
    }

    Result<void> read_chunk(uint64_t number, std::string& chunk) const {
        const uint64_t at = number * kChunkBytes;
        return file_.read_at(at, static_cast<size_t>(std::min(kChunkBytes, bytes_ - at)), chunk);
    }

  private:
    const io::ReadFile& file_;
    const uint64_t bytes_;
    const Cipher& cipher_;
};

}  // namespace

std::optional<std::string> encryption_key_id(std::string_view object) {
    return object.starts_with(kMagic) && object.size() >= kHeaderBytes
               ? std::optional(hex_of_bytes(object.substr(kMagic.size(), kIdBytes)))
               : std::nullopt;
}

class EncryptedStore final : public ObjectStore {
  public:
    EncryptedStore(ObjectStore& store, EncryptionKey key, io::Random& random, const Keyring* others)
        : store_(store), key_(std::move(key)), random_(random), others_(others) {}

    Result<void> put(const std::string& key, std::string_view bytes, PutMode mode) override {
        forget(key);
        const Cipher cipher = new_cipher(key_, key);
        std::string sealed = cipher.header();
        const uint64_t count = chunk_count(bytes.size());
        for (uint64_t number = 0; number < count; ++number) {
            cipher.seal(number, number + 1 == count, bytes.substr(number * kChunkBytes, kChunkBytes), sealed);
        }
        return store_.put(key, sealed, mode);
    }

    Result<void> put_file(const std::string& key, const FileToPut& source) override {
        forget(key);
        const std::optional<EncryptionKey> with = source.key.empty() ? key_ : find_key(source.key);
        if (!with) {
            return Error(Code::kPermissionDenied, "the key " + source.key + ", which the object " + key +
                                                      " was to be encrypted with, is gone");
        }
        const Cipher cipher = new_cipher(*with, key);
        const SealedFile sealed(source.file, source.bytes, cipher);
        Sha256 given;
        Sha256 kept;
        kept.add(cipher.header());
        std::string chunk;
        for (uint64_t number = 0; number < chunk_count(source.bytes); ++number) {
            AKIDB_TRY(sealed.read_chunk(number, chunk));
            given.add(chunk);
            std::string out;
            cipher.seal(number, number + 1 == chunk_count(source.bytes), chunk, out);
            kept.add(out);
        }
        if (hex(given.finish()) != source.sha256) {
            return Error(Code::kDataLoss, "the file for " + key + " is not what was to be put");
        }
        return store_.put_file(key, {sealed, sealed.size(), hex(kept.finish()), {}});
    }

    Result<std::string> get(const std::string& key, uint64_t bytes_max) override {
        AKIDB_TRY(const std::string sealed, store_.get(key, sealed_bytes(bytes_max)));
        const std::optional<uint64_t> bytes = opened_bytes(sealed.size());
        AKIDB_TRY(const Cipher cipher, cipher_of(key, std::string_view(sealed).substr(0, kHeaderBytes)));
        if (!bytes) {
            return changed(key);
        }
        return open_chunks(key, cipher, {0, chunk_count(*bytes), chunk_count(*bytes)},
                           std::string_view(sealed).substr(kHeaderBytes));
    }

    Result<std::string> get_range(const std::string& key, ByteRange range) override {
        Result<std::string> read = read_range(key, range);
        if (read || read.error().code() != Code::kDataLoss) {
            return read;
        }
        // The beginning that is remembered may have come with a wrong bit, or be of what was there before.
        forget(key);
        return read_range(key, range);
    }

    Result<ObjectFacts> head(const std::string& key) override {
        forget(key);
        AKIDB_TRY(const std::shared_ptr<const Known> known, look(key));
        return ObjectFacts{.key = key, .bytes = known->bytes, .sha256 = {}};
    }

    Result<ObjectPage> list(const ListRequest& request) override {
        AKIDB_TRY(ObjectPage page, store_.list(request));
        for (ObjectFacts& facts : page.objects) {
            facts.bytes = opened_bytes(facts.bytes).value_or(facts.bytes);
            facts.sha256.clear();
        }
        return page;
    }

    Result<void> remove(const std::string& key) override {
        forget(key);
        return store_.remove(key);
    }

  private:
    static constexpr size_t kKnownMax = 256;
    struct Known {
        uint64_t bytes;
        Cipher cipher;
    };
    struct Chunks {
        uint64_t begin;
        uint64_t end;
        uint64_t count;  // of the object
    };

    Result<std::string> read_range(const std::string& key, ByteRange range) {
        AKIDB_TRY(const std::shared_ptr<const Known> known, look(key));
        if (range.offset > known->bytes || range.count > known->bytes - range.offset) {
            return Error(Code::kDataLoss, "the object " + key + " ends before what was asked of it");
        }
        if (range.count == 0) {
            return std::string();
        }
        const uint64_t first = range.offset / kChunkBytes;
        const uint64_t end = (range.offset + range.count - 1) / kChunkBytes + 1;
        const uint64_t begins_at = kHeaderBytes + first * kSealedChunkBytes;
        const uint64_t ends_at = std::min(kHeaderBytes + end * kSealedChunkBytes, sealed_bytes(known->bytes));
        AKIDB_TRY(const std::string sealed, store_.get_range(key, {begins_at, ends_at - begins_at}));
        AKIDB_TRY(const std::string opened,
                  open_chunks(key, known->cipher, {first, end, chunk_count(known->bytes)}, sealed));
        return opened.substr(range.offset - first * kChunkBytes, range.count);
    }

    static Error changed(const std::string& key) {
        return Error(Code::kDataLoss, "the object " + key + " was changed, or is not the one of that name");
    }
    static Error not_encrypted(const std::string& key) {
        return Error(Code::kPermissionDenied,
                     "the object " + key + " is not encrypted, though a key is given for this place");
    }

    std::optional<EncryptionKey> find_key(const std::string& id) const {
        if (id == key_.id()) {
            return key_;
        }
        return others_ == nullptr ? std::nullopt : others_->find(id);
    }

    Cipher new_cipher(const EncryptionKey& with, const std::string& name) {
        std::string header(kMagic);
        std::string id(kIdBytes, '\0');
        sodium_hex2bin(raw(id), id.size(), with.id().data(), with.id().size(), nullptr, nullptr, nullptr);
        header += id;
        ByteWriter writer(header);
        for (size_t i = 0; i < kSaltBytes / sizeof(uint64_t); ++i) {
            writer.put(random_.next_u64());
        }
        return {with.bytes_, std::move(header), name};
    }

    Result<Cipher> cipher_of(const std::string& name, std::string_view header) const {
        const std::optional<std::string> id = encryption_key_id(header);
        if (!id) {
            return not_encrypted(name);
        }
        const std::optional<EncryptionKey> with = find_key(*id);
        if (!with) {
            return Error(Code::kPermissionDenied,
                         "the object " + name + " is encrypted with the key " + *id +
                             ", and the key given is " + key_.id() +
                             (others_ == nullptr ? "" : "; no tenant has it either"));
        }
        return Cipher(with->bytes_, std::string(header), name);
    }

    static Result<std::string> open_chunks(const std::string& key, const Cipher& cipher, const Chunks& chunks,
                                           std::string_view sealed) {
        std::string opened;
        opened.reserve(sealed.size());
        for (uint64_t number = chunks.begin; number < chunks.end; ++number) {
            const std::string_view chunk = sealed.substr(0, kSealedChunkBytes);
            if (!cipher.open(number, number + 1 == chunks.count, chunk, opened)) {
                return changed(key);
            }
            sealed.remove_prefix(chunk.size());
        }
        return opened;
    }

    /// Of objects that were read, so that reading one in pieces asks for its beginning once.
    Result<std::shared_ptr<const Known>> look(const std::string& key) {
        {
            MutexLock lock(mutex_);
            if (const auto found = known_.find(key); found != known_.end()) {
                return found->second;
            }
        }
        AKIDB_TRY(const ObjectFacts facts, store_.head(key));
        const std::optional<uint64_t> bytes = opened_bytes(facts.bytes);
        if (facts.bytes < kHeaderBytes) {
            return not_encrypted(key);
        }
        AKIDB_TRY(const std::string header, store_.get_range(key, {0, kHeaderBytes}));
        AKIDB_TRY(Cipher cipher, cipher_of(key, header));
        if (!bytes) {
            return changed(key);
        }
        auto known = std::make_shared<const Known>(Known{*bytes, std::move(cipher)});
        MutexLock lock(mutex_);
        if (known_.size() >= kKnownMax) {
            known_.clear();
        }
        known_[key] = known;
        return std::shared_ptr<const Known>(known);
    }

    void forget(const std::string& key) {
        MutexLock lock(mutex_);
        known_.erase(key);
    }

    ObjectStore& store_;
    const EncryptionKey key_;
    io::Random& random_;
    const Keyring* const others_;
    Mutex mutex_;
    std::map<std::string, std::shared_ptr<const Known>> known_ AKIDB_GUARDED_BY(mutex_);
};

std::unique_ptr<ObjectStore> make_encrypted_store(ObjectStore& store, EncryptionKey key, io::Random& random,
                                                  const Keyring* others) {
    require_sodium();
    return std::make_unique<EncryptedStore>(store, std::move(key), random, others);
}

}  // namespace akidb::objects
