#include "backup/point.h"

#include <algorithm>
#include <memory>

#include "base/printable.h"
#include "model/moment.h"
#include "storage/log_writer.h"

namespace akidb::backup {
namespace {

using Kind = RestorePoint::Kind;

constexpr uint64_t kAppendBytes = 4 << 20;  // so much for a sync

std::string text_of(const PointRange& range) {
    return model::rfc3339(range.from_ms) + " to " + model::rfc3339(range.through_ms) + " of timeline " +
           range.timeline.to_string();
}

std::string records(uint64_t first, uint64_t last) {
    return first == last ? "write " + std::to_string(first)
                         : "writes " + std::to_string(first) + " to " + std::to_string(last);
}

Result<std::vector<BackupManifest>> read_all(Repository& repository) {
    AKIDB_TRY(const std::vector<Uuid> ids, repository.list_backups());
    std::vector<BackupManifest> manifests;
    for (const Uuid& id : ids) {
        AKIDB_TRY(BackupManifest manifest, repository.read_manifest(id));
        manifests.push_back(std::move(manifest));
    }
    return manifests;
}

const BackedUpCollection* find(const BackupManifest& manifest, const std::string& named) {
    const auto found = std::find_if(manifest.collections.begin(), manifest.collections.end(),
                                    [&](const BackedUpCollection& collection) {
                                        return collection.name == named || collection.id.to_string() == named;
                                    });
    return found == manifest.collections.end() ? nullptr : &*found;
}

Error without_archive(const BackupManifest& manifest) {
    return Error(Code::kNotFound, "backup " + manifest.id.to_string() +
                                      " was made by a server that archived no log: there are no points in "
                                      "time after it, only the backup itself");
}

class BaseChoice {
  public:
    BaseChoice(Repository& repository, const PointRequest& request)
        : repository_(repository), request_(request) {}

    Result<BackupManifest> choose() {
        if (request_.backup) {
            AKIDB_TRY(BackupManifest named, repository_.read_manifest(*request_.backup));
            if (named.timeline == Uuid{}) {
                return without_archive(named);
            }
            return will_do(named) ? Result<BackupManifest>(std::move(named))
                                  : Error(Code::kNotFound, "backup " + named.id.to_string() +
                                                               " is of after the point that was asked for");
        }
        AKIDB_TRY(std::vector<BackupManifest> manifests, read_all(repository_));
        if (manifests.empty()) {
            return Error(Code::kNotFound, "there is no complete backup there");
        }
        std::optional<Uuid> timeline = request_.timeline;
        if (request_.point.kind == Kind::kSequence && !timeline) {
            timeline = newest_with_collection(manifests).timeline;  // sequence numbers are a timeline's own
        }
        // A collection that was deleted is in older ones only; one that is too young in none.
        for (const bool must_have :
             {request_.point.kind != Kind::kTime && !request_.collection.empty(), false}) {
            for (auto one = manifests.rbegin(); one != manifests.rend(); ++one) {
                const bool is_followed = !timeline || one->timeline == *timeline;
                const bool has = !must_have || find(*one, request_.collection) != nullptr;
                if (is_followed && has && one->timeline != Uuid{} && will_do(*one)) {
                    return std::move(*one);
                }
            }
        }
        return nothing(manifests);
    }

  private:
    bool will_do(const BackupManifest& manifest) const {
        if (request_.point.kind == Kind::kTime) {
            return manifest.pinned_ms <= request_.point.value;
        }
        const BackedUpCollection* const one = find(manifest, request_.collection);
        return request_.point.kind == Kind::kLatest || one == nullptr ||
               one->sequence <= request_.point.value;
    }

    const BackupManifest& newest_with_collection(const std::vector<BackupManifest>& manifests) const {
        for (auto one = manifests.rbegin(); one != manifests.rend(); ++one) {
            if (find(*one, request_.collection) != nullptr) {
                return *one;
            }
        }
        return manifests.back();
    }

    Result<BackupManifest> nothing(const std::vector<BackupManifest>& manifests) const {
        AKIDB_TRY(const std::vector<PointRange> ranges, list_points(repository_, manifests));
        if (ranges.empty()) {
            return without_archive(manifests.back());
        }
        std::string text;
        for (const PointRange& range : ranges) {
            text += (text.empty() ? "" : ", ") + text_of(range);
        }
        if (request_.point.kind == Kind::kSequence) {
            return Error(Code::kNotFound, "no backup of collection " + printable(request_.collection) +
                                              " is of sequence number " +
                                              std::to_string(request_.point.value) +
                                              " or before; points in time that there are: " + text);
        }
        return Error(Code::kNotFound,
                     "no backup is of that point or before; points in time that there are: " + text);
    }

