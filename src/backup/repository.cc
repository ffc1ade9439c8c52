#include "backup/repository.h"

#include <algorithm>
#include <charconv>

#include "backup/formats.h"
#include "objects/encrypted_store.h"
#include "objects/sha256.h"

namespace akidb::backup {
namespace {

using objects::PutMode;

constexpr std::string_view kManifests = "backups/";
constexpr std::string_view kBlobFolder = "blobs/";
constexpr std::string_view kVerified = "verified/";
constexpr std::string_view kDrills = "drills/";
constexpr const char* kLatestKey = "latest";
constexpr const char* kLockKey = "lock";
constexpr const char* kStraysKey = "strays";
// Of a line each, less than a hundred bytes: what is beyond waits for the next prune.
constexpr size_t kStraysMax = 100'000;
constexpr uint64_t kSmallBytesMax = 4096;
constexpr uint64_t kFetchBytes = 4 << 20;
constexpr uint64_t kTailBytes = 128 << 10;
constexpr size_t kIdLetters = 36;

std::optional<uint64_t> number(std::string_view text) {
    uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, fault] = std::from_chars(text.data(), end, value);
    return fault == std::errc() && stop == end && !text.empty() ? std::optional(value) : std::nullopt;
}

std::string key_of(std::string_view folder, const Uuid& id) {
    return std::string(folder) + id.to_string();
}

/// What was read without a key must not need one.
Result<void> check_plain(const std::string& key, std::string_view object) {
    const std::optional<std::string> id = objects::encryption_key_id(object);
    return id ? Error(Code::kPermissionDenied, "the object " + key + " is encrypted with the key " + *id +
                                                   ": name the file of that key (--key-file, or the setting "
                                                   "backup.key_file)")
              : Result<void>();
}

bool is_blob_name(std::string_view name) {
    const size_t dash = name.find('-');
    return objects::is_sha256_hex(name.substr(0, dash)) &&
           (dash == std::string_view::npos || objects::is_encryption_key_id(name.substr(dash + 1)));
}

/// "<owner> <until, milliseconds since 1970>".
struct LockContent {
    std::string owner;
    uint64_t until_ms = 0;
};

std::optional<LockContent> parse_lock(std::string_view text) {
    if (text.size() <= kIdLetters + 1 || text[kIdLetters] != ' ') {
        return std::nullopt;
    }
    const std::optional<uint64_t> until = number(text.substr(kIdLetters + 1));
    return until ? std::optional(LockContent{std::string(text.substr(0, kIdLetters)), *until}) : std::nullopt;
}

/// What of the file is to be kept: all but the zeros at its end.
Result<uint64_t> find_content(const io::ReadFile& file) {
    std::string piece;
    for (uint64_t end = file.size(); end > 0;) {
        const uint64_t begin = end > kTailBytes ? end - kTailBytes : 0;
        AKIDB_TRY(file.read_at(begin, static_cast<size_t>(end - begin), piece));
        const size_t last = piece.find_last_not_of('\0');
        if (last != std::string::npos) {
            return begin + last + 1;
        }
        end = begin;
    }
    return uint64_t{0};
}

}  // namespace

std::string blob_name(const BackupFile& file) {
    return file.key.empty() ? file.sha256 : file.sha256 + "-" + file.key;
}

std::string blob_key(const std::string& name) {
    return std::string(kBlobFolder) + name.substr(0, 2) + "/" + name;
}

Result<bool> Repository::can_read(const std::string& key) const {
    if (!key.empty() && tenant_keys_ == nullptr) {
        return Error(Code::kPermissionDenied, "it is encrypted with the key " + key +
                                                  " of its tenant: name the place of such keys "
                                                  "(--tenant-keys, or the setting backup.tenant_keys)");
    }
    return key.empty() || tenant_keys_->find(key).has_value();
}

