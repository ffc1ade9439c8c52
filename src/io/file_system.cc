#include "io/file_system.h"

#include <utility>

#include "base/assert.h"

namespace akidb::io {
namespace {

std::string join(const std::string& directory, std::string_view name) {
    std::string path = directory;
    path.append("/").append(name);
    return path;
}

Result<void> write_and_sync(FileSystem& files, const std::string& path, std::string_view content) {
    AKIDB_TRY(std::unique_ptr<AppendFile> file, files.create(path));
    AKIDB_TRY(file->append(content));
    AKIDB_TRY(file->sync());
    return file->close();
}

Result<void> remove_recursively(FileSystem& files, const std::string& directory) {
    AKIDB_TRY(const std::vector<DirectoryEntry> entries, files.list(directory));
    for (const DirectoryEntry& entry : entries) {
        const std::string path = join(directory, entry.name);
        if (entry.is_directory) {
            AKIDB_TRY(remove_recursively(files, path));
        } else {
            AKIDB_TRY(files.remove(path));
        }
    }
    return files.remove_directory(directory);
}

}  // namespace

Result<std::unique_ptr<ReadFile>> FileSystem::open_uncached(const std::string& path) {
    return open_read(path);
}

Result<void> FileSystem::rename_new(const std::string& from, const std::string& to) {
    const Result<std::unique_ptr<ReadFile>> taken = open_read(to);
    if (taken || taken.error().code() != Code::kNotFound) {
        return taken ? Error(Code::kAlreadyExists, "rename " + from + " to " + to + ": the name is taken")
                     : Error(taken.error());
    }
    return rename(from, to);
}

Result<uint64_t> FileSystem::volume_bytes(const std::string&) {
    return uint64_t{0};
}

Result<void> FileSystem::occupy(const std::string& path, uint64_t bytes) {
    AKIDB_TRY(std::unique_ptr<AppendFile> file, create(path));
    Result<void> done = file->preallocate(bytes);
    if (done) {
        done = file->close();
    }
    if (!done) {
        file.reset();
        const Result<void> removed = remove(path);
        static_cast<void>(removed.has_value());
    }
    return done;
}

Result<void> write_file_atomically(FileSystem& files, const std::string& directory, const std::string& name,
                                   std::string_view content) {
    AKIDB_ASSERT(!name.empty() && name.find('/') == std::string::npos);
    const std::string temporary = join(directory, name + std::string(kTemporarySuffix));
    Result<void> removed = files.remove(temporary);  // of a write that was cut short before
    if (!removed && removed.error().code() != Code::kNotFound) {
        return removed;
    }
    Result<void> outcome = write_and_sync(files, temporary, content);
    if (outcome) {
        outcome = files.rename(temporary, join(directory, name));
    }
    if (!outcome) {
        // What cannot be removed now is removed by recovery; the first error is the one that tells what
        // happened.
        (void)files.remove(temporary).has_value();
        return outcome;
    }
    return files.sync_directory(directory);
}

Result<std::string> read_whole_file(FileSystem& files, const std::string& path, uint64_t bytes_max) {
    AKIDB_TRY(const std::unique_ptr<ReadFile> file, files.open_read(path));
    const uint64_t size = file->size();
    if (size > bytes_max) {
        return Error(Code::kDataLoss, path + ": has " + std::to_string(size) + " bytes, more than the " +
                                          std::to_string(bytes_max) + " it can have");
    }
    std::string content;
    AKIDB_TRY(file->read_at(0, size, content));
    return content;
}

Result<void> remove_tree(FileSystem& files, const std::string& parent, const std::string& name) {
    AKIDB_ASSERT(!name.empty() && name.find('/') == std::string::npos);
    Result<void> removed = remove_recursively(files, join(parent, name));
    if (!removed && removed.error().code() != Code::kNotFound) {
        return removed;
    }
    // Also when nothing was there: an earlier try may have failed between removing and syncing.
    Result<void> synced = files.sync_directory(parent);
    if (!synced && synced.error().code() == Code::kNotFound) {
        return {};
    }
    return synced;
}

}  // namespace akidb::io
