#include "offline/before_upgrade.h"

#include <algorithm>

#include "catalog/stored_version.h"
#include "io/hard_link.h"
#include "model/moment.h"
#include "storage/durable_files.h"
#include "storage/layout.h"

namespace akidb::offline {
namespace {

constexpr std::string_view kPrefix = "before-upgrade-";
constexpr std::string_view kStaging = "staging";
constexpr std::string_view kStaged = "before-upgrade";
constexpr std::string_view kCollections = "collections";
constexpr uint64_t kPieceBytes = 1 << 20;
constexpr uint64_t kDayMs = 86'400'000;
constexpr size_t kTimeLetters = 20;  // 2026-01-31T12-00-00Z

/// RFC 3339 to the second, but for the colons, which mean something to shells and containers.
std::string time_in_name(uint64_t unix_ms) {
    std::string text = model::rfc3339(unix_ms / 1000 * 1000).substr(0, kTimeLetters - 1) + "Z";
    std::replace(text.begin(), text.end(), ':', '-');
    return text;
}

std::optional<uint64_t> made_at_ms(std::string_view name) {
    if (!name.starts_with(kPrefix) || name.size() < kPrefix.size() + kTimeLetters) {
        return std::nullopt;
    }
    std::string text(name.substr(name.size() - kTimeLetters));
    text[13] = text[16] = ':';
    const std::optional<int64_t> moment = model::parse_moment(text);
    return moment && *moment >= 0 ? std::optional(static_cast<uint64_t>(*moment) / 1000) : std::nullopt;
}

class Keeping {
  public:
    Keeping(io::FileSystem& files, const DataPlace& place)
        : files_(files),
          place_(place),
          to_(place.data + "/" + std::string(kStaging) + "/" + std::string(kStaged)) {}

    /// In staging, whole and durable.
    Result<void> fill() {
        AKIDB_TRY(files_.make_directory(place_.data + "/" + std::string(kStaging)));
        AKIDB_TRY(io::remove_tree(files_, place_.data + "/" + std::string(kStaging), std::string(kStaged)));
        AKIDB_TRY(files_.make_directory(to_));
        const std::string catalog_name = place_.catalog.substr(place_.catalog.find_last_of('/') + 1);
        for (const std::string_view suffix : {"", "-wal"}) {
            AKIDB_TRY(copy_if_there(place_.catalog + std::string(suffix),
                                    to_ + "/" + catalog_name + std::string(suffix)));
        }
        AKIDB_TRY(copy_if_there(place_.data + "/" + kFormatsName, to_ + "/" + kFormatsName));
        const std::string collections = to_ + "/" + std::string(kCollections);
        AKIDB_TRY(files_.make_directory(collections));
        AKIDB_TRY(const auto entries, list(place_.data + "/" + std::string(kCollections)));
        for (const io::DirectoryEntry& entry : entries) {
            if (entry.is_directory) {
                AKIDB_TRY(keep_collection(entry.name));
            }
        }
        AKIDB_TRY(files_.sync_directory(collections));
        return files_.sync_directory(to_);
    }

    Result<void> switch_over(const std::string& name) {
        AKIDB_TRY(files_.rename(to_, place_.data + "/" + name));
        return files_.sync_directory(place_.data);
    }

    void give_up() {
        // What stays is removed by the next start.
        static_cast<void>(
            io::remove_tree(files_, place_.data + "/" + std::string(kStaging), std::string(kStaged))
                .has_value());
    }

    uint64_t copied_bytes() const { return copied_bytes_; }
    uint64_t linked_bytes() const { return linked_bytes_; }

  private:
    Result<std::vector<io::DirectoryEntry>> list(const std::string& directory) {
        Result<std::vector<io::DirectoryEntry>> entries = files_.list(directory);
        const bool is_absent = !entries && entries.error().code() == Code::kNotFound;
        return is_absent ? std::vector<io::DirectoryEntry>() : std::move(entries);
    }

    Result<void> keep_collection(const std::string& id) {
        const std::string from = storage::join_path(place_.data + "/" + std::string(kCollections), id);
        const std::string to = storage::join_path(to_ + "/" + std::string(kCollections), id);
        AKIDB_TRY(files_.make_directory(to));
        for (const std::string_view part :
             {storage::kLogDirectory, storage::kSegmentDirectory, std::string_view()}) {
            const std::string folder = part.empty() ? from : storage::join_path(from, part);
            AKIDB_TRY(const auto entries, list(folder));
            const std::string copy = part.empty() ? to : storage::join_path(to, part);
            AKIDB_TRY(files_.make_directory(copy));
            for (const io::DirectoryEntry& entry : entries) {
                const std::string name = part.empty() ? entry.name : storage::join_path(part, entry.name);
                if (!entry.is_directory && storage::is_collection_file(name)) {
                    AKIDB_TRY(keep_file(storage::join_path(folder, entry.name),
                                        storage::join_path(copy, entry.name), entry.size));
                }
            }
            AKIDB_TRY(files_.sync_directory(copy));
        }
        return {};
    }

