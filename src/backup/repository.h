// Repository: where backups lie in an object store, and the steps that all verbs share.
//   backups/<id>        manifests; ids sort by time
//   blobs/<ab>/<hash>   files, named by the SHA-256 of what they hold, so that each is sent once; with
//                       "-<key id>" behind it those that are encrypted with a key of a tenant
//   latest              id of the newest backup
//   verified/<id>       when a backup was last restored for practice
//   drills/<id>         what came of it, when its server did it by itself
//   archive/            the log as it goes on (archive.h)
//   strays              blobs that no manifest named when a prune looked, and since when
//   lock                who writes or prunes now, and until when: one at a time
// A blob is put before any manifest names it, and removed after none does. Thread-compatible.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "backup/manifest.h"
#include "base/function_ref.h"
#include "io/clock.h"
#include "objects/encryption_key.h"
#include "objects/object_store.h"

namespace akidb::backup {

/// From the last sign of life of who holds it.
inline constexpr uint64_t kLockMs = 10 * 60 * 1000;

class Repository {
  public:
    /// `tenant_keys`: those of the store, if it has some (tenant_keys.h). All must outlive it.
    Repository(objects::ObjectStore& store, const io::Clock& clock,
               const objects::Keyring* tenant_keys = nullptr)
        : store_(store), clock_(clock), tenant_keys_(tenant_keys) {}

    /// Whether what is encrypted with that key (empty: that of the place) can be read; false: a tenant's key
    /// that is gone. kPermissionDenied, telling what to name, when no tenants' keys were given.
    Result<bool> can_read(const std::string& key) const;
    /// The same of all its files.
    Result<bool> can_read(const BackedUpCollection& collection) const;

    /// kConflict, telling until when, while another holds it. An owner takes his own lock at once: he knows
    /// that he is alone, and what held it before has crashed.
    Result<void> lock(const Uuid& owner);
    /// A sign of life, where one is due; kConflict when another took the lock because this one gave none.
    Result<void> keep_lock();
    void unlock();

    /// Ids of all complete backups, the oldest first.
    Result<std::vector<Uuid>> list_backups();
    /// kNotFound; kDataLoss.
    Result<BackupManifest> read_manifest(const Uuid& id);
    /// Last and create-only; the lock must be held.
    Result<void> put_manifest(const BackupManifest& manifest);
    Result<void> remove_manifest(const Uuid& id);
    /// None when there is none.
    Result<std::optional<Uuid>> latest();

    Result<std::optional<uint64_t>> verified_at_ms(const Uuid& id);
    Result<void> note_verified(const Uuid& id);
    /// Text for a person; in place of that of an earlier drill of this backup.
    Result<void> put_drill_report(const Uuid& id, std::string_view text);

    struct PutBlob {
        BackupFile file;
        uint64_t sent_bytes = 0;  // 0 when it was there
    };
    /// Zeros at the end of the file are left out. Gives signs of life as it reads. `key`: as BackupFile has
    /// it.
    Result<PutBlob> put_file(const std::string& name, const io::ReadFile& bare, const std::string& key = {});
    /// kNotFound or kDataLoss, naming the blob, when it is not what its name and size say; by its size alone.
    Result<void> check_blob(const BackupFile& file);
    /// In pieces, in order; what they are is known only at the end: kDataLoss then means that all of it is
    /// wrong.
    Result<void> read_blob(const BackupFile& file, FunctionRef<Result<void>(std::string_view)> take);
    /// By page; names of blobs (blob_name).
    Result<void> each_blob(FunctionRef<Result<void>(const std::string& name)> take);
    Result<void> remove_blob(const std::string& name);
    /// When a prune first saw each of them, milliseconds since 1970. Empty where it cannot be read as such.
    Result<std::map<std::string, uint64_t>> read_strays();
    Result<void> put_strays(const std::map<std::string, uint64_t>& strays);

    /// Where the archived log lies beside (archive.h).
    objects::ObjectStore& store() { return store_; }

  private:
    class LockedFile;
    Result<void> write_lock(objects::PutMode mode);
    Result<void> check_lock();

    objects::ObjectStore& store_;
    const io::Clock& clock_;
    const objects::Keyring* const tenant_keys_;
    Uuid owner_{};
    uint64_t renew_at_us_ = 0;
};

/// Why a collection cannot be restored though its backup is whole.
inline constexpr const char* kKeyIsGone = "the key of its tenant is gone";

/// What its blob is called: its hash, and its key if it has one of its own.
std::string blob_name(const BackupFile& file);
std::string blob_key(const std::string& name);

}  // namespace akidb::backup
