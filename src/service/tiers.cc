#include "service/tiers.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <tuple>

#include "service/waiters_share.h"
#include "storage/durable_files.h"

namespace akidb::service {
namespace {

using catalog::TierRow;
using catalog::TierTask;
using catalog::TierTaskKind;
using model::StoragePolicy;
using model::Tier;
using telemetry::MetricId;

Error no_store() {
    return invalid_argument("policy", "this server has no store for collections: the setting tiers.to",
                            "memory");
}

Error not_before_the_deadline() {
    return Error(Code::kDeadlineExceeded, "the collection was not open before the deadline");
}

}  // namespace

Tiers::Tiers(Dependencies given, TierOptions options)
    : given_(std::move(given)),
      options_(std::move(options)),
      cold_searches_(given_.clock, given_.readers, options_.cold_memory_bytes) {
    given_.directory.allow_sleep();
    for (const MetricId id : {MetricId::kTierOpenings, MetricId::kUploads}) {
        for (const std::string_view outcome : {"ok", "failed"}) {
            given_.metrics.counter(id, {outcome}).add(0);
        }
    }
    given_.metrics.counter(MetricId::kUploadedBytes).add(0);
    for (const std::string_view outcome : {"ok", "opened", "failed"}) {
        given_.metrics.counter(MetricId::kColdSearches, {outcome}).add(0);
    }
    given_.metrics.counter(MetricId::kColdRoundTrips).add(0);
    given_.metrics.counter(MetricId::kColdReadBytes).add(0);
    std::ignore = given_.metrics.histogram(MetricId::kColdSearchDuration);
}

Tiers::~Tiers() = default;

Result<std::vector<Asleep>> Tiers::begin() {
    AKIDB_TRY(std::vector<TierRow> rows, given_.store.list_rows());
    std::vector<Asleep> asleep;
    for (TierRow& row : rows) {
        if (row.tier == Tier::kCold) {
            AKIDB_TRY(
                io::remove_tree(given_.files, given_.data + "/collections", row.collection.to_string()));
        } else if (row.place != options_.place && row.policy != StoragePolicy::kMemory) {
            // Another store has no copy yet; what the one of before has is not ours to remove any more.
            row.place = options_.place;
            row.copied_version = 0;
            AKIDB_TRY(given_.store.put_row(row));
        }
        if (row.tier != Tier::kHot) {
            asleep.push_back({row.collection, row.documents});
        }
        MutexLock lock(mutex_);
        collections_[row.collection].row = row;
        count_sleepers();
    }
    return asleep;
}

void Tiers::stop() {
    MutexLock lock(mutex_);
    is_stopping_ = true;
    changed_.notify_all();
}

void Tiers::count_sleepers() {
    sleepers_ =
        static_cast<uint64_t>(std::count_if(collections_.begin(), collections_.end(), [](const auto& one) {
            return one.second.row.tier != Tier::kHot || one.second.is_moving;
        }));
}

std::optional<TierRow> Tiers::find_row(const Uuid& id) const {
    MutexLock lock(mutex_);
    const auto found = collections_.find(id);
    return found == collections_.end() ? std::nullopt : std::optional(found->second.row);
}

Result<TierRow> Tiers::change_row(const Uuid& id, FunctionRef<void(TierRow&)> change) {
    MutexLock rows(rows_mutex_);
    TierRow row = find_row(id).value_or(TierRow{});
    row.collection = id;
    change(row);
    AKIDB_TRY(given_.store.put_row(row));
    MutexLock lock(mutex_);
    collections_[id].row = row;
    count_sleepers();
    return row;
}

void Tiers::forget_deleted() {
    std::set<Uuid> there;
    for (const DirectoryEntry& entry : given_.directory.list_all()) {
        there.insert(entry.spec.id);
    }
    std::vector<Uuid> missing;
    {
        MutexLock lock(mutex_);
        for (const auto& [id, collection] : collections_) {
            if (!there.contains(id) && !collection.is_moving && !collection.is_opening) {
                missing.push_back(id);
            }
        }
    }
    for (const Uuid& id : missing) {
        if (!given_.directory.find_by_id(id)) {  // and not made since the first look
            cold_searches_.forget(id);
            MutexLock lock(mutex_);
            collections_.erase(id);
            count_sleepers();
        }
    }
}

std::string Tiers::name_of_collection(const Uuid& id) const {
    const std::optional<DirectoryEntry> entry = given_.directory.find_by_id(id);
    return entry ? entry->spec.name : std::string();
}

void Tiers::warn(std::string_view what, const std::string& name, const Error& error) const {
    given_.logger.log(LogLevel::kWarning, what, {{"collection", name}, {"error", error.message()}});
}

// ---- asking ----------------------------------------------------------------------------------------------

bool Tiers::is_awake(const CollectionRef& named) const {
    if (!has_sleepers()) {
        return true;
    }
    const Result<DirectoryEntry> entry = given_.directory.describe(named);
    return !entry || entry->condition != Condition::kAsleep;
}

Result<std::shared_ptr<engine::Collection>> Tiers::wake(const CollectionRef& named,
                                                        std::optional<uint64_t> deadline_us) {
    const uint64_t began_us = given_.clock.monotonic_us();
    const uint64_t until_us = std::min(deadline_us.value_or(UINT64_MAX), began_us + options_.wait_us);
    WaitersShare share(waiters_);
    while (true) {
        auto found = given_.directory.find(named);
        if (found || found.error().code() != Code::kUnavailable) {
            return found;
        }
        if (given_.clock.monotonic_us() >= until_us) {
            return deadline_us && *deadline_us <= until_us ? not_before_the_deadline()
                                                           : std::move(found).error();
        }
        AKIDB_TRY(const DirectoryEntry entry, given_.directory.describe(named));
        if (entry.condition == Condition::kServing) {
            continue;  // it opened between the two looks
        }
        if (entry.condition != Condition::kAsleep) {
            return found;
        }
        if (!share.take(options_.waiters_max)) {
            return Error(Code::kUnavailable,
                         "the collection is asleep, and as many as may wait for collections to open do")
                .with_retry_after(1);
        }
        AKIDB_TRY(wait_for_opening(entry.spec.id, until_us, deadline_us));
    }
}

/// Returns once an opening ended well, whoever began it.
Result<void> Tiers::wait_for_opening(const Uuid& id, uint64_t until_us, std::optional<uint64_t> deadline_us) {
    AKIDB_TRY(const uint64_t openings, begin_opening(id));
    MutexLock lock(mutex_);
    while (true) {
        const auto now = collections_.find(id);
        if (now == collections_.end()) {
            return Error(Code::kNotFound, "the collection was deleted").with_field("collection");
        }
        if (now->second.openings != openings) {
            return now->second.error ? Result<void>(*now->second.error) : Result<void>();
        }
        if (is_stopping_) {
            return Error(Code::kUnavailable, "the server is stopping").with_retry_after(1);
        }
        const uint64_t now_us = given_.clock.monotonic_us();
        if (now_us >= until_us) {
            return deadline_us && *deadline_us <= until_us
                       ? not_before_the_deadline()
                       : Error(Code::kUnavailable,
                               "the collection is being opened, which takes longer than a request may wait")
                             .with_retry_after(5);
        }
        changed_.wait_for(mutex_, std::chrono::microseconds(std::min(kWaiterLooksUpUs, until_us - now_us)));
    }
}

/// How many had ended before the one that is under way now.
Result<uint64_t> Tiers::begin_opening(const Uuid& id) {
    uint64_t openings = 0;
    {
        MutexLock lock(mutex_);
        Collection& collection = collections_[id];
        collection.row.collection = id;
        openings = collection.openings;
        if (collection.is_opening) {
            return openings;
        }
        collection.is_opening = true;
    }
    const bool is_taken =
        given_.openers.submit("open", [this, id](const std::stop_token&) { end_opening(id, open(id)); });
    if (!is_taken) {
        end_opening(id,
                    Error(Code::kUnavailable, "too many collections are being opened").with_retry_after(1));
    }
    return openings;
}

void Tiers::end_opening(const Uuid& id, const Result<void>& outcome) {
    given_.metrics.counter(MetricId::kTierOpenings, {outcome ? "ok" : "failed"}).add();
    MutexLock lock(mutex_);
    Collection& collection = collections_[id];
    collection.is_opening = false;
    ++collection.openings;
    collection.error = outcome ? std::nullopt : std::optional(outcome.error());
    changed_.notify_all();
}

// ---- telling and changing --------------------------------------------------------------------------------

Result<void> Tiers::check_policy(StoragePolicy policy) const {
    return policy == StoragePolicy::kMemory || !options_.place.empty() ? Result<void>() : no_store();
}

Result<void> Tiers::set_policy(const Uuid& collection, StoragePolicy policy) {
    AKIDB_TRY(check_policy(policy));
    MutexLock rows(rows_mutex_);
    TierRow row = find_row(collection).value_or(TierRow{});
    if (row.policy == policy) {
        return {};
    }
    row.collection = collection;
    row.policy = policy;
    if (policy != StoragePolicy::kMemory) {
        if (row.copy == Uuid{}) {
            row.copy = io::make_uuid(given_.random, given_.clock);
            row.place = options_.place;
        }
        AKIDB_TRY(given_.store.put_row(row));
    } else {
        const TierTask leaves{.kind = TierTaskKind::kRemove,
                              .collection = collection,
                              .copy = row.copy,
                              .place = row.place,
                              .bytes = row.bytes,
                              .queued_at_ms = given_.clock.unix_ms()};
        row.copy = Uuid{};
        row.copied_version = 0;
        AKIDB_TRY(leaves.copy == Uuid{} ? given_.store.put_row(row)
                                        : given_.store.put_row_and_task(row, leaves));
    }
    MutexLock lock(mutex_);
    collections_[collection].row = row;
    count_sleepers();
    return {};
}

CollectionTier Tiers::tier_of(const DirectoryEntry& entry) const {
    std::optional<engine::CheckpointState> files;
    if (entry.collection != nullptr) {
        files = entry.collection->checkpoint_state();
    }
    MutexLock lock(mutex_);
    const auto found = collections_.find(entry.spec.id);
    if (found == collections_.end()) {
        return {};
    }
    const Collection& collection = found->second;
    const TierRow& row = collection.row;
    CollectionTier tier{.policy = row.policy,
                        .tier = row.tier,
                        .is_pinned = row.is_pinned,
                        .is_moving = collection.is_moving || collection.is_opening,
                        .bytes = row.bytes,
                        .has_copy = row.copied_version > 0};
    tier.is_copied = tier.has_copy && (files ? files->manifest_version == row.copied_version &&
                                                   files->covered_sequence == files->last_sequence
                                             : row.settled_version == row.copied_version);
    tier.error = collection.error ? collection.error->message() : std::string();
    return tier;
}

TiersState Tiers::state() const {
    TiersState state{
        .place = options_.place,
        .cached_bytes = cached_bytes(),
        .cache_bytes = options_.cache_bytes,
        .breaker = given_.breaker == nullptr ? objects::BreakerState::kClosed : given_.breaker->state()};
    const size_t all = given_.directory.list_all().size();
    {
        MutexLock lock(mutex_);
        for (const auto& [id, collection] : collections_) {
            state.warm += collection.row.tier == Tier::kWarm ? 1 : 0;
            state.cold += collection.row.tier == Tier::kCold ? 1 : 0;
        }
    }
    state.hot = all - std::min<uint64_t>(all, state.warm + state.cold);
    const Result<std::vector<TierTask>> tasks = given_.store.list_tasks();
    for (const TierTask& task : tasks ? *tasks : std::vector<TierTask>()) {
        if (task.is_dead) {
            ++state.dead;
            continue;
        }
        ++state.pending;
        state.pending_bytes += task.kind == TierTaskKind::kUpload ? task.bytes : 0;
        if (state.oldest_pending_ms == 0 || task.queued_at_ms < state.oldest_pending_ms) {
            state.oldest_pending_ms = task.queued_at_ms;
        }
    }
    return state;
}

void Tiers::export_gauges() {
    const TiersState now = state();
    const auto set = [&](MetricId id, uint64_t value) {
        given_.metrics.gauge(id).set(static_cast<double>(value));
    };
    given_.metrics.gauge(MetricId::kTierCollections, {"hot"}).set(static_cast<double>(now.hot));
    given_.metrics.gauge(MetricId::kTierCollections, {"warm"}).set(static_cast<double>(now.warm));
    given_.metrics.gauge(MetricId::kTierCollections, {"cold"}).set(static_cast<double>(now.cold));
    set(MetricId::kTierCachedBytes, now.cached_bytes);
    set(MetricId::kTierCacheLimit, now.cache_bytes);
    set(MetricId::kColdMemoryLimit, options_.cold_memory_bytes);
    set(MetricId::kUploadsPending, now.pending);
    set(MetricId::kUploadsPendingBytes, now.pending_bytes);
    set(MetricId::kDeadLetters, now.dead);
    const uint64_t now_ms = given_.clock.unix_ms();
    const bool is_waiting = now.oldest_pending_ms > 0 && now_ms > now.oldest_pending_ms;
    given_.metrics.gauge(MetricId::kUploadsOldest)
        .set(is_waiting ? static_cast<double>(now_ms - now.oldest_pending_ms) / 1000 : 0);
}

void Tiers::reset_breaker() {
    if (given_.breaker != nullptr) {
        given_.breaker->reset();
    }
}

}  // namespace akidb::service