Result<bool> Repository::can_read(const BackedUpCollection& collection) const {
    for (const BackupFile& file : collection.files) {
        Result<bool> can = can_read(file.key);
        if (!can) {
            return std::move(can).error().with_context("collection " + collection.name);
        }
        if (!*can) {
            return false;
        }
    }
    return true;
}

Result<void> Repository::lock(const Uuid& owner) {
    owner_ = owner;
    Result<void> made = write_lock(PutMode::kCreateOnly);
    if (made || made.error().code() != Code::kAlreadyExists) {
        return made;
    }
    AKIDB_TRY(const std::string there, store_.get(kLockKey, kSmallBytesMax));
    AKIDB_TRY(check_plain(kLockKey, there));
    const std::optional<LockContent> held = parse_lock(there);
    const uint64_t now = clock_.unix_ms();
    if (held && held->owner == owner_.to_string()) {
        return write_lock(PutMode::kOverwrite);
    }
    if (held && held->until_ms > now) {
        const uint64_t left_s = (held->until_ms - now + 999) / 1000;
        return Error(Code::kConflict,
                     "another backup or prune is under way there, or ended without a word; its "
                     "lock lasts " +
                         std::to_string(left_s) + " s more unless it gives a sign of life")
            .with_retry_after(static_cast<uint32_t>(std::min<uint64_t>(left_s, UINT32_MAX)));
    }
    AKIDB_TRY(store_.remove(kLockKey));
    return write_lock(PutMode::kCreateOnly);
}

Result<void> Repository::write_lock(PutMode mode) {
    const uint64_t now = clock_.unix_ms();
    AKIDB_TRY(store_.put(kLockKey, owner_.to_string() + " " + std::to_string(now + kLockMs), mode));
    renew_at_us_ = clock_.monotonic_us() + kLockMs / 4 * 1000;
    return {};
}

Result<void> Repository::check_lock() {
    const Result<std::string> there = store_.get(kLockKey, kSmallBytesMax);
    if (!there && there.error().code() != Code::kNotFound) {
        return there.error();
    }
    const std::optional<LockContent> held = there ? parse_lock(*there) : std::nullopt;
    if (!held || held->owner != owner_.to_string()) {
        return Error(Code::kConflict, "another backup or prune took over, as this one gave no sign of life");
    }
    return {};
}

Result<void> Repository::keep_lock() {
    if (clock_.monotonic_us() < renew_at_us_) {
        return {};
    }
    AKIDB_TRY(check_lock());
    return write_lock(PutMode::kOverwrite);
}

void Repository::unlock() {
    if (check_lock()) {
        // What cannot be removed now ends by its time.
        static_cast<void>(store_.remove(kLockKey).has_value());
    }
}

Result<std::vector<Uuid>> Repository::list_backups() {
    std::vector<Uuid> ids;
    objects::ListRequest request{.prefix = std::string(kManifests)};
    while (true) {
        AKIDB_TRY(const objects::ObjectPage page, store_.list(request));
        for (const objects::ObjectFacts& object : page.objects) {
            if (const auto id = Uuid::parse(std::string_view(object.key).substr(kManifests.size()))) {
                ids.push_back(*id);
            }
        }
        if (page.is_last) {
            std::sort(ids.begin(), ids.end());
            return ids;
        }
        request.after = page.objects.back().key;
    }
}

Result<BackupManifest> Repository::read_manifest(const Uuid& id) {
    const std::string key = key_of(kManifests, id);
    Result<std::string> bytes = store_.get(key, kBackupManifestBytesMax);
    if (!bytes) {
        const bool is_absent = bytes.error().code() == Code::kNotFound;
        return is_absent ? Error(Code::kNotFound, "there is no backup " + id.to_string())
                         : std::move(bytes).error().with_context(key);
    }
    AKIDB_TRY(check_plain(key, *bytes));
    Result<BackupManifest> manifest = decode_backup_manifest(*bytes);
    if (!manifest) {
        return std::move(manifest).error().with_context(key);
    }
    if (manifest->id != id) {
        return Error(Code::kDataLoss, key + ": it is the manifest of another backup");
    }
    return manifest;
}

