// Collection: documents of one collection, in memory and on disk: the place where index (no files) and
// storage (no distances) meet. Durable, then visible, then acknowledged: a write is checked and its memory
// and disk reserved, then logged and synced (together with the writes that wait beside it: group commit),
// then applied, then published, and only then does the call return. Searches copy one snapshot pointer and
// take no lock afterwards.
//
// Thread-safe. Calls block the caller (writes for a disk sync, but for submit_…). Background work (linking
// head rows into the graph, checkpoints) runs as short jobs on the executor given, which must outlive the
// collection.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/logger.h"
#include "base/result.h"
#include "engine/filter_adviser.h"
#include "engine/memory_use.h"
#include "engine/recall_window.h"
#include "engine/scrub_pace.h"
#include "index/graph.h"
#include "io/clock.h"
#include "io/executor.h"
#include "io/file_system.h"
#include "model/document.h"
#include "model/limits.h"
#include "model/scroll.h"
#include "model/search.h"
#include "model/update.h"
#include "model/write_key.h"
#include "simd/kernels.h"
#include "storage/disk_space.h"
#include "storage/log_excerpt.h"
#include "storage/log_writer.h"
#include "telemetry/metrics.h"

namespace akidb::tracing {
class Tracer;
}

namespace akidb::engine {

class RecallProbe;

struct CollectionOptions {
    index::GraphOptions graph;
    storage::LogWriterOptions log;
    uint32_t default_ef = 256;
    /// Recall@10 that searches aim at once the graph was measured; 0 = default_ef always.
    double default_recall = 0.97;
    /// A collection smaller than this is always scanned flat and never gets a graph.
    uint32_t graph_rows_min = 10'000;
    /// Writes are refused with 429 while more rows than this wait to be linked (back-pressure, never a read
    /// stall).
    uint32_t head_rows_max = 262'144;
    /// A checkpoint is due when the log holds more than this…
    uint64_t checkpoint_log_bytes = 64 << 20;
    /// …or when this many rows were linked since the graph was last written (and nothing is left to link).
    uint32_t checkpoint_linked_rows = 32'768;
    /// Linked per job by each of its threads, so that jobs of other collections get their turn.
    uint32_t maintenance_slice_rows = 256;
    /// Threads of the executor that link rows of this collection at once, those that are idle. With one the
    /// same writes make the same graph.
    uint32_t link_threads = 1;
    /// Rows are written anew without the dead once these are so large a share of them…
    uint32_t rewrite_dead_percent = 20;
    /// …and so many.
    uint32_t rewrite_dead_rows_min = 1'024;
    /// Bytes of vectors in one file of a rewrite, about: one slice of the job.
    uint64_t rewrite_file_bytes = 128 << 20;
    /// A write with a key beyond these is refused with 429 until the oldest was 24 hours ago.
    uint64_t remembered_keys_max = model::kRememberedKeysDefault;
    /// The log is for others to copy: what release_log did not release is kept beyond checkpoints, up to so
    /// many bytes and while the disk is above its soft mark. 0: nothing is.
    uint64_t held_log_bytes_max = 0;
    /// From the end of one scrub to the next.
    uint64_t scrub_interval_us = uint64_t{7} * 24 * 3600 * 1'000'000;
    const simd::Kernels* kernels = nullptr;  // null: the best that this CPU runs
};

struct Dependencies {
    io::FileSystem& files;
    io::Clock& clock;
    io::Executor& executor;
    Logger& logger;
    telemetry::Metrics& metrics;
    storage::DiskSpace* disk = nullptr;  // null: only the disk itself says when it is full
    /// Commits the writes that nobody waits for; it blocks in disk syncs. Null: their caller commits them.
    io::Executor* committer = nullptr;
    ScrubPace* scrub_pace = nullptr;      // null: as fast as it goes
    RecallProbe* recall_probe = nullptr;  // null: no search is answered again
    tracing::Tracer* tracer = nullptr;    // null: nobody is told of jobs
};

/// When the group of a write went into the log, by the clock given, and how many writes shared its disk sync.
struct LogTimes {
    uint64_t began_us = 0;
    uint64_t ended_us = 0;
    uint64_t writes = 0;
};

struct WriteReply {
    uint64_t sequence = 0;
    uint64_t count = 0;      // documents written, or deleted (those that were there)
    bool is_replay = false;  // the answer of an earlier write with this key, which was not applied again
    Uuid first_made_id{};    // of the key, in a replay
    LogTimes log{};          // zeros in a replay
};

/// How a write ended. Called once, by the thread that committed it, with writes behind it waiting: it must be
/// quick and must not throw.
using WriteDone = std::function<void(Result<WriteReply>)>;

/// What a write adds, about.
struct WriteSize {
    uint64_t documents = 0;
    uint64_t metadata_bytes = 0;  // of all of them
};

struct MetadataIndexState {
    model::MetadataField field;
    uint64_t indexed_rows = 0;
    bool is_ready = false;  // searches use it for all rows but the very last
    uint64_t bytes = 0;
};

/// Work in the background that takes long enough to be asked about.
struct JobState {
    std::string_view kind;  // a literal: link, rewrite, scrub
    uint64_t done = 0;      // rows; bytes of a scrub
    uint64_t total = 0;
    std::optional<double> seconds_left{};  // none before anything is done
};

struct RewriteReport {
    uint64_t dropped_rows = 0;
    std::vector<std::string> written{};  // files of the segment directory
    std::vector<std::string> removed{};
};

/// Names are relative to the directory of the collection.
struct EraseReceipt {
    uint64_t sequence = 0;  // of the delete
    uint64_t erased = 0;    // documents that were there
    std::vector<std::string> rewritten{};
    std::vector<std::string> removed{};
};

/// Of a vector that has a name.
struct VectorState {
    std::string name;
    uint64_t rows = 0;  // live and dead, that have it
    uint64_t linked_rows = 0;
};

struct CollectionStats {
    uint64_t documents = 0;    // live
    uint64_t rows = 0;         // live and dead
    uint64_t linked_rows = 0;  // of all vectors together, as the next
    uint64_t head_rows = 0;
    std::vector<VectorState> vectors{};  // in the order declared
    uint64_t last_sequence = 0;
    uint64_t opened_sequence = 0;  // the last one when the collection was opened
    uint64_t covered_sequence = 0;
    uint64_t log_bytes = 0;
    uint64_t segment_files = 0;
    bool is_poisoned = false;
    /// When a scrub last found all files right; 0: not since this start.
    uint64_t scrubbed_at_ms = 0;
    std::vector<MetadataIndexState> metadata_indexes{};  // in the order declared
    std::vector<JobState> jobs{};
    /// Of the graph in use, as far as it was probed.
    std::vector<RecallState> recall{};
    MemoryUse memory{};
    /// What reads filtered on without an index, the dearest first.
    std::vector<UnindexedField> unindexed_fields{};
};

/// What stands around a write.
struct WriteTerms {
    WriteTerms() = default;
    WriteTerms(std::optional<model::WriteKey> of_key)  // NOLINT(google-explicit-constructor)
        : key(std::move(of_key)) {}
    WriteTerms(model::WriteKey of_key) : key(of_key) {}  // NOLINT(google-explicit-constructor)

