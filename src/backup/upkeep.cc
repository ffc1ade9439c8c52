#include "backup/upkeep.h"

#include <algorithm>
#include <map>
#include <set>

#include "backup/point.h"
#include "model/moment.h"

namespace akidb::backup {
namespace {

constexpr uint64_t kDayMs = uint64_t{24} * 3600 * 1000;
constexpr uint64_t kClockFaultMs = uint64_t{3600} * 1000;  // as service::ScheduledBackups has it

struct NamedBlob {
    const BackupFile* file;
    std::string where;
};

/// But for those of collections in `but`.
std::vector<NamedBlob> blobs_of(const BackupManifest& manifest, const std::set<Uuid>& but = {}) {
    static const std::vector<BackupFile> kNone;
    std::vector<NamedBlob> blobs{{&manifest.catalog, "the catalog"}};
    for (const BackedUpCollection& collection : manifest.collections) {
        for (const BackupFile& file : but.contains(collection.id) ? kNone : collection.files) {
            blobs.push_back({&file, file.name + " of collection " + collection.name});
        }
    }
    return blobs;
}

bool is_fault(const Error& error) {
    return error.code() == Code::kNotFound || error.code() == Code::kDataLoss;
}

/// Whatever is known to be there from elsewhere must be in the list.
Result<void> check_list(Repository& repository, const std::vector<Uuid>& listed,
                        const std::vector<BackupManifest>& manifests) {
    AKIDB_TRY(const std::optional<Uuid> latest, repository.latest());
    std::set<Uuid> known;
    if (latest) {
        known.insert(*latest);
    }
    for (const BackupManifest& manifest : manifests) {
        known.insert(manifest.previous);
    }
    known.erase(Uuid{});
    for (const Uuid& id : known) {
        if (std::binary_search(listed.begin(), listed.end(), id)) {
            continue;
        }
        const Result<BackupManifest> hidden = repository.read_manifest(id);
        if (hidden || hidden.error().code() != Code::kNotFound) {
            return Error(Code::kUnavailable, "the list of backups does not show " + id.to_string() +
                                                 ", which is there: nothing is removed by such a list");
        }
    }
    return {};
}

/// What is archived of the log behind one backup.
class ArchiveCheck {
  public:
    /// Adds to `unreadable` what only pieces with a key that is gone hold.
    ArchiveCheck(Repository& repository, const BackupManifest& manifest, VerifyDepth depth,
                 std::set<Uuid>& unreadable, VerifyReport& report)
        : repository_(repository),
          archive_(repository.store(), manifest.timeline),
          manifest_(manifest),
          depth_(depth),
          unreadable_(unreadable),
          report_(report) {}

    Result<void> run() {
        const Result<std::optional<ArchiveHead>> head = archive_.read_head();
        if (!head && !is_fault(head.error())) {
            return head.error();
        }
        if (!head) {
            report_.faults.push_back("the archived log: " + head.error().message());
        }
        if (!head || !*head) {
            return {};
        }
        const ArchiveHead& reached = **head;
        AKIDB_TRY(check_catalogs(reached.catalog_ms));
        for (const ArchivedCollection& collection : reached.collections) {
            AKIDB_TRY(check(collection));
        }
        return {};
    }

  private:
    Result<void> note(const Result<void>& found) {
        ++report_.pieces;
        if (!found && !is_fault(found.error())) {
            return found.error();
        }
        if (!found) {
            report_.faults.push_back("the archived log: " + found.error().message());
        }
        return {};
    }

