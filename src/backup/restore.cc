#include "backup/restore.h"

#include <algorithm>

#include "base/printable.h"
#include "catalog/catalog.h"
#include "catalog/tier_store.h"
#include "model/moment.h"
#include "storage/durable_files.h"
#include "storage/layout.h"

namespace akidb::backup {
namespace {

constexpr const char* kCollections = "collections";
constexpr uint64_t kZeroPieceBytes = 1 << 20;

class Restoring {
  public:
    Restoring(io::FileSystem& files, Repository& repository, const RestoreRequest& request)
        : files_(files), repository_(repository), request_(request) {
        const size_t slash = request.data.find_last_of('/');
        parent_ = slash == std::string::npos ? "." : slash == 0 ? "/" : request.data.substr(0, slash);
        staging_name_ = request.data.substr(slash == std::string::npos ? 0 : slash + 1) + ".restoring-" +
                        request.backup.to_string();
        staging_ = (parent_ == "/" ? "" : parent_) + "/" + staging_name_;
    }

    Result<RestoreReport> run() {
        AKIDB_TRY(BackupManifest manifest, repository_.read_manifest(request_.backup));
        if (!request_.point) {
            AKIDB_TRY(choose(manifest));
        }
        AKIDB_TRY(expect_nothing_at(request_.data));
        // What an earlier one left that was killed.
        AKIDB_TRY(io::remove_tree(files_, parent_, staging_name_));
        Result<void> done = request_.point ? fill_to_point(manifest) : fill(manifest);
        if (done && request_.hand_over) {
            done = request_.hand_over(staging_);
        }
        if (done) {
            done = switch_over();
        }
        if (!done) {
            static_cast<void>(io::remove_tree(files_, parent_, staging_name_).has_value());
            return std::move(done).error();
        }
        return report_;
    }

  private:
    Result<void> expect_nothing_at(const std::string& path) {
        const auto there = files_.list(path);
        if (there || there.error().code() != Code::kNotFound) {
            return Error(Code::kAlreadyExists,
                         path + " is there already: a restore makes a new data directory and changes none");
        }
        return {};
    }

    /// Leaves what was asked for.
    Result<void> choose(BackupManifest& manifest) const {
        if (request_.collection.empty()) {
            return {};
        }
        const auto is_wanted = [&](const BackedUpCollection& collection) {
            return collection.name == request_.collection || collection.id.to_string() == request_.collection;
        };
        const auto wanted =
            std::count_if(manifest.collections.begin(), manifest.collections.end(), is_wanted);
        if (wanted != 1) {
            const std::string which = "collection " + printable(request_.collection);
            for (const LeftOut& left : manifest.left_out) {
                if (wanted == 0 && left.name == request_.collection) {
                    return Error(Code::kNotFound, "the backup left " + which + " out: " + left.reason);
                }
            }
            return wanted == 0 ? Error(Code::kNotFound, "the backup has no " + which)
                               : Error(Code::kConflict, "several tenants have a " + which + "; name its id");
        }
        std::erase_if(manifest.collections, [&](const auto& collection) { return !is_wanted(collection); });
        AKIDB_TRY(const bool can, repository_.can_read(manifest.collections.front()));
        return can ? Result<void>() : key_is_gone(manifest.collections.front().name);
    }

    static Error key_is_gone(const std::string& name) {
        return Error(Code::kPermissionDenied,
                     "collection " + printable(name) + " cannot be restored: " + std::string(kKeyIsGone));
    }

    Result<void> make_staging() {
        AKIDB_TRY(files_.make_directory(staging_));
        return files_.make_directory(staging_ + "/" + kCollections);
    }

    Result<void> fill(const BackupManifest& manifest) {
        AKIDB_TRY(make_staging());
        for (const BackedUpCollection& collection : manifest.collections) {
            AKIDB_TRY(const bool can, repository_.can_read(collection));
            AKIDB_TRY(can ? write_collection(collection) : leave_out(collection.id, collection.name));
        }
        AKIDB_TRY(files_.sync_directory(staging_ + "/" + kCollections));
        // Last: without it, whatever starts here has no collections.
        AKIDB_TRY(write_file(staging_, kRestoredCatalog, manifest.catalog));
        if (!request_.collection.empty()) {
            const BackedUpCollection& one = manifest.collections.front();
            AKIDB_TRY(write_catalog_of_one(one.id, one.name));
        }
        AKIDB_TRY(forget_left_out());
        return files_.sync_directory(staging_);
    }

