// AccessBook: tenants, users, sessions and keys in memory, as requests meet them. An entry never changes; who
// changes something puts another one in its place, and the next request meets that. Maps are split by id, so
// requests of different keys rarely share a lock, and hold it for the copy of one pointer. Thread-safe.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "access/rate_limit.h"
#include "base/mutex.h"
#include "catalog/access_store.h"
#include "io/clock.h"
#include "service/principal.h"

namespace akidb::service {

struct TenantEntry {
    catalog::TenantRow row;
    std::shared_ptr<access::RateMeter> quota =
        std::make_shared<access::RateMeter>();  // passed on to the next entry of the same quota
};

struct UserEntry {
    catalog::UserRow row;
    std::shared_ptr<const Principal> principal;
};

/// A moment of the wall clock as it was understood when it was read: later by no jump back of that clock.
struct Ending {
    uint64_t at_ms = 0;  // 0: never
    uint64_t at_us = UINT64_MAX;

    static Ending at(uint64_t unix_ms, const io::Clock& clock) {
        constexpr uint64_t kForEverMs = UINT64_MAX / 4000;
        const uint64_t now_ms = clock.unix_ms();
        const uint64_t left_ms = unix_ms == 0 ? kForEverMs : unix_ms - std::min(now_ms, unix_ms);
        return {unix_ms, clock.monotonic_us() + std::min(left_ms, kForEverMs) * 1000};
    }
    bool has_come(const io::Clock& clock) const {
        return at_ms != 0 && (clock.unix_ms() >= at_ms || clock.monotonic_us() >= at_us);
    }
};

struct SessionEntry {
    catalog::SessionRow row;
    std::shared_ptr<std::atomic<uint64_t>> used_at_us;  // monotonic
    Ending ending{};
};

struct KeyEntry {
    catalog::KeyRow row;
    std::shared_ptr<const Principal> principal;
    std::shared_ptr<access::RateMeter> quota = std::make_shared<access::RateMeter>();  // the same
    std::shared_ptr<std::atomic<uint64_t>> used_at_ms =
        std::make_shared<std::atomic<uint64_t>>(0);  // the same
    Ending ending{};
};

/// From ids to entries.
template <class Entry>
class EntryShards {
  public:
    using Pointer = std::shared_ptr<const Entry>;

    Pointer find(const Uuid& id) const {
        const Shard& shard = shard_of(id);
        MutexLock lock(shard.mutex);
        const auto at = shard.entries.find(id);
        return at == shard.entries.end() ? nullptr : at->second;
    }
    void put(Entry entry) {
        auto made = std::make_shared<const Entry>(std::move(entry));
        Shard& shard = shard_of(made->row.id);
        MutexLock lock(shard.mutex);
        auto& place = shard.entries[made->row.id];
        count_ += place == nullptr ? 1 : 0;
        place.swap(made);
    }
    void remove(const Uuid& id) {
        Shard& shard = shard_of(id);
        MutexLock lock(shard.mutex);
        count_ -= shard.entries.erase(id);
    }
    /// In no order.
    std::vector<Pointer> all() const {
        std::vector<Pointer> entries;
        for (const Shard& shard : shards_) {
            MutexLock lock(shard.mutex);
            for (const auto& [id, entry] : shard.entries) {
                entries.push_back(entry);
            }
        }
        return entries;
    }
    size_t count() const { return count_; }

  private:
    static constexpr size_t kShards = 64;
    // Ids are random where it matters, in their last bytes.
    struct Hash {
        size_t operator()(const Uuid& id) const {
            uint64_t tail = 0;
            std::memcpy(&tail, id.bytes.data() + 8, sizeof(tail));
            return tail;
        }
    };
    struct Shard {
        mutable Mutex mutex;
        std::unordered_map<Uuid, Pointer, Hash> entries AKIDB_GUARDED_BY(mutex);
    };
    const Shard& shard_of(const Uuid& id) const { return shards_[id.bytes[15] % kShards]; }
    Shard& shard_of(const Uuid& id) { return shards_[id.bytes[15] % kShards]; }

    std::array<Shard, kShards> shards_;
    std::atomic<size_t> count_{0};
};

class AccessBook {
  public:
    EntryShards<TenantEntry> tenants;
    EntryShards<UserEntry> users;
    EntryShards<SessionEntry> sessions;  // changed by put_session and remove_session only
    EntryShards<KeyEntry> keys;

    std::shared_ptr<const TenantEntry> find_tenant(const std::string& name) const;
    std::shared_ptr<const UserEntry> find_user(const Uuid& tenant, const std::string& email) const;
    /// After each change of a name or an e-mail.
    void rename_tenant(const std::string& before, const catalog::TenantRow* now);
    void rename_user(const catalog::UserRow* before, const catalog::UserRow* now);

    void put_session(SessionEntry session);
    void remove_session(const catalog::SessionRow& row);
    /// In the order in which they began.
    std::vector<std::shared_ptr<const SessionEntry>> sessions_of(const Uuid& user) const;

  private:
    mutable Mutex mutex_;
    std::map<std::string, Uuid> tenant_names_ AKIDB_GUARDED_BY(mutex_);
    std::map<std::pair<Uuid, std::string>, Uuid> emails_ AKIDB_GUARDED_BY(mutex_);
    std::map<Uuid, std::vector<Uuid>> sessions_of_users_ AKIDB_GUARDED_BY(mutex_);
};

}  // namespace akidb::service