    Result<void> check_catalogs(uint64_t newest_ms) {
        AKIDB_TRY(const std::vector<CatalogCopy> copies, archive_.list_catalogs());
        for (uint64_t at_ms = newest_ms; at_ms > manifest_.created_ms;) {
            const auto found = std::find_if(copies.begin(), copies.end(),
                                            [&](const CatalogCopy& copy) { return copy.unix_ms == at_ms; });
            if (found == copies.end()) {
                return note(Error(Code::kNotFound,
                                  "the copy of the catalog of " + model::rfc3339(at_ms) + " is missing"));
            }
            if (depth_ == VerifyDepth::kBytes) {
                AKIDB_TRY(
                    note(archive_.read_catalog(*found, [](std::string_view) { return Result<void>(); })));
            }
            at_ms = found->previous_ms;
        }
        return {};
    }

    Result<void> check(const ArchivedCollection& archived) {
        const auto files =
            std::find_if(manifest_.collections.begin(), manifest_.collections.end(),
                         [&](const BackedUpCollection& collection) { return collection.id == archived.id; });
        const bool has_files = files != manifest_.collections.end();
        AKIDB_TRY(std::vector<LogPiece> pieces, archive_.list_pieces(archived.id));
        // What is in no file of the backup came later, was left out of it, or was deleted before.
        const bool is_younger = find_piece(pieces, 1) != nullptr;
        if ((!has_files && !is_younger) || unreadable_.contains(archived.id)) {
            return {};
        }
        const uint64_t have = has_files ? files->sequence : 0;
        AKIDB_TRY(const bool can, keep_readable(repository_, pieces, have));
        if (!can) {
            unreadable_.insert(archived.id);
            return {};
        }
        std::string missed;
        for (uint64_t next = have + 1; next <= archived.last;) {
            const LogPiece* const piece = find_piece(pieces, next);
            if (piece == nullptr) {
                return note(Error(Code::kDataLoss,
                                  "write " + std::to_string(next) + " of collection " +
                                      (has_files ? files->name : archived.id.to_string()) +
                                      " and what follows it are missing: points in time after it cannot be "
                                      "restored from this backup"));
            }
            const Result<void> found =
                depth_ == VerifyDepth::kBytes
                    ? archive_.read_piece(archived.id, *piece,
                                          [](const storage::TimedRecord&) { return true; })
                    : archive_.check_piece(archived.id, *piece);
            if (!found && found.error().code() == Code::kNotFound && piece->sha256 != missed) {
                missed = piece->sha256;  // a longer one took its place, perhaps
                AKIDB_TRY(pieces, archive_.list_pieces(archived.id));
                AKIDB_TRY(keep_readable(repository_, pieces, have));
                continue;
            }
            next = piece->last + 1;
            AKIDB_TRY(note(found));
        }
        return {};
    }

    Repository& repository_;
    Archive archive_;
    const BackupManifest& manifest_;
    const VerifyDepth depth_;
    std::set<Uuid>& unreadable_;
    VerifyReport& report_;
};

/// Removes of the archived logs what no kept backup is followed by. What is younger than a day stays: a
/// backup whose manifest arrives late, or that a list did not show, is followed by it.
class ArchivePrune {
  public:
    ArchivePrune(Repository& repository, uint64_t now_ms, PruneReport& report)
        : repository_(repository), young_from_ms_(now_ms - std::min(now_ms, kStrayMs)), report_(report) {}

    /// `kept`: the oldest first.
    Result<void> run(const std::vector<BackupManifest>& kept) {
        std::map<Uuid, const BackupManifest*> oldest;
        for (const BackupManifest& manifest : kept) {
            oldest.emplace(manifest.timeline, &manifest);
        }
        AKIDB_TRY(const std::vector<Uuid> timelines, Archive::list_timelines(repository_.store()));
        for (const Uuid& timeline : timelines) {
            Archive archive(repository_.store(), timeline);
            const auto base = oldest.find(timeline);
            if (base != oldest.end()) {
                AKIDB_TRY(trim(archive, base->second));
                continue;
            }
            // One that has no backup yet may be about to get its first.
            AKIDB_TRY(const std::optional<ArchiveHead> head, archive.read_head());
            if (head && !kept.empty() &&
                head->through_ms < std::min(kept.front().created_ms, young_from_ms_)) {
                AKIDB_TRY(trim(archive, nullptr));
                AKIDB_TRY(archive.remove_head());
            }
        }
        return {};
    }

