#include <algorithm>
#include <cstring>
#include <utility>

#include "catalog/catalog.h"
#include "catalog/stored_version.h"
#include "catalog/tier_store.h"
#include "index/rows.h"
#include "io/ownership.h"
#include "model/expiry.h"
#include "offline/assessment.h"
#include "offline/data_formats.h"
#include "offline/repair_plan.h"
#include "offline/report.h"
#include "storage/durable_files.h"
#include "storage/layout.h"

namespace akidb::offline {
namespace {

using storage::join_path;

constexpr uint64_t kCopyBytes = 1 << 20;
constexpr std::string_view kReportName = "report.json";

/// Carries out a plan. Until the new manifest is durable the collection cannot be opened with less than it
/// had: files that the old manifest names are renamed into lost/ and missed by a start, and the log is only
/// copied there. After it, what is left to do is to remove what the copies in lost/ hold.
class Repair {
  public:
    Repair(io::FileSystem& files, const std::string& directory, const Assessment& found,
           const RepairPlan& plan)
        : files_(files),
          directory_(directory),
          segments_(join_path(directory, storage::kSegmentDirectory)),
          logs_(join_path(directory, storage::kLogDirectory)),
          found_(found),
          plan_(plan) {}

    std::string lost_directory() const {
        return join_path(join_path(directory_, storage::kLostDirectory),
                         storage::lost_name(found_.manifest.version + 1));
    }

    Result<void> run(const Json& report) {
        AKIDB_TRY(const storage::Manifest next, write_segments());
        AKIDB_TRY(storage::make_durable_directory(files_, join_path(directory_, storage::kLostDirectory)));
        AKIDB_TRY(storage::make_durable_directory(files_, lost_directory()));
        AKIDB_TRY(
            io::write_file_atomically(files_, lost_directory(), std::string(kReportName), dump(report)));
        if (found_.manifest.version > 0) {
            const std::string name = storage::manifest_name(found_.manifest.version);
            AKIDB_TRY(copy(join_path(directory_, name), name));
        }
        for (const std::string& name : found_.history.files) {
            AKIDB_TRY(copy(join_path(logs_, name), name));
        }
        AKIDB_TRY(set_aside(next));
        AKIDB_TRY(files_.sync_directory(lost_directory()));
        AKIDB_TRY(files_.sync_directory(segments_));
        AKIDB_TRY(storage::write_manifest(files_, directory_, next));
        for (const std::string& name : found_.history.files) {
            AKIDB_TRY(files_.remove(join_path(logs_, name)));
        }
        return found_.history.files.empty() ? Result<void>() : files_.sync_directory(logs_);
    }

  private:
    Result<storage::Manifest> write_segments() {
        storage::Manifest next = found_.manifest;
        next.version = found_.manifest.version + 1;
        next.covered_sequence = plan_.covered_sequence;
        next.rows.resize(plan_.files_kept);
        if (!plan_.new_rows.empty()) {
            AKIDB_TRY(storage::ManifestFile file, write_rows(next.version));
            next.rows.push_back({std::move(file), plan_.rows_kept, plan_.new_rows.size()});
        }
        next.dead.reset();
        if (!plan_.dead.empty()) {
            AKIDB_TRY(next.dead,
                      storage::write_dead_segment(files_, segments_, storage::dead_name(next.version),
                                                  next.collection, plan_.dead));
        }
        if (!plan_.keeps_graph) {
            next.graph.reset();
            for (storage::ManifestVector& vector : next.vectors) {
                vector.graph.reset();
            }
        }
        AKIDB_TRY(write_keys(next));
        return next;
    }

    /// The kept part of a damaged log goes into segments, and its keys with it.
    Result<void> write_keys(storage::Manifest& next) {
        std::vector<storage::RememberedKey> keys = found_.keys;
        keys.insert(keys.end(), found_.history.keys.begin(), found_.history.keys.end());
        if (!found_.keys_are_damaged && keys.size() == found_.keys.size()) {
            return {};
        }
        next.keys.reset();
        if (!keys.empty()) {
            AKIDB_TRY(next.keys,
                      storage::write_keys_segment(files_, segments_, storage::keys_name(next.version),
                                                  next.collection, keys));
        }
        return {};
    }

