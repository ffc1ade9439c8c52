// What collections of the policy s3_only take on the local disk, and who makes room.
#include <algorithm>

#include "service/tiers.h"
#include "storage/layout.h"

namespace akidb::service {

using catalog::TierRow;
using model::StoragePolicy;
using model::Tier;

namespace {

/// One that is asleep nobody can use.
bool is_used(const DirectoryEntry& entry) {
    return entry.collection != nullptr && entry.usage->users.load() > 0;
}

}  // namespace

uint64_t Tiers::count_cached_bytes() const {
    uint64_t bytes = 0;
    for (const auto& [id, collection] : collections_) {
        if (collection.row.policy == StoragePolicy::kS3Only) {
            bytes +=
                collection.arriving_bytes + (collection.row.tier == Tier::kCold ? 0 : collection.row.bytes);
        }
    }
    return bytes;
}

uint64_t Tiers::cached_bytes() const {
    MutexLock lock(mutex_);
    return count_cached_bytes();
}

/// Reserves it, so that two that arrive at once do not take the same room.
Result<void> Tiers::make_room(const Uuid& id, uint64_t bytes) {
    if (bytes > options_.cache_bytes) {
        return Error(Code::kUnavailable, "its files take " + std::to_string(bytes) +
                                             " bytes, more than the setting tiers.cache_bytes allows (" +
                                             std::to_string(options_.cache_bytes) + ")");
    }
    if (given_.disk != nullptr && !given_.disk->admits(bytes)) {
        return Error(Code::kDiskFull, "the disk has no room for its " + std::to_string(bytes) + " bytes");
    }
    while (true) {
        {
            MutexLock lock(mutex_);
            if (count_cached_bytes() + bytes <= options_.cache_bytes) {
                collections_[id].arriving_bytes = bytes;
                return {};
            }
        }
        if (!evict_one(id)) {
            return Error(
                       Code::kUnavailable,
                       "there is no room for its " + std::to_string(bytes) +
                           " bytes in tiers.cache_bytes: what is there is in use, pinned, or not yet copied")
                .with_retry_after(5);
        }
    }
}

/// The one that nobody asked for the longest, as far as all of it is in the store.
bool Tiers::evict_one(const Uuid& but) {
    std::vector<std::pair<uint64_t, Uuid>> candidates;
    for (const DirectoryEntry& entry : given_.directory.list_all()) {
        const CollectionTier tier = tier_of(entry);
        const bool is_idle = entry.usage != nullptr && !is_used(entry);
        if (entry.spec.id != but && is_idle && tier.policy == StoragePolicy::kS3Only && !tier.is_pinned &&
            !tier.is_moving && tier.tier != Tier::kCold && tier.is_copied) {
            candidates.emplace_back(entry.usage->last_used_us.load(), entry.spec.id);
        }
    }
    std::sort(candidates.begin(), candidates.end());
    for (const auto& [used_us, id] : candidates) {
        const std::optional<TierRow> row = find_row(id);
        if (row && row->tier == Tier::kHot && !lull(id)) {
            continue;
        }
        if (drop(id)) {
            return true;
        }
    }
    return false;
}

/// Of those open, what their files take by now.
void Tiers::measure_open() {
    for (const DirectoryEntry& entry : given_.directory.list_all()) {
        const std::optional<TierRow> row = find_row(entry.spec.id);
        if (entry.collection == nullptr || !row || row->policy == StoragePolicy::kMemory) {
            continue;
        }
        uint64_t bytes = 0;
        for (const std::string_view folder : {storage::kSegmentDirectory, storage::kLogDirectory}) {
            const auto files = given_.files.list(path_of(entry.spec.id) + "/" + std::string(folder));
            for (const io::DirectoryEntry& file : files ? *files : std::vector<io::DirectoryEntry>()) {
                bytes += file.size;
            }
        }
        MutexLock lock(mutex_);
        if (Collection& collection = collections_[entry.spec.id]; collection.row.tier == Tier::kHot) {
            collection.row.bytes = bytes;
        }
    }
}

void Tiers::demote_idle(const std::stop_token& stop) {
    measure_open();
    const uint64_t now_us = given_.clock.monotonic_us();
    for (const DirectoryEntry& entry : given_.directory.list_all()) {
        const CollectionTier tier = tier_of(entry);
        if (stop.stop_requested() || tier.policy != StoragePolicy::kS3Only || tier.is_pinned ||
            tier.is_moving || entry.usage == nullptr || is_used(entry)) {
            continue;
        }
        const uint64_t idle_us = now_us - std::min(now_us, entry.usage->last_used_us.load());
        Result<void> moved;
        if (tier.tier == Tier::kHot && entry.condition == Condition::kServing &&
            idle_us >= options_.warm_after_us) {
            moved = lull(entry.spec.id);
        } else if (tier.tier == Tier::kWarm && tier.is_copied && idle_us >= options_.cold_after_us) {
            moved = drop(entry.spec.id);
        }
        if (!moved && moved.error().code() != Code::kConflict) {
            warn("collection stays where it is", entry.spec.name, moved.error());
        }
    }
    while (!stop.stop_requested() && cached_bytes() > options_.cache_bytes && evict_one({})) {
    }
}

}  // namespace akidb::service