Result<uint32_t> read_backup_format(objects::ObjectStore& store, const Uuid& id) {
    const std::string key = key_of(kManifests, id);
    AKIDB_TRY(const std::string bytes, store.get(key, kBackupManifestBytesMax));
    AKIDB_TRY(check_plain(key, bytes));
    const std::optional<uint32_t> format = backup_format_of(bytes);
    return format ? Result<uint32_t>(*format) : Error(Code::kDataLoss, key + " is no manifest of a backup");
}

Result<void> Repository::put_manifest(const BackupManifest& manifest) {
    AKIDB_TRY(check_lock());
    const std::string bytes = encode_backup_manifest(manifest);
    AKIDB_TRY(store_.put(key_of(kManifests, manifest.id), bytes, PutMode::kCreateOnly));
    return store_.put(kLatestKey, manifest.id.to_string(), PutMode::kOverwrite);
}

Result<void> Repository::remove_manifest(const Uuid& id) {
    AKIDB_TRY(check_lock());
    AKIDB_TRY(store_.remove(key_of(kManifests, id)));
    AKIDB_TRY(store_.remove(key_of(kDrills, id)));
    return store_.remove(key_of(kVerified, id));
}

Result<std::optional<Uuid>> Repository::latest() {
    const Result<std::string> text = store_.get(kLatestKey, kSmallBytesMax);
    if (!text) {
        return text.error().code() == Code::kNotFound ? Result<std::optional<Uuid>>(std::optional<Uuid>())
                                                      : text.error();
    }
    AKIDB_TRY(check_plain(kLatestKey, *text));
    const std::optional<Uuid> id = Uuid::parse(*text);
    if (!id) {
        return Error(Code::kDataLoss, std::string(kLatestKey) + " names no backup");
    }
    return std::optional(*id);
}

Result<std::optional<uint64_t>> Repository::verified_at_ms(const Uuid& id) {
    const Result<std::string> text = store_.get(key_of(kVerified, id), kSmallBytesMax);
    if (!text && text.error().code() != Code::kNotFound) {
        return text.error();
    }
    return text ? number(*text) : std::nullopt;
}

Result<void> Repository::note_verified(const Uuid& id) {
    return store_.put(key_of(kVerified, id), std::to_string(clock_.unix_ms()), PutMode::kOverwrite);
}

Result<void> Repository::put_drill_report(const Uuid& id, std::string_view text) {
    return store_.put(key_of(kDrills, id), text.substr(0, objects::kSinglePutBytesMax), PutMode::kOverwrite);
}

/// A large file that goes slowly takes longer than a lock lasts.
class Repository::LockedFile final : public io::ReadFile {
  public:
    LockedFile(Repository& repository, const io::ReadFile& file) : repository_(repository), file_(file) {}
    uint64_t size() const override { return file_.size(); }
    Result<void> read_at(uint64_t offset, size_t count, std::string& out) const override {
        AKIDB_TRY(repository_.keep_lock());
        return file_.read_at(offset, count, out);
    }

  private:
    Repository& repository_;
    const io::ReadFile& file_;
};

Result<Repository::PutBlob> Repository::put_file(const std::string& name, const io::ReadFile& bare,
                                                 const std::string& key) {
    const LockedFile file(*this, bare);
    PutBlob put{.file = {.name = name, .bytes = file.size(), .key = key}};
    AKIDB_TRY(put.file.stored_bytes, find_content(file));
    AKIDB_TRY(put.file.sha256, objects::sha256_of_file(file, put.file.stored_bytes));
    const Result<void> there = check_blob(put.file);
    if (!there) {
        const Code code = there.error().code();
        if (code != Code::kNotFound && code != Code::kDataLoss) {
            return there.error();
        }
        AKIDB_TRY(store_.put_file(blob_key(blob_name(put.file)),
                                  {file, put.file.stored_bytes, put.file.sha256, key}));
        put.sent_bytes = put.file.stored_bytes;
    }
    AKIDB_TRY(keep_lock());
    return put;
}