    Result<storage::ManifestFile> write_rows(uint64_t version) {
        const storage::Manifest& manifest = found_.manifest;
        const std::vector<model::VectorSpec> shapes = storage::vectors_of(manifest);
        std::vector<float> vectors(storage::dimension_of_all(manifest));
        std::vector<std::byte> row(found_.form.row_bytes());
        const storage::RowsSegmentSpec spec{.collection = manifest.collection,
                                            .first_row = plan_.rows_kept,
                                            .row_count = plan_.new_rows.size(),
                                            .form = found_.form};
        return storage::write_rows_segment(
            files_, segments_, storage::rows_name(spec.first_row, spec.row_count, version), spec,
            [&](uint64_t index) -> storage::RowRecord {
                const PlannedRow& planned = plan_.new_rows[index];
                if (planned.effect != nullptr) {
                    std::memcpy(vectors.data(), planned.effect->vector.data(),
                                vectors.size() * sizeof(float));
                    index::encode_wide_row(shapes, vectors,
                                           model::split_stored(planned.effect->metadata).lacking, row);
                    return {as_text(row), planned.effect->sequence, *planned.id, planned.effect->metadata};
                }
                if (planned.file->whole == nullptr) {
                    return planned.file->remaining->row(planned.index);
                }
                const storage::RowsSegment& segment = *planned.file->whole;
                const size_t row_bytes = found_.form.row_bytes();
                return {as_text({segment.vectors() + planned.index * row_bytes, row_bytes}),
                        segment.version(planned.index), segment.id(planned.index),
                        segment.metadata(planned.index)};
            });
    }

    Result<void> copy(const std::string& from, const std::string& name) {
        const std::string to = join_path(lost_directory(), name);
        AKIDB_TRY(std::unique_ptr<io::ReadFile> source, files_.open_read(from));
        if (Result<void> removed = files_.remove(to); !removed && removed.error().code() != Code::kNotFound) {
            return removed;
        }
        AKIDB_TRY(std::unique_ptr<io::AppendFile> target, files_.create(to));
        std::string piece;
        for (uint64_t at = 0; at < source->size(); at += kCopyBytes) {
            AKIDB_TRY(source->read_at(at, std::min(kCopyBytes, source->size() - at), piece));
            AKIDB_TRY(target->append(piece));
        }
        AKIDB_TRY(target->sync());
        return target->close();
    }

    /// Files that only the old manifest names; a start would remove them.
    Result<void> set_aside(const storage::Manifest& next) {
        const std::vector<std::string> kept = storage::segment_names(next);
        for (const std::string& name : storage::segment_names(found_.manifest)) {
            if (std::binary_search(kept.begin(), kept.end(), name)) {
                continue;
            }
            const Result<void> moved =
                files_.rename(join_path(segments_, name), join_path(lost_directory(), name));
            if (!moved && moved.error().code() != Code::kNotFound) {
                return moved;
            }
        }
        return {};
    }

