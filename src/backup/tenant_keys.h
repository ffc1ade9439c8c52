// TenantKeys: a random key of each tenant, in a place of their own (backup.tenant_keys), with which backups
// and the archived log encrypt what they hold of its collections. Once the keys of a tenant are removed from
// there, no backup of it and no copy of one anywhere can be read any more, and nothing has to be rewritten.
//   <tenant>/<key id>   "<milliseconds since 1970> <64 hex digits>": when it was made, and the key
//   tenant-keys         from the first key on: what is without it is another place
// Encrypted with the key of backup.key_file. A key is durable there before it is used; of several the
// youngest is. What another process removed is used no longer after the next load(). Thread-safe, one by one.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "backup/target.h"
#include "base/mutex.h"
#include "base/uuid.h"
#include "objects/encryption_key.h"

namespace akidb::backup {

class TenantKeys {
  public:
    /// How the place is reached.
    using Open = std::function<Result<std::unique_ptr<Target>>(TargetUse use)>;

    /// Both must outlive it.
    TenantKeys(Open open, const io::Clock& clock, io::Random& random)
        : open_(std::move(open)), clock_(clock), random_(random) {}

    /// All that are there. kNotFound: there is no place of keys (for kRead); kUnavailable: it is another now.
    Result<void> load(TargetUse use) AKIDB_EXCLUDES(changing_);

    struct Current {
        std::string id;
        bool is_new = false;  // it was made by this call
    };
    /// The one to encrypt with, as of the last load(); made when there is none.
    Result<Current> key_of(const Uuid& tenant) AKIDB_EXCLUDES(changing_);
    /// All keys of the tenant, for good; how many there were.
    Result<uint64_t> destroy(const Uuid& tenant) AKIDB_EXCLUDES(changing_);

    /// What reads go by.
    const objects::Keyring& keyring() const { return keyring_; }

  private:
    using Made = std::map<std::string, uint64_t>;  // keys by id, and when each was made
    Result<void> take(objects::ObjectStore& store, const Uuid& tenant, const std::string& id)
        AKIDB_REQUIRES(changing_);

    const Open open_;
    const io::Clock& clock_;
    io::Random& random_;
    objects::Keyring keyring_;
    Mutex changing_;  // held while the place answers, so that no key is made beside its removal
    std::map<Uuid, Made> known_ AKIDB_GUARDED_BY(changing_);
};

}  // namespace akidb::backup
