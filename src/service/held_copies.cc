#include "service/held_copies.h"

#include <algorithm>

#include "backup/archive.h"
#include "backup/upkeep.h"
#include "service/scheduled_backups.h"

namespace akidb::service {
namespace {

constexpr uint64_t kKeptDayMs = uint64_t{24} * 3600 * 1000;

/// So that it can be read: where a tenant's key is gone, nothing is held.
bool holds(const backup::Repository& repository, const backup::BackupManifest& manifest,
           const Uuid& collection) {
    return std::any_of(manifest.collections.begin(), manifest.collections.end(),
                       [&](const backup::BackedUpCollection& backed_up) {
                           return backed_up.id == collection && repository.can_read(backed_up).value_or(true);
                       });
}

/// The first backup not before `ms`, at the latest: whoever makes it prunes.
uint64_t pruned_after_ms(const BackupPlan& plan, uint64_t next_ms, uint64_t ms) {
    return ms <= next_ms ? next_ms : plan.times.next_ms(ms - 1);
}

Result<bool> is_in_archive(backup::Repository& repository, const Uuid& collection) {
    AKIDB_TRY(const std::vector<Uuid> timelines, backup::Archive::list_timelines(repository.store()));
    for (const Uuid& timeline : timelines) {
        backup::Archive archive(repository.store(), timeline);
        AKIDB_TRY(const std::vector<backup::LogPiece> pieces, archive.list_pieces(collection));
        if (std::any_of(pieces.begin(), pieces.end(), [&](const backup::LogPiece& piece) {
                return repository.can_read(piece.key).value_or(true);
            })) {
            return true;
        }
    }
    return false;
}

}  // namespace

uint64_t gone_by_ms(const BackupPlan& plan, uint64_t now_ms, uint64_t newest_ms, size_t position,
                    uint64_t created_ms) {
    if (!plan.prunes) {
        return 0;
    }
    uint64_t at_ms = std::max(now_ms, plan.times.next_ms(newest_ms));  // one that is overdue comes yet
    for (size_t newer = position; newer < std::max<uint64_t>(1, plan.retention.keep_last); ++newer) {
        at_ms = plan.times.next_ms(at_ms);
    }
    return pruned_after_ms(plan, at_ms, created_ms + plan.retention.keep_days * kKeptDayMs);
}

Result<HeldCopies> find_held_copies(backup::Repository& repository, const BackupPlan& plan, uint64_t now_ms,
                                    const Uuid& collection) {
    HeldCopies held;
    AKIDB_TRY(const std::vector<Uuid> ids, repository.list_backups());
    std::vector<backup::BackupManifest> manifests;
    for (const Uuid& id : ids) {
        Result<backup::BackupManifest> manifest = repository.read_manifest(id);
        if (manifest) {
            manifests.push_back(std::move(*manifest));
        } else if (manifest.error().code() != Code::kNotFound) {  // a prune took it meanwhile
            return std::move(manifest).error();
        }
    }
    const uint64_t newest_ms = manifests.empty() ? now_ms : manifests.back().created_ms;
    uint64_t all_gone_ms = 0;
    for (size_t i = 0; i < manifests.size(); ++i) {
        const backup::BackupManifest& manifest = manifests[i];
        const uint64_t until_ms =
            gone_by_ms(plan, now_ms, newest_ms, manifests.size() - i, manifest.created_ms);
        all_gone_ms = std::max(all_gone_ms, until_ms);
        if (holds(repository, manifest, collection)) {
            held.backups.push_back(
                {.id = manifest.id, .created_ms = manifest.created_ms, .until_ms = until_ms});
        }
    }
    AKIDB_TRY(const bool is_archived, is_in_archive(repository, collection));
    if (is_archived) {
        // It goes when it is a day old and no backup from before is kept that it could follow.
        const uint64_t day_old_ms = pruned_after_ms(plan, now_ms, now_ms + backup::kStrayMs);
        held.log_until_ms = plan.prunes ? std::max(all_gone_ms, day_old_ms) : 0;
    }
    return held;
}

void add_remembered(HeldCopies& held, const std::vector<BackupState>& states, const BackupPlan* plan) {
    for (const BackupState& state : states) {
        const bool is_listed = std::any_of(held.backups.begin(), held.backups.end(),
                                           [&](const HeldBackup& backup) { return backup.id == state.id; });
        const bool is_elsewhere = plan == nullptr || state.to != plan->to;
        if (is_listed || state.stage == BackupStage::kFailed ||
            (state.stage == BackupStage::kDone && !is_elsewhere)) {
            continue;
        }
        held.backups.push_back(
            {.id = state.id,
             .created_ms = state.started_ms,
             .until_ms = is_elsewhere
                             ? 0
                             : gone_by_ms(*plan, state.started_ms, state.started_ms, 1, state.started_ms)});
    }
    std::sort(held.backups.begin(), held.backups.end(), [](const HeldBackup& one, const HeldBackup& other) {
        return one.created_ms < other.created_ms;
    });
}

}  // namespace akidb::service
