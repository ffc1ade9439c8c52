// LiveCollection: the one implementation of Collection. Its state falls into three groups, by who may touch
// it: what the lane's leader owns (log, appending to the generation), what the one maintenance job owns (the
// graph's builder side, the manifest), and what everybody reads (the published snapshot). See collection.h
// for the contract.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/published.h"
#include "engine/collection.h"
#include "engine/query.h"
#include "engine/remembered_keys.h"
#include "engine/rewrite.h"
#include "engine/scrub.h"
#include "engine/snapshot.h"
#include "engine/write_lane.h"
#include "storage/log_reader.h"
#include "storage/manifest.h"

namespace akidb::engine {

class LiveCollection final : public Collection, public std::enable_shared_from_this<LiveCollection> {
  public:
    LiveCollection(Dependencies dependencies, std::string directory, model::CollectionSpec spec,
                   CollectionOptions options);
    ~LiveCollection() override;

    /// Once, before anything else.
    Result<void> recover();

    const model::CollectionSpec& spec() const override { return spec_; }
    Result<WriteReply> upsert(std::vector<model::Document> documents, const WriteTerms& terms) override;
    Result<WriteReply> remove(const std::vector<model::DocumentId>& ids, const WriteTerms& terms) override;
    void submit_upsert(std::vector<model::Document> documents, WriteDone done,
                       const WriteTerms& terms) override;
    void submit_remove(const std::vector<model::DocumentId>& ids, WriteDone done,
                       const WriteTerms& terms) override;
    Result<WriteReply> remove_matching(const model::Filter& filter, const WriteTerms& terms) override;
    Result<WriteReply> update(model::UpdateRequest request, const WriteTerms& terms) override;
    void submit_update(model::UpdateRequest request, WriteDone done, const WriteTerms& terms) override;
    Result<std::vector<model::Document>> get(const std::vector<model::DocumentId>& ids,
                                             const model::Include& include) const override;
    Result<uint64_t> count(const model::Filter* filter, bool is_exact,
                           std::optional<uint64_t> deadline_us) const override;
    Result<model::ScrollReply> scroll(const model::ScrollRequest& request) const override;
    Result<model::FacetReply> facet(const model::FacetRequest& request) const override;
    Result<model::SearchReply> search(const model::SearchRequest& request) const override;
    uint64_t estimate_floats(const model::SearchRequest& request) const override;
    WriteSize estimate_update(const model::UpdateRequest& request) const override;
    CollectionStats stats() const override;
    void change_settings(const model::CollectionSettings& settings) override;
    void declare_metadata_indexes(const std::vector<model::MetadataField>& fields) override;
    Result<void> close(bool checkpoint) override;
    Result<RewriteReport> rewrite() noexcept override;
    Result<EraseReceipt> erase(const std::vector<model::DocumentId>& ids,
                               const std::shared_ptr<const model::Filter>& rule) override;
    Result<EraseReceipt> erase_matching(const model::Filter& filter) override;
    Result<PinnedFiles> pin_files() override;
    CheckpointState checkpoint_state() const override;
    Result<PinnedCheckpoint> pin_checkpoint(Cover cover) override;
    Result<Settled> settle_and_close() override;
    Result<LogReach> reach_log() override;
    Result<void> read_log(const storage::LogRange& range, storage::VisitTimed visit) const override;
    void release_log(uint64_t sequence) override;
    Result<void> run_maintenance_now() noexcept override;
    void tend() override;
    std::string damage() const override;

  private:
    std::shared_ptr<Generation> make_generation() const;
    index::Layout wanted_layout() const;

    // Recovery (live_recovery.cc).
    using RowSegments = std::vector<std::shared_ptr<const storage::RowsSegment>>;
    Result<void> open_segments(const storage::Manifest& manifest);
    Result<RowSegments> open_row_segments(const storage::Manifest& manifest) const;
    Result<void> adopt_rows(const storage::Manifest& manifest, const RowSegments& segments);
    Result<void> open_graph(const storage::ManifestFile& file, VectorIndex& index);
    void forget_lists(const storage::GraphLists& lists);
    Result<void> open_keys(const storage::Manifest& manifest);
    Result<storage::LogRecovery> replay_log();
    Result<bool> holds_files() const;