  private:
    Result<void> trim(Archive& archive, const BackupManifest* base) {
        const uint64_t before_ms = std::min(base == nullptr ? UINT64_MAX : base->created_ms, young_from_ms_);
        AKIDB_TRY(const std::vector<CatalogCopy> copies, archive.list_catalogs());
        for (const CatalogCopy& copy : copies) {
            if (copy.unix_ms < before_ms) {
                AKIDB_TRY(repository_.keep_lock());
                AKIDB_TRY(archive.remove_catalog(copy));
                ++report_.removed_pieces;
            }
        }
        AKIDB_TRY(const std::vector<Uuid> collections, archive.list_collections());
        for (const Uuid& collection : collections) {
            const uint64_t covered = sequence_of(base, collection);
            AKIDB_TRY(const std::vector<LogPiece> pieces, archive.list_pieces(collection));
            for (const LogPiece& piece : pieces) {
                const bool is_covered = covered == 0 || piece.last <= covered;
                const uint64_t old_before_ms = covered == 0 ? before_ms : young_from_ms_;
                if (is_covered && piece.last_ms < old_before_ms) {
                    AKIDB_TRY(repository_.keep_lock());
                    AKIDB_TRY(archive.remove_piece(collection, piece));
                    ++report_.removed_pieces;
                }
            }
        }
        return {};
    }

    /// 0: the backup does not have it.
    static uint64_t sequence_of(const BackupManifest* base, const Uuid& id) {
        if (base == nullptr) {
            return 0;
        }
        const auto found = std::find_if(base->collections.begin(), base->collections.end(),
                                        [&](const BackedUpCollection& each) { return each.id == id; });
        return found == base->collections.end() ? 0 : found->sequence;
    }

    Repository& repository_;
    const uint64_t young_from_ms_;
    PruneReport& report_;
};

class Prune {
  public:
    Prune(Repository& repository, const io::Clock& clock, const Retention& retention)
        : repository_(repository),
          now_ms_(clock.unix_ms()),
          stamp_ms_(clock.stamp_ms()),
          retention_(retention) {}

    Result<PruneReport> run() {
        AKIDB_TRY(const std::vector<Uuid> listed, repository_.list_backups());
        std::vector<BackupManifest> manifests;
        for (const Uuid& id : listed) {
            AKIDB_TRY(BackupManifest manifest, repository_.read_manifest(id));
            manifests.push_back(std::move(manifest));
        }
        AKIDB_TRY(check_list(repository_, listed, manifests));
        AKIDB_TRY(check_clock(manifests));
        std::set<std::string> named;    // by those kept
        std::set<std::string> leaving;  // by those that go
        for (size_t i = 0; i < manifests.size(); ++i) {
            const bool stays = is_kept(manifests[i], manifests.size() - i);
            for (const NamedBlob& blob : blobs_of(manifests[i])) {
                (stays ? named : leaving).insert(blob_name(*blob.file));
            }
            report_.kept += stays ? 1 : 0;
            if (!stays) {
                report_.removed.push_back(manifests[i].id);
            }
        }
        AKIDB_TRY(const std::vector<std::string> unnamed, find_unnamed(named, leaving));
        for (const Uuid& id : report_.removed) {
            AKIDB_TRY(repository_.remove_manifest(id));
        }
        for (const std::string& name : unnamed) {
            AKIDB_TRY(repository_.remove_blob(name));
            ++report_.removed_blobs;
        }
        std::erase_if(manifests, [&](const BackupManifest& manifest) {
            return std::find(report_.removed.begin(), report_.removed.end(), manifest.id) !=
                   report_.removed.end();
        });
        AKIDB_TRY(ArchivePrune(repository_, now_ms_, report_).run(manifests));
        return report_;
    }

