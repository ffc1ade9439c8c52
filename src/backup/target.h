// Target: the object store that a place names: a directory, or s3://BUCKET/PREFIX, with a breaker and retries
// around it where a network is between. Owns all that it is made of. Thread-safe as an ObjectStore is.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/clock.h"
#include "io/pause.h"
#include "io/random.h"
#include "objects/breaker.h"
#include "objects/credentials.h"
#include "objects/encryption_key.h"
#include "objects/object_store.h"
#include "objects/retrying_store.h"
#include "objects/s3_store.h"
#include "objects/traffic.h"

namespace akidb::backup {

/// How S3 is reached; unused for a directory.
struct S3Access {
    std::string endpoint{};  // empty: that of Amazon in the region
    std::string region = "us-east-1";
    objects::Addressing addressing = objects::Addressing::kPath;
    std::string ca_file{};
    objects::CredentialPlaces credentials{};
    /// Of all targets together; null: each has its own, and nobody counts.
    objects::Breaker* breaker = nullptr;
    objects::TrafficObserver* observer = nullptr;
    objects::Pace* pace = nullptr;  // of all, too
    objects::RetryOptions retry{};
    io::Executor* part_senders = nullptr;  // as of S3Options
};

struct TargetDoors {
    io::FileSystem& files;
    const io::Clock& clock;
    io::Random& random;
    io::Pause& pause;
};

/// kServe: as kWrite, for what somebody waits for: on the way to S3 it does not stand behind the rest.
enum class TargetUse : uint8_t { kWrite, kRead, kServe };

class Target {
  public:
    /// A directory is made when it is not there, but for kRead it must be. With the key of a file,
    /// all is encrypted there, and what names one of `tenant_keys` with that. Doors and keys must outlive it.
    static Result<std::unique_ptr<Target>> open(const TargetDoors& doors, const std::string& place,
                                                const S3Access& s3, TargetUse use,
                                                const std::string& key_file = {},
                                                const objects::Keyring* tenant_keys = nullptr);
    /// Objects that are reached already.
    static std::unique_ptr<Target> over(std::unique_ptr<objects::ObjectStore> store);
    objects::ObjectStore& store() { return *stores_.back(); }

  private:
    static Result<std::unique_ptr<Target>> open_plain(const TargetDoors& doors, const std::string& place,
                                                      const S3Access& s3, TargetUse use);

    std::unique_ptr<objects::Breaker> breaker_;
    std::vector<std::unique_ptr<objects::ObjectStore>>
        stores_;  // each but the first is around the one before
};

/// How whoever makes backups comes to a place.
using OpenTarget = std::function<Result<std::unique_ptr<Target>>(const std::string& place, TargetUse use)>;

bool is_s3_place(const std::string& place);

}  // namespace akidb::backup
