// One round of the LogArchiver: what was written since the last one, to where the backups lie.
#include <algorithm>
#include <set>

#include "io/random.h"
#include "objects/sha256.h"
#include "service/local_timeline.h"
#include "service/log_archiver.h"
#include "service/tiers.h"
#include "storage/layout.h"

namespace akidb::service {
namespace {

using backup::Archive;
using telemetry::MetricId;

// A tail is sent again with each round until it has so many: a few hundred objects a day, and little twice.
constexpr uint64_t kSealedBytes = 1 << 20;
constexpr uint64_t kPieceBytes = 8 << 20;
// A catalog that takes long to copy is copied less often while the collections are the same: it takes a
// hundredth of the time, and what it has of users and keys is not much older than that of documents.
constexpr uint64_t kCatalogShare = 100;
constexpr uint64_t kCatalogPauseUsMax = 30'000'000;
// In the head, deleted ones among them: a few MiB.
constexpr size_t kCollectionsMax = 200'000;

}  // namespace

/// One look at everything.
class LogArchiver::Round {
  public:
    Round(LogArchiver& owner, std::stop_token stop)
        : owner_(owner), given_(owner.given_), stop_(std::move(stop)) {}

    Result<void> run() {
        if (given_.tenant_keys != nullptr) {
            AKIDB_TRY(given_.tenant_keys->load(backup::TargetUse::kWrite));
        }
        AKIDB_TRY(const auto target, given_.open_target(owner_.plan_.to, backup::TargetUse::kWrite));
        AKIDB_TRY(settle(target->store()));
        Archive archive(target->store(), owner_.timeline());
        const uint64_t began_ms = given_.doors.clock.stamp_ms();
        AKIDB_TRY(copy_catalog(archive));
        Result<void> done;
        for (const DirectoryEntry& entry : given_.directory.list_all()) {
            if (stop_.stop_requested()) {
                return Error(Code::kUnavailable, "the server is stopping");
            }
            Result<void> followed;
            if (entry.condition == Condition::kAsleep) {
                followed = follow_sleeper(archive, entry, began_ms);
            } else if (entry.condition == Condition::kServing) {
                followed = follow(archive, entry);
            }
            if (!followed && done) {
                done = std::move(followed).error().with_context("collection " + entry.spec.name);
            }
        }
        if (done) {
            MutexLock lock(owner_.mutex_);
            owner_.through_ms_ = began_ms;
        }
        AKIDB_TRY(put_head(archive));
        return done;
    }

  private:
    /// The timeline of before goes on when this directory holds all that is archived of it, and is the one
    /// that archived it.
    Result<void> settle(objects::ObjectStore& store) {
        if (owner_.timeline() != Uuid{}) {
            return {};
        }
        const std::string path = given_.data + "/" + kTimelineName;
        const Result<std::string> text = io::read_whole_file(given_.doors.files, path, kTimelineBytesMax);
        if (!text && text.error().code() != Code::kNotFound) {
            return text.error();
        }
        const std::optional<LocalTimeline> local = text ? parse_timeline(*text) : std::nullopt;
        std::string why = text ? "the data directory was copied" : "";
        if (local && local->owner == given_.owner) {
            const auto head = Archive(store, local->id).read_head();
            if (!head && head.error().code() != Code::kDataLoss) {
                return head.error();
            }
            why = head ? find_rollback(*head) : head.error().message();
            if (why.empty()) {
                return take(local->id, head ? *head : std::nullopt);
            }
        }
        const Uuid fresh = io::make_uuid(given_.doors.random, given_.doors.clock);
        AKIDB_TRY(io::write_file_atomically(given_.doors.files, given_.data, kTimelineName,
                                            encode_timeline({fresh, given_.owner})));
        given_.logger.log(LogLevel::kInfo, "a new timeline begins",
                          {{"timeline", fresh.to_string()}, {"why", why.empty() ? "the first" : why}});
        want_backup();
        return take(fresh, std::nullopt);
    }

    std::string find_rollback(const std::optional<backup::ArchiveHead>& head) const {
        for (const DirectoryEntry& entry : given_.directory.list_all()) {
            const auto* const archived = head ? head->find(entry.spec.id) : nullptr;
            const std::optional<uint64_t> here = entry.condition == Condition::kServing
                                                     ? entry.collection->stats().opened_sequence
                                                     : sequence_of_sleeper(entry);
            if (archived != nullptr && here && *here < archived->last) {
                return "the data directory is of before what is archived of collection " + entry.spec.name;
            }
        }
        return {};
    }

    std::optional<uint64_t> sequence_of_sleeper(const DirectoryEntry& entry) const {
        return owner_.tiers_ ? owner_.tiers_->sequence_of_sleeper(entry.spec.id) : std::nullopt;
    }