    // Before the lane: all that can be refused without it.
    using Rule = std::shared_ptr<const model::Filter>;
    Result<void> prepare_upsert(PendingWrite& write, std::vector<model::Document> documents,
                                const Rule& rule) const;
    Result<void> prepare_remove(PendingWrite& write, const std::vector<model::DocumentId>& ids,
                                const Rule& rule) const;
    Result<void> prepare_update(PendingWrite& write, model::UpdateRequest request, const Rule& rule) const;
    Result<void> check_head() const;
    template <class Prepare>
    Result<WriteReply> run(const std::optional<model::WriteKey>& key, Prepare prepare);
    template <class Prepare>
    void submit(const std::optional<model::WriteKey>& key, WriteDone done, Prepare prepare);
    bool lead_elsewhere() noexcept;  // as commit_group

    // The lane's leader. An exception half-way (memory ran out) would leave a write logged and not applied,
    // and the lane without an end of this group: the process ends instead, and the next start has it from the
    // log.
    void commit_group(std::span<PendingWrite* const> group) noexcept;
    void commit_writes(std::vector<PendingWrite*>& writes);
    void note_logged(LogTimes& times) const;
    std::optional<Result<WriteReply>> answer_of(const std::optional<model::WriteKey>& key) const;
    Result<void> prepare_group(std::span<PendingWrite* const> group);
    // What a write becomes once all before it are applied (live_updates.cc).
    void resolve_removal(PendingWrite& write, const model::Filter& filter) const;
    Result<void> check_versions(const std::vector<model::Document>& documents) const;
    Result<void> check_replaced(const std::vector<model::Document>& documents,
                                const model::Filter& rule) const;
    Result<void> resolve_update(PendingWrite& write, const model::UpdateRequest& request,
                                const model::Filter* rule) const;
    Result<void> set_upsert(PendingWrite& write, const std::vector<model::Document>& documents) const;
    Result<void> set_changed(PendingWrite& write, const std::vector<model::Document>& documents,
                             const model::Filter* rule) const;
    /// What follows the log cannot fail: bodies are ours, or passed the log's checksum and decode. kDataLoss
    /// in replay.
    /// `now_ms`: what had expired by then is not counted as deleted; in replay, that only matters for what a
    /// key remembers, which knows its time.
    Result<WriteReply> apply(uint64_t sequence, storage::RecordType type, std::string_view body,
                             uint64_t now_ms);
    Result<WriteReply> apply_upsert(uint64_t sequence, std::string_view body);
    Result<WriteReply> apply_delete(uint64_t sequence, std::string_view body, uint64_t now_ms);
    Result<WriteReply> apply_keyed(uint64_t sequence, std::string_view body);
    void publish(uint64_t sequence);

    // A disk that fills (live_disk.cc).
    Error disk_full(std::string_view why) const;
    Result<void> admit_upsert(uint64_t bytes) const;
    Result<void> prepare_deletes(std::vector<PendingWrite*>& group, const Error& full);
    bool has_plenty_of_disk() const;
    Result<void> admit_rewrite(const Snapshot& snapshot) const;
    Result<void> admit_checkpoint(const Snapshot& snapshot) const;
    uint64_t first_row_to_write(const storage::Manifest& manifest, const Snapshot& snapshot) const;