  private:
    /// Blobs that may go. What no manifest names is written down, and may when it was for long enough.
    Result<std::vector<std::string>> find_unnamed(const std::set<std::string>& named,
                                                  const std::set<std::string>& leaving) {
        AKIDB_TRY(const auto before, repository_.read_strays());
        std::map<std::string, uint64_t> strays;
        std::vector<std::string> unnamed;
        AKIDB_TRY(repository_.each_blob([&](const std::string& name) -> Result<void> {
            if (named.contains(name)) {
                return {};
            }
            const auto seen = before.find(name);
            const uint64_t since_ms = seen == before.end() ? now_ms_ : seen->second;
            if (leaving.contains(name) || since_ms + kStrayMs <= now_ms_) {
                unnamed.push_back(name);
            } else {
                strays.emplace(name, since_ms);
            }
            return {};
        }));
        report_.waiting_blobs = strays.size();
        if (strays != before) {
            AKIDB_TRY(repository_.put_strays(strays));
        }
        return unnamed;
    }

    /// Backups are in order by when they were made, as the clocks said that made them: behind one of the
    /// future the newest are not last, and would go first.
    Result<void> check_clock(const std::vector<BackupManifest>& manifests) const {
        for (const BackupManifest& manifest : manifests) {
            if (manifest.created_ms > stamp_ms_ + kClockFaultMs) {
                return Error(Code::kConflict,
                             "backup " + manifest.id.to_string() + " was made at " +
                                 model::rfc3339(manifest.created_ms) +
                                 ", which is to come by the clock of this machine: one of the two clocks is "
                                 "wrong, and nothing is pruned by it (docs/operations.md, When the clock "
                                 "jumps)");
            }
        }
        return {};
    }

    /// `position`: 1 for the newest.
    bool is_kept(const BackupManifest& manifest, size_t position) const {
        return position <= std::max<uint64_t>(1, retention_.keep_last) ||
               (retention_.keep_days > 0 && manifest.created_ms + retention_.keep_days * kDayMs > now_ms_);
    }

    Repository& repository_;
    const uint64_t now_ms_;    // ages are counted from here
    const uint64_t stamp_ms_;  // what is made now is labelled so
    const Retention retention_;
    PruneReport report_;
};

}  // namespace

Result<VerifyReport> verify(Repository& repository, const BackupManifest& manifest, VerifyDepth depth) {
    VerifyReport report;
    std::set<Uuid> unreadable;
    for (const BackedUpCollection& collection : manifest.collections) {
        AKIDB_TRY(const bool can, repository.can_read(collection));
        if (!can) {
            unreadable.insert(collection.id);
        }
    }
    std::set<std::string> looked_at;
    for (const NamedBlob& blob : blobs_of(manifest, unreadable)) {
        if (!looked_at.insert(blob_name(*blob.file)).second) {
            continue;
        }
        const Result<void> whole =
            depth == VerifyDepth::kSizes
                ? repository.check_blob(*blob.file)
                : repository.read_blob(*blob.file, [](std::string_view) { return Result<void>(); });
        if (!whole && !is_fault(whole.error())) {
            return whole.error();
        }
        if (!whole) {
            report.faults.push_back(blob.where + ": " + whole.error().message());
        }
        ++report.blobs;
        report.bytes += blob.file->stored_bytes;
    }
    if (manifest.timeline != Uuid{}) {
        AKIDB_TRY(ArchiveCheck(repository, manifest, depth, unreadable, report).run());
    }
    report.unreadable = unreadable.size();
    return report;
}

Result<PruneReport> prune(Repository& repository, const io::Clock& clock, const Uuid& owner,
                          const Retention& retention) {
    AKIDB_TRY(repository.lock(owner));
    Result<PruneReport> report = Prune(repository, clock, retention).run();
    repository.unlock();
    return report;
}

}  // namespace akidb::backup