    std::optional<model::WriteKey> key{};
    /// Null, or what every document must match that the write makes or changes, as it is there and as it
    /// becomes: judged when the write takes its turn. What does not match is as if it were not there; only an
    /// upsert, which would replace it, is refused (kPermissionDenied, with nothing of it done), as is what
    /// would not match afterwards.
    std::shared_ptr<const model::Filter> rule{};
};

/// One file of a collection as it was at a sequence number, kept open: it can be read to its end after the
/// collection has removed it.
struct PinnedFile {
    std::string name;  // relative to the directory of the collection
    std::unique_ptr<io::ReadFile> file;
};

/// All that a collection is at one sequence number: who puts these files into an empty directory and opens it
/// has exactly the writes up to there.
struct PinnedFiles {
    uint64_t sequence = 0;
    uint64_t documents = 0;       // what had expired and was not swept yet among them
    uint64_t documents_hash = 0;  // as AuditReport says
    std::vector<PinnedFile> files{};
};

/// How far the files of a collection have come.
struct CheckpointState {
    uint64_t manifest_version = 0;  // 0: there is no manifest yet
    uint64_t covered_sequence = 0;  // the log alone holds what comes after
    uint64_t last_sequence = 0;
};

/// What a manifest names, and itself, held open.
struct PinnedCheckpoint {
    uint64_t version = 0;   // of the manifest
    uint64_t sequence = 0;  // that it covers
    std::vector<PinnedFile> files{};
};
/// kAll: of a manifest that covers all that was acknowledged before the call.
enum class Cover : uint8_t { kAsItIs, kAll };

/// A closed collection whose manifest covers every write.
struct Settled {
    uint64_t version = 0;  // of the manifest
    uint64_t sequence = 0;
    uint64_t documents = 0;
    uint64_t documents_hash = 0;  // engine/audit.h
};

/// How far the log is written. Every write beyond `sequence` is stamped later than `unix_ms`, every one up to
/// it is not, as far as this process stamped it.
struct LogReach {
    uint64_t sequence = 0;
    uint64_t unix_ms = 0;
};

class Collection {
  public:
    /// Makes the empty directory tree of a new collection, durably. `directory` must not exist; its parent
    /// must.
    static Result<void> create(io::FileSystem& files, const std::string& parent,
                               const std::string& directory);
    /// Maps segments, replays what the manifest does not cover, starts background work. kDataLoss =
    /// quarantine.
    static Result<std::shared_ptr<Collection>> open(Dependencies dependencies, std::string directory,
                                                    model::CollectionSpec spec, CollectionOptions options);
    virtual ~Collection() = default;

