// Searches of collections whose files are in the store alone, and the cold index that they go by.
#include <algorithm>

#include "engine/cold_writer.h"
#include "service/tiers.h"
#include "service/waiters_share.h"
#include "storage/manifest.h"

namespace akidb::service {
namespace {

using catalog::TierRow;
using model::StoragePolicy;
using model::Tier;
using telemetry::MetricId;

constexpr uint64_t kPromoteWithinUs = uint64_t{3600} * 1'000'000;

}  // namespace

/// Of what may go cold next. That its files can go without it, a search then finds out.
bool Tiers::lacks_cold_index(const TierRow& row) const {
    if (options_.promote_after == 0 || row.policy != StoragePolicy::kS3Only || row.tier != Tier::kWarm) {
        return false;
    }
    MutexLock lock(mutex_);
    const auto found = collections_.find(row.collection);
    return found != collections_.end() && found->second.given_up_version != row.settled_version &&
           (found->second.indexed_version != row.settled_version ||
            found->second.unread_version == row.settled_version);
}

/// Beside the copy of a collection that is closed: while it is open, there will be another.
Result<void> Tiers::put_cold_index(const TierRow& row, backup::CollectionCopy& copy,
                                   const std::stop_token& stop) {
    if (!lacks_cold_index(row)) {
        return {};
    }
    AKIDB_TRY(const std::optional<storage::Manifest> manifest,
              storage::read_manifest(given_.files, path_of(row.collection)));
    if (!manifest || manifest->version != row.settled_version) {
        return {};  // it was opened meanwhile
    }
    bool is_damaged = false;
    {
        MutexLock lock(mutex_);
        is_damaged = collections_[row.collection].unread_version == row.settled_version;
    }
    AKIDB_TRY(const bool is_there, copy.has_cold_index(row.settled_version));
    if (!is_there || is_damaged) {
        AKIDB_TRY(const auto index,
                  engine::ColdIndexFile::make(given_.files, path_of(row.collection), *manifest,
                                              [&] { return stop.stop_requested(); }));
        if (index != nullptr) {
            if (index->identity().rows != row.documents) {
                return Error(Code::kInternal, "the cold index has other documents than were counted");
            }
            AKIDB_TRY(const uint64_t sent, copy.put_cold_index(row.settled_version, *index));
            given_.metrics.counter(MetricId::kUploadedBytes).add(static_cast<double>(sent));
        }
    }
    MutexLock lock(mutex_);
    Collection& collection = collections_[row.collection];
    collection.indexed_version = row.settled_version;
    collection.unread_version = 0;
    return {};
}

std::optional<Result<model::SearchReply>> Tiers::search_cold(const CollectionRef& named,
                                                             const model::SearchRequest& request) {
    using Answer = Result<model::SearchReply>;
    if (options_.promote_after == 0 || !has_sleepers() || !engine::is_cold_search(request)) {
        return std::nullopt;
    }
    const Result<DirectoryEntry> entry = given_.directory.describe(named);
    if (!entry || entry->condition != Condition::kAsleep || !entry->spec.vectors.empty()) {
        return std::nullopt;  // with named vectors it has rows of which no cold index is made
    }
    const std::optional<TierRow> row = find_row(entry->spec.id);
    if (!row || row->tier != Tier::kCold) {
        return std::nullopt;
    }
    if (Result<void> valid = model::validate(request, entry->spec); !valid) {
        return Answer(std::move(valid).error());
    }
    WaitersShare share(waiters_);
    if (!share.take(options_.waiters_max)) {
        return Answer(Error(Code::kUnavailable,
                            "the collection is cold, and as many as may wait for the object store do")
                          .with_retry_after(1));
    }
    Answer reply = ask_cold(*row, entry->spec, request);
    const bool is_late = !reply && reply.error().code() == Code::kDeadlineExceeded && request.deadline_us;
    given_.metrics.counter(MetricId::kColdSearches, {reply ? "ok" : is_late ? "failed" : "opened"}).add();
    if (!reply && !is_late) {
        note_unread(*row, reply.error());
        return std::nullopt;
    }
    if (reply) {
        const model::SearchExplanation& cost = *reply->explanation;
        given_.metrics.histogram(MetricId::kColdSearchDuration).observe(cost.actual_cost_us * 1e-6);
        given_.metrics.counter(MetricId::kColdRoundTrips).add(static_cast<double>(cost.round_trips));
        given_.metrics.counter(MetricId::kColdReadBytes).add(static_cast<double>(cost.fetched_bytes));
        note_cold_search(row->collection);
    }
    return reply;
}

Result<model::SearchReply> Tiers::ask_cold(const TierRow& row, const model::CollectionSpec& spec,
                                           const model::SearchRequest& request) {
    const uint64_t until_us =
        std::min(request.deadline_us.value_or(UINT64_MAX), given_.clock.monotonic_us() + options_.wait_us);
    if (given_.clock.monotonic_us() >= until_us) {
        return Error(Code::kDeadlineExceeded, "the time allowed ran out before the search began")
            .with_field("deadline_ms");
    }
    AKIDB_TRY(auto target, reach_store(row.place, backup::TargetUse::kServe));
    const std::string key = backup::CollectionCopy(target->store(), row.copy).cold_key(row.settled_version);
    return cold_searches_.search({.identity = {.collection = row.collection,
                                               .version = row.settled_version,
                                               .rows = row.documents,
                                               .shape = {spec.metric, spec.dimension, spec.storage}},
                                  .source = {std::move(target), key},
                                  .until_us = until_us},
                                 request);
}

/// One that is asked for often is worth opening, while it goes on answering so.
void Tiers::note_cold_search(const Uuid& id) {
    const uint64_t now_us = given_.clock.monotonic_us();
    {
        MutexLock lock(mutex_);
        Collection& collection = collections_[id];
        if (collection.searches == 0 || now_us - collection.searches_since_us > kPromoteWithinUs) {
            collection.searches = 0;
            collection.searches_since_us = now_us;
        }
        if (++collection.searches < options_.promote_after || collection.is_opening) {
            return;
        }
        collection.searches = 0;  // should it not open, the next ones count again
    }
    if (const Result<uint64_t> begun = begin_opening(id); !begun) {
        warn("cold collection that is asked for often could not be opened", name_of_collection(id),
             begun.error());
    }
}

void Tiers::note_unread(const TierRow& row, const Error& error) {
    warn("cold collection is opened, as its cold index gave no answer", name_of_collection(row.collection),
         error);
    if (error.code() == Code::kNotFound || error.code() == Code::kDataLoss) {
        MutexLock lock(mutex_);
        collections_[row.collection].unread_version = row.settled_version;
    }
}

}  // namespace akidb::service