Result<void> Repository::check_blob(const BackupFile& file) {
    const std::string key = blob_key(blob_name(file));
    const Result<objects::ObjectFacts> facts = store_.head(key);
    if (!facts) {
        return facts.error().code() == Code::kNotFound
                   ? Error(Code::kNotFound, "the blob " + key + " is missing")
                   : Error(facts.error());
    }
    if (facts->bytes != file.stored_bytes || (!facts->sha256.empty() && facts->sha256 != file.sha256)) {
        return Error(Code::kDataLoss, "the blob " + key + " has " + std::to_string(facts->bytes) +
                                          " bytes where it should have " + std::to_string(file.stored_bytes));
    }
    return {};
}

Result<void> Repository::read_blob(const BackupFile& file, FunctionRef<Result<void>(std::string_view)> take) {
    const std::string key = blob_key(blob_name(file));
    AKIDB_TRY(check_blob(file));
    objects::Sha256 hash;
    for (uint64_t at = 0; at < file.stored_bytes;) {
        AKIDB_TRY(const std::string piece,
                  store_.get_range(key, {at, std::min(kFetchBytes, file.stored_bytes - at)}));
        hash.add(piece);
        AKIDB_TRY(take(piece));
        at += piece.size();
    }
    if (objects::hex(hash.finish()) != file.sha256) {
        return Error(Code::kDataLoss, "the blob " + key + " does not have the SHA-256 that names it");
    }
    return {};
}

Result<void> Repository::each_blob(FunctionRef<Result<void>(const std::string& name)> take) {
    objects::ListRequest request{.prefix = std::string(kBlobFolder)};
    while (true) {
        AKIDB_TRY(const objects::ObjectPage page, store_.list(request));
        for (const objects::ObjectFacts& object : page.objects) {
            const std::string name = object.key.substr(object.key.rfind('/') + 1);
            if (is_blob_name(name) && object.key == blob_key(name)) {
                AKIDB_TRY(take(name));
            }
        }
        if (page.is_last) {
            return {};
        }
        request.after = page.objects.back().key;
    }
}

Result<void> Repository::remove_blob(const std::string& name) {
    AKIDB_TRY(keep_lock());
    return store_.remove(blob_key(name));
}

Result<std::map<std::string, uint64_t>> Repository::read_strays() {
    std::map<std::string, uint64_t> strays;
    const Result<std::string> text = store_.get(kStraysKey, objects::kSinglePutBytesMax);
    if (!text) {
        const Code code = text.error().code();
        return code == Code::kNotFound || code == Code::kDataLoss
                   ? Result<std::map<std::string, uint64_t>>(std::move(strays))
                   : text.error();
    }
    for (size_t begin = 0; begin < text->size();) {
        const size_t end = std::min(text->find('\n', begin), text->size());
        const std::string_view line = std::string_view(*text).substr(begin, end - begin);
        const size_t space = std::min(line.find(' '), line.size());
        const std::optional<uint64_t> since = number(line.substr(std::min(space + 1, line.size())));
        if (since && is_blob_name(line.substr(0, space))) {
            strays.emplace(line.substr(0, space), *since);
        }
        begin = end + 1;
    }
    return strays;
}

Result<void> Repository::put_strays(const std::map<std::string, uint64_t>& strays) {
    AKIDB_TRY(keep_lock());
    std::string text;
    size_t count = 0;
    for (const auto& [name, since_ms] : strays) {
        if (++count <= kStraysMax) {
            text += name + " " + std::to_string(since_ms) + "\n";
        }
    }
    return store_.put(kStraysKey, text, PutMode::kOverwrite);
}

}  // namespace akidb::backup
