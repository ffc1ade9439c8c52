// Rewriting a collection without its dead rows (rewrite.h): when, in which slices, and how the new generation
// takes the old one's place.
#include <algorithm>

#include "engine/audit.h"
#include "engine/live_collection.h"
#include "storage/layout.h"

namespace akidb::engine {
namespace {

// After a failure: a full disk, or rows that could not be read.
constexpr uint64_t kRewriteRetryUs = 60'000'000;

}  // namespace

bool LiveCollection::rewrite_is_due() const {
    if (is_poisoned_.load() || dependencies_.clock.monotonic_us() < rewrite_not_before_us_.load()) {
        return false;
    }
    if (rewriting_.total.load() > 0) {
        return true;
    }
    if (layout_is_owed()) {
        return has_plenty_of_disk();
    }
    const auto snapshot = published_.load();
    const uint64_t dead = snapshot->rows - snapshot->live;
    return dead >= options_.rewrite_dead_rows_min &&
           dead * 100 >= uint64_t{snapshot->rows} * options_.rewrite_dead_percent && has_plenty_of_disk();
}

/// Another layout was asked for since the generation began: codes are made as rows come, so all begin anew.
bool LiveCollection::layout_is_owed() const {
    const auto snapshot = published_.load();
    return snapshot->rows > 0 && snapshot->generation->layout != wanted_layout();
}

void LiveCollection::start_rewrite() {
    RewritePlan plan{.source = published_.load(),
                     .target = make_generation(),
                     .segment_directory = segment_directory(),
                     .collection = spec_.id,
                     .version = ++last_version_,
                     .segment_bytes_max = options_.rewrite_file_bytes,
                     .graph_rows_min = options_.graph_rows_min,
                     .link_slice_rows = link_slice_rows()};
    {
        MutexLock lock(generation_mutex_);
        plan.target->metadata.declare(declared_fields_);
    }
    rewriting_.started_us = dependencies_.clock.monotonic_us();
    rewriting_.done = 0;
    rewrite_ = std::make_unique<Rewrite>(dependencies_.files, std::move(plan));
    rewriting_.total = std::max<uint64_t>(1, rewrite_->total());
    dependencies_.logger.log(LogLevel::kInfo, "rewrite began",
                             {{"collection", spec_.name},
                              {"live_rows", std::to_string(rewrite_->live_at_start())},
                              {"rows", std::to_string(published_.load()->rows)}});
}

/// An error ends the rewrite, and was logged.
Result<void> LiveCollection::rewrite_slice(const std::stop_token* stop) {
    if (rewrite_ == nullptr) {
        start_rewrite();
        return {};
    }
    Result<bool> is_ready = advance_rewrite(stop);
    if (is_stopping(stop)) {
        return {};
    }
    Result<void> outcome;
    if (!is_ready.has_value()) {
        outcome = std::move(is_ready).error();
    } else if (*is_ready) {
        outcome = take_rewrites_place();
    } else {
        return {};
    }
    end_rewrite(outcome);
    return outcome;
}

/// Measured before it serves, so that searches never go by a guess between two measurements.
Result<bool> LiveCollection::advance_rewrite(const std::stop_token* stop) {
    std::unique_ptr<index::SearchScratch> scratch = take_scratch();
    const auto newest = published_.load();
    const auto cancelled = [&] { return is_stopping(stop); };
    Result<bool> is_ready = rewrite_->advance(
        *newest, cancelled, [&](index::Graph& graph, uint32_t end) { link_rows(graph, end, cancelled); },
        *scratch);
    give_scratch(std::move(scratch));
    rewriting_.done = rewrite_->done();
    Generation& target = *rewrite_->target();
    for (size_t i = 0; is_ready.has_value() && *is_ready && i < target.indexes.size(); ++i) {
        VectorIndex& index = *target.indexes[i];
        if (generation_->indexes[i]->recall.load() != nullptr && index.recall.load() == nullptr &&
            index.graph.linked() > 0) {
            const Snapshot snapshot{rewrite_->target(), newest->sequence, target.rows.size(),
                                    rewrite_->live()};
            calibrate(index, snapshot, stop);
            return false;
        }
    }
    return is_ready;
}

/// In the lane, between two groups: no write comes between the last look at the source and the new snapshot.
Result<void> LiveCollection::replace_generation() {
    const auto newest = published_.load();
    AKIDB_TRY(rewrite_->follow(*newest));
    if (rewrite_->live() != live_) {
        return Error(Code::kInternal, "the rewritten rows are " + std::to_string(rewrite_->live()) +
                                          " where " + std::to_string(live_) + " are alive");
    }
    {
        MutexLock lock(generation_mutex_);
        rewrite_->target()->metadata.declare(declared_fields_);
        generation_ = rewrite_->target();
    }
    publish(newest->sequence);
    return {};
}

Result<void> LiveCollection::take_rewrites_place() {
    std::shared_ptr<const Snapshot> before;
    std::shared_ptr<const Snapshot> after;
    PendingWrite between;
    between.between_groups = [&]() -> Result<void> {
        before = published_.load();
        AKIDB_TRY(replace_generation());
        after = published_.load();
        return {};
    };
    AKIDB_TRY(lane_.run(between));
    const AuditReport old_report = audit(*before);
    const AuditReport new_report = audit(*after);
    if (!new_report.faults.empty() || new_report.live != old_report.live ||
        new_report.documents_hash != old_report.documents_hash) {
        // The files and the log still hold what was: a restart serves that.
        is_poisoned_ = true;
        return Error(Code::kInternal,
                     new_report.faults.empty() ? "the documents differ" : new_report.faults.front());
    }
    manifest_.rows = rewrite_->files();
    for (size_t i = 0; i < generation_->indexes.size(); ++i) {
        graph_entry(manifest_, i).reset();
    }
    manifest_.dead.reset();
    rewrite_.reset();
    is_checkpoint_owed_ = true;
    return run_checkpoint(LaneState::kOpen);
}

void LiveCollection::end_rewrite(const Result<void>& outcome) {
    const uint64_t now_us = dependencies_.clock.monotonic_us();
    dependencies_.metrics.counter(telemetry::MetricId::kRewrites, {outcome.has_value() ? "ok" : "failed"})
        .add();
    const uint64_t took_us = now_us - rewriting_.started_us;
    trace_job("rewrite", rewriting_.started_us, outcome);
    rewriting_.total = 0;
    if (outcome.has_value()) {
        dependencies_.metrics.histogram(telemetry::MetricId::kRewriteDuration)
            .observe(static_cast<double>(took_us) * 1e-6);
        dependencies_.logger.log(LogLevel::kInfo, "rewrite done",
                                 {{"collection", spec_.name},
                                  {"rows", std::to_string(published_.load()->rows)},
                                  {"milliseconds", std::to_string(took_us / 1000)}});
        return;
    }
    rewrite_not_before_us_ = now_us + kRewriteRetryUs;
    dependencies_.logger.log(LogLevel::kError, "rewrite failed",
                             {{"collection", spec_.name}, {"error", outcome.error().message()}});
    if (rewrite_ == nullptr) {
        return;  // it serves; which manifest is on the disk is not sure, so no file may go
    }
    if (outcome.error().code() == Code::kDataLoss && !rewrite_->has_checked_source()) {
        return take_out_of_service(outcome.error().message());
    }
    for (const std::string& name : rewrite_->file_names()) {
        warn_unless_done(dependencies_.files.remove(segment_directory() + "/" + name));
    }
    rewrite_.reset();
}

Result<RewriteReport> LiveCollection::rewrite() noexcept {
    if (!own_maintenance()) {
        return Error(Code::kUnavailable, "the collection is closing");
    }
    const Result<void> in_service = check_in_service();
    Result<RewriteReport> report =
        in_service.has_value() ? rewrite_whole() : Result<RewriteReport>(in_service.error());
    disown_maintenance();
    if (work_is_due()) {
        schedule_maintenance();
    }
    return report;
}

Result<RewriteReport> LiveCollection::rewrite_whole() {
    // One that runs already began before the call, and would carry along what died since.
    rewrite_.reset();
    rewriting_.total = 0;
    RewriteReport report;
    const auto snapshot = published_.load();
    report.dropped_rows = snapshot->rows - snapshot->live;
    if (report.dropped_rows == 0 && !layout_is_owed()) {
        return report;
    }
    AKIDB_TRY(admit_rewrite(*snapshot));
    const std::vector<std::string> before = storage::segment_names(manifest_);
    start_rewrite();
    while (rewriting_.total.load() > 0) {
        if (is_poisoned_.load() || closing_.load()) {
            return Error(Code::kUnavailable, "the collection went out of service during the rewrite");
        }
        if (checkpoint_is_due()) {
            AKIDB_TRY(run_checkpoint(LaneState::kOpen));
        } else {
            AKIDB_TRY(rewrite_slice(nullptr));
        }
    }
    report.written = storage::segment_names(manifest_);
    std::set_difference(before.begin(), before.end(), report.written.begin(), report.written.end(),
                        std::back_inserter(report.removed));
    return report;
}

}  // namespace akidb::engine
