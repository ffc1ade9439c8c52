#include <set>

#include "offline/assessment.h"
#include "offline/inspect.h"
#include "offline/report.h"
#include "storage/durable_files.h"
#include "storage/layout.h"

namespace akidb::offline {
namespace {

struct Listed {
    std::vector<std::vector<std::string>> rows{{"FILE", "BYTES"}};
    Json json = Json::array();
};

Result<void> list_files(io::FileSystem& files, const std::string& directory, std::string_view part,
                        Listed& listed) {
    const std::string path = part.empty() ? directory : storage::join_path(directory, part);
    Result<std::vector<io::DirectoryEntry>> entries = files.list(path);
    if (!entries) {
        return entries.error().code() == Code::kNotFound ? Result<void>() : std::move(entries).error();
    }
    for (const io::DirectoryEntry& entry : *entries) {
        if (!entry.is_directory) {
            const std::string name = part.empty() ? entry.name : storage::join_path(part, entry.name);
            listed.rows.push_back({name, std::to_string(entry.size)});
            listed.json.push_back({{"name", name}, {"bytes", entry.size}});
        }
    }
    return {};
}

}  // namespace

Result<Verdict> inspect_collection(io::FileSystem& files, const std::string& directory, bool json,
                                   Print print) {
    AKIDB_TRY(const Assessment found, assess(files, directory, nullptr, 0));
    Listed listed;
    for (const std::string_view part :
         {std::string_view(), storage::kLogDirectory, storage::kSegmentDirectory}) {
        AKIDB_TRY(list_files(files, directory, part, listed));
    }
    const storage::Manifest& manifest = found.manifest;
    if (json) {
        Json report{{"kind", "collection"},
                    {"collection", manifest.collection.to_string()},
                    {"dimension", manifest.dimension},
                    {"metric", model::name_of(manifest.metric)},
                    {"storage", model::name_of(manifest.storage)},
                    {"manifest_version", manifest.version},
                    {"covered_sequence", manifest.covered_sequence},
                    {"rows", found.row_count()},
                    {"dead_rows", found.dead.dead.size()},
                    {"log_records", found.log_is_damaged ? found.history.kept_records : found.log_records},
                    {"torn_bytes", found.torn_bytes},
                    {"files", listed.json},
                    {"damaged", !found.is_whole()},
                    {"damage", found.damage}};
        for (const storage::ManifestVector& vector : manifest.vectors) {
            report["vectors"][vector.spec.name] = vector_to_json(vector.spec);
        }
        print(dump(report));
    } else {
        std::string text = "collection " + manifest.collection.to_string();
        text += manifest.version == 0 ? "\nno manifest yet: all that there is is in the log\n"
                                      : text_of_vectors(storage::vectors_of(manifest)) +
                                            "\nmanifest version " + std::to_string(manifest.version) +
                                            " covers sequence " + std::to_string(manifest.covered_sequence) +
                                            ": " + counted(found.row_count(), "row") + ", " +
                                            std::to_string(found.dead.dead.size()) + " of them dead\n";
        if (!found.log_is_damaged) {
            text += "the log goes on with " + counted(found.log_records, "record");
            text += found.torn_bytes > 0 ? " and a torn tail of " + counted(found.torn_bytes, "byte") +
                                               ", never acknowledged\n"
                                         : "\n";
        }
        text += table_of(listed.rows);
        for (const std::string& line : found.damage) {
            text += "damaged: " + line + "\n";
        }
        print(text + (found.is_whole() ? "every checksum holds\n" : ""));
    }
    return found.is_whole() ? Verdict::kWhole : Verdict::kDamaged;
}

}  // namespace akidb::offline
