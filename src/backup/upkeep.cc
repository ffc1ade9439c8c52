#include "backup/upkeep.h"

#include <algorithm>
#include <set>

namespace akidb::backup {
namespace {

constexpr uint64_t kDayMs = uint64_t{24} * 3600 * 1000;

struct NamedBlob {
    const BackupFile* file;
    std::string where;
};

std::vector<NamedBlob> blobs_of(const BackupManifest& manifest) {
    std::vector<NamedBlob> blobs{{&manifest.catalog, "the catalog"}};
    for (const BackedUpCollection& collection : manifest.collections) {
        for (const BackupFile& file : collection.files) {
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

class Prune {
  public:
    Prune(Repository& repository, uint64_t now_ms, const Retention& retention)
        : repository_(repository), now_ms_(now_ms), retention_(retention) {}

    Result<PruneReport> run() {
        AKIDB_TRY(const std::vector<Uuid> listed, repository_.list_backups());
        std::vector<BackupManifest> manifests;
        for (const Uuid& id : listed) {
            AKIDB_TRY(BackupManifest manifest, repository_.read_manifest(id));
            manifests.push_back(std::move(manifest));
        }
        AKIDB_TRY(check_list(repository_, listed, manifests));
        std::set<std::string> named;
        for (size_t i = 0; i < manifests.size(); ++i) {
            if (!is_kept(manifests[i], manifests.size() - i)) {
                report_.removed.push_back(manifests[i].id);
                continue;
            }
            ++report_.kept;
            for (const NamedBlob& blob : blobs_of(manifests[i])) {
                named.insert(blob.file->sha256);
            }
        }
        for (const Uuid& id : report_.removed) {
            AKIDB_TRY(repository_.remove_manifest(id));
        }
        std::vector<std::string> unnamed;
        AKIDB_TRY(repository_.each_blob([&](const std::string& sha256) -> Result<void> {
            if (!named.contains(sha256)) {
                unnamed.push_back(sha256);
            }
            return {};
        }));
        for (const std::string& sha256 : unnamed) {
            AKIDB_TRY(repository_.remove_blob(sha256));
            ++report_.removed_blobs;
        }
        return report_;
    }

  private:
    /// `position`: 1 for the newest.
    bool is_kept(const BackupManifest& manifest, size_t position) const {
        return position <= std::max<uint64_t>(1, retention_.keep_last) ||
               manifest.created_ms + retention_.keep_days * kDayMs > now_ms_;
    }

    Repository& repository_;
    const uint64_t now_ms_;
    const Retention retention_;
    PruneReport report_;
};

}  // namespace

Result<VerifyReport> verify(Repository& repository, const BackupManifest& manifest, VerifyDepth depth) {
    VerifyReport report;
    std::set<std::string> looked_at;
    for (const NamedBlob& blob : blobs_of(manifest)) {
        if (!looked_at.insert(blob.file->sha256).second) {
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
    return report;
}

Result<PruneReport> prune(Repository& repository, const io::Clock& clock, const Uuid& owner,
                          const Retention& retention) {
    AKIDB_TRY(repository.lock(owner));
    Result<PruneReport> report = Prune(repository, clock.unix_ms(), retention).run();
    repository.unlock();
    return report;
}

}  // namespace akidb::backup
