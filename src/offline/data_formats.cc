#include "offline/data_formats.h"

#include <algorithm>
#include <charconv>

#include "base/printable.h"
#include "catalog/stored_version.h"
#include "storage/durable_files.h"
#include "storage/layout.h"

namespace akidb::offline {
namespace {

using storage::FileKind;
using storage::FormatRange;

constexpr uint64_t kWalBytesMax = 1 << 30;
constexpr uint64_t kMarkerBytesMax = 4096;
constexpr std::string_view kLogLine = "log ";

std::string text_of(const FormatRange& range) {
    return std::to_string(range.oldest) + " to " + std::to_string(range.newest);
}

bool is_gone(const Error& error) {
    return error.code() == Code::kNotFound;
}

/// Its first bytes, as many as there are up to `count`; nullopt when it is not there any more.
Result<std::optional<std::string>> read_head(io::FileSystem& files, const std::string& path, size_t count) {
    const auto file = files.open_read(path);
    if (!file) {
        return is_gone(file.error()) ? Result<std::optional<std::string>>(std::optional<std::string>())
                                     : file.error();
    }
    std::string head;
    AKIDB_TRY((*file)->read_at(0, static_cast<size_t>(std::min<uint64_t>(count, (*file)->size())), head));
    return std::optional(std::move(head));
}

std::optional<FileKind> kind_of(std::string_view name) {
    if (!storage::is_collection_file(name)) {
        return std::nullopt;
    }
    if (name.starts_with(storage::kLogDirectory)) {
        return FileKind::kLog;
    }
    return name.starts_with(storage::kSegmentDirectory) ? FileKind::kSegment : FileKind::kManifest;
}

class Survey {
  public:
    explicit Survey(io::FileSystem& files) : files_(files) {}

    Result<DataFormats> run(const DataPlace& place) {
        AKIDB_TRY(found_.catalog, catalog_version(files_, place.catalog));
        if (found_.catalog && *found_.catalog > catalog::newest_version()) {
            found_.newer.push_back(place.catalog + " has version " + std::to_string(*found_.catalog) +
                                   "; this AkiDB reads catalogs up to version " +
                                   std::to_string(catalog::newest_version()));
        }
        const std::string collections = place.data + "/collections";
        AKIDB_TRY(const auto entries, list(collections));
        for (const io::DirectoryEntry& entry : entries) {
            if (entry.is_directory) {
                ++found_.collections;
                for (const std::string_view part :
                     {std::string_view(), storage::kLogDirectory, storage::kSegmentDirectory}) {
                    AKIDB_TRY(look_at(storage::join_path(collections, entry.name), part));
                }
            }
        }
        return std::move(found_);
    }

  private:
    Result<std::vector<io::DirectoryEntry>> list(const std::string& directory) {
        Result<std::vector<io::DirectoryEntry>> entries = files_.list(directory);
        return !entries && is_gone(entries.error()) ? std::vector<io::DirectoryEntry>() : std::move(entries);
    }

    Result<void> look_at(const std::string& collection, std::string_view part) {
        const std::string directory = part.empty() ? collection : storage::join_path(collection, part);
        AKIDB_TRY(const auto entries, list(directory));
        for (const io::DirectoryEntry& entry : entries) {
            const std::string name = part.empty() ? entry.name : storage::join_path(part, entry.name);
            if (const std::optional<FileKind> kind = kind_of(name); kind && !entry.is_directory) {
                AKIDB_TRY(note(*kind, storage::join_path(directory, entry.name), entry.size));
            }
        }
        return {};
    }

