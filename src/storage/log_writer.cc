#include "storage/log_writer.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "storage/durable_files.h"
#include "storage/layout.h"
#include "storage/log_frame.h"

namespace akidb::storage {
namespace {

// Kept allocated beyond each group, so that the clean stop of a server with a full disk still has its place.
constexpr uint64_t kCleanStopFrameBytes = align_frame(kCleanStopBytes);
constexpr size_t kFrameBufferKeptBytes = 4 << 20;
// Of what a file holds, allocated ahead: so much of a log may be empty. A file of 64 MiB grows 20 times.
constexpr uint64_t kPreallocatedShare = 4;

struct ClosedFile {
    std::string name;
    uint64_t last_sequence = 0;
    uint64_t bytes = 0;
};

struct OpenFile {
    std::string name;
    std::unique_ptr<io::AppendFile> file;
    uint32_t seed = 0;
};

/// Of a call that changed nothing, and may succeed later: a full disk, or no file descriptors left (EMFILE).
bool passes(const Error& error) {
    return error.code() == Code::kDiskFull || error.code() == Code::kUnavailable;
}

/// One above the id of the newest file, so that no two files that exist at once share one.
Result<uint64_t> file_id_after(io::FileSystem& files, const std::string& directory,
                               const std::string& newest) {
    std::string path = join_path(directory, newest);
    AKIDB_TRY(std::unique_ptr<io::ReadFile> file, files.open_read(path));
    std::string bytes;
    AKIDB_TRY(file->read_at(0, kLogHeaderBytes, bytes));
    std::optional<LogFileHeader> header = decode_log_header(bytes);
    if (!header) {
        return damage(path, 0, "the log file's header is invalid");
    }
    return header->file_id + 1;
}

}  // namespace

struct LogWriter::Impl {
    io::FileSystem& files;
    std::string directory;
    Uuid collection;
    LogWriterOptions options;
    uint64_t next_sequence = 0;
    uint64_t next_file_id = 1;
    std::deque<ClosedFile> closed = {};
    OpenFile active = {};
    std::string frame = {};
    std::string unfinished = {};  // a file that could not be made whole and could not be removed yet
    bool poisoned = false;
    bool stopped = false;

