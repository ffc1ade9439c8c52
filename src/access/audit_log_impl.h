// AuditLog::Impl: what the sources of AuditLog share. One caller at a time is the writer (`busy`): it takes
// what waits, writes and syncs it with no lock held, and answers all. For those sources only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access/audit_log.h"
#include "base/mutex.h"

namespace akidb::access {

struct AuditLog::Impl {
    struct FileOnDisk {
        std::string name;
        uint64_t first = 0;
        uint64_t unix_ms = UINT64_MAX;  // when it began; no telling
    };
    /// The caller of append() until its group is written.
    struct Waiting {
        AuditEntry entry;
        std::optional<Result<uint64_t>> outcome;
    };
    struct Group {
        std::vector<Waiting*> waiting;
        std::vector<AuditEntry> notes;
        bool sign = false;
    };

    Impl(io::FileSystem& files_given, const io::Clock& clock_given, std::string directory_given,
         const AuditKey& key_given, AuditOptions options_given)
        : files(files_given),
          clock(clock_given),
          directory(std::move(directory_given)),
          key(key_given),
          options(std::move(options_given)) {}

    Result<void> recover(io::Random& random);
    Result<bool> recover_last(const std::string& name);
    Result<void> remove_durably(const std::string& name);
    FileOnDisk describe(const std::string& name);

    Group take_group() AKIDB_REQUIRES(mutex);
    /// Writes the group and answers everybody in it.
    Result<void> run(Group group);
    Result<void> write(Group& group, std::vector<std::string>& checkpoints);
    Result<void> ready_file(uint64_t bytes);
    Result<void> seal();
    Result<void> begin_file();
    Result<void> expire();
    static AuditEntry own_entry(std::string_view action, std::string resource, std::string reason);
    std::string path_of(std::string_view name) const { return directory + "/" + std::string(name); }

    io::FileSystem& files;
    const io::Clock& clock;
    const std::string directory;
    const AuditKey key;
    const AuditOptions options;

    mutable Mutex mutex;
    CondVar changed;
    std::vector<Waiting*> queue AKIDB_GUARDED_BY(mutex);
    std::vector<AuditEntry> notes AKIDB_GUARDED_BY(mutex);
    uint64_t notes_second AKIDB_GUARDED_BY(mutex) = 0;
    uint64_t notes_in_second AKIDB_GUARDED_BY(mutex) = 0;
    uint64_t omitted AKIDB_GUARDED_BY(mutex) = 0;  // not yet told in an entry
    bool busy AKIDB_GUARDED_BY(mutex) = false;
    bool closed AKIDB_GUARDED_BY(mutex) = false;
    uint64_t last_file_bytes AKIDB_GUARDED_BY(mutex) = UINT64_MAX;  // acknowledged, of the last one on disk
    std::vector<FileOnDisk> on_disk AKIDB_GUARDED_BY(mutex);
    AuditFigures figures AKIDB_GUARDED_BY(mutex);

    // Of whoever set `busy`.
    Uuid log;
    uint64_t last = 0;
    Sha256 hash{};
    uint64_t signed_through = 0;
    uint64_t signed_us = 0;  // monotonic
    std::unique_ptr<io::AppendFile> active;
    std::string active_name;
    uint64_t active_first = 0;
    uint64_t acknowledged = 0;  // bytes of the active file
    bool must_seal = false;
    std::string unfinished;  // a file that could not be begun and not be removed yet
};

}  // namespace akidb::access
