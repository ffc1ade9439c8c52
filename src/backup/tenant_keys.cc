#include "backup/tenant_keys.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <vector>

namespace akidb::backup {
namespace {

constexpr uint64_t kKeyBytesMax = 256;
constexpr const char* kMarker = "tenant-keys";

std::string key_name(const Uuid& tenant, const std::string& id) {
    return tenant.to_string() + "/" + id;
}

struct Listed {
    Uuid tenant;
    std::string id;
};

/// `prefix`: of all, or of one tenant.
Result<std::vector<Listed>> list_keys(objects::ObjectStore& store, const std::string& prefix) {
    std::vector<Listed> keys;
    objects::ListRequest request{.prefix = prefix};
    while (true) {
        AKIDB_TRY(const objects::ObjectPage page, store.list(request));
        for (const objects::ObjectFacts& object : page.objects) {
            const size_t slash = std::min(object.key.find('/'), object.key.size() - 1);
            const std::optional<Uuid> tenant = Uuid::parse(object.key.substr(0, slash));
            std::string id = object.key.substr(slash + 1);
            if (tenant && objects::is_encryption_key_id(id)) {
                keys.push_back({*tenant, std::move(id)});
            }
        }
        if (page.is_last) {
            return keys;
        }
        request.after = page.objects.back().key;
    }
}

}  // namespace

Result<void> TenantKeys::take(objects::ObjectStore& store, const Uuid& tenant, const std::string& id) {
    const std::string name = key_name(tenant, id);
    Result<std::string> read = store.get(name, kKeyBytesMax);
    if (!read && read.error().code() == Code::kNotFound) {
        return {};  // removed since it was listed
    }
    if (!read) {
        return std::move(read).error().with_context("the tenants' keys");
    }
    const Secret text(std::move(*read));
    const std::string_view content = text.reveal();
    const size_t digits = std::min(content.find(' '), content.size());
    uint64_t made_ms = 0;
    const char* const end = content.data() + digits;
    const auto [stop, fault] = std::from_chars(content.data(), end, made_ms);
    const Result<objects::EncryptionKey> key =
        objects::EncryptionKey::parse(content.substr(std::min(digits + 1, content.size())));
    if (fault != std::errc() || stop != end || !key || key->id() != id) {
        return Error(Code::kDataLoss, "the tenant's key " + name + " is damaged");
    }
    keyring_.add(*key);
    known_[tenant][id] = made_ms;
    return {};
}

Result<void> TenantKeys::load(TargetUse use) {
    MutexLock lock(changing_);
    AKIDB_TRY(const auto target, open_(use));
    const Result<objects::ObjectFacts> marker = target->store().head(kMarker);
    if (!marker && marker.error().code() != Code::kNotFound) {
        return Error(marker.error()).with_context("the tenants' keys");
    }
    if (!marker && use == TargetUse::kRead) {
        return Error(Code::kNotFound, "no tenants' keys were ever kept in the place that is named for them");
    }
    if (!marker && !known_.empty()) {
        return Error(Code::kUnavailable,
                     "the place of the tenants' keys is not the one that it was: it is empty");
    }
    AKIDB_TRY(const std::vector<Listed> listed, list_keys(target->store(), ""));
    std::set<std::pair<Uuid, std::string>> there;
    for (const Listed& key : listed) {
        there.emplace(key.tenant, key.id);
        const auto known = known_.find(key.tenant);
        if (known == known_.end() || !known->second.contains(key.id)) {
            AKIDB_TRY(take(target->store(), key.tenant, key.id));
        }
    }
    for (auto& [tenant, keys] : known_) {
        std::erase_if(keys, [&, &of = tenant](const auto& key) {
            const bool is_gone = !there.contains({of, key.first});
            if (is_gone) {
                keyring_.remove(key.first);
            }
            return is_gone;
        });
    }
    std::erase_if(known_, [](const auto& tenant) { return tenant.second.empty(); });
    return {};
}

Result<TenantKeys::Current> TenantKeys::key_of(const Uuid& tenant) {
    MutexLock lock(changing_);
    if (const auto known = known_.find(tenant); known != known_.end()) {
        const auto newest =
            std::max_element(known->second.begin(), known->second.end(),
                             [](const auto& one, const auto& other) { return one.second < other.second; });
        return Current{.id = newest->first};
    }
    const Secret digits = objects::EncryptionKey::draw(random_);
    AKIDB_TRY(const objects::EncryptionKey key, objects::EncryptionKey::parse(digits.reveal()));
    const uint64_t now_ms = clock_.stamp_ms();
    const Secret text(std::to_string(now_ms) + " " + digits.reveal());
    AKIDB_TRY(const auto target, open_(TargetUse::kWrite));
    AKIDB_TRY(target->store().put(kMarker, "1", objects::PutMode::kOverwrite));
    AKIDB_TRY(target->store().put(key_name(tenant, key.id()), text.reveal(), objects::PutMode::kCreateOnly));
    keyring_.add(key);
    known_[tenant][key.id()] = now_ms;
    return Current{.id = key.id(), .is_new = true};
}

Result<uint64_t> TenantKeys::destroy(const Uuid& tenant) {
    MutexLock lock(changing_);
    AKIDB_TRY(const auto target, open_(TargetUse::kWrite));
    AKIDB_TRY(const std::vector<Listed> listed, list_keys(target->store(), tenant.to_string() + "/"));
    uint64_t count = 0;
    for (const Listed& key : listed) {
        AKIDB_TRY(target->store().remove(key_name(tenant, key.id)));
        keyring_.remove(key.id);
        ++count;
    }
    known_.erase(tenant);
    return count;
}

}  // namespace akidb::backup