    Result<void> take(const Uuid& timeline, const std::optional<backup::ArchiveHead>& head) {
        for (const auto& entry : head ? head->collections : std::vector<backup::ArchivedCollection>()) {
            owner_.collections_[entry.id] = {
                .is_begun = true, .last = entry.last, .through_ms = entry.through_ms};
        }
        owner_.catalog_ms_ = head ? head->catalog_ms : 0;
        MutexLock lock(owner_.mutex_);
        owner_.timeline_ = timeline;
        owner_.through_ms_ = head && head->through_ms > 0 ? head->through_ms : owner_.through_ms_;
        return {};
    }

    void want_backup() {
        const uint64_t now_ms = given_.doors.clock.stamp_ms();
        MutexLock lock(owner_.mutex_);
        owner_.wants_backup_since_ms_ = now_ms;
    }

    Result<void> copy_catalog(Archive& archive) {
        const uint64_t began_us = given_.doors.clock.monotonic_us();
        std::set<Uuid> there;
        for (const DirectoryEntry& entry : given_.directory.list_all()) {
            there.insert(entry.spec.id);
        }
        if (began_us < owner_.catalog_not_before_us_ && there == owner_.catalog_has_) {
            return {};
        }
        const std::string name = "archive-" + archive.timeline().to_string() + ".db";
        const std::string path = given_.data + "/staging/" + name;
        const auto discard = [&] {
            const Result<void> removed = given_.doors.files.remove(path);
            return removed || removed.error().code() == Code::kNotFound ? Result<void>() : removed;
        };
        AKIDB_TRY(discard());
        AKIDB_TRY(given_.catalog.copy_to(path));
        const Result<void> put = put_catalog(archive, path);
        AKIDB_TRY(discard());
        AKIDB_TRY(Result<void>(put));
        const uint64_t now_us = given_.doors.clock.monotonic_us();
        owner_.catalog_not_before_us_ =
            now_us + std::min((now_us - began_us) * kCatalogShare, kCatalogPauseUsMax);
        owner_.catalog_has_ = std::move(there);
        return {};
    }

    Result<void> put_catalog(Archive& archive, const std::string& path) {
        AKIDB_TRY(const auto file, given_.doors.files.open_read(path));
        AKIDB_TRY(std::string sha256, objects::sha256_of_file(*file, file->size()));
        if (sha256 == owner_.catalog_sha256_) {
            return {};
        }
        // After the copy, so nothing in it is younger; and later than the one before, whatever the clock
        // says.
        const backup::CatalogCopy copy{
            .unix_ms = std::max(given_.doors.clock.stamp_ms(), owner_.catalog_ms_ + 1),
            .previous_ms = owner_.catalog_ms_,
            .sha256 = sha256};
        AKIDB_TRY(archive.put_catalog(copy, *file));
        count_sent(file->size());
        owner_.catalog_ms_ = copy.unix_ms;
        owner_.catalog_sha256_ = std::move(sha256);
        return {};
    }

    /// What was archived with a key that is gone is so, too: only a new backup makes points restorable again.
    Result<void> settle_key(const DirectoryEntry& entry, Progress& progress) {
        if (given_.tenant_keys == nullptr) {
            return {};
        }
        AKIDB_TRY(const backup::TenantKeys::Current current, given_.tenant_keys->key_of(entry.tenant));
        if (current.is_new) {
            with_new_key_.insert(entry.tenant);
        }
        // After a start it is not known which key was used; that there was none here says that it is gone.
        const bool is_lost =
            progress.key.empty()
                ? with_new_key_.contains(entry.tenant)
                : progress.key != current.id && !given_.tenant_keys->keyring().find(progress.key).has_value();
        if (progress.is_begun && is_lost) {
            given_.logger.log(
                LogLevel::kWarning,
                "a tenant has a new key: if it had another, points of before cannot be restored",
                {{"collection", entry.spec.name}, {"tenant", entry.tenant.to_string()}});
            want_backup();
        }
        progress.key = current.id;
        return {};
    }

    void count_sent(uint64_t bytes) const {
        given_.metrics.counter(MetricId::kLogArchiveBytes).add(static_cast<double>(bytes));
    }

    Result<void> follow(Archive& archive, const DirectoryEntry& entry) {
        AKIDB_TRY(const engine::LogReach reach, entry.collection->reach_log());
        Progress& progress = owner_.collections_[entry.spec.id];
        AKIDB_TRY(settle_key(entry, progress));
        if (reach.sequence > progress.last) {
            AKIDB_TRY(copy_log(archive, entry, progress, reach.sequence, [&](const auto& range, auto visit) {
                return entry.collection->read_log(range, visit);
            }));
        }
        progress.is_begun = true;
        progress.through_ms = std::max(progress.through_ms, reach.unix_ms);
        entry.collection->release_log(progress.tail ? progress.tail->first - 1 : progress.last);
        return {};
    }