    virtual const model::CollectionSpec& spec() const = 0;

    /// All or nothing. Validates ids, vectors and sizes; a document replaces the one of its id with all its
    /// vectors; later duplicates of an id in one batch win.
    /// kInvalidArgument, kRateLimited (head full), kDiskFull, kUnavailable (closed or poisoned), kConflict
    /// (if_version).
    /// With a key that was seen in the last 24 hours (also by remove and remove_matching) nothing is applied:
    /// the first answer comes again (is_replay), or kConflict when the fingerprint is another one. The key is
    /// remembered with the write or not at all, and not when the write is refused; kRateLimited when too many
    /// are.
    virtual Result<WriteReply> upsert(std::vector<model::Document> documents,
                                      const WriteTerms& terms = {}) = 0;
    virtual Result<WriteReply> remove(const std::vector<model::DocumentId>& ids,
                                      const WriteTerms& terms = {}) = 0;
    /// The same for callers who have better to do than to wait for the disk: `done` is called instead,
    /// possibly before the return (always when the write is refused before it enters the lane).
    virtual void submit_upsert(std::vector<model::Document> documents, WriteDone done,
                               const WriteTerms& terms = {}) = 0;
    virtual void submit_remove(const std::vector<model::DocumentId>& ids, WriteDone done,
                               const WriteTerms& terms = {}) = 0;
    /// Those that match at the moment of the write; the log gets the resolved ids (rule R9).
    virtual Result<WriteReply> remove_matching(const model::Filter& filter, const WriteTerms& terms = {}) = 0;

    /// All or nothing; `count` tells how many documents changed. What is written are whole documents, so a
    /// change of metadata costs what an upsert does. Errors of upsert.
    virtual Result<WriteReply> update(model::UpdateRequest request, const WriteTerms& terms = {}) = 0;
    virtual void submit_update(model::UpdateRequest request, WriteDone done,
                               const WriteTerms& terms = {}) = 0;

    /// In the order asked; those not there are absent.
    virtual Result<std::vector<model::Document>> get(const std::vector<model::DocumentId>& ids,
                                                     const model::Include& include) const = 0;
    /// Null = all. An estimate is within a few percent, and takes microseconds where metadata indexes answer.
    virtual Result<uint64_t> count(const model::Filter* filter, bool is_exact = true,
                                   std::optional<uint64_t> deadline_us = std::nullopt) const = 0;
    virtual Result<model::ScrollReply> scroll(const model::ScrollRequest& request) const = 0;
    virtual Result<model::FacetReply> facet(const model::FacetRequest& request) const = 0;
    virtual Result<model::SearchReply> search(const model::SearchRequest& request) const = 0;
    /// About how many floats a search would read, for who decides where it runs: the rows that it cannot
    /// leave out and those that a walk meets. Quick.
    virtual uint64_t estimate_floats(const model::SearchRequest& request) const = 0;
    /// What the update would write: whole documents, as far as they are there. By ids no less than it comes
    /// to; by a filter what metadata indexes and samples say. Nothing for a filter that is none. Quick.
    virtual WriteSize estimate_update(const model::UpdateRequest& request) const = 0;
    virtual CollectionStats stats() const = 0;