    /// The catalog says which collections there were; of each the files of the backup, if it has them, and
    /// the log from there on.
    Result<void> fill_to_point(const BackupManifest& base) {
        AKIDB_TRY(make_staging());
        Archive archive(repository_.store(), base.timeline);
        AKIDB_TRY(const std::optional<ArchiveHead> head, archive.read_head());
        AKIDB_TRY(expect_reach(archive, head));
        AKIDB_TRY(const std::vector<catalog::CollectionRow> rows, take_catalog(archive, base, head));
        Replay replay(files_, repository_, archive, head, *request_.point, request_.stop);
        for (const catalog::CollectionRow& row : rows) {
            AKIDB_TRY(write_to_point(row, base, replay));
        }
        AKIDB_TRY(files_.sync_directory(staging_ + "/" + kCollections));
        if (!request_.collection.empty()) {
            AKIDB_TRY(write_catalog_of_one(rows.front().spec.id, rows.front().spec.name));
        }
        AKIDB_TRY(forget_left_out());
        report_.timeline = base.timeline;
        report_.replayed_writes = replay.writes();
        return files_.sync_directory(staging_);
    }

    /// Which collections there were is told up to where the archive of all of them reaches.
    Result<void> expect_reach(const Archive& archive, const std::optional<ArchiveHead>& head) const {
        const uint64_t through_ms = head ? head->through_ms : 0;
        if (!request_.collection.empty() || request_.point->kind != RestorePoint::Kind::kTime ||
            request_.point->value <= through_ms) {
            return {};
        }
        return Error(Code::kNotFound, "the archive of timeline " + archive.timeline().to_string() +
                                          " reaches " +
                                          (head ? model::rfc3339(through_ms) : "no known moment") +
                                          ", and not " + model::rfc3339(request_.point->value));
    }

    /// Puts the catalog of the point there. Collections that were in service then, and are wanted.
    Result<std::vector<catalog::CollectionRow>> take_catalog(Archive& archive, const BackupManifest& base,
                                                             const std::optional<ArchiveHead>& head) {
        const bool is_of_one = !request_.collection.empty();
        AKIDB_TRY(const auto catalogs, catalogs_at(archive, base, head, *request_.point, is_of_one));
        for (const std::optional<CatalogCopy>& copy : catalogs) {
            if (copy) {
                AKIDB_TRY(const auto file, files_.create(catalog_path()));
                AKIDB_TRY(
                    archive.read_catalog(*copy, [&](std::string_view read) { return file->append(read); }));
                AKIDB_TRY(file->sync());
                AKIDB_TRY(file->close());
            } else {
                AKIDB_TRY(write_file(staging_, kRestoredCatalog, base.catalog));
            }
            AKIDB_TRY(const auto opened, catalog::Catalog::open(catalog_path()));
            AKIDB_TRY(std::vector<catalog::CollectionRow> rows, opened->list_collections());
            AKIDB_TRY(opened->close());
            // All files are here, and the copies in the store of tiers belong to another server.
            AKIDB_TRY(const auto tiers, catalog::TierStore::open(catalog_path()));
            AKIDB_TRY(tiers->forget_copies());
            AKIDB_TRY(tiers->close());
            std::erase_if(rows, [&](const catalog::CollectionRow& row) {
                return row.state != catalog::CollectionState::kActive ||
                       (is_of_one && row.spec.name != request_.collection &&
                        row.spec.id.to_string() != request_.collection);
            });
            if (!is_of_one || rows.size() == 1) {
                return rows;
            }
            if (rows.size() > 1) {
                return Error(Code::kConflict, "several tenants have a collection " +
                                                  printable(request_.collection) + "; name its id");
            }
            AKIDB_TRY(files_.remove(catalog_path()));
        }
        return Error(Code::kNotFound, "there was no collection " + printable(request_.collection) +
                                          " in timeline " + base.timeline.to_string());
    }

    Result<void> write_to_point(const catalog::CollectionRow& row, const BackupManifest& base,
                                Replay& replay) {
        const std::string& name = row.spec.name;
        const auto files =
            std::find_if(base.collections.begin(), base.collections.end(),
                         [&](const BackedUpCollection& candidate) { return candidate.id == row.spec.id; });
        const auto left = std::find_if(base.left_out.begin(), base.left_out.end(),
                                       [&](const LeftOut& candidate) { return candidate.name == name; });
        if (files == base.collections.end() && left != base.left_out.end()) {
            if (!request_.collection.empty()) {
                return Error(Code::kNotFound,
                             "the backup left collection " + printable(name) + " out: " + left->reason);
            }
            report_.left_out.push_back({name, "the backup left it out: " + left->reason});
            return {};
        }
        ReplayedCollection from{.id = row.spec.id, .name = name};
        bool can = true;
        if (files != base.collections.end()) {
            from.have = files->sequence;
            AKIDB_TRY(can, repository_.can_read(*files));
        }
        if (can) {
            AKIDB_TRY(can, replay.look_at(from));
        }
        if (!can) {
            return request_.collection.empty() ? leave_out(row.spec.id, name) : key_is_gone(name);
        }
        if (files != base.collections.end()) {
            AKIDB_TRY(write_collection(*files));
        } else {
            AKIDB_TRY(write_collection({.id = row.spec.id, .tenant = row.tenant, .name = name}));
        }
        const std::string log = staging_ + "/" + kCollections + "/" + row.spec.id.to_string() + "/" +
                                std::string(storage::kLogDirectory);
        AKIDB_TRY(const uint64_t reached, replay.run(from, log));
        report_.reached.push_back({name, reached});
        return {};
    }

