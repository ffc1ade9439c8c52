#include "backup/practice.h"

#include <algorithm>

#include "backup/restore.h"
#include "base/printable.h"
#include "catalog/catalog.h"

namespace akidb::backup {
namespace {

Result<void> compare(const Repository& repository, const std::string& data, const BackupManifest& manifest,
                     OpenCollection open, const std::stop_token& stop, std::vector<std::string>& faults) {
    AKIDB_TRY(const auto catalog, catalog::Catalog::open(data + "/" + kRestoredCatalog));
    AKIDB_TRY(const std::vector<catalog::CollectionRow> rows, catalog->list_collections());
    AKIDB_TRY(catalog->close());
    for (const BackedUpCollection& expected : manifest.collections) {
        AKIDB_TRY(const bool can, repository.can_read(expected));
        if (!can) {
            continue;
        }
        if (stop.stop_requested()) {
            return Error(Code::kUnavailable, "the restore for practice was stopped");
        }
        const auto row = std::find_if(rows.begin(), rows.end(), [&](const catalog::CollectionRow& candidate) {
            return candidate.spec.id == expected.id;
        });
        const std::string named = "collection " + expected.name + ": ";
        if (row == rows.end()) {
            faults.push_back(named + "the catalog does not have it");
            continue;
        }
        const Result<OpenedCollection> opened =
            open(data + "/collections/" + expected.id.to_string(), row->spec);
        if (!opened) {
            faults.push_back(named + opened.error().message());
        } else if (opened->sequence != expected.sequence || opened->documents != expected.documents ||
                   opened->documents_hash != expected.documents_hash) {
            faults.push_back(named + std::to_string(opened->documents) + " documents up to sequence " +
                             std::to_string(opened->sequence) + ", or others, where " +
                             std::to_string(expected.documents) + " up to " +
                             std::to_string(expected.sequence) + " were backed up");
        }
    }
    return {};
}

}  // namespace

Result<PracticeReport> practise(io::FileSystem& files, Repository& repository, const BackupManifest& manifest,
                                const std::string& scratch, OpenCollection open,
                                const std::stop_token& stop) {
    const std::string name = "akidb-verify-" + manifest.id.to_string();
    const std::string data = scratch + "/" + name;
    AKIDB_TRY(io::remove_tree(files, scratch, name));
    PracticeReport report;
    const Result<RestoreReport> restored =
        restore(files, repository, {.backup = manifest.id, .data = data, .stop = stop});
    if (!restored) {
        const Code code = restored.error().code();
        if (code != Code::kNotFound && code != Code::kDataLoss) {
            return restored.error();
        }
        report.faults.push_back(restored.error().message());
        return report;
    }
    report.collections = restored->collections;
    report.documents = restored->documents;
    report.bytes = restored->bytes;
    report.left_out = restored->left_out;
    const Result<void> compared = compare(repository, data, manifest, open, stop, report.faults);
    AKIDB_TRY(io::remove_tree(files, scratch, name));
    AKIDB_TRY(Result<void>(compared));
    return report;
}

std::string describe(const PracticeReport& report, const BackupManifest& manifest, uint64_t duration_ms) {
    std::string text = "restored backup " + manifest.id.to_string() + " for practice in " +
                       std::to_string(duration_ms) + " ms: " + counted(report.collections, "collection") +
                       ", " + counted(report.documents, "document") + ", " + counted(report.bytes, "byte") +
                       "\n";
    for (const std::string& fault : report.faults) {
        text += "FAULT " + fault + "\n";
    }
    for (const LeftOut& left : report.left_out) {
        text += "not restored: collection " + left.name + ": " + left.reason + "\n";
    }
    for (const LeftOut& left : manifest.left_out) {
        text += "not in the backup: collection " + left.name + ": " + left.reason + "\n";
    }
    return text + (report.faults.empty() ? "the backup is whole\n" : "the backup is NOT whole\n");
}

}  // namespace akidb::backup
