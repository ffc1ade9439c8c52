// Pinning: the files of one sequence number or of a checkpoint, held open for whoever copies them.
#include <algorithm>

#include "engine/audit.h"
#include "engine/live_collection.h"
#include "storage/layout.h"

namespace akidb::engine {

Result<PinnedFiles> LiveCollection::pin_files() {
    AKIDB_TRY(check_in_service());
    if (!own_maintenance()) {
        return Error(Code::kUnavailable, "collection " + spec_.name + " is closing");
    }
    Result<PinnedFiles> pinned = pin_owned();
    disown_maintenance();
    if (work_is_due()) {
        schedule_maintenance();
    }
    return pinned;
}

/// With no job running, nothing takes files away between the look at the log and the last open.
Result<PinnedFiles> LiveCollection::pin_owned() {
    std::shared_ptr<const Snapshot> snapshot;
    PendingWrite between;
    between.between_groups = [this, &snapshot]() -> Result<void> {
        snapshot = published_.load();
        Result<void> started = log_->start_file();
        note_poison();
        log_bytes_ = log_->log_bytes();
        return started;
    };
    AKIDB_TRY(lane_.run(between));
    PinnedFiles pinned;
    pinned.sequence = snapshot->sequence;
    // That of the disk: after a rewrite whose checkpoint failed, the one in memory is ahead of it.
    AKIDB_TRY(const std::optional<storage::Manifest> manifest,
              storage::read_manifest(dependencies_.files, directory_));
    uint64_t covered = 0;
    if (manifest.has_value()) {
        covered = manifest->covered_sequence;
        AKIDB_TRY(pin_file(storage::manifest_name(manifest->version), pinned.files));
        for (const std::string& name : storage::segment_names(*manifest)) {
            AKIDB_TRY(pin_file(std::string(storage::kSegmentDirectory) + "/" + name, pinned.files));
        }
    }
    AKIDB_TRY(pin_log(covered, pinned));
    const AuditReport report = audit(*snapshot);
    pinned.documents = report.live;
    pinned.documents_hash = report.documents_hash;
    return pinned;
}

CheckpointState LiveCollection::checkpoint_state() const {
    return {.manifest_version = manifest_version_.load(),
            .covered_sequence = covered_sequence_.load(),
            .last_sequence = published_.load()->sequence};
}

Result<PinnedCheckpoint> LiveCollection::pin_checkpoint(Cover cover) {
    AKIDB_TRY(check_in_service());
    if (!own_maintenance()) {
        return Error(Code::kUnavailable, "collection " + spec_.name + " is closing");
    }
    Result<PinnedCheckpoint> pinned = pin_covered(cover);
    disown_maintenance();
    if (work_is_due()) {
        schedule_maintenance();
    }
    return pinned;
}

Result<PinnedCheckpoint> LiveCollection::pin_covered(Cover cover) {
    const CheckpointState state = checkpoint_state();
    const bool is_covered = state.covered_sequence >= state.last_sequence && !is_checkpoint_owed_.load();
    if (state.manifest_version == 0 || (cover == Cover::kAll && !is_covered)) {
        if (is_poisoned_.load()) {
            return Error(Code::kUnavailable, "writes of the collection are off after a disk failure");
        }
        AKIDB_TRY(run_checkpoint(LaneState::kOpen));
    }
    AKIDB_TRY(const std::optional<storage::Manifest> manifest,
              storage::read_manifest(dependencies_.files, directory_));
    if (!manifest.has_value()) {
        return Error(Code::kUnavailable, "collection " + spec_.name + " has no checkpoint");
    }
    PinnedCheckpoint pinned{.version = manifest->version, .sequence = manifest->covered_sequence};
    AKIDB_TRY(pin_file(storage::manifest_name(manifest->version), pinned.files));
    for (const std::string& name : storage::segment_names(*manifest)) {
        AKIDB_TRY(pin_file(std::string(storage::kSegmentDirectory) + "/" + name, pinned.files));
    }
    return pinned;
}

/// The closed files that hold what the manifest does not cover; the open one begins after the pinned
/// sequence.
Result<void> LiveCollection::pin_log(uint64_t covered, PinnedFiles& pinned) const {
    AKIDB_TRY(const std::vector<io::DirectoryEntry> listed, dependencies_.files.list(log_directory()));
    std::vector<uint64_t> firsts;
    for (const io::DirectoryEntry& entry : listed) {
        if (const std::optional<uint64_t> first = storage::parse_log_name(entry.name)) {
            firsts.push_back(*first);
        }
    }
    std::sort(firsts.begin(), firsts.end());
    for (size_t i = 0; i < firsts.size() && firsts[i] <= pinned.sequence; ++i) {
        const uint64_t last = i + 1 < firsts.size() ? firsts[i + 1] - 1 : pinned.sequence;
        if (last > covered) {
            AKIDB_TRY(pin_file(std::string(storage::kLogDirectory) + "/" + storage::log_name(firsts[i]),
                               pinned.files));
        }
    }
    return {};
}

Result<void> LiveCollection::pin_file(const std::string& name, std::vector<PinnedFile>& pinned) const {
    AKIDB_TRY(std::unique_ptr<io::ReadFile> file, dependencies_.files.open_read(directory_ + "/" + name));
    pinned.push_back({name, std::move(file)});
    return {};
}

}  // namespace akidb::engine
