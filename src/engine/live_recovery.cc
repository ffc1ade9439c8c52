// Opening a collection: map what the manifest names, replay what it does not cover, make that durable, serve.
#include <algorithm>
#include <functional>

#include "engine/live_collection.h"
#include "engine/shared_work.h"
#include "storage/layout.h"

namespace akidb::engine {
namespace {

// Ids, metadata, tombstones and graph are always checked at open; vectors only as far as it does not make the
// start wait (about 0.1 s from memory, half a second from a cold disk). What lies beyond is for the scrub,
// which then begins at once.
constexpr uint64_t kCheckedAtOpenBytes = 256 << 20;
// Of vectors: below, all is read in some ten milliseconds.
constexpr uint64_t kWorthHelpBytes = 64 << 20;

}  // namespace

Result<void> Collection::create(io::FileSystem& files, const std::string& parent,
                                const std::string& directory) {
    AKIDB_TRY(files.make_directory(directory));
    AKIDB_TRY(files.make_directory(directory + "/" + std::string(storage::kLogDirectory)));
    AKIDB_TRY(files.make_directory(directory + "/" + std::string(storage::kSegmentDirectory)));
    AKIDB_TRY(files.sync_directory(directory));
    return files.sync_directory(parent);
}

Result<std::shared_ptr<Collection>> Collection::open(Dependencies dependencies, std::string directory,
                                                     model::CollectionSpec spec, CollectionOptions options) {
    const std::string name = spec.name;
    auto collection = std::make_shared<LiveCollection>(dependencies, directory, spec, options);
    Result<void> recovered = collection->recover();
    if (!recovered.has_value() && recovered.error().code() == Code::kDiskFull &&
        dependencies.disk != nullptr && dependencies.disk->release_ballast()) {
        // The copy of the log's tail needs room (rule R6); what was half done is done again from the start.
        collection = std::make_shared<LiveCollection>(dependencies, directory, spec, options);
        recovered = collection->recover();
    }
    if (!recovered.has_value()) {
        return std::move(recovered).error().with_context("opening collection " + name);
    }
    return std::shared_ptr<Collection>(std::move(collection));
}

std::string LiveCollection::segment_directory() const {
    return directory_ + "/" + std::string(storage::kSegmentDirectory);
}

std::string LiveCollection::log_directory() const {
    return directory_ + "/" + std::string(storage::kLogDirectory);
}

Result<bool> LiveCollection::holds_files() const {
    for (const std::string& directory : {directory_, segment_directory(), log_directory()}) {
        AKIDB_TRY(const std::vector<io::DirectoryEntry> entries, dependencies_.files.list(directory));
        if (std::any_of(entries.begin(), entries.end(),
                        [](const io::DirectoryEntry& entry) { return !entry.is_directory; })) {
            return true;
        }
    }
    return false;
}

Result<void> LiveCollection::recover() {
    const uint64_t started_us = dependencies_.clock.monotonic_us();
    // A process that was killed may have left names that we see and a power cut would take back. They must be
    // durable before anything that they replace is removed. Where there are none, syncing would only make
    // thousands of empty collections slow to open.
    AKIDB_TRY(const bool has_files, holds_files());
    for (const std::string& directory : {directory_, segment_directory(), log_directory()}) {
        if (has_files) {
            AKIDB_TRY(dependencies_.files.sync_directory(directory));
        }
    }
    AKIDB_TRY(std::optional<storage::Manifest> manifest,
              storage::read_manifest(dependencies_.files, directory_));
    if (manifest.has_value()) {
        if (manifest->collection != spec_.id || !storage::has_vectors_of(*manifest, spec_)) {
            return Error(Code::kDataLoss, "the manifest belongs to another collection");
        }
        manifest_ = std::move(*manifest);
        last_version_ = manifest_.version;
        manifest_version_ = manifest_.version;
    } else {
        manifest_.collection = spec_.id;
        storage::take_vectors_of(spec_, manifest_);
    }
    AKIDB_TRY(open_segments(manifest_));
    AKIDB_TRY(storage::remove_strays(dependencies_.files, directory_, manifest_));
    AKIDB_TRY(const storage::LogRecovery recovery, replay_log());
    AKIDB_TRY(log_, storage::LogWriter::open(dependencies_.files, log_directory(), spec_.id,
                                             recovery.last_sequence + 1, options_.log));
    // The manifest is durable, and so is the file that the log goes on in.
    warn_unless_done(log_->trim(removable_log()));
    log_bytes_ = log_->log_bytes();
    // What is held for others, and covered, is no reason for a checkpoint.
    log_bytes_at_checkpoint_ =
        options_.held_log_bytes_max > 0 && recovery.records == 0 ? log_bytes_.load() : 0;
    opened_sequence_ = recovery.last_sequence;
    dependencies_.clock.note_stamp(recovery.last_ms);
    keys_.start();
    publish(recovery.last_sequence);
    dependencies_.logger.log(
        LogLevel::kInfo, "collection opened",
        {{"collection", spec_.name},
         {"documents", std::to_string(live_)},
         {"linked_rows", std::to_string(generation_->first().graph.linked())},
         {"replayed_records", std::to_string(recovery.records)},
         {"torn_bytes", std::to_string(recovery.torn_bytes)},
         {"clean", recovery.was_clean ? "true" : "false"},
         {"milliseconds", std::to_string((dependencies_.clock.monotonic_us() - started_us) / 1000)}});
    if (recovery.torn_bytes > 0) {
        dependencies_.metrics.counter(telemetry::MetricId::kLogTornBytes)
            .add(static_cast<double>(recovery.torn_bytes));
    }
    if (work_is_due()) {
        schedule_maintenance();
    }
    return {};
}

// What takes long in a large collection is read side by side: the rows, each graph, and the vectors that are
// checked before they are searched.
Result<void> LiveCollection::open_segments(const storage::Manifest& manifest) {
    Generation& generation = *generation_;
    AKIDB_TRY(const RowSegments segments, open_row_segments(manifest));
    std::vector<std::function<Result<void>()>> steps;
    steps.emplace_back([&] { return adopt_rows(manifest, segments); });
    for (size_t i = 0; i < generation.indexes.size(); ++i) {
        if (const auto& graph = graph_entry(manifest_, i)) {
            steps.emplace_back([&, i] { return open_graph(*graph, *generation.indexes[i]); });
        }
    }
    uint64_t vector_bytes = 0;
    uint64_t checked_bytes = 0;
    for (const auto& segment : segments) {
        const uint64_t bytes = segment->row_count() * generation.rows.row_bytes();
        vector_bytes += bytes;
        if (checked_bytes + bytes <= kCheckedAtOpenBytes) {
            checked_bytes += bytes;
            steps.emplace_back([&] { return segment->verify_vectors([] { return false; }); });
        }
    }
    const uint32_t helpers = vector_bytes >= kWorthHelpBytes ? options_.link_threads : 0;
    AKIDB_TRY(run_steps(dependencies_.executor, "open", helpers, steps));
    for (const auto& index : generation.indexes) {
        if (index->graph.linked() > index->column.count_below(generation.rows.size())) {
            return Error(Code::kDataLoss, "the graph has more rows than the segments");
        }
    }
    AKIDB_TRY(open_keys(manifest));
    covered_sequence_ = manifest.covered_sequence;
    segment_files_ = manifest.rows.size();
    plan_first_scrub(checked_bytes == vector_bytes);
    return {};
}

Result<LiveCollection::RowSegments> LiveCollection::open_row_segments(
    const storage::Manifest& manifest) const {
    RowSegments segments;
    uint64_t rows = 0;
    for (const storage::ManifestRows& entry : manifest.rows) {
        if (entry.first_row != rows) {
            return Error(Code::kDataLoss, "the manifest's row segments do not follow one another");
        }
        AKIDB_TRY(auto segment, storage::RowsSegment::open(dependencies_.files, segment_directory(), entry,
                                                           spec_.id, generation_->rows.form()));
        rows += segment->row_count();
        segments.push_back(std::move(segment));
    }
    return segments;
}

Result<void> LiveCollection::adopt_rows(const storage::Manifest& manifest, const RowSegments& segments) {
    Generation& generation = *generation_;
    for (const auto& segment : segments) {
        AKIDB_TRY(generation.rows.adopt(segment));
    }
    const uint32_t rows = generation.rows.size();
    live_ = rows;
    if (manifest.dead.has_value()) {
        AKIDB_TRY(
            const std::vector<storage::DeadRow> dead,
            storage::open_dead_segment(dependencies_.files, segment_directory(), *manifest.dead, spec_.id));
        for (const storage::DeadRow& mark : dead) {
            if (mark.row >= rows || mark.sequence == 0 || mark.sequence > manifest.covered_sequence) {
                return Error(Code::kDataLoss, "a tombstone that the manifest does not cover");
            }
            generation.rows.mark_dead(mark.row, mark.sequence);
        }
        live_ = rows - dead.size();
    }
    for (uint32_t row = 0; row < rows; ++row) {
        if (!model::DocumentId::decode(generation.rows.id(row)).has_value()) {
            return Error(Code::kDataLoss, "row " + std::to_string(row) + " has no valid id");
        }
    }
    generation.ids.fill(rows);
    return {};
}

Result<void> LiveCollection::open_graph(const storage::ManifestFile& file, VectorIndex& index) {
    AKIDB_TRY(const storage::GraphLists lists,
              storage::open_graph_segment(dependencies_.files, segment_directory(), file, spec_.id));
    // A graph of another degree (the setting changed) is built anew from the rows.
    if (lists.degree != index.graph.options().degree) {
        return {};
    }
    index::Graph::ImportedLists imported{.bytes = lists.lists, .forget = {}};
    if (lists.row_count >= options_.graph_rows_min) {  // the builder will come, and copy them
        imported.forget = [this, lists] { forget_lists(lists); };
    }
    AKIDB_TRY(index.graph.import_lists(std::move(imported), static_cast<uint32_t>(lists.row_count)));
    index.graph_rows_saved = static_cast<uint32_t>(lists.row_count);
    return {};
}

/// They were read from the file until now, when they were copied: had it gone bad since it was checked, so
/// would they. Called by the maintenance alone, so the collection is there.
void LiveCollection::forget_lists(const storage::GraphLists& lists) {
    if (const Result<void> whole = lists.verify(); !whole.has_value()) {
        take_out_of_service(whole.error().message());
    }
    lists.file->forget();
}

Result<void> LiveCollection::open_keys(const storage::Manifest& manifest) {
    if (!manifest.keys.has_value()) {
        return {};
    }
    AKIDB_TRY(const std::vector<storage::RememberedKey> keys,
              storage::open_keys_segment(dependencies_.files, segment_directory(), *manifest.keys, spec_.id));
    for (const storage::RememberedKey& key : keys) {
        if (key.sequence > manifest.covered_sequence) {
            return Error(Code::kDataLoss, "a remembered key that the manifest does not cover");
        }
        keys_.add(key);
    }
    return {};
}

Result<storage::LogRecovery> LiveCollection::replay_log() {
    return storage::recover_log(
        dependencies_.files, log_directory(), spec_.id, manifest_.covered_sequence,
        [this](uint64_t sequence, storage::RecordType type, std::string_view body) -> Result<void> {
            AKIDB_TRY(apply(sequence, type, body, 0));
            return {};
        });
}

}  // namespace akidb::engine
