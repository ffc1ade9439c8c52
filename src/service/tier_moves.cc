// Moves between the tiers. What has to hold whenever the process dies stands at each step.
#include <algorithm>

#include "service/tier_mover.h"
#include "service/tiers.h"
#include "storage/layout.h"
#include "storage/log_reader.h"
#include "storage/manifest.h"

namespace akidb::service {
namespace {

using catalog::TierRow;
using model::StoragePolicy;
using model::Tier;
using telemetry::MetricId;

Error moves_already() {
    return Error(Code::kConflict, "the collection is just being moved").with_retry_after(1);
}

uint64_t bytes_of(const storage::Manifest& manifest) {
    uint64_t bytes = 0;
    for (const storage::ManifestRows& rows : manifest.rows) {
        bytes += rows.file.bytes;
    }
    for (const auto& file : {manifest.graph, manifest.dead, manifest.keys}) {
        bytes += file ? file->bytes : 0;
    }
    for (const storage::ManifestVector& vector : manifest.vectors) {
        bytes += vector.graph ? vector.graph->bytes : 0;
    }
    return bytes;
}

}  // namespace

std::string Tiers::path_of(const Uuid& id) const {
    return given_.data + "/collections/" + id.to_string();
}

// ---- opening ---------------------------------------------------------------------------------------------

Result<void> Tiers::open(const Uuid& id) {
    const Move move(*this, id, Move::Turn::kWait);
    if (!move.is_held()) {
        return Error(Code::kUnavailable, "the server is stopping").with_retry_after(1);
    }
    const std::optional<DirectoryEntry> entry = given_.directory.find_by_id(id);
    if (!entry) {
        return Error(Code::kNotFound, "the collection was deleted").with_field("collection");
    }
    if (entry->condition != Condition::kAsleep) {
        return {};
    }
    const uint64_t began_us = given_.clock.monotonic_us();
    const std::optional<TierRow> row = find_row(id);
    if (row && row->tier == Tier::kCold) {
        if (Result<void> fetched = fetch(*row); !fetched) {
            warn("cold collection could not be opened", entry->spec.name, fetched.error());
            return std::move(fetched).error().with_context("collection " + entry->spec.name + " is cold");
        }
    }
    // Before anything can be written to it: from here on only its files tell what it is.
    Result<TierRow> hot = change_row(id, [](TierRow& changed) {
        changed.tier = Tier::kHot;
        changed.settled_version = 0;
    });
    const Result<void> roused = hot ? given_.directory.rouse(id) : Result<void>(hot.error());
    if (!roused && roused.error().code() == Code::kNotFound) {
        // Deleted meanwhile: whoever did that may have looked before its files were here.
        static_cast<void>(
            io::remove_tree(given_.files, given_.data + "/collections", id.to_string()).has_value());
    }
    cold_searches_.forget(id);
    AKIDB_TRY(Result<void>(roused));
    given_.metrics.histogram(MetricId::kTierOpeningDuration)
        .observe(static_cast<double>(given_.clock.monotonic_us() - began_us) / 1e6);
    return {};
}

/// Its files come whole into staging, which a start empties, and take their place by one rename; the catalog
/// says cold until then, so a start removes what is in that place.
Result<void> Tiers::fetch(const TierRow& row) {
    const std::string collections = given_.data + "/collections";
    const std::string name = row.collection.to_string();
    const std::string staging = given_.data + "/staging";
    AKIDB_TRY(const auto target, reach_store(row.place, backup::TargetUse::kServe));
    backup::CollectionCopy copy(target->store(), row.copy);
    AKIDB_TRY(const backup::BackedUpCollection there, copy.read(row.settled_version));
    const std::string manifest = storage::manifest_name(row.settled_version);
    uint64_t bytes = 0;
    bool has_manifest = false;
    for (const backup::BackupFile& file : there.files) {
        bytes += file.bytes;
        has_manifest = has_manifest || file.name == manifest;
    }
    if (there.id != row.collection || !has_manifest) {
        return Error(Code::kDataLoss, "the copy in the store is not the one that was put there");
    }
    AKIDB_TRY(make_room(row.collection, bytes));
    const auto arrive = [&]() -> Result<void> {
        AKIDB_TRY(io::remove_tree(given_.files, staging, name));
        const std::string directory = staging + "/" + name;
        AKIDB_TRY(engine::Collection::create(given_.files, staging, directory));
        AKIDB_TRY(copy.fetch(given_.files, given_.fetchers, directory, there.files, {}));
        for (const std::string& made :
             {directory + "/" + std::string(storage::kSegmentDirectory), directory}) {
            AKIDB_TRY(given_.files.sync_directory(made));
        }
        AKIDB_TRY(io::remove_tree(given_.files, collections, name));
        AKIDB_TRY(given_.files.rename(directory, collections + "/" + name));
        AKIDB_TRY(given_.files.sync_directory(collections));
        AKIDB_TRY(change_row(row.collection, [&](TierRow& changed) {
            changed.tier = Tier::kWarm;
            changed.bytes = bytes;
        }));
        return {};
    };
    Result<void> arrived = arrive();
    MutexLock lock(mutex_);
    collections_[row.collection].arriving_bytes = 0;
    return arrived;
}

// ---- closing ---------------------------------------------------------------------------------------------

/// Hot to warm. When the process dies before the catalog says so, the next start opens it as ever.
Result<void> Tiers::lull(const Uuid& id) {
    const Move move(*this, id, Move::Turn::kTry);
    if (!move.is_held()) {
        return moves_already();
    }
    AKIDB_TRY(const auto collection, given_.directory.lull(id));
    const auto settle = [&]() -> Result<void> {
        AKIDB_TRY(const engine::Settled settled, collection->settle_and_close());
        AKIDB_TRY(const std::optional<storage::Manifest> manifest,
                  storage::read_manifest(given_.files, path_of(id)));
        if (!manifest || manifest->version != settled.version) {
            return Error(Code::kInternal, "the manifest on the disk is not the one that was settled");
        }
        AKIDB_TRY(change_row(id, [&](TierRow& row) {
            row.tier = Tier::kWarm;
            row.settled_version = settled.version;
            row.sequence = settled.sequence;
            row.documents = settled.documents;
            row.documents_hash = settled.documents_hash;
            row.bytes = bytes_of(*manifest);
        }));
        given_.directory.note_asleep(id, settled.documents);
        return {};
    };
    Result<void> settled = settle();
    if (!settled) {
        const Result<void> again = given_.directory.rouse(id);
        warn(again ? "collection could not be closed for now" : "collection could not be opened again",
             collection->spec().name, again ? settled.error() : again.error());
    }
    return settled;
}

/// That its files here may go: the catalog, the manifest and the log say the same, and the store has it all.
Result<void> Tiers::check_droppable(const TierRow& row) {
    if (row.policy != StoragePolicy::kS3Only) {
        return Error(Code::kConflict, "the policy " + std::string(model::name_of(row.policy)) +
                                          " keeps the collection on the local disk")
            .with_field("action")
            .with_allowed("demote_to_cold, of a collection of the policy s3_only");
    }
    if (row.tier != Tier::kWarm || row.settled_version == 0 || row.copied_version != row.settled_version) {
        return Error(Code::kConflict, "not everything of the collection is in the store yet");
    }
    const std::string path = path_of(row.collection);
    AKIDB_TRY(const std::optional<storage::Manifest> manifest, storage::read_manifest(given_.files, path));
    if (!manifest || manifest->version != row.settled_version) {
        return Error(Code::kConflict, "the manifest here is not the one in the store");
    }
    AKIDB_TRY(
        const storage::LogRecovery log,
        storage::read_log(given_.files, path + "/" + std::string(storage::kLogDirectory), row.collection,
                          manifest->covered_sequence,
                          [](uint64_t, storage::RecordType, std::string_view) { return Result<void>(); }));
    if (log.records > 0) {
        return Error(Code::kConflict, "the log holds what is not in the store");
    }
    AKIDB_TRY(const auto target, reach_store(row.place, backup::TargetUse::kWrite));
    backup::CollectionCopy copy(target->store(), row.copy);
    AKIDB_TRY(const backup::BackedUpCollection there, copy.read(row.settled_version));
    const std::string name = storage::manifest_name(row.settled_version);
    const bool is_this = std::any_of(there.files.begin(), there.files.end(),
                                     [&](const backup::BackupFile& file) { return file.name == name; });
    if (!is_this || there.files.size() != storage::segment_names(*manifest).size() + 1) {
        return Error(Code::kConflict, "the copy in the store is another one");
    }
    return copy.verify(there.files);
}

/// Warm to cold. The catalog first: from then on the store's copy counts, and a start removes what is here.
Result<void> Tiers::drop(const Uuid& id) {
    const Move move(*this, id, Move::Turn::kTry);
    if (!move.is_held()) {
        return moves_already();
    }
    const std::optional<TierRow> row = find_row(id);
    if (!row) {
        return Error(Code::kConflict, "not everything of the collection is in the store yet");
    }
    if (Result<void> may = check_droppable(*row); !may) {
        if (may.error().code() == Code::kDataLoss) {
            // What was verified once is not there any more: it is to be sent again.
            AKIDB_TRY(change_row(id, [](TierRow& changed) { changed.copied_version = 0; }));
        }
        return may;
    }
    AKIDB_TRY(change_row(id, [](TierRow& changed) { changed.tier = Tier::kCold; }));
    const Result<void> removed = io::remove_tree(given_.files, given_.data + "/collections", id.to_string());
    if (!removed) {
        warn("local files of a cold collection are left for the next start", name_of_collection(id),
             removed.error());
    }
    return {};
}

Result<void> Tiers::act(const CollectionRef& named, model::TierAction action) {
    using model::TierAction;
    AKIDB_TRY(const DirectoryEntry entry, given_.directory.describe(named));
    const Uuid id = entry.spec.id;
    const TierRow row = find_row(id).value_or(TierRow{});
    if (action == TierAction::kUnpin) {
        AKIDB_TRY(change_row(id, [](TierRow& changed) { changed.is_pinned = false; }));
        return {};
    }
    if (action == TierAction::kPromoteToHot || action == TierAction::kPin) {
        AKIDB_TRY(wake(named));
        if (action == TierAction::kPin) {
            AKIDB_TRY(change_row(id, [](TierRow& changed) { changed.is_pinned = true; }));
        }
        return {};
    }
    if (row.is_pinned) {
        return Error(Code::kConflict, "the collection is pinned").with_field("action").with_allowed("unpin");
    }
    if (action == TierAction::kDemoteToWarm) {
        if (row.tier == Tier::kCold) {
            return Error(Code::kConflict, "the collection is cold")
                .with_field("action")
                .with_allowed("promote_to_hot");
        }
        return row.tier == Tier::kWarm ? Result<void>() : lull(id);
    }
    if (row.tier == Tier::kCold) {
        return {};
    }
    if (row.policy != StoragePolicy::kS3Only) {
        return check_droppable(row);
    }
    if (row.tier == Tier::kHot) {
        AKIDB_TRY(lull(id));
    }
    if (const TierRow warm = find_row(id).value_or(row);
        warm.copied_version != warm.settled_version || lacks_cold_index(warm)) {
        AKIDB_TRY(renew_copy(id));
    }
    return drop(id);
}

Result<Tiers::SleepingFiles> Tiers::files_of_sleeper(const Uuid& collection) {
    const Move move(*this, collection, Move::Turn::kTry);
    const std::optional<TierRow> row = find_row(collection);
    if (!move.is_held() || !row || row->tier == Tier::kHot) {
        return moves_already();
    }
    SleepingFiles sleeping{.row = *row, .target = nullptr};
    if (row->tier == Tier::kCold) {
        AKIDB_TRY(sleeping.target, reach_store(row->place, backup::TargetUse::kWrite));
        backup::CollectionCopy copy(sleeping.target->store(), row->copy);
        AKIDB_TRY(const backup::BackedUpCollection there, copy.read(row->settled_version));
        for (const backup::BackupFile& file : there.files) {
            sleeping.files.push_back({file.name, file.sha256, copy.open(file)});
        }
        return sleeping;
    }
    AKIDB_TRY(const std::optional<storage::Manifest> manifest,
              storage::read_manifest(given_.files, path_of(collection)));
    if (!manifest || manifest->version != row->settled_version) {
        return Error(Code::kConflict, "the manifest here is not the one that was settled");
    }
    std::vector<std::string> names{storage::manifest_name(manifest->version)};
    for (const std::string& name : storage::segment_names(*manifest)) {
        names.push_back(std::string(storage::kSegmentDirectory) + "/" + name);
    }
    for (const std::string& name : names) {
        AKIDB_TRY(auto file, given_.files.open_read(path_of(collection) + "/" + name));
        sleeping.files.push_back({name, {}, std::move(file)});
    }
    return sleeping;
}

}  // namespace akidb::service
