// Archive: the log of a server as it goes on, where its backups lie: pieces of each collection's log, copies
// of the catalog, and a head that tells how far all that reaches. A timeline is one history of one data
// directory: what a restored one writes is another timeline, so the two never mix (docs/adr/0019).
//   archive/<timeline>/head
//   archive/<timeline>/<collection>/<first>-<last>-<time of the last>-<sha256>   (log_piece.h); with
//     "-<key id>" behind it if it is encrypted with a key of its tenant
//   archive/<timeline>/catalog/<time>-<time of the copy before>-<sha256>
// docs/formats/backup.md has the bytes. One server writes a timeline; no lock is held. Thread-compatible.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "backup/log_piece.h"
#include "base/function_ref.h"
#include "objects/object_store.h"

namespace akidb::backup {

struct CatalogCopy {
    uint64_t unix_ms = 0;      // nothing in it is younger
    uint64_t previous_ms = 0;  // of the copy before; 0: none
    std::string sha256{};
};

/// How far the archive of one collection reaches.
struct ArchivedCollection {
    Uuid id;
    uint64_t last = 0;        // sequence number
    uint64_t through_ms = 0;  // all writes stamped up to here are archived
};

struct ArchiveHead {
    uint64_t through_ms = 0;                        // of all collections that served then
    uint64_t catalog_ms = 0;                        // of the newest copy; 0: none
    std::vector<ArchivedCollection> collections{};  // deleted ones, too

    const ArchivedCollection* find(const Uuid& id) const;
};

std::string encode_archive_head(const Uuid& timeline, const ArchiveHead& head);
/// kDataLoss for anything that encode_archive_head does not write.
Result<ArchiveHead> decode_archive_head(const Uuid& timeline, std::string_view bytes);

class Archive {
  public:
    /// The store must outlive it.
    Archive(objects::ObjectStore& store, const Uuid& timeline);
    /// All that have an object there.
    static Result<std::vector<Uuid>> list_timelines(objects::ObjectStore& store);

    const Uuid& timeline() const { return timeline_; }

    /// None before the first was put.
    Result<std::optional<ArchiveHead>> read_head();
    Result<void> put_head(const ArchiveHead& head);

    /// With the key that the piece names.
    Result<void> put_piece(const Uuid& collection, LogPieceWriter::Made made);
    /// By their first record; they may overlap.
    Result<std::vector<LogPiece>> list_pieces(const Uuid& collection);
    Result<void> read_piece(const Uuid& collection, const LogPiece& piece, storage::VisitTimed visit);
    /// kNotFound or kDataLoss naming it; by its presence alone.
    Result<void> check_piece(const Uuid& collection, const LogPiece& piece);
    Result<void> remove_piece(const Uuid& collection, const LogPiece& piece);

    Result<void> put_catalog(const CatalogCopy& copy, const io::ReadFile& file);
    /// The oldest first.
    Result<std::vector<CatalogCopy>> list_catalogs();
    /// In pieces, verified at the end, as Repository::read_blob.
    Result<void> read_catalog(const CatalogCopy& copy, FunctionRef<Result<void>(std::string_view)> take);
    Result<void> remove_catalog(const CatalogCopy& copy);

    /// Collections that have a piece.
    Result<std::vector<Uuid>> list_collections();
    Result<void> remove_head();

    std::string key_of(const Uuid& collection, const LogPiece& piece) const;
    std::string key_of(const CatalogCopy& copy) const;

  private:
    objects::ObjectStore& store_;
    const Uuid timeline_;
    const std::string prefix_;
};

}  // namespace akidb::backup
