// Scrubbing a collection (scrub.h): when, at which pace, and what becomes of damage, whoever finds it. What
// memory holds whole is written anew from there; what only the damaged file holds takes the collection out of
// service, as a start that finds it does: no answer may come from bytes that are known to be wrong.
#include <algorithm>

#include "engine/live_collection.h"
#include "storage/layout.h"

namespace akidb::engine {
namespace {

constexpr uint64_t kScrubSliceBytes = 1 << 20;   // a millisecond or two
constexpr uint32_t kAuditSliceRows = 65'536;     // some 15 ms
constexpr uint64_t kScrubRetryUs = 600'000'000;  // after one that found or could not do something
constexpr uint64_t kFirstScrubUs = 10'000'000;   // of a start that did not read everything

}  // namespace

void LiveCollection::plan_first_scrub(bool start_read_all) {
    // What a start reads may come from memory, so it is no scrub. Where in the interval the first one falls
    // differs from start to start, so that a server which never runs for a whole one is scrubbed too.
    const uint64_t turn = dependencies_.clock.unix_ms() * 0x9e3779b97f4a7c15U % options_.scrub_interval_us;
    const uint64_t first = std::min(options_.scrub_interval_us, std::max(turn, kFirstScrubUs));
    scrub_not_before_us_ = dependencies_.clock.monotonic_us() + (start_read_all ? first : kFirstScrubUs);
}

bool LiveCollection::scrub_is_due() const {
    const uint64_t now_us = dependencies_.clock.monotonic_us();
    return now_us >= scrub_not_before_us_.load() && !is_poisoned_.load() && !is_damaged_.load() &&
           (dependencies_.scrub_pace == nullptr || dependencies_.scrub_pace->has_any(now_us));
}

void LiveCollection::tend() {
    if (sweep_is_due() || scrub_is_due()) {
        schedule_maintenance();
    }
}

void LiveCollection::scrub_slice() {
    if (scrub_ == nullptr) {
        return start_scrub();
    }
    if (!scrub_->has_read_all()) {
        return scrub_files();
    }
    Audit* audit = scrub_->audit();
    if (audit == nullptr || audit->snapshot().generation != generation_) {
        scrub_->start_audit(published_.load());
    } else if (!audit->is_done()) {
        audit->advance(kAuditSliceRows);
    } else {
        judge_audit(audit->report());
    }
}

/// What the log holds is in memory too: a checkpoint writes it into segments, which are then read like all
/// others, and no log grows old.
void LiveCollection::start_scrub() {
    for (const auto& index : generation_->indexes) {  // that memory is whole must not rest on a file
        if (!index->graph.own_lists([this] { return closing_.load(); }) || is_damaged_.load()) {
            return;
        }
    }
    if ((published_.load()->sequence > covered_sequence_.load() || is_checkpoint_owed_.load()) &&
        !run_checkpoint(LaneState::kOpen).has_value()) {
        return end_scrub(false);
    }
    scrub_ = std::make_unique<Scrub>(dependencies_.files, segment_directory(), manifest_);
    scrubbing_.started_us = dependencies_.clock.monotonic_us();
    scrubbing_.done = 0;
    scrubbing_.total = std::max<uint64_t>(1, scrub_->total());
    const Result<std::optional<storage::Manifest>> found =
        storage::read_manifest(dependencies_.files, directory_);
    if (!found.has_value() && found.error().code() != Code::kDataLoss) {
        return stop_scrub(found.error());
    }
    const bool is_there = found.has_value() && found->has_value();
    const bool is_right = is_there ? storage::encode_manifest(**found) == storage::encode_manifest(manifest_)
                                   : found.has_value() && manifest_.version == 0;
    if (!is_right) {
        meet_damage(storage::manifest_name(manifest_.version),
                    found.has_value() ? Error(Code::kDataLoss, "the manifest is not the one that was written")
                                      : found.error());
    }
}

void LiveCollection::scrub_files() {
    const uint64_t bytes =
        dependencies_.scrub_pace == nullptr
            ? kScrubSliceBytes
            : dependencies_.scrub_pace->take(dependencies_.clock.monotonic_us(), kScrubSliceBytes);
    if (bytes == 0) {
        return;
    }
    const Result<uint64_t> read = scrub_->advance(manifest_, bytes);
    scrubbing_.done = scrub_->done();
    if (read.has_value()) {
        dependencies_.metrics.counter(telemetry::MetricId::kScrubBytes).add(static_cast<double>(*read));
    } else if (read.error().code() == Code::kDataLoss) {
        meet_damage(scrub_->file_name(), read.error());
    } else if (read.error().code() == Code::kUnavailable) {
        stop_scrub(read.error());
    } else {  // a sector that cannot be read; the files behind it are looked at all the same
        scrub_->count_fault();
        dependencies_.metrics.counter(telemetry::MetricId::kScrubFaults, {"read"}).add();
        dependencies_.logger.log(LogLevel::kError, "scrub: the disk does not give back what was written",
                                 {{"collection", spec_.name}, {"error", read.error().message()}});
    }
}

/// Whether memory holds all of the file; then the next checkpoint writes it anew.
bool LiveCollection::drop_from_manifest(const std::string& name) {
    if (name == storage::manifest_name(manifest_.version)) {
        return true;
    }
    for (std::optional<storage::ManifestFile>* file : {&manifest_.dead, &manifest_.keys}) {
        if (file->has_value() && (*file)->name == name) {
            file->reset();
            return true;
        }
    }
    for (size_t i = 0; i < generation_->indexes.size(); ++i) {
        std::optional<storage::ManifestFile>& graph = graph_entry(manifest_, i);
        if (graph.has_value() && graph->name == name) {
            graph.reset();
            generation_->indexes[i]->graph_rows_saved = 0;
            return true;
        }
    }
    const auto rows =
        std::find_if(manifest_.rows.begin(), manifest_.rows.end(),
                     [&](const storage::ManifestRows& entry) { return entry.file.name == name; });
    const auto& mapped = generation_->rows.segments();
    const bool is_read_from = std::any_of(mapped.begin(), mapped.end(),
                                          [&](const auto& segment) { return segment->name() == name; });
    if (rows == manifest_.rows.end() || is_read_from) {
        return false;
    }
    manifest_.rows.erase(rows, manifest_.rows.end());
    return true;
}

void LiveCollection::meet_damage(const std::string& file, const Error& error) {
    scrub_->count_fault();
    dependencies_.metrics.counter(telemetry::MetricId::kScrubFaults, {"file"}).add();
    if (!drop_from_manifest(file)) {
        return take_out_of_service(error.message());
    }
    is_checkpoint_owed_ = true;
    dependencies_.logger.log(LogLevel::kError,
                             "scrub: damage on the disk; memory is whole and the file is written anew",
                             {{"collection", spec_.name}, {"file", file}, {"error", error.message()}});
}

void LiveCollection::judge_audit(const AuditReport& report) {
    for (const std::string& fault : report.faults) {
        scrub_->count_fault();
        dependencies_.metrics.counter(telemetry::MetricId::kScrubFaults, {"memory"}).add();
        dependencies_.logger.log(LogLevel::kError, "audit: the collection does not agree with itself",
                                 {{"collection", spec_.name}, {"error", fault}});
    }
    // Rows that no walk reaches cost recall; the others would be wrong answers.
    if (report.faults.size() > (report.unreachable > 0 ? 1U : 0U)) {
        return take_out_of_service(report.faults.front() +
                                   " in memory; a restart makes the collection anew from its files");
    }
    end_scrub(scrub_->faults() == 0);
}

/// The disk could not be asked: no verdict.
void LiveCollection::stop_scrub(const Error& error) {
    dependencies_.logger.log(LogLevel::kWarning, "scrub stopped; it begins again later",
                             {{"collection", spec_.name}, {"error", error.message()}});
    end_scrub(false);
}

void LiveCollection::end_scrub(bool found_all_well) {
    scrub_.reset();
    scrubbing_.total = 0;
    dependencies_.metrics.counter(telemetry::MetricId::kScrubs, {found_all_well ? "ok" : "failed"}).add();
    scrub_not_before_us_ =
        dependencies_.clock.monotonic_us() +
        (found_all_well ? options_.scrub_interval_us : std::min(kScrubRetryUs, options_.scrub_interval_us));
    if (found_all_well) {
        scrubbed_at_ms_ = dependencies_.clock.unix_ms();
    }
}

void LiveCollection::take_out_of_service(const std::string& damage) {
    damage_.store(std::make_shared<const std::string>(damage));
    is_damaged_ = true;
    rewrite_.reset();
    rewriting_.total = 0;
    if (scrub_ != nullptr) {
        end_scrub(false);
    }
    dependencies_.logger.log(LogLevel::kError, "the collection is damaged and goes out of service",
                             {{"collection", spec_.name},
                              {"error", damage},
                              {"what_to_do", "stop the server; `akidb repair --collection " + spec_.name +
                                                 "` tells what is lost (docs/repair.md)"}});
}

std::string LiveCollection::damage() const {
    const auto damage = damage_.load();
    return damage == nullptr ? std::string() : *damage;
}

Result<void> LiveCollection::check_in_service() const {
    return is_damaged_.load() ? Error(Code::kDataLoss, "the collection is out of service: " + damage())
                              : Result<void>();
}

}  // namespace akidb::engine
