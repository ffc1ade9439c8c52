#include "sim/object_judge.h"

#include <algorithm>

#include "backup/collection_copy.h"
#include "backup/point.h"
#include "backup/upkeep.h"
#include "objects/sha256.h"

namespace akidb::sim {
namespace {

using backup::BackedUpCollection;
using backup::BackupFile;
using backup::BackupManifest;
using backup::RestorePoint;

constexpr std::string_view kManifests = "backups/";

std::string manifest_key(const Uuid& id) {
    return std::string(kManifests) + id.to_string();
}

}  // namespace

void ObjectJudge::clear() {
    const auto entries = world_.disk->list("/");
    for (const io::DirectoryEntry& entry : entries ? *entries : std::vector<io::DirectoryEntry>()) {
        if (entry.name.starts_with(std::string_view(kRestored).substr(1))) {
            static_cast<void>(io::remove_tree(*world_.disk, "/", entry.name).has_value());
        }
    }
    world_.disk->forget_log();
}

std::vector<Uuid> ObjectJudge::backups() const {
    std::vector<Uuid> ids;
    for (const std::string& key : world_.store.keys(std::string(kManifests))) {
        if (const auto id = Uuid::parse(std::string_view(key).substr(kManifests.size()))) {
            ids.push_back(*id);
        }
    }
    return ids;
}

size_t ObjectJudge::late_backups() const {
    return world_.store.late_puts(kManifests);
}

/// One that a prune had removed and a late request brought back: only its manifest is there.
bool ObjectJudge::is_excused(const Uuid& backup) const {
    return is_damaged_ || world_.store.returned().contains(manifest_key(backup));
}

std::string ObjectJudge::refusal(const std::string& what, const Error& error, bool is_excused) {
    if (!is_excused || (error.code() != Code::kNotFound && error.code() != Code::kDataLoss &&
                        error.code() != Code::kPermissionDenied)) {
        return what + ": " + error.message();
    }
    ++counts_.refused;
    return {};
}

std::string ObjectJudge::judge_backup(const Uuid& id) {
    const std::string what = "backup " + id.to_string();
    backup::Repository repository(world_.objects(), world_.clock);
    const Result<BackupManifest> manifest = repository.read_manifest(id);
    if (!manifest) {
        return refusal(what + " is listed and cannot be read", manifest.error(), is_excused(id));
    }
    const auto verified = backup::verify(repository, *manifest, backup::VerifyDepth::kBytes);
    ++counts_.verified;
    if (!verified) {
        return refusal(what + " cannot be verified", verified.error(), is_excused(id));
    }
    for (const std::string& fault : verified->faults) {
        if (!is_excused(id) && !is_gap(fault, *manifest)) {
            return what + " is not whole: " + fault;
        }
    }
    return restore_whole(*manifest, Errors::kAreFaults);
}

/// The backup itself is whole, and the points behind a gap are told to be out of its reach.
bool ObjectJudge::is_gap(const std::string& fault, const BackupManifest& manifest) const {
    return fault.starts_with("the archived log: write") &&
           std::any_of(lives_.begin(), lives_.end(), [&](const Life& life) {
               const auto one = std::find_if(
                   manifest.collections.begin(), manifest.collections.end(),
                   [&](const BackedUpCollection& candidate) { return candidate.id == life.spec.id; });
               return life.gap > (one == manifest.collections.end() ? 0 : one->sequence);
           });
}

std::string ObjectJudge::try_restore(const Uuid& id) {
    backup::Repository repository(world_.objects(), world_.clock);
    const Result<BackupManifest> manifest = repository.read_manifest(id);
    return manifest ? restore_whole(*manifest, Errors::kAreAllowed) : std::string();
}

std::string ObjectJudge::restore_whole(const BackupManifest& manifest, Errors errors) {
    const std::string what = "backup " + manifest.id.to_string();
    backup::Repository repository(world_.objects(), world_.clock);
    const auto restored =
        backup::restore(*world_.disk, repository, {.backup = manifest.id, .data = kRestored});
    if (!restored) {
        clear();
        return errors == Errors::kAreAllowed
                   ? std::string()
                   : refusal(what + " cannot be restored", restored.error(), is_excused(manifest.id));
    }
    std::string wrong;
    for (const BackedUpCollection& collection : manifest.collections) {
        if (wrong.empty() && !world_.power.is_off()) {
            wrong = compare(collection.id, collection.sequence);
        }
    }
    clear();
    ++counts_.restored;
    return wrong.empty() || world_.power.is_off() ? std::string() : what + ", restored: " + wrong;
}

std::string ObjectJudge::compare(const Uuid& collection, uint64_t sequence) {
    const auto life = std::find_if(lives_.begin(), lives_.end(),
                                   [&](const Life& one) { return one.spec.id == collection; });
    if (life == lives_.end()) {
        return "a collection that never was: " + collection.to_string();
    }
    const std::string named = "collection " + life->spec.name + " at " + std::to_string(sequence) + ": ";
    const auto state = life->at.find(sequence);
    if (state == life->at.end()) {
        return named + "no write had this sequence number";
    }
    const auto opened = engine::Collection::open(
        {*world_.disk, world_.clock, world_.nobody, world_.logger, world_.metrics},
        std::string(kRestored) + "/collections/" + collection.to_string(), life->spec, world_.options);
    if (!opened) {
        return world_.power.is_off() ? std::string() : named + opened.error().message();
    }
    if ((*opened)->stats().last_sequence != sequence) {
        return named + "it is at " + std::to_string((*opened)->stats().last_sequence);
    }
    Oracle oracle(state->second);
    const std::string wrong = oracle.check(**opened, world_.dice);
    return wrong.empty() || world_.power.is_off() ? std::string() : named + wrong;
}

/// The first sequence number that a backup of the timeline has of it, behind what may be a gap.
std::optional<uint64_t> ObjectJudge::oldest_of(const Uuid& timeline, const Life& life) {
    backup::Repository repository(world_.objects(), world_.clock);
    std::optional<uint64_t> oldest;
    for (const Uuid& id : backups()) {
        const Result<BackupManifest> manifest = repository.read_manifest(id);
        if (!manifest || manifest->timeline != timeline ||
            world_.store.returned().contains(manifest_key(id))) {
            continue;
        }
        for (const BackedUpCollection& one : manifest->collections) {
            if (one.id == life.spec.id && one.sequence >= life.gap) {
                oldest = std::min(oldest.value_or(UINT64_MAX), one.sequence);
            }
        }
    }
    return oldest;
}

std::string ObjectJudge::judge_point(const Uuid& timeline, Dice& dice) {
    Life& life = lives_[dice.below(lives_.size())];
    const auto archived = life.archived.find(timeline);
    const std::optional<uint64_t> oldest = oldest_of(timeline, life);
    if (life.is_gone || archived == life.archived.end() || !oldest || *oldest > archived->second) {
        return {};
    }
    auto wanted = life.at.lower_bound(*oldest);
    const auto count = std::distance(wanted, life.at.upper_bound(archived->second));
    std::advance(wanted, static_cast<std::ptrdiff_t>(dice.below(static_cast<uint64_t>(count))));
    const bool is_newest = dice.one_in(3);
    const backup::PointRequest request{
        .point = is_newest ? RestorePoint{} : RestorePoint{RestorePoint::Kind::kSequence, wanted->first},
        .collection = life.spec.id.to_string(),
        .timeline = timeline};
    const std::string what = "collection " + life.spec.name +
                             (is_newest ? ", newest" : " at " + std::to_string(wanted->first)) +
                             ", archived to " + std::to_string(archived->second);
    backup::Repository repository(world_.objects(), world_.clock);
    const Result<BackupManifest> base = backup::choose_base(repository, request);
    if (!base) {
        return refusal(what + " has no backup to begin with", base.error(), is_damaged_);
    }
    const auto restored = backup::restore(*world_.disk, repository,
                                          {.backup = base->id,
                                           .data = kRestored,
                                           .collection = request.collection,
                                           .as = "again",
                                           .point = request.point});
    if (!restored) {
        clear();
        return refusal(what + " cannot be restored", restored.error(), is_excused(base->id));
    }
    const uint64_t reached = restored->reached.front().sequence;
    std::string wrong = is_newest && reached < archived->second
                            ? "it ends at " + std::to_string(reached)
                            : compare(life.spec.id, is_newest ? reached : wanted->first);
    clear();
    ++counts_.restored;
    ++counts_.points;
    return wrong.empty() ? wrong : what + ", restored: " + wrong;
}

Result<catalog::TierRow> ObjectJudge::row_of(ObjectServer& server, const Life& life) {
    AKIDB_TRY(const std::vector<catalog::TierRow> rows, server.tier_store().list_rows());
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const catalog::TierRow& one) {
        return one.collection == life.spec.id;
    });
    return row == rows.end() ? Result<catalog::TierRow>(Error(Code::kNotFound, "it has no tier"))
                             : Result<catalog::TierRow>(*row);
}