    // Background work, one job at a time (live_maintenance.cc).
    void schedule_maintenance();
    void run_slice(const std::stop_token& stop) noexcept;  // as commit_group: close waits for its end
    void run_due_job(const std::stop_token* stop);
    void trace_job(std::string_view name, uint64_t began_us, const Result<void>& outcome) const;
    bool own_maintenance();
    void disown_maintenance();
    bool link_is_due() const;
    bool wants_link(const Snapshot& snapshot, const VectorIndex& index) const;
    uint32_t head_rows(const Snapshot& snapshot, const VectorIndex& index) const;
    uint32_t unsaved_links() const;
    bool indexing_is_due() const;
    bool measuring_is_due() const;
    bool rewrite_is_due() const;
    bool layout_is_owed() const;
    bool work_is_due() const;
    bool checkpoint_is_due() const;
    void link_slice(const std::stop_token* stop);
    uint32_t link_slice_rows() const;
    void link_rows(index::Graph& graph, uint32_t end, FunctionRef<bool()> cancelled);
    void index_slice();
    void measure_walks();
    QuerySettings query_settings(std::string_view vector_name) const;
    size_t column_of(std::string_view vector_name) const;
    bool calibration_is_due() const;
    static bool wants_calibration(const VectorIndex& index);
    void calibrate(VectorIndex& index, const Snapshot& snapshot, const std::stop_token* stop);
    // Rewriting (live_rewrite.cc).
    Result<void> rewrite_slice(const std::stop_token* stop);
    Result<bool> advance_rewrite(const std::stop_token* stop);
    void start_rewrite();
    Result<void> replace_generation();
    Result<void> take_rewrites_place();
    Result<RewriteReport> rewrite_whole();
    void end_rewrite(const Result<void>& outcome);
    // Scrubbing (live_scrub.cc).
    void plan_first_scrub(bool start_read_all);
    bool scrub_is_due() const;
    void scrub_slice();
    void start_scrub();
    void scrub_files();
    bool drop_from_manifest(const std::string& name);
    void meet_damage(const std::string& file, const Error& error);
    void judge_audit(const AuditReport& report);
    void stop_scrub(const Error& error);
    void end_scrub(bool found_all_well);
    void take_out_of_service(const std::string& damage);
    /// kDataLoss from when damage was found.
    Result<void> check_in_service() const;
    // Expiring (live_expiry.cc).
    /// What readers, and writes that depend on what is there, see now.
    Snapshot current_view() const;
    uint64_t expiry_now_ms() const;
    uint64_t count_documents() const;
    bool sweep_is_due() const;
    Result<uint64_t> resolve_sweep(PendingWrite& write) const;
    void sweep_slice();
    // Erasing (live_erase.cc).
    Result<EraseReceipt> purge(const WriteReply& deleted) noexcept;
    Result<EraseReceipt> purge_files();
    Result<std::string> start_log_file();
    Result<void> remove_lost();
    Result<std::vector<std::string>> list_document_files() const;
    // Backups (live_pin.cc).
    Result<PinnedFiles> pin_owned();
    Result<PinnedCheckpoint> pin_covered(Cover cover);
    void end_work();
    Result<void> pin_file(const std::string& name, std::vector<PinnedFile>& pinned) const;
    Result<void> pin_log(uint64_t covered, PinnedFiles& pinned) const;
    // The log as others copy it (live_log.cc).
    uint64_t removable_log() const;
    bool is_stopping(const std::stop_token* stop) const;
    /// Poison never goes away again, whoever meets it.
    void note_poison() {
        if (log_->is_poisoned()) {
            is_poisoned_ = true;
        }
    }
    enum class LaneState { kOpen, kClosed };
    Result<void> run_checkpoint(LaneState lane);
    Result<std::shared_ptr<const Snapshot>> begin_checkpoint(LaneState lane);
    Result<void> checkpoint(LaneState lane);
    void warn_unless_done(const Result<void>& removed);
    Result<storage::Manifest> write_segments(const Snapshot& snapshot);
    Result<void> write_rows(const Snapshot& snapshot, storage::Manifest& manifest);
    Result<void> write_graph(const Snapshot& snapshot, size_t index, storage::Manifest& manifest);
    std::optional<storage::ManifestFile>& graph_entry(storage::Manifest& manifest, size_t index) const;
    Result<void> write_dead(const Snapshot& snapshot, storage::Manifest& manifest);
    Result<void> write_keys(const Snapshot& snapshot, storage::Manifest& manifest);
    std::string segment_directory() const;
    std::string log_directory() const;

    /// kDeadlineExceeded when the read ended late; what it cost its unindexed fields is noted.
    Result<void> conclude(const Effort& effort, const Snapshot& snapshot, const model::Filter* filter,
                          uint64_t started_us) const;
    void offer_to_probe(const Snapshot& snapshot, const model::SearchRequest& request,
                        const model::SearchReply& reply, const QueryCost& cost) const;
    telemetry::Histogram& search_seconds(std::string_view kind) const;
    std::unique_ptr<index::SearchScratch> take_scratch() const;
    void give_scratch(std::unique_ptr<index::SearchScratch> scratch) const;

