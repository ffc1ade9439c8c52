// The log as others copy it while it is written (docs/adr/0019): how far it reaches, what it holds, and how
// much of it stays for them.
#include <algorithm>

#include "engine/live_collection.h"

namespace akidb::engine {

/// What was not copied yet stays, but neither an erase nor writes on a disk that fills wait for a copy.
uint64_t LiveCollection::removable_log() const {
    const uint64_t covered = covered_sequence_.load();
    const storage::DiskSpace* disk = dependencies_.disk;
    const bool is_disk_low = disk != nullptr && disk->free_bytes() < disk->soft_free_bytes();
    const bool is_held = options_.held_log_bytes_max > 0 && !is_erasing_.load() && !is_disk_low &&
                         log_->log_bytes() <= options_.held_log_bytes_max;
    return is_held ? std::min(covered, released_sequence_.load()) : covered;
}

Result<LogReach> LiveCollection::reach_log() {
    LogReach reach;
    PendingWrite between;
    between.between_groups = [this, &reach]() -> Result<void> {
        reach.sequence = published_.load()->sequence;
        reach.unix_ms = std::max(stamped_ms_, dependencies_.clock.stamp_ms());
        stamped_ms_ = reach.unix_ms + 1;
        const uint64_t before = log_->log_bytes();
        warn_unless_done(log_->trim(removable_log()));
        log_bytes_ = log_->log_bytes();
        log_bytes_at_checkpoint_ -= std::min(before - log_bytes_.load(), log_bytes_at_checkpoint_.load());
        return {};
    };
    AKIDB_TRY(lane_.run(between));
    return reach;
}

Result<void> LiveCollection::read_log(const storage::LogRange& range, storage::VisitTimed visit) const {
    return storage::read_excerpt(dependencies_.files, log_directory(), spec_.id, range, visit);
}

void LiveCollection::release_log(uint64_t sequence) {
    released_sequence_ = std::max(released_sequence_.load(), sequence);
}

}  // namespace akidb::engine
