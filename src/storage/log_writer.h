// LogWriter: appends groups to the log and makes each durable with one sync. Lane-owned (one thread at a
// time). Sticky failure: after any failed append or sync the state of the file is unknown, so every later
// call fails with kUnavailable until the collection is reopened; the sync is never retried (rule R6,
// "fsyncgate").
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "io/file_system.h"
#include "storage/log_format.h"

namespace akidb::storage {

struct LogWriterOptions {
    uint64_t file_bytes = kLogFileBytes;
    uint64_t preallocate_bytes_min = 256 << 10;  // at first; then a quarter of what there is
    uint64_t preallocate_bytes_max = 8 << 20;
};

class LogWriter {
  public:
    /// Starts a new file whose first record will be `next_sequence`; `directory` is the collection's log
    /// directory. Made after recovery, which leaves no file with that name. The file and its name are durable
    /// at return. Where there is no file yet, the first is made by the first reserve or append_group.
    static Result<std::unique_ptr<LogWriter>> open(io::FileSystem& files, std::string directory,
                                                   Uuid collection, uint64_t next_sequence,
                                                   LogWriterOptions options);
    ~LogWriter();

    /// Space for a group of this many body bytes (group_body_bytes), so that append_group cannot run out of
    /// disk: preallocates, or rolls to a new file. kDiskFull, kPayloadTooLarge for a group above 1 GiB, and
    /// kUnavailable for want of file descriptors leave the log usable and unchanged; other errors are sticky.
    Result<void> reserve(uint64_t body_bytes);
    /// Appends the records as one frame and syncs. At success they are durable, and have the sequences
    /// next_sequence() onward. Any error is sticky, but for those of reserve when the group was not reserved
    /// before. An empty group is nothing.
    /// `unix_ms`: when, as encode_frame says; it wants kTimeRecordBytes more in the reserve.
    Result<void> append_group(std::span<const LogRecord> records, uint64_t unix_ms = 0);
    uint64_t next_sequence() const;
    /// Closes the current file, if it has a record, so that trim can remove it, and starts a new one; nothing
    /// before the first group. Errors as of reserve.
    Result<void> start_file();
    /// Removes closed files whose records are all ≤ `covered_sequence`. Call only after a manifest that
    /// covers it is durable (rule R7). Not sticky: what could not be removed now is removed next time.
    Result<void> trim(uint64_t covered_sequence);
    /// Bytes in all files that trim has not removed.
    uint64_t log_bytes() const;
    bool is_poisoned() const;
    /// Writes and syncs the clean stop, which takes no sequence; kUnavailable when poisoned. Every later call
    /// but this one fails.
    Result<void> close_cleanly();

  private:
    struct Impl;
    explicit LogWriter(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace akidb::storage