    io::FileSystem& files_;
    const std::string& directory_;
    const std::string segments_;
    const std::string logs_;
    const Assessment& found_;
    const RepairPlan& plan_;
};

bool has_graph(const storage::Manifest& manifest) {
    return manifest.graph.has_value() ||
           std::any_of(manifest.vectors.begin(), manifest.vectors.end(),
                       [](const storage::ManifestVector& vector) { return vector.graph.has_value(); });
}

/// A repair that a crash cut short before its manifest: what it moved belongs to the old one still.
Result<Assessment> assess_all(io::FileSystem& files, const std::string& directory,
                              const model::CollectionSpec& spec, bool may_change) {
    const uint32_t stride = index::row_stride(model::vectors_of(spec));
    AKIDB_TRY(Assessment found, assess(files, directory, &spec, stride));
    if (found.set_aside.empty() || !may_change) {
        return found;
    }
    const std::string segments = join_path(directory, storage::kSegmentDirectory);
    for (const std::string& path : found.set_aside) {
        AKIDB_TRY(files.rename(path, join_path(segments, path.substr(path.find_last_of('/') + 1))));
    }
    AKIDB_TRY(files.sync_directory(segments));
    return assess(files, directory, &spec, stride);
}

Json report_of(const model::CollectionSpec& spec, const Assessment& found, const RepairPlan& plan) {
    Json report{{"collection", spec.name},
                {"id", spec.id.to_string()},
                {"manifest_version", found.manifest.version},
                {"damage", found.damage},
                {"lost_documents", plan.documents_lost()},
                {"lost_rows", Json::array()}};
    for (const LostRows& lost : plan.lost) {
        report["lost_rows"].push_back({{"file", lost.file},
                                       {"documents", lost.documents},
                                       {"perhaps_deleted_before", lost.of_unknown_state},
                                       {"ids", lost.ids}});
    }
    const LogHistory& log = found.history;
    report["unprovable_log_files"] = log.unprovable_files;
    report["lost_sequences"] = nullptr;
    if (found.log_is_damaged && log.known_up_to > log.kept_up_to) {
        report["lost_sequences"] = {{"first", log.kept_up_to + 1},
                                    {"last", log.known_up_to},
                                    {"readable_but_behind_the_damage", log.dropped_records},
                                    {"deletes_undone", log.undone_deletes},
                                    {"deletes_undone_ids", log.undone_delete_ids}};
    }
    report["interrupted_repair"] = found.set_aside;
    report["remembered_keys_lost"] = found.keys_are_damaged;
    report["graph_rebuilt"] = has_graph(found.manifest) && !plan.keeps_graph;
    return report;
}

std::string some_of(const std::vector<std::string>& ids) {
    constexpr size_t kShown = 20;
    std::string text;
    for (size_t i = 0; i < std::min(ids.size(), kShown); ++i) {
        text += (i == 0 ? ": " : ", ") + ids[i];
    }
    return ids.size() > kShown ? text + ", …" : text;
}

std::string text_of(const model::CollectionSpec& spec, const Assessment& found, const RepairPlan& plan) {
    std::string text = "collection " + spec.name + " (" + spec.id.to_string() + ") is damaged\n";
    for (const std::string& line : found.damage) {
        text += "  " + line + "\n";
    }
    for (const std::string& path : found.set_aside) {
        text += "  an earlier repair was interrupted; it will be undone first: " + path + "\n";
    }
    for (const LostRows& lost : plan.lost) {
        text +=
            "lost: " + counted(lost.documents, "document") + " of " + lost.file + some_of(lost.ids) + "\n";
        if (lost.of_unknown_state > 0) {
            text += "  whether " + std::to_string(lost.of_unknown_state) +
                    " of them had been deleted cannot be told any more, and what was deleted must not come "
                    "back\n";
        }
    }
    const LogHistory& log = found.history;
    if (!log.unprovable_files.empty()) {
        text += "lost: the writes in " + log.unprovable_files.front() + ", from sequence " +
                std::to_string(log.kept_up_to + 1) +
                " on; how many cannot be told without its header, at most " +
                std::to_string(log.known_up_to - std::min(log.known_up_to, log.kept_up_to)) + "\n";
    } else if (found.log_is_damaged && log.known_up_to > log.kept_up_to) {
        text += "lost: writes of sequences " + std::to_string(log.kept_up_to + 1) + " to " +
                std::to_string(log.known_up_to) + "; " + std::to_string(log.dropped_records) +
                " of them are readable behind the damage, but build on lost ones\n";
        if (log.undone_deletes > 0) {
            text += "  among them deletes of " + counted(log.undone_deletes, "document") +
                    ", which are there again unless deleted anew" + some_of(log.undone_delete_ids) + "\n";
        }
    } else if (found.log_is_damaged) {
        text += "no write of the log is lost\n";
    }
    if (found.keys_are_damaged) {
        text += "lost: the Idempotency-Keys of writes up to sequence " +
                std::to_string(found.manifest.covered_sequence) +
                "; who retries one of these after the repair applies it a second time\n";
    }
    if (has_graph(found.manifest) && !plan.keeps_graph) {
        text += "built anew in the background: the graph\n";
    }
    return plan.documents_lost() == 0 && !found.log_is_damaged ? text + "no document is lost\n" : text;
}

Result<void> check_is_here(const RepairRequest& request, const model::CollectionSpec& spec) {
    AKIDB_TRY(const std::unique_ptr<catalog::TierStore> store, catalog::TierStore::open(request.catalog));
    AKIDB_TRY(const std::vector<catalog::TierRow> rows, store->list_rows());
    const bool is_cold = std::any_of(rows.begin(), rows.end(), [&](const catalog::TierRow& row) {
        return row.collection == spec.id && row.tier == model::Tier::kCold;
    });
    return is_cold ? Error(Code::kConflict, "the collection " + spec.name +
                                                " is cold: its files are in the object store, not here")
                   : Result<void>();
}

Result<model::CollectionSpec> find_collection(const RepairRequest& request) {
    AKIDB_TRY(const std::unique_ptr<catalog::Catalog> catalog, catalog::Catalog::open(request.catalog));
    AKIDB_TRY(const std::vector<catalog::CollectionRow> rows, catalog->list_collections());
    for (const catalog::CollectionRow& row : rows) {
        const bool is_named =
            row.spec.name == request.collection || row.spec.id.to_string() == request.collection;
        if (is_named && row.state == catalog::CollectionState::kActive) {
            AKIDB_TRY(check_is_here(request, row.spec));
            return row.spec;
        }
    }
    return invalid_argument("collection", "no collection of this name or id: " + request.collection);
}

/// Opening it would migrate it, with nothing kept, which a look must not do.
Result<void> check_is_of_today(io::FileSystem& files, const std::string& catalog) {
    AKIDB_TRY(const std::optional<int64_t> version, catalog_version(files, catalog));
    return version && *version < catalog::newest_version()
               ? Error(Code::kConflict,
                       "the catalog has version " + std::to_string(*version) +
                           ", of an older AkiDB: start this one there once, which keeps what is there first "
                           "(docs/upgrade.md), or repair with the one that wrote it")
               : Result<void>();
}

Result<ExitCode> run(io::FileSystem& files, const io::Clock& clock, const RepairRequest& request,
                     Print print) {
    AKIDB_TRY(check_is_of_today(files, request.catalog));
    AKIDB_TRY(const model::CollectionSpec spec, find_collection(request));
    const std::string directory = request.data + "/collections/" + spec.id.to_string();
    AKIDB_TRY(const Assessment found, assess_all(files, directory, spec, request.accept_loss));
    if (found.is_whole()) {
        print(request.json ? dump({{"collection", spec.name}, {"damage", Json::array()}})
                           : "collection " + spec.name + " is whole: every checksum holds\n");
        return ExitCode::kClean;
    }
    const RepairPlan plan = plan_repair(found);
    Json report = report_of(spec, found, plan);
    Repair repair(files, directory, found, plan);
    report["accepted_at_ms"] = nullptr;
    if (!request.accept_loss) {
        print(request.json ? dump(report)
                           : text_of(spec, found, plan) +
                                 "nothing was changed; the same command with --accept-loss makes the "
                                 "collection open again without what is lost\n");
        return ExitCode::kIo;
    }
    report["accepted_at_ms"] = clock.unix_ms();
    report["originals"] = repair.lost_directory();
    AKIDB_TRY(repair.run(report));
    AKIDB_TRY(const Assessment after, assess_all(files, directory, spec, false));
    if (!after.is_whole()) {
        return Error(Code::kInternal, "repaired, but still damaged: " + after.damage.front());
    }
    print(request.json ? dump(report)
                       : text_of(spec, found, plan) + "repaired; originals and report are in " +
                             repair.lost_directory() + "\n");
    return ExitCode::kClean;
}

/// The lock is a file as well, so this is not for what was repaired alone.
Result<void> give_back(const std::string& data) {
    AKIDB_TRY(const io::Owner owner, io::owner_of(data));
    return io::give_tree(data, owner);
}

}  // namespace

ExitCode repair(io::FileSystem& files, const io::Clock& clock, const RepairRequest& request, Print print) {
    if (!files.open_read(request.catalog)) {
        return end_with(invalid_argument("data", "there is no catalog at " + request.catalog,
                                         "the data directory of a server"),
                        request.json, print);
    }
    const Result<std::unique_ptr<io::FileLock>> lock = files.lock(request.data + "/LOCK");
    if (!lock) {
        end_with(lock.error(), request.json, print);
        return lock.error().code() == Code::kConflict ? ExitCode::kLockHeld : ExitCode::kIo;
    }
    Result<ExitCode> done = run(files, clock, request, print);
    if (const Result<void> given = give_back(request.data); done && !given) {
        done = given.error();
    }
    if (!done && done.error().code() == Code::kDataLoss && !request.json) {
        print("this cannot be repaired, for nothing else says which files count: restore a backup\n");
    }
    return done ? *done : end_with(done.error(), request.json, print);
}

}  // namespace akidb::offline
