#include "backup/target.h"

#include "objects/directory_store.h"
#include "objects/encrypted_store.h"

namespace akidb::backup {

bool is_s3_place(const std::string& place) {
    return place.starts_with("s3://");
}

Result<std::unique_ptr<Target>> Target::open(const TargetDoors& doors, const std::string& place,
                                             const S3Access& s3, TargetUse use, const std::string& key_file,
                                             const objects::Keyring* tenant_keys) {
    if (key_file.empty()) {
        return open_plain(doors, place, s3, use);
    }
    AKIDB_TRY(objects::EncryptionKey key, objects::read_encryption_key(key_file));
    AKIDB_TRY(auto target, open_plain(doors, place, s3, use));
    target->stores_.push_back(
        objects::make_encrypted_store(target->store(), std::move(key), doors.random, tenant_keys));
    return target;
}

Result<std::unique_ptr<Target>> Target::open_plain(const TargetDoors& doors, const std::string& place,
                                                   const S3Access& s3, TargetUse use) {
    auto target = std::make_unique<Target>();
    if (!is_s3_place(place)) {
        std::string root = place;
        while (root.size() > 1 && root.ends_with('/')) {
            root.pop_back();
        }
        AKIDB_TRY(auto directory,
                  use == TargetUse::kRead
                      ? objects::open_existing_directory_store(doors.files, doors.random, root)
                      : objects::open_directory_store(doors.files, doors.random, root));
        target->stores_.push_back(std::move(directory));
        return target;
    }
    objects::S3Options options{
        .endpoint = s3.endpoint,
        .region = s3.region,
        .bucket = {},
        .addressing = s3.addressing,
        .part_senders = s3.part_senders,
        .pace = s3.pace,
        .urgency = use == TargetUse::kServe ? objects::Urgency::kForeground : objects::Urgency::kBackground};
    AKIDB_TRY(objects::parse_s3_url(place, options));
    AKIDB_TRY(objects::CredentialSource credentials, objects::find_credentials(s3.credentials));
    AKIDB_TRY(auto bucket,
              objects::make_s3_store(options, std::move(credentials), doors.clock, [ca = s3.ca_file] {
                  return io::make_curl_http_client(
                      io::HttpClientOptions{.ca_file = ca, .refuses_link_local = true});
              }));
    target->stores_.push_back(std::move(bucket));
    objects::Breaker* breaker = s3.breaker;
    if (breaker == nullptr) {
        target->breaker_ = std::make_unique<objects::Breaker>(doors.clock, objects::BreakerOptions{});
        breaker = target->breaker_.get();
    }
    if (s3.observer != nullptr) {
        target->stores_.push_back(objects::make_observed_store(target->store(), doors.clock, *s3.observer));
    }
    target->stores_.push_back(objects::make_breaking_store(target->store(), *breaker));
    target->stores_.push_back(
        objects::make_retrying_store(target->store(), doors.random, doors.pause, s3.retry, s3.observer));
    return target;
}

std::unique_ptr<Target> Target::over(std::unique_ptr<objects::ObjectStore> store) {
    auto target = std::make_unique<Target>();
    target->stores_.push_back(std::move(store));
    return target;
}

}  // namespace akidb::backup
