// What collections of the policy s3_only take on the local disk, and who makes room.
#include <algorithm>
#include <utility>

#include "service/tiers.h"
#include "storage/layout.h"
#include "storage/log_writer.h"

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
            bytes += collection.arriving_bytes;
            bytes += collection.row.tier == Tier::kCold ? 0 : collection.row.bytes + collection.written_bytes;
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
            const uint64_t taken = count_cached_bytes() + bytes;
            if (taken <= options_.cache_bytes) {
                collections_[id].arriving_bytes = bytes;
                room_bytes_ = options_.cache_bytes - taken;
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

Result<void> Tiers::admit_write(const Uuid& collection, uint64_t bytes) {
    MutexLock lock(mutex_);
    const auto found = collections_.find(collection);
    if (found == collections_.end() || found->second.row.policy != StoragePolicy::kS3Only) {
        return {};
    }
    // A log is allocated ahead, up to a quarter of what it holds (storage/log_writer.h).
    const uint64_t needed =
        bytes + std::max(storage::LogWriterOptions{}.preallocate_bytes_min, found->second.row.bytes / 4);
    if (needed > room_bytes_) {
        room_bytes_ = options_.cache_bytes - std::min(options_.cache_bytes, count_cached_bytes());
    }
    if (needed > room_bytes_) {
        wanted_bytes_ = std::min(options_.cache_bytes, std::max(wanted_bytes_, needed));
        return Error(Code::kUnavailable,
                     "there is no room for what is written in tiers.cache_bytes (" +
                         std::to_string(options_.cache_bytes) +
                         ") until others of the policy s3_only, that nobody asks for, made some")
            .with_retry_after(1);
    }
    room_bytes_ -= bytes;
    found->second.written_bytes += bytes;
    return {};
}

/// Of those open, what their files take by now.
void Tiers::measure_open() {
    for (const DirectoryEntry& entry : given_.directory.list_all()) {
        const std::optional<TierRow> row = find_row(entry.spec.id);
        if (entry.collection != nullptr && row && row->policy != StoragePolicy::kMemory) {
            measure(entry.spec.id);
        }
    }
}

void Tiers::measure(const Uuid& id) {
    uint64_t written = 0;
    {
        MutexLock lock(mutex_);
        written = collections_[id].written_bytes;
    }
    uint64_t bytes = 0;
    for (const std::string_view folder : {storage::kSegmentDirectory, storage::kLogDirectory}) {
        const auto files = given_.files.list(path_of(id) + "/" + std::string(folder));
        for (const io::DirectoryEntry& file : files ? *files : std::vector<io::DirectoryEntry>()) {
            bytes += file.size;
        }
    }
    MutexLock lock(mutex_);
    if (Collection& collection = collections_[id]; collection.row.tier == Tier::kHot) {
        collection.row.bytes = bytes;
        collection.written_bytes -= std::min(collection.written_bytes, written);
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
        } else if (tier.tier == Tier::kWarm && tier.is_copied && idle_us >= options_.cold_after_us &&
                   !lacks_cold_index(find_row(entry.spec.id).value_or(TierRow{}))) {
            moved = drop(entry.spec.id);
        }
        if (!moved && moved.error().code() != Code::kConflict) {
            warn("collection stays where it is", entry.spec.name, moved.error());
        }
    }
    uint64_t wanted = 0;
    {
        MutexLock lock(mutex_);
        std::swap(wanted, wanted_bytes_);
        room_bytes_ = 0;  // to be counted anew by who writes next
    }
    while (!stop.stop_requested() && cached_bytes() + wanted > options_.cache_bytes && evict_one({})) {
    }
}

}  // namespace akidb::service