    Result<void> note(FileKind kind, const std::string& path, uint64_t bytes) {
        AKIDB_TRY(const auto head, read_head(files_, path, storage::kFormatHeadBytes));
        if (!head) {
            return {};
        }
        const std::optional<uint32_t> format = storage::format_of(kind, *head);
        if (!format) {
            // A log file whose header a crash kept from the disk holds nothing yet.
            const bool is_unwritten =
                kind == FileKind::kLog && head->find_first_not_of('\0') == std::string::npos;
            if (!is_unwritten) {
                found_.damaged.push_back(path);
            }
            return {};
        }
        ++found_.files[{kind, *format}];
        found_.bytes += bytes;
        const FormatRange known = storage::known_formats(kind);
        if (!known.has(*format)) {
            found_.newer.push_back(
                path + " has " + std::string(storage::kFileKindNames.at(static_cast<size_t>(kind))) +
                " format " + std::to_string(*format) + "; this AkiDB reads formats " + text_of(known));
        }
        return {};
    }

    io::FileSystem& files_;
    DataFormats found_;
};

std::optional<uint32_t> log_format_in(std::string_view marker) {
    const size_t at = marker.starts_with(kLogLine) ? 0 : marker.find("\n" + std::string(kLogLine));
    if (at == std::string_view::npos) {
        return std::nullopt;
    }
    const char* const begin = marker.data() + at + kLogLine.size() + (at == 0 ? 0 : 1);
    uint32_t format = 0;
    const auto [end, error] = std::from_chars(begin, marker.data() + marker.size(), format);
    return error == std::errc() ? std::optional(format) : std::nullopt;
}

}  // namespace

std::optional<uint32_t> DataFormats::oldest(FileKind kind) const {
    const auto first = files.lower_bound({kind, 0});
    return first != files.end() && first->first.first == kind ? std::optional(first->first.second)
                                                              : std::nullopt;
}

Result<std::optional<int64_t>> catalog_version(io::FileSystem& files, const std::string& catalog) {
    AKIDB_TRY(const auto head, read_head(files, catalog, catalog::kFileHeadBytes));
    Result<std::string> wal = io::read_whole_file(files, catalog + "-wal", kWalBytesMax);
    if (!wal && !is_gone(wal.error())) {
        return std::move(wal).error();
    }
    Result<std::optional<int64_t>> version = catalog::stored_version(head.value_or(""), wal ? *wal : "");
    return version ? std::move(version) : std::move(version).error().with_context(catalog);
}

Result<DataFormats> survey_formats(io::FileSystem& files, const DataPlace& place) {
    return Survey(files).run(place);
}

std::string formats_marker() {
    return std::string(kLogLine) + std::to_string(storage::known_formats(FileKind::kLog).newest) + "\n";
}

Result<std::string> read_formats_marker(io::FileSystem& files, const std::string& data) {
    Result<std::string> marker =
        io::read_whole_file(files, data + "/" + std::string(kFormatsName), kMarkerBytesMax);
    return !marker && is_gone(marker.error()) ? std::string() : std::move(marker);
}

Result<void> check_formats_marker(std::string_view marker, const std::string& data) {
    const std::optional<uint32_t> written = log_format_in(marker);
    const FormatRange known = storage::known_formats(FileKind::kLog);
    if (written && *written > known.newest) {
        return Error(Code::kConflict, "a newer AkiDB has started on " + data + " and wrote logs of format " +
                                          std::to_string(*written) + "; this one reads formats " +
                                          text_of(known) + " (docs/upgrade.md tells how to go back)");
    }
    return {};
}

std::vector<std::string> changes_by_a_start(const DataFormats& found, std::string_view marker) {
    std::vector<std::string> changes;
    if (found.catalog && *found.catalog < catalog::newest_version()) {
        changes.push_back("the catalog is migrated from version " + std::to_string(*found.catalog) + " to " +
                          std::to_string(catalog::newest_version()));
    }
    const std::optional<uint32_t> log = found.oldest(FileKind::kLog);
    const uint32_t newest = storage::known_formats(FileKind::kLog).newest;
    // Older log files stay for a while after the first start, until a checkpoint covers them.
    if (log && *log < newest && log_format_in(marker) != newest) {
        changes.push_back("logs are written in format " + std::to_string(newest) +
                          ", where the oldest there has " + std::to_string(*log));
    }
    return changes;
}

}  // namespace akidb::offline
