// Reads of a collection: each copies the published snapshot and takes no lock of the writers.
#include <algorithm>
#include <cmath>

#include "engine/filter_matches.h"
#include "engine/live_collection.h"
#include "engine/query.h"
#include "engine/recall_probe.h"
#include "engine/scroll.h"
#include "model/limits.h"

namespace akidb::engine {
namespace {

std::vector<model::MetadataField> indexed_fields(const Snapshot& snapshot) {
    std::vector<model::MetadataField> indexed;
    const auto view = snapshot.generation->metadata.view();
    for (const auto& field : view->fields) {
        indexed.push_back(field->declared);
    }
    return indexed;
}

}  // namespace

Result<std::vector<model::Document>> LiveCollection::get(const std::vector<model::DocumentId>& ids,
                                                         const model::Include& include) const {
    if (ids.empty() || ids.size() > model::kBatchDocumentsMax) {
        return invalid_argument("ids", std::to_string(ids.size()) + " ids",
                                "1.." + std::to_string(model::kBatchDocumentsMax));
    }
    AKIDB_TRY(model::validate(include, spec_));
    AKIDB_TRY(check_in_service());
    const Snapshot snapshot = current_view();
    std::vector<model::Document> documents;
    for (const model::DocumentId& id : ids) {
        if (const uint32_t row = snapshot.find(id.encoded()); row != kNoRow) {
            documents.push_back(document_at(snapshot, row, include));
        }
    }
    AKIDB_TRY(check_in_service());
    return documents;
}

Result<void> LiveCollection::conclude(const Effort& effort, const Snapshot& snapshot,
                                      const model::Filter* filter, uint64_t started_us) const {
    if (filter != nullptr && effort.evaluated > 0) {
        const auto elapsed_us = static_cast<double>(dependencies_.clock.monotonic_us() - started_us);
        adviser_.note(*filter, indexed_fields(snapshot), effort.evaluated, elapsed_us * 1e-6);
    }
    if (effort.is_late) {
        return Error(Code::kDeadlineExceeded, "the time allowed ran out").with_field("deadline_ms");
    }
    return check_in_service();
}

Result<uint64_t> LiveCollection::count(const model::Filter* filter, bool is_exact,
                                       std::optional<uint64_t> deadline_us) const {
    AKIDB_TRY(check_in_service());
    if (filter == nullptr || filter->is_empty()) {
        return count_documents();
    }
    AKIDB_TRY(model::validate(*filter));
    const uint64_t started_us = dependencies_.clock.monotonic_us();
    const Snapshot snapshot = current_view();
    Effort effort{.clock = &dependencies_.clock, .deadline_us = deadline_us};
    uint64_t matches = 0;
    if (is_exact) {
        matches = matching_rows(snapshot, filter, &effort).size();
    } else {
        const double live_share = static_cast<double>(snapshot.live) / std::max<double>(snapshot.rows, 1);
        matches = static_cast<uint64_t>(std::llround(FilterMatches(snapshot, *filter).count() * live_share));
    }
    AKIDB_TRY(conclude(effort, snapshot, filter, started_us));
    return matches;
}

Result<model::ScrollReply> LiveCollection::scroll(const model::ScrollRequest& request) const {
    AKIDB_TRY(check_in_service());
    const Snapshot snapshot = current_view();
    AKIDB_TRY(model::validate(request, indexed_fields(snapshot)));
    AKIDB_TRY(model::validate(request.include, spec_));
    const uint64_t started_us = dependencies_.clock.monotonic_us();
    Effort effort{.clock = &dependencies_.clock, .deadline_us = request.deadline_us};
    model::ScrollReply reply = run_scroll(snapshot, request, effort);
    AKIDB_TRY(conclude(effort, snapshot, request.filter.get(), started_us));
    return reply;
}

Result<model::FacetReply> LiveCollection::facet(const model::FacetRequest& request) const {
    AKIDB_TRY(check_in_service());
    AKIDB_TRY(model::validate(request));
    const uint64_t started_us = dependencies_.clock.monotonic_us();
    const Snapshot snapshot = current_view();
    Effort effort{.clock = &dependencies_.clock, .deadline_us = request.deadline_us};
    model::FacetReply reply = run_facet(snapshot, request, effort);
    AKIDB_TRY(conclude(effort, snapshot, request.filter.get(), started_us));
    return reply;
}

Result<model::SearchReply> LiveCollection::search(const model::SearchRequest& request) const {
    AKIDB_TRY(model::validate(request, spec_));
    AKIDB_TRY(check_in_service());
    const QuerySettings settings = query_settings(request.vector_name);
    const uint64_t started_us = dependencies_.clock.monotonic_us();
    if (request.deadline_us && started_us >= *request.deadline_us) {
        return Error(Code::kDeadlineExceeded, "the time allowed ran out before the search began")
            .with_field("deadline_ms");
    }
    const Snapshot snapshot = current_view();
    std::unique_ptr<index::SearchScratch> scratch = take_scratch();
    QueryCost cost;
    model::SearchReply reply = run_query(snapshot, request, settings, *scratch, cost);
    give_scratch(std::move(scratch));
    AKIDB_TRY(check_in_service());
    search_distances_.add(static_cast<double>(cost.distances));
    const auto elapsed_us = static_cast<double>(dependencies_.clock.monotonic_us() - started_us);
    if (cost.evaluated > 0) {
        adviser_.note(*request.filter, indexed_fields(snapshot), cost.evaluated, elapsed_us * 1e-6);
    }
    search_seconds(name_of(cost.plan)).observe(elapsed_us * 1e-6);
    reply.explanation = {.plan = std::string(name_of(cost.plan)),
                         .estimated_matches = static_cast<uint64_t>(std::max(0.0, cost.estimated_matches)),
                         .estimated_cost_us = cost.estimated_ns * 1e-3,
                         .actual_cost_us = elapsed_us,
                         .distances = cost.distances,
                         .candidates = cost.candidates,
                         .abandoned = cost.is_abandoned,
                         .ef = cost.ef,
                         .estimated_recall = cost.estimated_recall};
    offer_to_probe(snapshot, request, reply, cost);
    return reply;
}

/// What compared with every document has nothing to be found out about.
void LiveCollection::offer_to_probe(const Snapshot& snapshot, const model::SearchRequest& request,
                                    const model::SearchReply& reply, const QueryCost& cost) const {
    constexpr double kBroadShare = 0.1;
    const bool is_walk = cost.plan == Plan::kGraph || cost.plan == Plan::kInline ||
                         cost.plan == Plan::kTwoHop || cost.plan == Plan::kCodes;
    if (dependencies_.recall_probe == nullptr || !is_walk || reply.partial ||
        !dependencies_.recall_probe->wants_next()) {
        return;
    }
    FilterKind filter = FilterKind::kNone;
    if (request.filter != nullptr && !request.filter->is_empty()) {
        filter =
            cost.estimated_matches >= kBroadShare * snapshot.rows ? FilterKind::kBroad : FilterKind::kNarrow;
    }
    dependencies_.recall_probe->take({snapshot, request, query_settings(request.vector_name), filter}, reply);
}

QuerySettings LiveCollection::query_settings(std::string_view vector_name) const {
    const auto settings = settings_.load();
    // Whoever sets ef alone means it, whatever was measured.
    const double recall = settings->ef ? 0 : options_.default_recall;
    return {.default_ef = settings->ef.value_or(options_.default_ef),
            .default_recall = settings->recall_target.value_or(recall),
            .clock = &dependencies_.clock,
            .vector = column_of(vector_name)};
}

uint64_t LiveCollection::estimate_floats(const model::SearchRequest& request) const {
    const auto snapshot = published_.load();
    const QuerySettings settings = query_settings(request.vector_name);
    const VectorIndex& index = *snapshot->generation->indexes[settings.vector];
    const uint64_t linked = snapshot->linked_of(index);
    uint64_t compared = snapshot->count_of(index);
    if (!request.params.exact && linked > 0) {
        const uint64_t ef = choose_ef(*snapshot, request, settings);
        compared -= linked - std::min(linked, ef * options_.graph.degree);
    }
    return compared * index.column.spec.dimension;
}

/// The first for a name that is none: who searches was refused before.
size_t LiveCollection::column_of(std::string_view vector_name) const {
    const auto& columns = vectors_;
    const auto found = std::find_if(columns.begin(), columns.end(), [&](const model::VectorSpec& column) {
        return column.name == vector_name;
    });
    return found == columns.end() ? 0 : static_cast<size_t>(found - columns.begin());
}

/// Looked up once for each kind: a lookup hashes the label under a lock that all searches share.
telemetry::Histogram& LiveCollection::search_seconds(std::string_view kind) const {
    for (SearchSeries& cached : search_series_) {
        telemetry::Histogram* series = cached.series.load(std::memory_order_acquire);
        if (series != nullptr && cached.kind == kind) {
            return *series;
        }
        if (series == nullptr) {
            break;
        }
    }
    telemetry::Histogram& found =
        dependencies_.metrics.histogram(telemetry::MetricId::kSearchDuration, {kind});
    MutexLock lock(scratch_mutex_);
    for (SearchSeries& cached : search_series_) {
        if (cached.series.load(std::memory_order_relaxed) == &found) {
            break;
        }
        if (cached.series.load(std::memory_order_relaxed) == nullptr) {
            cached.kind = kind;
            cached.series.store(&found, std::memory_order_release);
            break;
        }
    }
    return found;
}

std::unique_ptr<index::SearchScratch> LiveCollection::take_scratch() const {
    {
        MutexLock lock(scratch_mutex_);
        if (!scratch_.empty()) {
            auto scratch = std::move(scratch_.back());
            scratch_.pop_back();
            return scratch;
        }
    }
    return std::make_unique<index::SearchScratch>();
}

void LiveCollection::give_scratch(std::unique_ptr<index::SearchScratch> scratch) const {
    MutexLock lock(scratch_mutex_);
    scratch_.push_back(std::move(scratch));
}

CollectionStats LiveCollection::stats() const {
    const auto snapshot = published_.load();
    CollectionStats stats;
    stats.documents = count_documents();
    stats.rows = snapshot->rows;
    const Generation& generation = *snapshot->generation;
    // A vector too few have for a graph has no head: its rows wait for nothing.
    for (const auto& index : generation.indexes) {
        const uint64_t linked = snapshot->linked_of(*index);
        stats.linked_rows += linked;
        stats.head_rows += head_rows(*snapshot, *index);
        if (!index->column.spec.name.empty()) {
            stats.vectors.push_back({index->column.spec.name, snapshot->count_of(*index), linked});
        }
    }
    stats.last_sequence = snapshot->sequence;
    stats.covered_sequence = covered_sequence_;
    stats.opened_sequence = opened_sequence_;
    stats.log_bytes = log_bytes_;
    stats.segment_files = segment_files_;
    stats.is_poisoned = is_poisoned_;
    const auto indexes = generation.metadata.view();
    for (const auto& field : indexes->fields) {
        stats.metadata_indexes.push_back({field->declared, std::min(field->indexed, snapshot->rows),
                                          !field->is_behind(snapshot->rows), field->bytes});
    }
    if (stats.head_rows > 0) {
        JobState link{"link", stats.linked_rows, stats.linked_rows + stats.head_rows};
        if (const double rate = linked_rows_a_second_; rate > 0) {
            link.seconds_left = static_cast<double>(stats.head_rows) / rate;
        }
        stats.jobs.push_back(link);
    }
    stats.recall = generation.probed.read(dependencies_.clock.monotonic_us());
    stats.memory = generation.memory_use();
    stats.unindexed_fields = adviser_.list(indexed_fields(*snapshot));
    stats.scrubbed_at_ms = scrubbed_at_ms_;
    for (const auto& [kind, progress] :
         {std::pair{"rewrite", &rewriting_}, std::pair{"scrub", &scrubbing_}}) {
        if (const uint64_t total = progress->total; total > 0) {
            JobState job{kind, std::min<uint64_t>(progress->done, total), total};
            if (job.done > 0) {
                job.seconds_left = seconds_left(*progress, job);
            }
            stats.jobs.push_back(job);
        }
    }
    return stats;
}

double LiveCollection::seconds_left(const Progress& progress, const JobState& job) const {
    const auto elapsed_us = static_cast<double>(dependencies_.clock.monotonic_us() - progress.started_us);
    return elapsed_us * 1e-6 * static_cast<double>(job.total - job.done) / static_cast<double>(job.done);
}

}  // namespace akidb::engine