    const Dependencies dependencies_;
    const std::string directory_;
    const model::CollectionSpec spec_;
    const std::vector<model::VectorSpec> vectors_;  // the columns of every generation
    const CollectionOptions options_;

    // Appended by the leader, linked by the maintenance job, replaced by the leader at the job's request:
    // both read the pointer freely, others under the mutex or through the published snapshot.
    mutable Mutex generation_mutex_;
    std::shared_ptr<Generation> generation_;
    std::vector<model::MetadataField> declared_fields_ AKIDB_GUARDED_BY(generation_mutex_);
    Published<Snapshot> published_;
    Published<model::CollectionSettings> settings_;
    WriteLane lane_;

    // Owned by the lane's leader (and recovery before it).
    std::unique_ptr<storage::LogWriter> log_;
    uint64_t live_ = 0;
    uint64_t stamped_ms_ = 0;  // the time of the last group, or later
    uint64_t opened_sequence_ = 0;

    RememberedKeys keys_;
    mutable FilterAdviser adviser_;

    // Owned by the maintenance job.
    storage::Manifest manifest_;
    bool has_begun_log_file_ = false;  // since the last checkpoint that ended well
    uint64_t last_version_ = 0;        // also of attempts that failed: a name is never used twice
    std::unique_ptr<Rewrite> rewrite_;
    std::unique_ptr<Scrub> scrub_;
    bool link_has_turn_ = false;  // beside a rewrite, while many rows wait

    std::atomic<uint64_t> covered_sequence_{0};
    std::atomic<uint64_t> manifest_version_{0};
    std::atomic<uint64_t> released_sequence_{0};
    std::atomic<bool> is_erasing_{false};  // no bytes of before may stay, copied or not
    std::atomic<uint64_t> segment_files_{0};
    std::atomic<uint64_t> log_bytes_{0};
    std::atomic<uint64_t> log_bytes_at_checkpoint_{0};
    std::atomic<bool> is_poisoned_{false};
    std::atomic<uint64_t> checkpoint_not_before_us_{0};
    std::atomic<bool> is_checkpoint_owed_{false};  // what memory holds, no file does yet: rewritten rows
    std::atomic<uint64_t> rewrite_not_before_us_{0};
    std::atomic<uint64_t> scrub_not_before_us_{0};
    std::atomic<uint64_t> sweep_not_before_us_{0};
    mutable std::atomic<uint64_t> expiry_seen_ms_{0};  // by readers; guards nothing
    std::atomic<uint64_t> scrubbed_at_ms_{0};          // 0: not since the start
    std::atomic<bool> is_damaged_{false};              // set after damage_
    Published<std::string> damage_;
    // Progress, for stats().
    struct Progress {
        std::atomic<uint64_t> done{0};
        std::atomic<uint64_t> total{0};  // 0: not running
        std::atomic<uint64_t> started_us{0};
    };
    double seconds_left(const Progress& progress, const JobState& job) const;
    Progress rewriting_;
    Progress scrubbing_;
    std::atomic<double> linked_rows_a_second_{0};

    mutable Mutex maintenance_mutex_;
    CondVar maintenance_changed_;
    bool maintenance_scheduled_ AKIDB_GUARDED_BY(maintenance_mutex_) = false;
    bool maintenance_running_ AKIDB_GUARDED_BY(maintenance_mutex_) = false;
    std::atomic<bool> closing_{false};
    Mutex close_mutex_;
    bool is_closed_ AKIDB_GUARDED_BY(close_mutex_) = false;

    mutable Mutex scratch_mutex_;
    mutable std::vector<std::unique_ptr<index::SearchScratch>> scratch_ AKIDB_GUARDED_BY(scratch_mutex_);

    struct SearchSeries {
        std::string_view kind;  // a literal; written before `series`, read after it
        std::atomic<telemetry::Histogram*> series{nullptr};
    };
    mutable std::array<SearchSeries, 8> search_series_;  // more kinds than there are; filled from the front

    telemetry::Counter& documents_written_;
    telemetry::Counter& documents_deleted_;
    telemetry::Counter& documents_expired_;
    telemetry::Counter& search_distances_;
    telemetry::Histogram& commit_records_;
    telemetry::Histogram& sync_seconds_;
};

}  // namespace akidb::engine
