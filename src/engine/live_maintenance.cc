// Background work of a collection: what is due, linking head rows into the graph, indexing their metadata,
// and the orderly end.
#include <algorithm>
#include <tuple>

#include "engine/audit.h"
#include "engine/live_collection.h"
#include "engine/shared_work.h"
#include "tracing/tracer.h"

namespace akidb::engine {
namespace {

// At an orderly stop a checkpoint is written when replaying or linking again would take longer than writing
// it.
constexpr uint64_t kStopCheckpointLogBytes = 1 << 20;
constexpr uint32_t kStopCheckpointLinkedRows = 1024;
constexpr uint32_t kCalibratedRowsMin = 1'000;
// Scanned in a fraction of a millisecond; beyond, linking gets every second slice of a rewrite.
constexpr uint32_t kHeadRowsBesideRewrite = 32'768;
constexpr double kNewestRateShare = 0.1;
// Some ten milliseconds of linking: waking a thread costs a thousandth.
constexpr uint32_t kRowsWorthAThread = 64;

}  // namespace

bool LiveCollection::link_is_due() const {
    const auto snapshot = published_.load();
    const auto& indexes = snapshot->generation->indexes;
    return std::any_of(indexes.begin(), indexes.end(),
                       [&](const auto& index) { return wants_link(*snapshot, *index); });
}

bool LiveCollection::wants_link(const Snapshot& snapshot, const VectorIndex& index) const {
    const uint32_t rows = snapshot.count_of(index);
    return rows >= options_.graph_rows_min && (index.graph.linked() < rows || index.graph.encoded() < rows);
}

/// Rows with the vector that wait for its graph, where there is to be one.
uint32_t LiveCollection::head_rows(const Snapshot& snapshot, const VectorIndex& index) const {
    const uint32_t rows = snapshot.count_of(index);
    return rows < options_.graph_rows_min ? 0 : rows - std::min(rows, index.graph.linked());
}

bool LiveCollection::indexing_is_due() const {
    const auto snapshot = published_.load();
    return snapshot->generation->metadata.is_behind(snapshot->rows);
}

bool LiveCollection::work_is_due() const {
    return !is_damaged_.load() &&
           (link_is_due() || indexing_is_due() || measuring_is_due() || calibration_is_due() ||
            checkpoint_is_due() || sweep_is_due() || rewrite_is_due() || scrub_is_due());
}

bool LiveCollection::measuring_is_due() const {
    const auto snapshot = published_.load();
    const auto& indexes = snapshot->generation->indexes;
    return std::any_of(indexes.begin(), indexes.end(),
                       [](const auto& index) { return index->walks.is_due(index->graph.linked()); });
}

// Anew when the graph has grown by a quarter, once nothing waits to be linked: by a beam that was measured
// before it grew by 43 %, as after a rewrite and what came meanwhile, searches of GloVe fell from 0.966 to
// 0.945.
bool LiveCollection::calibration_is_due() const {
    const auto snapshot = published_.load();
    const auto& indexes = snapshot->generation->indexes;
    return std::any_of(indexes.begin(), indexes.end(),
                       [](const auto& index) { return wants_calibration(*index); }) &&
           !link_is_due();
}

bool LiveCollection::wants_calibration(const VectorIndex& index) {
    const uint32_t linked = index.graph.linked();
    const auto curve = index.recall.load();
    return linked >= kCalibratedRowsMin && (curve == nullptr || linked / 5 >= curve->rows() / 4);
}

bool LiveCollection::checkpoint_is_due() const {
    if (is_poisoned_.load() || dependencies_.clock.monotonic_us() < checkpoint_not_before_us_.load()) {
        return false;
    }
    if (is_checkpoint_owed_.load() ||
        log_bytes_.load() > log_bytes_at_checkpoint_.load() + options_.checkpoint_log_bytes) {
        return true;
    }
    return !link_is_due() && unsaved_links() >= options_.checkpoint_linked_rows;
}

/// Rows that were linked since the graph was last written, of the vector that has most of them.
uint32_t LiveCollection::unsaved_links() const {
    const auto snapshot = published_.load();
    uint32_t most = 0;
    for (const auto& index : snapshot->generation->indexes) {
        most = std::max(most, index->graph.linked() - index->graph_rows_saved.load());
    }
    return most;
}

void LiveCollection::schedule_maintenance() {
    {
        MutexLock lock(maintenance_mutex_);
        if (maintenance_scheduled_ || closing_.load()) {
            return;
        }
        maintenance_scheduled_ = true;
    }
    const bool accepted =
        dependencies_.executor.submit("maintain", [weak = weak_from_this()](const std::stop_token& stop) {
            if (auto self = std::static_pointer_cast<LiveCollection>(weak.lock())) {
                self->run_slice(stop);
            }
        });
    if (!accepted) {  // the queue is full: the next write asks again
        MutexLock lock(maintenance_mutex_);
        maintenance_scheduled_ = false;
    }
}

void LiveCollection::run_slice(const std::stop_token& stop) noexcept {
    {
        MutexLock lock(maintenance_mutex_);
        maintenance_scheduled_ = false;
        if (closing_.load() || maintenance_running_) {
            return;
        }
        maintenance_running_ = true;
    }
    run_due_job(&stop);
    disown_maintenance();
    if (!stop.stop_requested() && work_is_due()) {
        schedule_maintenance();
    }
}

// A checkpoint bounds the log and so the next start, hence it goes first; a sweep is one small write, and
// indexing is the shortest. All end in bounded time. A scrub is slow by its pace, so it need not wait for the
// others to end. A rewrite links what lives once more: beside it rows are linked only when so many wait that
// searches feel it.
void LiveCollection::run_due_job(const std::stop_token* stop) {
    if (checkpoint_is_due()) {
        std::ignore = run_checkpoint(LaneState::kOpen);
    } else if (sweep_is_due()) {
        sweep_slice();
    } else if (indexing_is_due()) {
        index_slice();
    } else if (measuring_is_due()) {
        measure_walks();
    } else if (scrub_is_due()) {
        scrub_slice();
    } else if (rewrite_is_due() && !(link_has_turn_ && link_is_due())) {
        std::ignore = rewrite_slice(stop);
        const auto snapshot = published_.load();
        const auto& indexes = snapshot->generation->indexes;
        link_has_turn_ = std::any_of(indexes.begin(), indexes.end(), [&](const auto& index) {
            return head_rows(*snapshot, *index) > kHeadRowsBesideRewrite;
        });
    } else if (link_is_due()) {
        link_has_turn_ = false;
        link_slice(stop);
    } else if (calibration_is_due()) {
        const auto& indexes = generation_->indexes;
        const auto due = std::find_if(indexes.begin(), indexes.end(),
                                      [](const auto& index) { return wants_calibration(*index); });
        if (due != indexes.end()) {
            calibrate(**due, *published_.load(), stop);
        }
    }
}

void LiveCollection::link_slice(const std::stop_token* stop) {
    const auto snapshot = published_.load();
    const auto due = std::find_if(generation_->indexes.begin(), generation_->indexes.end(),
                                  [&](const auto& index) { return wants_link(*snapshot, *index); });
    if (due == generation_->indexes.end()) {
        return;
    }
    const uint32_t rows = snapshot->count_of(**due);
    index::Graph& graph = (*due)->graph;
    const uint32_t end = std::min(rows, graph.linked() + link_slice_rows());
    const auto cancelled = [&] { return is_stopping(stop); };
    // Codes come first: with them the head is scanned fast, and a graph from a file is walked fast.
    if (graph.encoded() < rows) {
        graph.encode(std::min(rows, std::max(graph.encoded() + kEncodeSliceRows, end)), cancelled);
        return;
    }
    const uint64_t started_us = dependencies_.clock.monotonic_us();
    const uint32_t before = graph.linked();
    link_rows(graph, end, cancelled);
    const auto took_us = static_cast<double>(dependencies_.clock.monotonic_us() - started_us);
    if (took_us > 0 && graph.linked() > before) {
        const double rate = static_cast<double>(graph.linked() - before) / (took_us * 1e-6);
        const double known = linked_rows_a_second_;
        linked_rows_a_second_ = known == 0 ? rate : known + (rate - known) * kNewestRateShare;
    }
}

uint32_t LiveCollection::link_slice_rows() const {
    return options_.maintenance_slice_rows * options_.link_threads;
}

void LiveCollection::link_rows(index::Graph& graph, uint32_t end, FunctionRef<bool()> cancelled) {
    const uint32_t rows = end - std::min(end, graph.linked());
    const uint32_t helpers = std::min(options_.link_threads - 1, rows / kRowsWorthAThread);
    run_shared(dependencies_.executor, "link", helpers, [&] {
        std::unique_ptr<index::SearchScratch> scratch = take_scratch();
        graph.link(end, cancelled, *scratch);
        give_scratch(std::move(scratch));
    });
}

bool LiveCollection::is_stopping(const std::stop_token* stop) const {
    return closing_.load() || (stop != nullptr && stop->stop_requested());
}

void LiveCollection::calibrate(VectorIndex& index, const Snapshot& snapshot, const std::stop_token* stop) {
    std::unique_ptr<index::SearchScratch> scratch = take_scratch();
    index::RecallCurve curve = index::measure_recall(
        index.graph, index.column.counted(), snapshot.linked_of(index),
        [&](uint32_t counted) { return snapshot.sees(index.column.row_of(counted)); },
        [&] { return is_stopping(stop); }, *scratch);
    give_scratch(std::move(scratch));
    if (curve.is_empty() && !is_stopping(stop)) {
        curve = index::RecallCurve(index.graph.linked(), {});  // nearly all are dead: not again at once
    }
    if (!is_stopping(stop)) {
        index.recall.store(std::make_shared<const index::RecallCurve>(std::move(curve)));
    }
}

void LiveCollection::index_slice() {
    const RowStore& rows = generation_->rows;
    generation_->metadata.advance(published_.load()->rows, [&](uint32_t row) { return rows.metadata(row); });
}

void LiveCollection::measure_walks() {
    std::unique_ptr<index::SearchScratch> scratch = take_scratch();
    for (const auto& index : generation_->indexes) {
        if (index->walks.is_due(index->graph.linked())) {
            index->walks.measure(index->column.counted(), index->graph, *scratch);
        }
    }
    give_scratch(std::move(scratch));
}

Result<void> LiveCollection::run_maintenance_now() noexcept {
    if (!own_maintenance()) {
        return {};
    }
    while (work_is_due()) {
        run_due_job(nullptr);
    }
    disown_maintenance();
    return {};
}

void LiveCollection::note_logged(LogTimes& times) const {
    times.ended_us = dependencies_.clock.monotonic_us();
    sync_seconds_.observe(static_cast<double>(times.ended_us - times.began_us) * 1e-6);
    commit_records_.observe(static_cast<double>(times.writes));
}

void LiveCollection::trace_job(std::string_view name, uint64_t began_us, const Result<void>& outcome) const {
    if (dependencies_.tracer != nullptr) {
        dependencies_.tracer->note_job({name, began_us, outcome, {{"akidb.collection", spec_.name}}});
    }
}

/// Waits until no job runs, and keeps others from starting; false when the collection closes.
bool LiveCollection::own_maintenance() {
    MutexLock lock(maintenance_mutex_);
    while (maintenance_running_) {
        maintenance_changed_.wait(maintenance_mutex_);
    }
    if (closing_.load()) {
        return false;
    }
    maintenance_running_ = true;
    return true;
}

void LiveCollection::disown_maintenance() {
    MutexLock lock(maintenance_mutex_);
    maintenance_running_ = false;
    maintenance_changed_.notify_all();
}

void LiveCollection::end_work() {
    closing_ = true;
    lane_.close();
    {
        MutexLock lock(maintenance_mutex_);
        while (maintenance_running_) {
            maintenance_changed_.wait(maintenance_mutex_);
        }
    }
    rewrite_.reset();
    scrub_.reset();
}

Result<Settled> LiveCollection::settle_and_close() {
    MutexLock closing(close_mutex_);
    if (is_closed_) {
        return Error(Code::kUnavailable, "collection " + spec_.name + " is closed");
    }
    is_closed_ = true;
    end_work();
    AKIDB_TRY(check_in_service());
    const auto snapshot = published_.load();
    const bool is_owed = manifest_.version == 0 || manifest_.covered_sequence < snapshot->sequence ||
                         is_checkpoint_owed_.load() || unsaved_links() > kStopCheckpointLinkedRows;
    if (is_owed && !is_poisoned_.load()) {
        const Result<void> written = run_checkpoint(LaneState::kClosed);
        if (!written.has_value()) {
            static_cast<void>(log_->close_cleanly().has_value());  // the next open replays it
            return written.error();
        }
    }
    AKIDB_TRY(log_->close_cleanly());
    const AuditReport report = audit(*snapshot);
    return Settled{.version = manifest_.version,
                   .sequence = snapshot->sequence,
                   .documents = report.live,
                   .documents_hash = report.documents_hash};
}

Result<void> LiveCollection::close(bool with_checkpoint) {
    MutexLock closing(close_mutex_);
    if (is_closed_) {
        return {};
    }
    is_closed_ = true;
    end_work();
    const bool is_worth_it = is_checkpoint_owed_.load() ||
                             log_bytes_.load() > log_bytes_at_checkpoint_.load() + kStopCheckpointLogBytes ||
                             unsaved_links() > kStopCheckpointLinkedRows;
    if (with_checkpoint && is_worth_it && !is_poisoned_.load() && !is_damaged_.load()) {
        std::ignore = run_checkpoint(LaneState::kClosed);
    }
    // Out of service means that nothing is written any more.
    return is_damaged_.load() ? Result<void>() : log_->close_cleanly();
}

}  // namespace akidb::engine
