// Documents that expire: what readers see of them, and the sweep that deletes them once their time has come.
#include <algorithm>

#include "engine/live_collection.h"

namespace akidb::engine {
namespace {

// Readers miss expired documents at once, so the sweep has time; documents that expire one by one share a
// delete.
constexpr uint64_t kSweepPauseUs = 5'000'000;

}  // namespace

/// A small step back brings nothing back: by a jump the clock says itself that it was wrong before.
uint64_t LiveCollection::expiry_now_ms() const {
    const uint64_t now_ms = dependencies_.clock.unix_ms();
    uint64_t seen_ms = expiry_seen_ms_.load();
    while (seen_ms < now_ms || seen_ms - now_ms >= io::kClockJumpMs) {
        if (expiry_seen_ms_.compare_exchange_weak(seen_ms, now_ms)) {
            return now_ms;
        }
    }
    return seen_ms;
}

Snapshot LiveCollection::current_view() const {
    Snapshot view = *published_.load();
    const uint64_t first_ms = view.generation->rows.expiries().first_ms();
    if (first_ms != model::kNeverMs) {
        const uint64_t now_ms = expiry_now_ms();
        view.now_ms = first_ms <= now_ms ? now_ms : 0;
    }
    return view;
}

/// Of those that the view sees, had it no time: live documents that expired. A sweep meanwhile may take some
/// away that the view still counts as live; then both are looked at again.
uint64_t LiveCollection::count_documents() const {
    while (true) {
        const auto before = published_.load();
        const Expiries& expiries = before->generation->rows.expiries();
        const uint64_t forgotten = expiries.forgotten();
        const Snapshot view = current_view();
        if (view.generation != before->generation) {
            continue;
        }
        const uint64_t documents = view.documents();
        if (expiries.forgotten() == forgotten) {
            return documents;
        }
    }
}

bool LiveCollection::sweep_is_due() const {
    const uint64_t next_ms = published_.load()->generation->rows.expiries().next_ms();
    return next_ms != model::kNeverMs && next_ms <= dependencies_.clock.unix_ms() && !is_poisoned_.load() &&
           dependencies_.clock.monotonic_us() >= sweep_not_before_us_.load() &&
           !dependencies_.clock.is_in_doubt();
}

/// What it finds is looked at again in the lane: a write before it may have given a document more time.
Result<uint64_t> LiveCollection::resolve_sweep(PendingWrite& write) const {
    const Snapshot view = current_view();
    const RowStore& rows = view.generation->rows;
    std::vector<std::string> ids;
    if (dependencies_.clock.is_in_doubt()) {
        return Error(Code::kNotFound, "a clock that just jumped deletes nothing");
    }
    rows.expiries().each_due(view.now_ms, [&](uint32_t row) {
        if (row < view.rows && rows.is_alive(row, view.sequence)) {
            ids.emplace_back(rows.id(row));
        }
        return ids.size() < model::kBatchDocumentsMax;
    });
    if (ids.empty()) {
        return Error(Code::kNotFound, "no document has expired");
    }
    write.record = {storage::RecordType::kDelete, storage::encode_delete(ids)};
    return ids.size();
}

void LiveCollection::sweep_slice() {
    PendingWrite sweep;
    uint64_t expired = 0;
    sweep.resolve = [&](PendingWrite& turn) -> Result<void> {
        AKIDB_TRY(expired, resolve_sweep(turn));
        return {};
    };
    const Result<WriteReply> swept = lane_.run(sweep);
    if (swept.has_value()) {
        documents_expired_.add(static_cast<double>(expired));
    } else if (swept.error().code() != Code::kNotFound && swept.error().code() != Code::kUnavailable) {
        dependencies_.logger.log(LogLevel::kWarning, "expired documents could not be deleted yet",
                                 {{"collection", spec_.name}, {"error", swept.error().message()}});
    }
    const auto snapshot = published_.load();
    const RowStore& rows = snapshot->generation->rows;
    generation_->rows.expiries().forget_due(dependencies_.clock.unix_ms(), [&](uint32_t row) {
        const uint64_t dead_at = rows.dead_at(row);
        return dead_at != 0 && dead_at <= snapshot->sequence;
    });
    if (!swept.has_value() || expired < model::kBatchDocumentsMax) {
        sweep_not_before_us_ = dependencies_.clock.monotonic_us() + kSweepPauseUs;
    }
}

}  // namespace akidb::engine