    Result<void> leave_out(const Uuid& id, const std::string& name) {
        report_.left_out.push_back({name, kKeyIsGone});
        unreadable_.push_back(id);
        return {};
    }

    /// No file of theirs will ever be there, so a server that starts here need not miss them.
    Result<void> forget_left_out() {
        if (unreadable_.empty()) {
            return {};
        }
        AKIDB_TRY(const auto catalog, catalog::Catalog::open(catalog_path()));
        for (const Uuid& id : unreadable_) {
            AKIDB_TRY(catalog->remove_collection(id));
        }
        return catalog->close();
    }

    std::string catalog_path() const { return staging_ + "/" + kRestoredCatalog; }

    Result<void> write_collection(const BackedUpCollection& collection) {
        const std::string directory = staging_ + "/" + kCollections + "/" + collection.id.to_string();
        const std::string log = directory + "/" + std::string(storage::kLogDirectory);
        const std::string segments = directory + "/" + std::string(storage::kSegmentDirectory);
        for (const std::string& made : {directory, log, segments}) {
            AKIDB_TRY(files_.make_directory(made));
        }
        for (const BackupFile& file : collection.files) {
            Result<void> written = write_file(directory, file.name, file);
            if (!written) {
                return std::move(written).error().with_context("collection " + collection.name + ", " +
                                                               file.name);
            }
        }
        for (const std::string& made : {log, segments, directory}) {
            AKIDB_TRY(files_.sync_directory(made));
        }
        ++report_.collections;
        report_.documents += collection.documents;
        return {};
    }

    Result<void> write_file(const std::string& directory, const std::string& name, const BackupFile& entry) {
        AKIDB_TRY(const auto file, files_.create(storage::join_path(directory, name)));
        AKIDB_TRY(repository_.read_blob(entry, [&](std::string_view piece) -> Result<void> {
            if (request_.stop.stop_requested()) {
                return Error(Code::kUnavailable, "the restore was stopped");
            }
            return file->append(piece);
        }));
        for (uint64_t at = entry.stored_bytes; at < entry.bytes;) {
            const uint64_t count = std::min(kZeroPieceBytes, entry.bytes - at);
            AKIDB_TRY(file->append(std::string(count, '\0')));
            at += count;
        }
        AKIDB_TRY(file->sync());
        report_.bytes += entry.bytes;
        return file->close();
    }

    /// One collection alone, of the tenant default, and nobody who may reach it: as in a new server.
    Result<void> write_catalog_of_one(const Uuid& id, const std::string& name) {
        const std::string path = catalog_path();
        model::CollectionSpec spec;
        {
            AKIDB_TRY(const auto whole, catalog::Catalog::open(path));
            AKIDB_TRY(const std::vector<catalog::CollectionRow> rows, whole->list_collections());
            AKIDB_TRY(whole->close());
            const auto row = std::find_if(
                rows.begin(), rows.end(),
                [&](const catalog::CollectionRow& candidate) { return candidate.spec.id == id; });
            if (row == rows.end()) {
                return Error(Code::kDataLoss, "the catalog of the backup does not have " + name);
            }
            spec = row->spec;
        }
        AKIDB_TRY(files_.remove(path));
        if (!request_.as.empty()) {
            spec.name = request_.as;
            AKIDB_TRY(model::validate_collection_name(spec.name));
        }
        AKIDB_TRY(const auto fresh, catalog::Catalog::open(path));
        AKIDB_TRY(fresh->insert_collection(spec));
        AKIDB_TRY(fresh->change_collection(spec));
        AKIDB_TRY(fresh->set_collection_state(spec.id, catalog::CollectionState::kActive));
        return fresh->close();
    }

    Result<void> switch_over() {
        AKIDB_TRY(expect_nothing_at(request_.data));
        AKIDB_TRY(files_.rename(staging_, request_.data));
        return files_.sync_directory(parent_);
    }

    io::FileSystem& files_;
    Repository& repository_;
    const RestoreRequest& request_;
    std::string parent_;
    std::string staging_name_;
    std::string staging_;
    std::vector<Uuid> unreadable_;
    RestoreReport report_;
};

}  // namespace

Result<RestoreReport> restore(io::FileSystem& files, Repository& repository, const RestoreRequest& request) {
    if (request.data.empty() || request.data.ends_with('/')) {
        return invalid_argument("data", "is no name of a new directory", "a path that does not end with '/'");
    }
    return Restoring(files, repository, request).run();
}

}  // namespace akidb::backup