std::string ObjectJudge::judge_copy(ObjectServer& server, const Life& life) {
    const std::optional<service::DirectoryEntry> entry = server.directory().find_by_id(life.spec.id);
    const Result<catalog::TierRow> row = row_of(server, life);
    if (!entry || !row || row->copied_version == 0) {
        return {};
    }
    const std::string what = "collection " + life.spec.name + " counts as uploaded, and ";
    backup::CollectionCopy copy(world_.objects(), row->copy);
    const Result<BackedUpCollection> there = copy.read(row->copied_version);
    if (!there) {
        return what + there.error().message();
    }
    for (const BackupFile& file : there->files) {
        std::string bytes;
        const Result<void> read = copy.open(file)->read_at(0, file.bytes, bytes);
        if (!read) {
            return what + file.name + ": " + read.error().message();
        }
        if (objects::sha256_hex(bytes) != file.sha256) {
            return what + file.name + " is not what its hash says";
        }
    }
    return {};
}

std::string ObjectJudge::judge_erased(ObjectServer& server, const Life& life) {
    const Result<catalog::TierRow> row = row_of(server, life);
    if (!row) {
        return {};
    }
    const Result<BackedUpCollection> there =
        backup::CollectionCopy(world_.objects(), row->copy).read(row->copied_version);
    if (!there) {
        return "an erased copy: " + there.error().message();
    }
    const std::string prefix = row->copy.to_string() + "/blobs/";
    for (const std::string& key : world_.store.keys(prefix)) {
        const bool is_named = std::any_of(there->files.begin(), there->files.end(),
                                          [&](const auto& file) { return key == prefix + file.sha256; });
        if (!is_named && !world_.store.returned().contains(key)) {
            return "after an erasure the store still has " + key;
        }
    }
    return {};
}

}  // namespace akidb::sim