    Result<void> check_usable() const;
    Result<void> remove_unfinished();
    Result<void> find_closed_files();
    Result<OpenFile> create_file(uint64_t frame_bytes);
    Result<void> create_first_file(uint64_t frame_bytes);
    Result<void> fill_new_file(OpenFile& made, uint64_t frame_bytes);
    Result<void> roll(uint64_t frame_bytes);
    Result<void> extend(uint64_t frame_bytes);
    Result<void> write_frame(std::span<const LogRecord> records, uint64_t unix_ms);
};

Result<void> LogWriter::Impl::check_usable() const {
    if (poisoned) {
        return Error(Code::kUnavailable, "the log in " + directory +
                                             " failed to write or sync; reopen the collection to recover it");
    }
    if (stopped) {
        return Error(Code::kUnavailable, "the log in " + directory + " was stopped");
    }
    return {};
}

/// Without descriptors for it (kUnavailable) the directory cannot be synced: then the next group tries again,
/// and nothing is written before.
Result<void> LogWriter::Impl::remove_unfinished() {
    if (unfinished.empty()) {
        return {};
    }
    Result<void> removed = files.remove(unfinished);
    if (removed || removed.error().code() == Code::kNotFound) {
        removed = files.sync_directory(directory);
    }
    if (removed) {
        unfinished.clear();
    } else {
        poisoned = removed.error().code() != Code::kUnavailable;
    }
    return removed;
}

/// Files that recovery left: each ends where the next one begins.
Result<void> LogWriter::Impl::find_closed_files() {
    AKIDB_TRY(std::vector<io::DirectoryEntry> entries, files.list(directory));
    uint64_t first_of_newest = 0;
    for (const io::DirectoryEntry& entry : entries) {
        std::optional<uint64_t> first = parse_log_name(entry.name);
        if (!first) {
            continue;
        }
        if (*first >= next_sequence) {
            return Error(Code::kInternal, join_path(directory, entry.name) +
                                              " exists, but the next record has sequence " +
                                              std::to_string(next_sequence) + ": the log was not recovered");
        }
        if (!closed.empty()) {
            closed.back().last_sequence = *first - 1;
        }
        closed.push_back({.name = entry.name, .last_sequence = next_sequence - 1, .bytes = entry.size});
        first_of_newest = *first;
    }
    if (!closed.empty()) {
        AKIDB_TRY(next_file_id, file_id_after(files, directory, log_name(first_of_newest)));
    }
    return {};
}

Result<void> LogWriter::Impl::fill_new_file(OpenFile& made, uint64_t frame_bytes) {
    LogFileHeader header{.collection = collection, .file_id = next_file_id, .first_sequence = next_sequence};
    made.seed = frame_seed(header);
    AKIDB_TRY(made.file->append(encode_log_header(header)));
    uint64_t needed = kLogHeaderBytes + frame_bytes + kCleanStopFrameBytes;
    AKIDB_TRY(made.file->preallocate(
        std::max(needed, std::min(options.preallocate_bytes_min, options.file_bytes))));
    AKIDB_TRY(made.file->sync());
    return files.sync_directory(directory);
}

/// A file that could not be finished must be gone for good before writing goes on elsewhere: recovery takes
/// the name of the last file as proof that every record before it was durable.
Result<OpenFile> LogWriter::Impl::create_file(uint64_t frame_bytes) {
    OpenFile made{.name = log_name(next_sequence)};
    std::string path = join_path(directory, made.name);
    Result<std::unique_ptr<io::AppendFile>> created = files.create(path);
    if (!created) {
        poisoned = !passes(created.error());
        return std::move(created).error();
    }
    made.file = std::move(created).value();
    Result<void> filled = fill_new_file(made, frame_bytes);
    if (filled) {
        ++next_file_id;
        return made;
    }
    made.file.reset();
    unfinished = std::move(path);
    const Result<void> removed = remove_unfinished();
    poisoned = poisoned || !passes(filled.error());
    return removed ? std::move(filled).error() : std::move(removed).error();
}

Result<void> LogWriter::Impl::create_first_file(uint64_t frame_bytes) {
    if (Result<void> made = make_durable_directory(files, directory); !made) {
        poisoned = !passes(made.error());
        return made;
    }
    AKIDB_TRY(active, create_file(frame_bytes));
    return {};
}

Result<void> LogWriter::Impl::roll(uint64_t frame_bytes) {
    AKIDB_TRY(OpenFile made, create_file(frame_bytes));
    closed.push_back(
        {.name = active.name, .last_sequence = next_sequence - 1, .bytes = active.file->allocated()});
    // Every byte of the old file is synced, so an error of closing it has nothing left to lose.
    static_cast<void>(active.file->close().has_value());
    active = std::move(made);
    return {};
}

Result<void> LogWriter::Impl::extend(uint64_t frame_bytes) {
    uint64_t needed = active.file->size() + frame_bytes + kCleanStopFrameBytes;
    if (needed <= active.file->allocated()) {
        return {};
    }
    uint64_t step = std::clamp(active.file->allocated() / kPreallocatedShare, options.preallocate_bytes_min,
                               options.preallocate_bytes_max);
    uint64_t wanted = std::max(needed, std::min(active.file->allocated() + step, options.file_bytes));
    Result<void> done = active.file->preallocate(wanted);
    if (!done && done.error().code() == Code::kDiskFull && wanted > needed) {
        done = active.file->preallocate(needed);
    }
    if (!done) {
        poisoned = done.error().code() != Code::kDiskFull;
        return done;
    }
    return {};
}

Result<void> LogWriter::Impl::write_frame(std::span<const LogRecord> records, uint64_t unix_ms) {
    encode_frame(active.seed, next_sequence, active.file->size(), records, frame, unix_ms);
    AKIDB_TRY(active.file->append(frame));
    return active.file->sync();
}

Result<std::unique_ptr<LogWriter>> LogWriter::open(io::FileSystem& files, std::string directory,
                                                   Uuid collection, uint64_t next_sequence,
                                                   LogWriterOptions options) {
    AKIDB_TRY(files.make_directory(directory));
    auto impl = std::make_unique<Impl>(Impl{.files = files,
                                            .directory = std::move(directory),
                                            .collection = collection,
                                            .options = options,
                                            .next_sequence = next_sequence});
    AKIDB_TRY(impl->find_closed_files());
    // A log that was never written gets its first file with its first group: a server may hold thousands of
    // empty collections.
    if (!impl->closed.empty()) {
        AKIDB_TRY(impl->create_first_file(0));
    }
    return std::unique_ptr<LogWriter>(new LogWriter(std::move(impl)));
}

LogWriter::LogWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

LogWriter::~LogWriter() = default;

Result<void> LogWriter::reserve(uint64_t body_bytes) {
    AKIDB_TRY(impl_->check_usable());
    AKIDB_TRY(impl_->remove_unfinished());
    if (body_bytes > kFrameBodyBytesMax) {
        return Error(Code::kPayloadTooLarge,
                     "a group of " + std::to_string(body_bytes) + " bytes is too large for the log")
            .with_allowed("up to " + std::to_string(kFrameBodyBytesMax) + " bytes");
    }
    uint64_t frame_bytes = align_frame(kFrameHeaderBytes + body_bytes);
    if (impl_->active.file == nullptr) {
        return impl_->create_first_file(frame_bytes);
    }
    uint64_t used = impl_->active.file->size();
    if (used > kLogHeaderBytes && used + frame_bytes + kCleanStopFrameBytes > impl_->options.file_bytes) {
        return impl_->roll(frame_bytes);
    }
    return impl_->extend(frame_bytes);
}

Result<void> LogWriter::start_file() {
    AKIDB_TRY(impl_->check_usable());
    AKIDB_TRY(impl_->remove_unfinished());
    const bool is_begun =
        impl_->active.file == nullptr || impl_->active.name == log_name(impl_->next_sequence);
    return is_begun ? Result<void>() : impl_->roll(0);
}

Result<void> LogWriter::append_group(std::span<const LogRecord> records, uint64_t unix_ms) {
    AKIDB_TRY(impl_->check_usable());
    if (records.empty()) {
        return {};
    }
    AKIDB_TRY(reserve(group_body_bytes(records) + (unix_ms > 0 ? kTimeRecordBytes : 0)));
    Result<void> written = impl_->write_frame(records, unix_ms);
    if (!written) {
        impl_->poisoned = true;
        return written;
    }
    impl_->next_sequence += records.size();
    if (impl_->frame.capacity() > kFrameBufferKeptBytes) {
        std::string().swap(impl_->frame);
    }
    return {};
}

uint64_t LogWriter::next_sequence() const {
    return impl_->next_sequence;
}

Result<void> LogWriter::trim(uint64_t covered_sequence) {
    while (!impl_->closed.empty() && impl_->closed.front().last_sequence <= covered_sequence) {
        Result<void> removed = impl_->files.remove(join_path(impl_->directory, impl_->closed.front().name));
        if (!removed && removed.error().code() != Code::kNotFound) {
            return removed;
        }
        impl_->closed.pop_front();
    }
    return {};
}

uint64_t LogWriter::log_bytes() const {
    uint64_t bytes = 0;
    if (impl_->active.file != nullptr) {
        bytes = std::max(impl_->active.file->size(), impl_->active.file->allocated());
    }
    for (const ClosedFile& file : impl_->closed) {
        bytes += file.bytes;
    }
    return bytes;
}

bool LogWriter::is_poisoned() const {
    return impl_->poisoned;
}

Result<void> LogWriter::close_cleanly() {
    if (impl_->stopped) {
        return {};
    }
    AKIDB_TRY(impl_->check_usable());
    AKIDB_TRY(impl_->remove_unfinished());
    if (impl_->active.file == nullptr) {
        impl_->stopped = true;
        return {};
    }
    const LogRecord stop{.type = RecordType::kCleanStop, .body = {}};
    Result<void> written = impl_->write_frame(std::span(&stop, 1), 0);
    impl_->stopped = written.has_value();
    impl_->poisoned = !impl_->stopped;
    return written;
}

}  // namespace akidb::storage