    /// From then on, in place of those that the collection was opened with. Another layout means that the
    /// graph is built anew, in the background, as a rewrite; until then searches go by the old one.
    virtual void change_settings(const model::CollectionSettings& settings) = 0;
    /// Replaces the declared metadata indexes (spec().metadata_indexes at first). New ones are built in the
    /// background and used as far as they reach; nothing is stored here, the catalog keeps the declarations.
    virtual void declare_metadata_indexes(const std::vector<model::MetadataField>& fields) = 0;

    /// Refuses new writes, waits for running ones, stops background work at a safe point, writes a last
    /// checkpoint of graph and rows when `checkpoint` is set and much would be replayed or linked again,
    /// closes the log. Idempotent.
    virtual Result<void> close(bool checkpoint) = 0;
    /// Writes all live documents anew, links them afresh and removes the segment files of before, in the
    /// caller's thread, while reads and writes go on; nothing when no row is dead. kUnavailable when the
    /// collection closes meanwhile or is poisoned, kDiskFull, kDataLoss when a file it reads is damaged; no
    /// document is lost by any of them. When memory runs out the process ends, as in the background.
    virtual Result<RewriteReport> rewrite() = 0;
    /// Deletes, then purges: at success no file of the collection holds bytes of these documents any more,
    /// nor of any that was deleted or replaced before, and power cuts do not bring a file back. Segments are
    /// rewritten at once, the log starts anew, what a repair set aside goes. In the caller's thread, while
    /// reads and writes go on. The documents are gone at any error after the delete, too; the purge is
    /// finished by asking again, also by ids that are not there any more, and never by itself. Errors of
    /// remove and rewrite, and kUnavailable when an old file could not be removed.
    virtual Result<EraseReceipt> erase(const std::vector<model::DocumentId>& ids,
                                       const std::shared_ptr<const model::Filter>& rule = nullptr) = 0;
    virtual Result<EraseReceipt> erase_matching(const model::Filter& filter) = 0;
    /// Its files at one sequence number, between two groups of the lane, while reads and writes go on; what
    /// was acknowledged before the call is in them. Waits for the background job that runs, and holds file
    /// descriptors and removed files' space until the result goes. kUnavailable when the collection closes
    /// meanwhile, is poisoned, or there are no descriptors left; kDiskFull.
    virtual Result<PinnedFiles> pin_files() = 0;
    /// Quick.
    virtual CheckpointState checkpoint_state() const = 0;
    /// The files of a checkpoint without the log, kAll after one is written where it has to be. Waits for the
    /// background job that runs. Errors of pin_files; of a checkpoint, kUnavailable.
    virtual Result<PinnedCheckpoint> pin_checkpoint(Cover cover) = 0;
    /// As close, with a last checkpoint of everything: afterwards the manifest is all there is, and the log
    /// holds nothing beyond it. On an error the collection is closed, too, and what it acknowledged is in its
    /// files for the next open.
    virtual Result<Settled> settle_and_close() = 0;
    /// Between two groups of the lane. Removes what of the log was released and is covered. kUnavailable when
    /// the collection closes.
    virtual Result<LogReach> reach_log() = 0;
    /// As storage::read_excerpt, up to what reach_log told.
    virtual Result<void> read_log(const storage::LogRange& range, storage::VisitTimed visit) const = 0;
    /// Who copies the log has what is up to here, and will not ask for it again.
    virtual void release_log(uint64_t sequence) = 0;
    /// Runs due maintenance until none is left, in the caller's thread: tests, simulator.
    virtual Result<void> run_maintenance_now() = 0;

    /// Starts what became due by the passing of time. To be called every few seconds; quick.
    virtual void tend() = 0;
    /// Not empty from when a scrub found damage that memory does not make good: what, and in which file.
    /// Reads and writes are answered kDataLoss since, those that were under way included.
    virtual std::string damage() const = 0;
};

}  // namespace akidb::engine