    /// What of it lies here still: nothing once the local files went.
    Result<void> read_log_of_sleeper(const Uuid& id, const storage::LogRange& range,
                                     storage::VisitTimed visit) const {
        const std::string log =
            given_.data + "/collections/" + id.to_string() + "/" + std::string(storage::kLogDirectory);
        Result<void> read = storage::read_excerpt(given_.doors.files, log, id, range, visit);
        const bool is_gone = !read && read.error().code() == Code::kNotFound;
        return is_gone ? Result<void>() : read;
    }

    /// Nothing is written to it: once what it has is archived, nothing is owed.
    Result<void> follow_sleeper(Archive& archive, const DirectoryEntry& entry, uint64_t now_ms) {
        const Uuid& id = entry.spec.id;
        const auto sequence = sequence_of_sleeper(entry);
        if (!sequence) {
            return {};
        }
        Progress& progress = owner_.collections_[id];
        AKIDB_TRY(settle_key(entry, progress));
        if (!progress.is_begun) {
            want_backup();  // what was written since the last one may have left the log unseen
        }
        if (*sequence > progress.last) {
            AKIDB_TRY(copy_log(archive, entry, progress, *sequence, [&](const auto& range, auto visit) {
                return read_log_of_sleeper(id, range, visit);
            }));
        }
        progress.is_begun = true;
        progress.through_ms = std::max(progress.through_ms, now_ms);
        return {};
    }

    using ReadLog = FunctionRef<Result<void>(const storage::LogRange& range, storage::VisitTimed visit)>;

    Result<void> copy_log(Archive& archive, const DirectoryEntry& entry, Progress& progress, uint64_t to,
                          ReadLog read_log) {
        const uint64_t from = progress.tail ? progress.tail->first : progress.last + 1;
        backup::LogPieceWriter piece(entry.spec.id);
        bool has_begun = false;
        const auto take = [&](const storage::TimedRecord& record) -> Result<bool> {
            if (!has_begun && record.sequence > progress.last + 1) {
                note_gap(entry, progress, record.sequence);
            }
            has_begun = true;
            piece.add(record);
            if (piece.bytes() < kPieceBytes) {
                return true;
            }
            if (stop_.stop_requested()) {
                return Error(Code::kUnavailable, "the server is stopping");
            }
            AKIDB_TRY(put(archive, entry.spec.id, progress, piece));
            return true;
        };
        AKIDB_TRY(read_log({from, to}, take));
        if (!piece.is_empty()) {
            AKIDB_TRY(put(archive, entry.spec.id, progress, piece));
        }
        if (!has_begun) {  // all of it went before it was copied
            note_gap(entry, progress, to + 1);
            progress.last = to;
            progress.tail.reset();
        }
        return {};
    }

    /// Where the archive of a collection begins is none.
    void note_gap(const DirectoryEntry& entry, const Progress& progress, uint64_t next) {
        if (!progress.is_begun) {
            return;
        }
        given_.metrics.counter(MetricId::kLogArchiveGaps).add();
        given_.logger.log(LogLevel::kError,
                          "writes left the log before they were archived: no point between them and the next "
                          "backup can be restored",
                          {{"collection", entry.spec.name},
                           {"first", std::to_string(progress.last + 1)},
                           {"last", std::to_string(next - 1)}});
        want_backup();
    }

    Result<void> put(Archive& archive, const Uuid& collection, Progress& progress,
                     backup::LogPieceWriter& writer) {
        backup::LogPieceWriter::Made made = writer.finish();
        made.piece.key = progress.key;
        const backup::LogPiece piece = made.piece;
        const uint64_t bytes = made.bytes.size();
        AKIDB_TRY(archive.put_piece(collection, std::move(made)));
        count_sent(bytes);
        const std::optional<backup::LogPiece> before = std::move(progress.tail);
        progress.last = piece.last;
        progress.tail = bytes < kSealedBytes ? std::optional(piece) : std::nullopt;
        if (before && before->first == piece.first &&
            (before->sha256 != piece.sha256 || before->key != piece.key)) {
            // What stays is only superfluous, and goes with a prune.
            static_cast<void>(archive.remove_piece(collection, *before).has_value());
        }
        return {};
    }

    Result<void> put_head(Archive& archive) {
        backup::ArchiveHead head{.catalog_ms = owner_.catalog_ms_};
        {
            MutexLock lock(owner_.mutex_);
            head.through_ms = owner_.through_ms_;
        }
        auto& all = owner_.collections_;
        while (all.size() > kCollectionsMax) {  // those deleted longest ago go
            all.erase(std::min_element(all.begin(), all.end(), [](const auto& one, const auto& other) {
                return one.second.through_ms < other.second.through_ms;
            }));
        }
        for (const auto& [id, progress] : owner_.collections_) {
            head.collections.push_back({id, progress.last, progress.through_ms});
        }
        return archive.put_head(head);
    }

    LogArchiver& owner_;
    const Dependencies& given_;
    const std::stop_token stop_;
    std::set<Uuid> with_new_key_;  // tenants that had none when this began
};

Result<void> LogArchiver::run_round(const std::stop_token& stop) {
    return Round(*this, stop).run();
}

}  // namespace akidb::service
