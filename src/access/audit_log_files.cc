#include <algorithm>
#include <charconv>

#include "access/audit_log_impl.h"
#include "access/audit_survey.h"

namespace akidb::access {
namespace {

constexpr uint64_t kHeaderBytesMax = 1024;

}  // namespace

Result<void> AuditLog::Impl::remove_durably(const std::string& name) {
    Result<void> removed = files.remove(path_of(name));
    if (!removed && removed.error().code() != Code::kNotFound) {
        return removed;
    }
    return files.sync_directory(directory);
}

AuditLog::Impl::FileOnDisk AuditLog::Impl::describe(const std::string& name) {
    FileOnDisk made{.name = name};
    std::from_chars(name.data(), name.data() + name.size(), made.first);
    Result<std::unique_ptr<io::ReadFile>> file = files.open_read(path_of(name));
    std::string bytes;
    if (!file || !(*file)->read_at(0, std::min((*file)->size(), kHeaderBytesMax), bytes)) {
        return made;  // `akidb audit verify` says what is wrong with it
    }
    const std::optional<AuditLine> line = parse_audit_line(bytes.substr(0, bytes.find('\n')));
    if (const auto* header = line ? std::get_if<AuditHeader>(&*line) : nullptr) {
        made.unix_ms = header->unix_ms;
    }
    return made;
}

/// True when the log goes on behind this file; false when it had nothing and is gone. What may be in memory
/// only (the last process was killed before its sync) is written anew, so that the next file stands on it.
Result<bool> AuditLog::Impl::recover_last(const std::string& name) {
    const std::string path = path_of(name);
    AKIDB_TRY(const std::string content, io::read_whole_file(files, path, kAuditFileBytesMax));
    const AuditFileScan scan =
        scan_audit_file(content, key.public_key(), [](const AuditEntry&, const Sha256&) {});
    if (!scan.stop.empty() && scan.stop_is_whole_line) {
        return Error(Code::kDataLoss, path + " at byte " + std::to_string(scan.valid_bytes) +
                                          " was changed: " + scan.stop + "; `akidb audit verify` tells more");
    }
    if (scan.header && !scan.header_is_signed) {
        return Error(Code::kDataLoss, path + " is signed by another key than this server's");
    }
    if (!scan.header || scan.last < scan.header->first) {
        AKIDB_TRY(remove_durably(name));
        return false;
    }
    AKIDB_TRY(io::write_file_atomically(files, directory, name,
                                        std::string_view(content).substr(0, scan.valid_bytes)));
    log = scan.header->log;
    last = scan.last;
    hash = scan.hash;
    signed_through = scan.signed_through;
    return true;
}

Result<void> AuditLog::Impl::recover(io::Random& random) {
    AKIDB_TRY(files.make_directory(directory));
    const size_t slash = directory.find_last_of('/');
    AKIDB_TRY(files.sync_directory(
        slash == std::string::npos ? "." : directory.substr(0, std::max<size_t>(slash, 1))));
    AKIDB_TRY(const std::vector<io::DirectoryEntry> entries, files.list(directory));
    std::vector<std::string> names;
    for (const io::DirectoryEntry& entry : entries) {
        if (is_audit_file_name(entry.name)) {
            names.push_back(entry.name);
        } else if (entry.name.ends_with(io::kTemporarySuffix)) {
            AKIDB_TRY(remove_durably(entry.name));
        }
    }
    bool goes_on = false;
    while (!names.empty() && !goes_on) {
        AKIDB_TRY(goes_on, recover_last(names.back()));
        if (!goes_on) {
            names.pop_back();
        }
    }
    if (!goes_on) {
        log = io::make_uuid(random, clock);
        hash = audit_hash_before_all(log);
    }
    signed_us = clock.monotonic_us();
    MutexLock lock(mutex);
    for (const std::string& name : names) {
        on_disk.push_back(describe(name));
    }
    figures.entries = last;
    figures.files = names.size();
    return {};
}

/// Takes away what a failure may have left behind the acknowledged bytes.
Result<void> AuditLog::Impl::seal() {
    active.reset();
    if (last < active_first) {
        AKIDB_TRY(remove_durably(active_name));
        MutexLock lock(mutex);
        on_disk.pop_back();
        last_file_bytes = UINT64_MAX;
    } else {
        const std::string path = path_of(active_name);
        std::string content;
        AKIDB_TRY(const std::unique_ptr<io::ReadFile> file, files.open_read(path));
        AKIDB_TRY(file->read_at(0, acknowledged, content));
        AKIDB_TRY(io::write_file_atomically(files, directory, active_name, content));
    }
    must_seal = false;
    return {};
}

Result<void> AuditLog::Impl::begin_file() {
    const AuditHeader header{
        .log = log, .first = last + 1, .unix_ms = clock.unix_ms(), .previous = hash, .key = key.public_key()};
    const std::string name = audit_file_name(header.first);
    AKIDB_TRY(std::unique_ptr<io::AppendFile> made, files.create(path_of(name)));
    unfinished = name;
    AKIDB_TRY(made->append(encode_audit_header(header, key) + "\n"));
    AKIDB_TRY(made->sync());
    AKIDB_TRY(files.sync_directory(directory));
    unfinished.clear();
    active = std::move(made);
    active_name = name;
    active_first = header.first;
    acknowledged = active->size();
    signed_through = last;
    MutexLock lock(mutex);
    on_disk.push_back({.name = name, .first = header.first, .unix_ms = header.unix_ms});
    last_file_bytes = acknowledged;
    return {};
}

Result<void> AuditLog::Impl::ready_file(uint64_t bytes) {
    if (!unfinished.empty()) {
        AKIDB_TRY(remove_durably(unfinished));
        unfinished.clear();
    }
    if (must_seal) {
        AKIDB_TRY(seal());
    }
    if (active && last >= active_first && acknowledged + bytes > options.file_bytes) {
        // Every byte of it is synced, so an error of closing it has nothing left to lose.
        static_cast<void>(active->close().has_value());
        active.reset();
    }
    return active ? Result<void>() : begin_file();
}

/// A file goes when the one behind it began before the retention; two stay, so that the log never loses its
/// place (the last one may have no entries).
Result<void> AuditLog::Impl::expire() {
    FileOnDisk oldest;
    uint64_t next_first = 0;
    {
        MutexLock lock(mutex);
        const uint64_t now_ms = clock.unix_ms();
        if (options.retention_ms == 0 || on_disk.size() < 3 || on_disk[1].unix_ms > now_ms ||
            now_ms - on_disk[1].unix_ms < options.retention_ms || clock.is_in_doubt()) {
            return {};
        }
        oldest = on_disk[0];
        next_first = on_disk[1].first;
    }
    Waiting told{
        own_entry(kAuditExpire,
                  "entries " + std::to_string(oldest.first) + " to " + std::to_string(next_first - 1),
                  "older than the retention"),
        std::nullopt};
    Group group;
    {
        MutexLock lock(mutex);
        while (busy) {
            changed.wait(mutex);
        }
        group = take_group();
    }
    group.waiting.push_back(&told);
    AKIDB_TRY(run(std::move(group)));
    AKIDB_TRY(remove_durably(oldest.name));
    MutexLock lock(mutex);
    on_disk.erase(on_disk.begin());
    figures.files = on_disk.size();
    return {};
}

}  // namespace akidb::access
