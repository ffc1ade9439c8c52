// Checkpoints: segments and a manifest of what a snapshot sees, and the log trimmed behind them.
#include <algorithm>
#include <tuple>

#include "engine/live_collection.h"
#include "storage/layout.h"

namespace akidb::engine {
namespace {

// After a checkpoint met a full disk.
constexpr uint64_t kCheckpointRetryUs = 10'000'000;

/// Of the rows from `first` on, those that lie in files: they are about to get good checksums.
Result<void> verify_mapped_rows(const RowStore& rows, uint64_t first) {
    uint64_t end = 0;
    for (const auto& segment : rows.segments()) {
        end += segment->row_count();
        if (end > first) {
            AKIDB_TRY(segment->verify_vectors([] { return false; }));
        }
    }
    return {};
}

}  // namespace

/// An error was logged.
Result<void> LiveCollection::run_checkpoint(LaneState lane) {
    const uint64_t started_us = dependencies_.clock.monotonic_us();
    Result<void> done = checkpoint(lane);
    dependencies_.metrics.counter(telemetry::MetricId::kCheckpoints, {done.has_value() ? "ok" : "failed"})
        .add();
    trace_job("checkpoint", started_us, done);
    const uint64_t ended_us = dependencies_.clock.monotonic_us();
    if (done.has_value()) {
        dependencies_.metrics.histogram(telemetry::MetricId::kCheckpointDuration)
            .observe(static_cast<double>(ended_us - started_us) * 1e-6);
        return done;
    }
    if (done.error().code() == Code::kDataLoss) {  // in a file that rows are mapped from: nothing was written
        take_out_of_service(done.error().message());
        return done;
    }
    // A full disk passes, and so does a want of file descriptors; the log still holds everything. Any other
    // failure means that the disk cannot be trusted.
    const Code code = done.error().code();
    if (code != Code::kDiskFull && code != Code::kUnavailable) {
        is_poisoned_ = true;
    }
    checkpoint_not_before_us_ = ended_us + kCheckpointRetryUs;
    dependencies_.logger.log(LogLevel::kError, "checkpoint failed",
                             {{"collection", spec_.name}, {"error", done.error().message()}});
    return done;
}

/// What the checkpoint will cover. The log goes on in a new file from exactly there, so that all files of
/// before can go behind the manifest: a small collection must not keep a log that is larger than itself.
Result<std::shared_ptr<const Snapshot>> LiveCollection::begin_checkpoint(LaneState lane) {
    std::shared_ptr<const Snapshot> snapshot = published_.load();
    auto begin = [&]() -> Result<void> {
        snapshot = published_.load();
        if (has_begun_log_file_) {  // by a checkpoint that failed: one more file would gain nothing
            return {};
        }
        Result<void> started = log_->start_file();
        has_begun_log_file_ = started.has_value();
        note_poison();
        // On a full disk the file that is there must do: the checkpoint may still give space back.
        const bool goes_on = !started.has_value() && started.error().code() == Code::kDiskFull;
        return goes_on ? Result<void>() : started;
    };
    if (lane == LaneState::kClosed) {
        AKIDB_TRY(begin());
        return snapshot;
    }
    PendingWrite between;
    between.between_groups = begin;
    const Result<WriteReply> begun = lane_.run(between);
    // Refused when the lane closed meanwhile; then nothing is written any more, and the end trims.
    if (!begun.has_value() && (is_poisoned_.load() || begun.error().code() != Code::kUnavailable)) {
        return Error(begun.error());
    }
    return snapshot;
}

Result<void> LiveCollection::checkpoint(LaneState lane) {
    // Asked before the log moves on, too: a checkpoint that has no room must not cost a file at each try.
    const std::shared_ptr<const Snapshot> before = published_.load();
    AKIDB_TRY(admit_checkpoint(*before));
    AKIDB_TRY(const std::shared_ptr<const Snapshot> snapshot, begin_checkpoint(lane));
    AKIDB_TRY(admit_checkpoint(*snapshot));
    std::vector<uint32_t> linked;  // only this job links, so they are the same to the end
    for (const auto& index : generation_->indexes) {
        linked.push_back(snapshot->linked_of(*index));
    }
    AKIDB_TRY(storage::Manifest manifest, write_segments(*snapshot));
    AKIDB_TRY(storage::write_manifest(dependencies_.files, directory_, manifest));
    manifest_ = std::move(manifest);
    is_checkpoint_owed_ = false;
    has_begun_log_file_ = false;
    for (size_t i = 0; i < linked.size(); ++i) {
        generation_->indexes[i]->graph_rows_saved = linked[i];
    }
    covered_sequence_ = manifest_.covered_sequence;
    manifest_version_ = manifest_.version;
    segment_files_ = manifest_.rows.size();
    // Only now, with the manifest durable, may old files and the covered part of the log go (rule R7). What
    // cannot be removed now is removed by the next checkpoint or the next start.
    warn_unless_done(storage::remove_strays(dependencies_.files, directory_, manifest_,
                                            rewrite_ ? rewrite_->file_names() : std::vector<std::string>()));
    auto trim = [this]() -> Result<void> {
        warn_unless_done(log_->trim(removable_log()));
        log_bytes_ = log_->log_bytes();
        log_bytes_at_checkpoint_ = log_bytes_.load();
        return {};
    };
    if (lane == LaneState::kClosed) {
        return trim();
    }
    PendingWrite between;
    between.between_groups = trim;
    // Refused only when the lane closed meanwhile; then the end of the collection trims.
    const Result<WriteReply> trimmed = lane_.run(between);
    AKIDB_ASSERT(trimmed.has_value() || trimmed.error().code() == Code::kUnavailable);
    return {};
}

void LiveCollection::warn_unless_done(const Result<void>& removed) {
    if (!removed.has_value()) {
        dependencies_.logger.log(LogLevel::kWarning, "old files could not be removed yet",
                                 {{"collection", spec_.name}, {"error", removed.error().message()}});
    }
}

Result<storage::Manifest> LiveCollection::write_segments(const Snapshot& snapshot) {
    storage::Manifest manifest = manifest_;
    manifest.version = ++last_version_;
    manifest.covered_sequence = snapshot.sequence;
    AKIDB_TRY(write_rows(snapshot, manifest));
    for (size_t i = 0; i < generation_->indexes.size(); ++i) {
        AKIDB_TRY(write_graph(snapshot, i, manifest));
    }
    AKIDB_TRY(write_dead(snapshot, manifest));
    AKIDB_TRY(write_keys(snapshot, manifest));
    return manifest;
}

Result<void> LiveCollection::write_rows(const Snapshot& snapshot, storage::Manifest& manifest) {
    const uint64_t first = first_row_to_write(manifest, snapshot);
    if (first == snapshot.rows) {
        return {};
    }
    while (!manifest.rows.empty() && manifest.rows.back().first_row >= first) {
        manifest.rows.pop_back();
    }
    const RowStore& rows = generation_->rows;
    AKIDB_TRY(verify_mapped_rows(rows, first));
    const uint64_t count = snapshot.rows - first;
    AKIDB_TRY(
        storage::ManifestFile file,
        storage::write_rows_segment(
            dependencies_.files, segment_directory(), storage::rows_name(first, count, manifest.version),
            {.collection = spec_.id, .first_row = first, .row_count = count, .form = rows.form()},
            [&](uint64_t index) {
                const auto row = static_cast<uint32_t>(first + index);
                return storage::RowRecord{rows.row_as_kept(row), rows.version(row), rows.id(row),
                                          rows.stored_metadata(row)};
            }));
    manifest.rows.push_back({std::move(file), first, count});
    return {};
}

Result<void> LiveCollection::write_graph(const Snapshot& snapshot, size_t index,
                                         storage::Manifest& manifest) {
    const VectorIndex& of_vector = *generation_->indexes[index];
    const uint32_t linked = snapshot.linked_of(of_vector);
    if (linked == 0 || linked == of_vector.graph_rows_saved.load()) {
        return {};
    }
    const index::Graph& graph = of_vector.graph;
    const size_t unnamed = spec_.dimension > 0 ? 1 : 0;
    const std::string name = index < unnamed ? storage::graph_name(manifest.version)
                                             : storage::graph_name(manifest.version, index - unnamed);
    AKIDB_TRY(
        graph_entry(manifest, index),
        storage::write_graph_segment(
            dependencies_.files, segment_directory(), name, spec_.id, linked, graph.options().degree,
            [&](uint32_t begin, uint32_t end, std::string& out) { graph.export_lists(begin, end, out); }));
    return {};
}

/// Of the column of that number.
std::optional<storage::ManifestFile>& LiveCollection::graph_entry(storage::Manifest& manifest,
                                                                  size_t index) const {
    const size_t unnamed = spec_.dimension > 0 ? 1 : 0;
    return index < unnamed ? manifest.graph : manifest.vectors.at(index - unnamed).graph;
}

Result<void> LiveCollection::write_dead(const Snapshot& snapshot, storage::Manifest& manifest) {
    std::vector<storage::DeadRow> dead;
    for (uint32_t row = 0; row < snapshot.rows; ++row) {
        const uint64_t sequence = generation_->rows.dead_at(row);
        if (sequence != 0 && sequence <= snapshot.sequence) {
            dead.push_back({row, sequence});
        }
    }
    if (dead.empty()) {
        manifest.dead.reset();
        return {};
    }
    AKIDB_TRY(manifest.dead,
              storage::write_dead_segment(dependencies_.files, segment_directory(),
                                          storage::dead_name(manifest.version), spec_.id, dead));
    return {};
}

Result<void> LiveCollection::write_keys(const Snapshot& snapshot, storage::Manifest& manifest) {
    if (manifest.keys.has_value() && keys_.is_unchanged_since(manifest_.covered_sequence)) {
        return {};
    }
    const std::vector<storage::RememberedKey> keys = keys_.up_to(snapshot.sequence);
    manifest.keys.reset();
    if (!keys.empty()) {
        AKIDB_TRY(manifest.keys,
                  storage::write_keys_segment(dependencies_.files, segment_directory(),
                                              storage::keys_name(manifest.version), spec_.id, keys));
    }
    return {};
}

}  // namespace akidb::engine