    Result<void> keep_file(const std::string& from, const std::string& to, uint64_t bytes) {
        AKIDB_TRY(const bool is_linked, io::try_hard_link(from, to));
        linked_bytes_ += is_linked ? bytes : 0;
        return is_linked ? Result<void>() : copy(from, to);
    }

    Result<void> copy_if_there(const std::string& from, const std::string& to) {
        Result<void> copied = copy(from, to);
        return !copied && copied.error().code() == Code::kNotFound ? Result<void>() : copied;
    }

    Result<void> copy(const std::string& from, const std::string& to) {
        AKIDB_TRY(const auto source, files_.open_read(from));
        AKIDB_TRY(const auto file, files_.create(to));
        std::string piece;
        for (uint64_t at = 0; at < source->size(); at += piece.size()) {
            AKIDB_TRY(
                source->read_at(at, static_cast<size_t>(std::min(kPieceBytes, source->size() - at)), piece));
            AKIDB_TRY(file->append(piece));
        }
        copied_bytes_ += source->size();
        AKIDB_TRY(file->sync());
        return file->close();
    }

    io::FileSystem& files_;
    const DataPlace& place_;
    const std::string to_;
    uint64_t copied_bytes_ = 0;
    uint64_t linked_bytes_ = 0;
};

/// The newer one is in place before the older one goes.
Result<void> keep_copy(io::FileSystem& files, const io::Clock& clock, const DataPlace& place,
                       const DataFormats& found, UpgradePreparation& done) {
    AKIDB_TRY(const std::vector<std::string> older, list_upgrade_copies(files, place.data));
    Keeping keeping(files, place);
    const std::string name = std::string(kPrefix) + std::to_string(found.catalog.value_or(0)) + "-" +
                             time_in_name(clock.unix_ms());
    Result<void> kept = keeping.fill();
    if (kept && std::find(older.begin(), older.end(), name) != older.end()) {
        kept = io::remove_tree(files, place.data, name);  // of a start that ended within this second
    }
    if (kept) {
        kept = keeping.switch_over(name);
    }
    if (!kept) {
        keeping.give_up();
        return std::move(kept).error().with_context(
            "this start would change formats, and what is there could not be kept before (make room, or set "
            "upgrade.copy_days to 0 and go without)");
    }
    for (const std::string& one : older) {
        if (one != name) {
            AKIDB_TRY(io::remove_tree(files, place.data, one));
        }
    }
    done.copy = place.data + "/" + name;
    done.copied_bytes = keeping.copied_bytes();
    done.linked_bytes = keeping.linked_bytes();
    return {};
}

}  // namespace

Result<std::vector<std::string>> list_upgrade_copies(io::FileSystem& files, const std::string& data) {
    AKIDB_TRY(const std::vector<io::DirectoryEntry> entries, files.list(data));
    std::vector<std::string> names;
    for (const io::DirectoryEntry& entry : entries) {
        if (entry.is_directory && made_at_ms(entry.name)) {
            names.push_back(entry.name);
        }
    }
    std::sort(names.begin(), names.end(),
              [](const std::string& a, const std::string& b) { return made_at_ms(a) < made_at_ms(b); });
    return names;
}

Result<std::vector<std::string>> remove_old_upgrade_copies(io::FileSystem& files, const io::Clock& clock,
                                                           const std::string& data, uint64_t keep_days) {
    AKIDB_TRY(const std::vector<std::string> names, list_upgrade_copies(files, data));
    const uint64_t now_ms = clock.unix_ms();
    std::vector<std::string> removed;
    for (const std::string& name : names) {
        if (made_at_ms(name).value_or(0) + keep_days * kDayMs < now_ms) {
            AKIDB_TRY(io::remove_tree(files, data, name));
            removed.push_back(name);
        }
    }
    return removed;
}

Result<UpgradePreparation> prepare_upgrade(io::FileSystem& files, const io::Clock& clock,
                                           const DataPlace& place, uint64_t keep_days) {
    UpgradePreparation done;
    AKIDB_TRY(const std::string marker, read_formats_marker(files, place.data));
    AKIDB_TRY(check_formats_marker(marker, place.data));
    const auto version = catalog_version(files, place.catalog);
    if (!version || version->value_or(0) > catalog::newest_version()) {
        return done;  // whoever opens the catalog says what is wrong with it, and changes nothing either
    }
    DataFormats found{.catalog = *version};
    if (marker != formats_marker()) {
        AKIDB_TRY(found, survey_formats(files, place));
    }
    done.changes = changes_by_a_start(found, marker);
    if (!done.changes.empty() && keep_days > 0) {
        AKIDB_TRY(keep_copy(files, clock, place, found, done));
    }
    if (marker == formats_marker()) {
        return done;
    }
    const Result<void> noted = io::write_file_atomically(files, place.data, kFormatsName, formats_marker());
    // Without it the next start looks at every file again; but it must not take what this one leaves for what
    // was before.
    if (!noted && !done.changes.empty()) {
        return Error(noted.error()).with_context(kFormatsName);
    }
    return done;
}

}  // namespace akidb::offline
