// The queue of what is to be sent to the store and removed there.
#include <algorithm>

#include "service/tier_mover.h"
#include "service/tiers.h"
#include "storage/layout.h"
#include "storage/manifest.h"

namespace akidb::service {

using backup::TargetUse;
using catalog::TierRow;
using catalog::TierTask;
using catalog::TierTaskKind;
using model::StoragePolicy;
using model::Tier;
using telemetry::MetricId;

namespace {

constexpr size_t kErrorBytesMax = 1024;
// It reads the queue and looks at the files of what is open.
constexpr uint64_t kTickUs = 1'000'000;
// Nothing waits longer, so what does was queued by a clock that has been set back since.
constexpr uint64_t kWaitMsMax = 3'600'000;

bool has_version(const std::vector<backup::BackupFile>& files, uint64_t version) {
    const std::string name = storage::manifest_name(version);
    return std::any_of(files.begin(), files.end(),
                       [&](const backup::BackupFile& file) { return file.name == name; });
}

}  // namespace

/// A checkpoint, and whose it is.
struct Tiers::Uploadable {
    DirectoryEntry entry;
    engine::PinnedCheckpoint pinned;
};

void Tiers::tick() {
    const uint64_t now_us = given_.clock.monotonic_us();
    if (now_us < next_tick_us_) {
        return;
    }
    next_tick_us_ = now_us + kTickUs;
    export_gauges();
    if (is_running_.exchange(true)) {
        return;
    }
    const bool is_taken = given_.movers.submit("tiers", [this](const std::stop_token& stop) {
        run_due(stop);
        is_running_ = false;
    });
    if (!is_taken) {
        is_running_ = false;
    }
}

void Tiers::run_due(const std::stop_token& stop) {
    forget_deleted();
    if (!options_.place.empty()) {
        demote_idle(stop);
        if (const Result<void> queued = queue_uploads(); !queued) {
            warn("uploads could not be queued", "", queued.error());
        }
    }
    run_tasks(stop);
}

bool Tiers::upload_is_due(const Collection& collection, const DirectoryEntry& entry,
                          bool is_owed_cold_index) const {
    const TierRow& row = collection.row;
    if (row.policy == StoragePolicy::kMemory || row.tier == Tier::kCold || row.copy == Uuid{}) {
        return false;
    }
    if (entry.collection == nullptr) {
        return row.tier == Tier::kWarm && row.settled_version != collection.given_up_version &&
               (row.settled_version != row.copied_version || is_owed_cold_index);
    }
    const engine::CheckpointState files = entry.collection->checkpoint_state();
    if (files.manifest_version == 0 || (files.manifest_version != row.copied_version &&
                                        files.manifest_version != collection.given_up_version)) {
        return true;
    }
    return files.last_sequence > files.covered_sequence &&
           given_.clock.monotonic_us() - collection.looked_at_us >= options_.copy_interval_us;
}

Result<void> Tiers::queue_uploads() {
    for (const DirectoryEntry& entry : given_.directory.list_all()) {
        TierTask task{.collection = entry.spec.id, .queued_at_ms = given_.clock.unix_ms()};
        const std::optional<TierRow> row = find_row(entry.spec.id);
        const bool is_owed_cold_index = row && lacks_cold_index(*row);
        {
            MutexLock lock(mutex_);
            const auto found = collections_.find(entry.spec.id);
            if (found == collections_.end() || found->second.is_moving ||
                !upload_is_due(found->second, entry, is_owed_cold_index)) {
                continue;
            }
            task.copy = found->second.row.copy;
            task.place = found->second.row.place;
            task.bytes = found->second.row.bytes;
        }
        AKIDB_TRY(given_.store.put_task(task));
    }
    return {};
}

void Tiers::run_tasks(const std::stop_token& stop) {
    const Result<std::vector<TierTask>> tasks = given_.store.list_tasks();
    if (!tasks) {
        return warn("the queue of uploads cannot be read", "", tasks.error());
    }
    for (const TierTask& task : *tasks) {
        if (stop.stop_requested()) {
            return;
        }
        const uint64_t now_ms = given_.clock.unix_ms();
        const bool was_set_back = task.not_before_ms > now_ms + kWaitMsMax;
        if (!task.is_dead && (was_set_back || task.not_before_ms <= now_ms)) {
            run_task(task, stop);
        }
    }
}

void Tiers::run_task(TierTask task, const std::stop_token& stop) {
    // While the breaker is open nothing is tried, so nothing counts as tried either.
    const bool was_open =
        given_.breaker != nullptr && given_.breaker->state() == objects::BreakerState::kOpen;
    Result<void> done = task.kind == TierTaskKind::kUpload ? upload(task, stop) : remove_copy(task);
    if (done) {
        done = given_.store.remove_task(task.id);
    }
    if (!done && !stop.stop_requested()) {
        note_failure(std::move(task), done.error(), !was_open);
    }
}

void Tiers::note_failure(TierTask task, const Error& error, bool counts) {
    task.error = error.message().substr(0, kErrorBytesMax);
    task.tries += counts ? 1 : 0;
    task.is_dead = task.tries >= options_.tries_max;
    const uint64_t shift = std::min<uint64_t>(task.tries, 32);
    const uint64_t most_us = std::min(options_.retry_cap_us, options_.retry_base_us << shift);
    const uint64_t wait_us = most_us == 0 ? 0 : given_.random.next_u64() % (most_us + 1);
    const uint64_t wait_ms = std::max<uint64_t>(wait_us / 1000, uint64_t{error.retry_after_s()} * 1000);
    task.not_before_ms = given_.clock.unix_ms() + std::min(wait_ms, kWaitMsMax);
    if (counts) {
        given_.metrics.counter(MetricId::kUploads, {"failed"}).add();
        given_.logger.log(task.is_dead ? LogLevel::kError : LogLevel::kWarning,
                          task.is_dead ? "a dead letter: it is not tried again before somebody says so"
                                       : "the object store was not reached",
                          {{"collection", name_of_collection(task.collection)},
                           {"task", task.kind == TierTaskKind::kUpload ? "upload" : "remove"},
                           {"tries", std::to_string(task.tries)},
                           {"error", task.error}});
    }
    if (const Result<void> kept = given_.store.put_task(task); !kept) {
        warn("the queue of uploads cannot be written", "", kept.error());
    }
}

Result<std::shared_ptr<backup::Target>> Tiers::reach_store(const std::string& place, backup::TargetUse use) {
    if (options_.place.empty() || place != options_.place) {
        return Error(Code::kUnavailable, "it is in the store " + place + ", and the setting tiers.to names " +
                                             (options_.place.empty() ? "none" : options_.place));
    }
    MutexLock lock(target_mutex_);
    std::shared_ptr<backup::Target>& target = targets_[use];
    if (target == nullptr) {
        AKIDB_TRY(auto opened, given_.open_target(place, use));
        target = std::move(opened);
    }
    return target;
}

Result<Tiers::Uploadable> Tiers::find_uploadable(const TierRow& row) const {
    std::optional<DirectoryEntry> entry = given_.directory.find_by_id(row.collection);
    if (!entry) {
        return Error(Code::kNotFound, "the collection was deleted");
    }
    if (entry->collection != nullptr) {
        AKIDB_TRY(engine::PinnedCheckpoint pinned, entry->collection->pin_checkpoint(engine::Cover::kAll));
        return Uploadable{std::move(*entry), std::move(pinned)};
    }
    AKIDB_TRY(const std::optional<storage::Manifest> manifest,
              storage::read_manifest(given_.files, path_of(row.collection)));
    if (row.tier != Tier::kWarm || !manifest || manifest->version != row.settled_version) {
        return Error(Code::kUnavailable, "the collection is out of service");
    }
    engine::PinnedCheckpoint pinned{.version = manifest->version, .sequence = manifest->covered_sequence};
    std::vector<std::string> names{storage::manifest_name(manifest->version)};
    for (const std::string& name : storage::segment_names(*manifest)) {
        names.push_back(std::string(storage::kSegmentDirectory) + "/" + name);
    }
    for (const std::string& name : names) {
        AKIDB_TRY(auto file, given_.files.open_read(path_of(row.collection) + "/" + name));
        pinned.files.push_back({name, std::move(file)});
    }
    return Uploadable{std::move(*entry), std::move(pinned)};
}

/// One at a time. The copy counts in the catalog after all of it was verified; what it had before goes only
/// then.
Result<void> Tiers::upload(const TierTask& task, const std::stop_token& stop) {
    const UploadTurn turn(*this);
    const std::optional<TierRow> row = find_row(task.collection);
    if (!row || row->copy != task.copy || row->policy == StoragePolicy::kMemory || row->tier == Tier::kCold) {
        return {};  // nothing that is not there already
    }
    {
        MutexLock lock(mutex_);
        collections_[task.collection].looked_at_us = given_.clock.monotonic_us();
    }
    AKIDB_TRY(const auto target, reach_store(row->place, TargetUse::kWrite));
    AKIDB_TRY(const Uploadable source, find_uploadable(*row));
    backup::CollectionCopy copy(target->store(), row->copy);
    std::vector<backup::BackupFile> known;
    if (row->copied_version > 0) {
        Result<backup::BackedUpCollection> before = copy.read(row->copied_version);
        if (!before && before.error().code() != Code::kDataLoss) {
            return std::move(before).error();
        }
        if (before && has_version(before->files, row->copied_version)) {
            known = std::move(before->files);
        }
    }
    backup::BackedUpCollection described{.id = row->collection,
                                         .tenant = source.entry.tenant,
                                         .name = source.entry.spec.name,
                                         .dimension = source.entry.spec.dimension,
                                         .metric = source.entry.spec.metric,
                                         .sequence = source.pinned.sequence};
    std::vector<backup::CollectionCopy::Source> files;
    uint64_t bytes = 0;
    for (const engine::PinnedFile& file : source.pinned.files) {
        files.push_back({file.name, *file.file});
        bytes += file.file->size();
    }
    // With what a server of before has sent without noting it.
    const auto note = [&](std::vector<std::string> names) {
        if (row->copied_version > 0) {
            const auto before = backup::CollectionCopy::names_of(row->copied_version, known);
            names.insert(names.end(), before.begin(), before.end());
        }
        return given_.store.note_objects(row->copy, names);
    };
    AKIDB_TRY(const auto put, copy.put(std::move(described), files, known, note, stop));
    AKIDB_TRY(change_row(task.collection, [&](TierRow& changed) {
        if (changed.copy == task.copy) {
            changed.copied_version = source.pinned.version;
            changed.bytes = bytes;
        }
    }));
    given_.metrics.counter(MetricId::kUploads, {"ok"}).add();
    given_.metrics.counter(MetricId::kUploadedBytes).add(static_cast<double>(put.sent_bytes));
    AKIDB_TRY(const auto sent, given_.store.list_objects(row->copy));
    AKIDB_TRY(const auto removed, copy.remove_others(source.pinned.version, put.files, sent));
    AKIDB_TRY(given_.store.forget_objects(row->copy, removed));
    return put_cold_index(*row, copy, stop);  // last: without it the copy counts, and it stays owed
}

Result<void> Tiers::remove_copy(const TierTask& task) {
    const UploadTurn turn(*this);
    AKIDB_TRY(const auto target, reach_store(task.place, TargetUse::kWrite));
    AKIDB_TRY(const auto sent, given_.store.list_objects(task.copy));
    AKIDB_TRY(backup::CollectionCopy(target->store(), task.copy).remove_all(sent));
    return given_.store.forget_objects(task.copy, sent);
}

Result<bool> Tiers::renew_copy(const Uuid& collection) {
    const std::optional<TierRow> row = find_row(collection);
    if (!row || row->policy == StoragePolicy::kMemory) {
        return false;
    }
    const TierTask task{.collection = collection,
                        .copy = row->copy,
                        .place = row->place,
                        .bytes = row->bytes,
                        .queued_at_ms = given_.clock.unix_ms()};
    AKIDB_TRY(given_.store.put_task(task));
    AKIDB_TRY(upload(task, {}));
    AKIDB_TRY(const std::vector<TierTask> tasks, given_.store.list_tasks());
    for (const TierTask& queued : tasks) {
        if (queued.kind == TierTaskKind::kUpload && queued.copy == task.copy) {
            AKIDB_TRY(given_.store.remove_task(queued.id));
        }
    }
    return true;
}

std::optional<uint64_t> Tiers::sequence_of_sleeper(const Uuid& collection) const {
    const auto row = find_row(collection);
    const bool is_settled = row && row->tier != model::Tier::kHot && row->settled_version > 0;
    return is_settled ? std::optional(row->sequence) : std::nullopt;
}

}  // namespace akidb::service
