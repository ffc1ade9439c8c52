// FileSystem: the one door to disk. Production gives PosixFileSystem, the simulator gives one that loses,
// tears and reorders what was not synced; both pass file_system_conformance.h. Paths are absolute or relative
// to the process,
// '/'-separated, and never made from a client's words.
//
// Words: *visible* = other calls in this process see it. *durable* = it survives a power cut.
// Creating, renaming and removing are visible at return and durable after sync_dir of the directory that
// holds the name; file content is visible at return of append and durable after sync. A failed sync means
// that the state of everything written since the last good one is unknown: the caller must never retry it
// (rule R6, fsyncgate). Errors: kNotFound, kAlreadyExists, kDiskFull (ENOSPC, EDQUOT), kUnavailable (EMFILE,
// ENFILE), kConflict (lock held), otherwise kInternal; each message names call, path and errno text.
// Thread-safe; file objects are thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace akidb::io {

/// Appends to one file at its logical end, which preallocated space lies beyond.
class AppendFile {
  public:
    virtual ~AppendFile() = default;
    /// All of `bytes`, after what was appended before. On an error the file may hold a part of them.
    virtual Result<void> append(std::string_view bytes) = 0;
    /// Writes zeros up to `total_bytes` and makes size and space durable, so that later syncs move data only
    /// (6–10 times faster, measured in the facts). Does not move the logical end. kDiskFull leaves the
    /// logical content untouched.
    virtual Result<void> preallocate(uint64_t total_bytes) = 0;
    /// fdatasync: everything appended so far is durable at return.
    virtual Result<void> sync() = 0;
    /// The logical end: bytes appended (or found at open).
    virtual uint64_t size() const = 0;
    virtual uint64_t allocated() const = 0;
    /// Without sync. Errors of close are returned; the object is unusable afterwards.
    virtual Result<void> close() = 0;
};

class ReadFile {
  public:
    virtual ~ReadFile() = default;
    virtual uint64_t size() const = 0;
    /// Exactly `count` bytes at `offset` into `out` (resized); kDataLoss when the file ends before.
    virtual Result<void> read_at(uint64_t offset, size_t count, std::string& out) const = 0;
};

/// Read-only memory of a whole file; valid for the life of this object, also after the file's name was
/// removed.
class MappedFile {
  public:
    virtual ~MappedFile() = default;
    virtual std::string_view bytes() const = 0;
    /// That all of `bytes` is about to be read, for what is one system call instead of a fault for every few
    /// pages. A hint: nothing fails, and nothing needs it.
    virtual void expect_read(std::string_view bytes) const { static_cast<void>(bytes); }
    /// That nobody needs the bytes any more: a file whose name was removed frees its space on the disk. Who
    /// reads them nevertheless meets them or zeros; addresses stay valid.
    virtual void forget() const {}
};

/// Held until destroyed.
class FileLock {
  public:
    virtual ~FileLock() = default;
};

struct DirectoryEntry {
    std::string name;
    bool is_directory = false;
    uint64_t size = 0;
};

class FileSystem {
  public:
    virtual ~FileSystem() = default;
    /// A new empty file; kAlreadyExists if the name is taken.
    virtual Result<std::unique_ptr<AppendFile>> create(const std::string& path) = 0;
    virtual Result<std::unique_ptr<ReadFile>> open_read(const std::string& path) = 0;
    /// As open_read, for who doubts the disk: reads go past the page cache where the file system can, so that
    /// they get what a start after a power cut would.
    virtual Result<std::unique_ptr<ReadFile>> open_uncached(const std::string& path);
    virtual Result<std::unique_ptr<MappedFile>> map(const std::string& path) = 0;
    /// Sorted by name, without "." and "..".
    virtual Result<std::vector<DirectoryEntry>> list(const std::string& directory) = 0;
    /// Atomic; replaces an existing `to`.
    virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
    /// As rename, but kAlreadyExists when `to` is there. Atomic among processes where the file system offers
    /// it; this default is for those that one thread has to itself.
    virtual Result<void> rename_new(const std::string& from, const std::string& to);
    /// A file; kNotFound if absent.
    virtual Result<void> remove(const std::string& path) = 0;
    /// Success when it already exists; parents must exist.
    virtual Result<void> make_directory(const std::string& path) = 0;
    /// Must be empty.
    virtual Result<void> remove_directory(const std::string& path) = 0;
    virtual Result<void> sync_directory(const std::string& path) = 0;
    /// Creates `path` if needed and locks it for this process; kConflict (with the holder's pid if known)
    /// when held.
    virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
    /// For unprivileged writers, on the volume of `path`.
    virtual Result<uint64_t> free_bytes(const std::string& path) = 0;
    /// Of the volume of `path`, used and free; 0 when there is no telling.
    virtual Result<uint64_t> volume_bytes(const std::string& path);
    /// A new file that takes up this much space and holds nothing of worth: as create and preallocate, but a
    /// disk that can set space aside without writing to it does. Leaves nothing behind on an error.
    virtual Result<void> occupy(const std::string& path, uint64_t bytes);
};

/// Writes `content` so that after return `path` holds all of it durably, and after a crash in between either
/// the old file or the new one: temp name in the same directory, sync, rename, sync directory (rule R1).
Result<void> write_file_atomically(FileSystem& files, const std::string& directory, const std::string& name,
                                   std::string_view content);
/// The whole file; kDataLoss above `bytes_max` (nothing is allocated then).
Result<std::string> read_whole_file(FileSystem& files, const std::string& path, uint64_t bytes_max);
/// A directory with all it holds; success when it is not there. Syncs the parent.
Result<void> remove_tree(FileSystem& files, const std::string& parent, const std::string& name);

/// Temp names end with this; recovery deletes what it finds of them (rule R2).
inline constexpr std::string_view kTemporarySuffix = ".tmp";

}  // namespace akidb::io