    Repository& repository_;
    const PointRequest& request_;
};

}  // namespace

Result<BackupManifest> choose_base(Repository& repository, const PointRequest& request) {
    return BaseChoice(repository, request).choose();
}

Result<std::vector<PointRange>> list_points(Repository& repository,
                                            const std::vector<BackupManifest>& manifests) {
    std::vector<PointRange> ranges;
    for (const BackupManifest& manifest : manifests) {
        const auto known = std::find_if(ranges.begin(), ranges.end(), [&](const PointRange& range) {
            return range.timeline == manifest.timeline;
        });
        if (manifest.timeline == Uuid{} || known != ranges.end()) {
            continue;
        }
        AKIDB_TRY(const std::optional<ArchiveHead> head,
                  Archive(repository.store(), manifest.timeline).read_head());
        if (head && head->through_ms >= manifest.pinned_ms) {
            ranges.push_back({manifest.timeline, manifest.pinned_ms, head->through_ms});
        }
    }
    return ranges;
}

Result<std::vector<std::optional<CatalogCopy>>> catalogs_at(Archive& archive, const BackupManifest& base,
                                                            const std::optional<ArchiveHead>& head,
                                                            const RestorePoint& point, bool is_of_one) {
    AKIDB_TRY(const std::vector<CatalogCopy> copies, archive.list_catalogs());
    std::vector<std::optional<CatalogCopy>> wanted;
    const uint64_t up_to = point.kind == Kind::kTime ? point.value : UINT64_MAX;
    if (is_of_one) {
        const auto later = std::find_if(copies.begin(), copies.end(),
                                        [&](const CatalogCopy& copy) { return copy.unix_ms > up_to; });
        wanted.assign(std::make_reverse_iterator(later), copies.crend());
        wanted.emplace_back(std::nullopt);
        wanted.insert(wanted.end(), later, copies.end());
        return wanted;
    }
    // Each names the one before, so that one that is missing is missed.
    const uint64_t newest = copies.empty() ? 0 : copies.back().unix_ms;
    uint64_t wanted_ms = std::max(head ? head->catalog_ms : 0, newest);
    while (wanted_ms > base.created_ms) {
        const auto found = std::find_if(copies.begin(), copies.end(),
                                        [&](const CatalogCopy& copy) { return copy.unix_ms == wanted_ms; });
        if (found == copies.end()) {
            return Error(Code::kNotFound, "the copy of the catalog of " + model::rfc3339(wanted_ms) +
                                              " is missing in the archive of timeline " +
                                              archive.timeline().to_string());
        }
        if (found->unix_ms <= up_to) {
            wanted.emplace_back(*found);
            return wanted;
        }
        wanted_ms = found->previous_ms;
    }
    wanted.emplace_back(std::nullopt);
    return wanted;
}

const LogPiece* find_piece(const std::vector<LogPiece>& pieces, uint64_t next) {
    const LogPiece* best = nullptr;
    for (const LogPiece& piece : pieces) {
        if (piece.first <= next && next <= piece.last && (best == nullptr || piece.last > best->last)) {
            best = &piece;
        }
    }
    return best;
}

Result<bool> keep_readable(const Repository& repository, std::vector<LogPiece>& pieces, uint64_t have) {
    std::vector<LogPiece> readable;
    uint64_t lost_last = 0;
    for (LogPiece& piece : pieces) {
        Result<bool> can = repository.can_read(piece.key);
        if (!can) {
            return std::move(can).error().with_context("writes in the archived log");
        }
        if (*can) {
            readable.push_back(std::move(piece));
        } else {
            lost_last = std::max(lost_last, piece.last);
        }
    }
    pieces = std::move(readable);
    uint64_t next = have + 1;
    while (const LogPiece* const piece = find_piece(pieces, next)) {
        next = piece->last + 1;
    }
    return lost_last < next;
}

/// Gathers records and appends them, a few MiB a sync.
class Replay::Appending {
  public:
    Appending(io::FileSystem& files, std::string directory, Uuid collection, uint64_t have)
        : files_(files), directory_(std::move(directory)), collection_(collection), reached_(have) {}

    uint64_t reached() const { return reached_; }
    uint64_t reached_ms() const { return reached_ms_; }

    Result<void> add(const storage::TimedRecord& record) {
        group_.push_back({record.type, std::string(record.body)});
        bytes_ += record.body.size();
        reached_ = record.sequence;
        reached_ms_ = std::max(reached_ms_, record.unix_ms);
        return bytes_ >= kAppendBytes ? flush() : Result<void>();
    }

    /// Durable, and as a server that stops in order leaves it.
    Result<void> finish() {
        AKIDB_TRY(flush());
        return writer_ == nullptr ? Result<void>() : writer_->close_cleanly();
    }

