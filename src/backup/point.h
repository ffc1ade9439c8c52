// Points in time: which backup a restore to a point begins with, which catalog it has, and the archived log
// replayed up to exactly there (archive.h). Whatever cannot be proven to be whole up to the point is refused
// by name: a gap, a piece that is missing or damaged, a point beyond what is archived. Not thread-safe.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "backup/archive.h"
#include "backup/repository.h"

namespace akidb::backup {

struct RestorePoint {
    /// kLatest: all that is archived. kTime: milliseconds since 1970, writes stamped then among them.
    /// kSequence: of one collection, inclusive.
    enum class Kind : uint8_t { kLatest, kTime, kSequence };
    Kind kind = Kind::kLatest;
    uint64_t value = 0;
};

struct PointRequest {
    RestorePoint point;
    std::string collection{};        // name or id; empty: all
    std::optional<Uuid> backup{};    // to begin with; none: the newest that will do
    std::optional<Uuid> timeline{};  // to follow; none: that of the backup
};

/// The manifest to begin with. kNotFound, telling which points there are, when none will do.
Result<BackupManifest> choose_base(Repository& repository, const PointRequest& request);

/// Points that can be restored of all collections, of each timeline, the oldest first.
struct PointRange {
    Uuid timeline;
    uint64_t from_ms = 0;
    uint64_t through_ms = 0;
};
/// `manifests`: of all backups there, the oldest first.
Result<std::vector<PointRange>> list_points(Repository& repository,
                                            const std::vector<BackupManifest>& manifests);

/// Catalogs to look into, in turn; none of the archive: that of the backup. For all collections it is one;
/// for one of them as many as there are, the likeliest first.
Result<std::vector<std::optional<CatalogCopy>>> catalogs_at(Archive& archive, const BackupManifest& base,
                                                            const std::optional<ArchiveHead>& head,
                                                            const RestorePoint& point, bool is_of_one);

/// Of those that hold `next` the one that reaches furthest; null: none does.
const LogPiece* find_piece(const std::vector<LogPiece>& pieces, uint64_t next);

/// Takes out the pieces whose tenant's key is gone. False: what follows `have` is in such pieces alone.
Result<bool> keep_readable(const Repository& repository, std::vector<LogPiece>& pieces, uint64_t have);

struct ReplayedCollection {
    Uuid id;
    std::string name;
    uint64_t have = 0;  // the sequence number that its files reach
};

class Replay {
  public:
    /// All must outlive it.
    Replay(io::FileSystem& files, const Repository& repository, Archive& archive,
           const std::optional<ArchiveHead>& head, const RestorePoint& point, const std::stop_token& stop)
        : files_(files),
          repository_(repository),
          archive_(archive),
          head_(head),
          point_(point),
          stop_(stop) {}

    /// First, of each. False: the key of its tenant is gone.
    Result<bool> look_at(const ReplayedCollection& collection);
    /// Writes what follows `have`, up to the point, into its log directory. The last sequence number then.
    Result<uint64_t> run(const ReplayedCollection& collection, const std::string& log_directory);
    uint64_t writes() const { return writes_; }

  private:
    class Appending;
    Result<bool> read(const ReplayedCollection& collection, Appending& log);
    Result<void> expect_whole(const ReplayedCollection& collection, uint64_t reached,
                              uint64_t reached_ms) const;

    io::FileSystem& files_;
    const Repository& repository_;
    Archive& archive_;
    const std::optional<ArchiveHead>& head_;
    const RestorePoint& point_;
    const std::stop_token& stop_;
    std::vector<LogPiece> pieces_{};  // of the collection that was looked at last
    uint64_t writes_ = 0;
};

}  // namespace akidb::backup