  private:
    Result<void> flush() {
        if (group_.empty()) {
            return {};
        }
        if (writer_ == nullptr) {
            AKIDB_TRY(writer_, storage::LogWriter::open(files_, directory_, collection_,
                                                        reached_ - group_.size() + 1, {}));
        }
        AKIDB_TRY(writer_->append_group(group_, reached_ms_));
        group_.clear();
        bytes_ = 0;
        return {};
    }

    io::FileSystem& files_;
    const std::string directory_;
    const Uuid collection_;
    uint64_t reached_;
    uint64_t reached_ms_ = 0;
    std::vector<storage::LogRecord> group_;
    uint64_t bytes_ = 0;
    std::unique_ptr<storage::LogWriter> writer_;
};

Result<bool> Replay::look_at(const ReplayedCollection& collection) {
    AKIDB_TRY(pieces_, archive_.list_pieces(collection.id));
    Result<bool> can = keep_readable(repository_, pieces_, collection.have);
    return can ? can : std::move(can).error().with_context("collection " + collection.name);
}

Result<uint64_t> Replay::run(const ReplayedCollection& collection, const std::string& log_directory) {
    Appending log(files_, log_directory, collection.id, collection.have);
    AKIDB_TRY(const bool is_there, read(collection, log));
    if (!is_there) {
        AKIDB_TRY(expect_whole(collection, log.reached(), log.reached_ms()));
    }
    AKIDB_TRY(log.finish());
    writes_ += log.reached() - collection.have;
    return log.reached();
}

/// True: the point was met; false: there is nothing more. A piece that is gone gave way to a longer one, if a
/// server archives meanwhile.
Result<bool> Replay::read(const ReplayedCollection& collection, Appending& log) {
    std::string missed;
    bool is_met = point_.kind == Kind::kSequence && log.reached() >= point_.value;
    while (!is_met) {
        const LogPiece* const piece = find_piece(pieces_, log.reached() + 1);
        if (piece == nullptr) {
            return false;
        }
        if (stop_.stop_requested()) {
            return Error(Code::kUnavailable, "the restore was stopped");
        }
        Result<void> read = archive_.read_piece(
            collection.id, *piece, [&](const storage::TimedRecord& record) -> Result<bool> {
                if (record.sequence <= log.reached()) {
                    return true;
                }
                is_met = point_.kind == Kind::kTime && record.unix_ms > point_.value;
                if (is_met) {
                    return false;
                }
                AKIDB_TRY(log.add(record));
                is_met = point_.kind == Kind::kSequence && record.sequence >= point_.value;
                return !is_met;
            });
        if (!read && read.error().code() == Code::kNotFound && piece->sha256 != missed) {
            missed = piece->sha256;
            AKIDB_TRY(look_at(collection));  // what is lost is missed below
        } else if (!read) {
            return std::move(read).error().with_context("collection " + collection.name);
        }
    }
    return true;
}

/// The pieces are at their end; is that the end of what was archived, and does it reach the point?
Result<void> Replay::expect_whole(const ReplayedCollection& collection, uint64_t reached,
                                  uint64_t reached_ms) const {
    const ArchivedCollection* const entry = head_ ? head_->find(collection.id) : nullptr;
    uint64_t known = entry == nullptr ? 0 : entry->last;  // up to which something was archived
    uint64_t next = 0;                                    // where it goes on behind a gap
    for (const LogPiece& piece : pieces_) {
        known = std::max(known, piece.last);
        next = piece.first > reached && (next == 0 || piece.first < next) ? piece.first : next;
    }
    const std::string of = " of collection " + collection.name;
    const std::string range = "; it can be restored up to " + records(reached, reached) +
                              (reached_ms > 0 ? ", of " + model::rfc3339(reached_ms) : std::string());
    if (known > reached) {
        return Error(Code::kDataLoss, records(reached + 1, next > 0 ? next - 1 : known) + of +
                                          " are missing in the archive of timeline " +
                                          archive_.timeline().to_string() + range);
    }
    if (point_.kind == Kind::kSequence) {
        return Error(Code::kNotFound, "the archive of timeline " + archive_.timeline().to_string() +
                                          " does not reach " + records(point_.value, point_.value) + of +
                                          range);
    }
    const uint64_t through_ms = entry == nullptr ? 0 : entry->through_ms;
    if (point_.kind == Kind::kTime && point_.value > through_ms) {
        return Error(Code::kNotFound, "the archive of timeline " + archive_.timeline().to_string() +
                                          " reaches " +
                                          (through_ms > 0 ? model::rfc3339(through_ms) : "no known moment") +
                                          of + ", and not " + model::rfc3339(point_.value));
    }
    return {};
}

}  // namespace akidb::backup
