// Reading the log back at open: every record after a sequence, in order, with bounded memory (one frame at a
// time), then the repair that makes what was read durable. Not thread-safe; one recovery at a time per
// directory.
#pragma once

#include <cstdint>
#include <string>

#include "base/function_ref.h"
#include "io/file_system.h"
#include "storage/log_format.h"

namespace akidb::storage {

struct LogRecovery {
    uint64_t last_sequence = 0;  // of the last valid record, or `after` when there is none
    uint64_t records = 0;        // delivered
    uint64_t torn_bytes = 0;     // cut from the tail: written but never acknowledged
    uint64_t last_ms = 0;        // the latest time of a frame that was read; 0: none tells
    bool was_clean = false;      // the last frame in the log is a clean stop, or nothing was ever written
};

/// Calls `visit` for each record with sequence > `after` , ascending without gaps (a gap or damage in the
/// middle is kDataLoss naming file and offset); clean stops are not records. An error from `visit` ends it.
/// After an unclean stop the last file's valid frames are copied into a fresh file, synced and renamed over
/// it, because what the page cache shows may never have reached the disk (rule R6). Temp files are deleted,
/// and so is a last file without a record: none has the name that LogWriter::open will make. An absent or
/// empty directory is an empty log. Nothing is repaired when kDataLoss is found.
Result<LogRecovery> recover_log(
    io::FileSystem& files, const std::string& directory, Uuid collection, uint64_t after,
    FunctionRef<Result<void>(uint64_t sequence, RecordType type, std::string_view body)> visit);
/// The same judgement of the same bytes, and nothing is changed on disk.
Result<LogRecovery> read_log(
    io::FileSystem& files, const std::string& directory, Uuid collection, uint64_t after,
    FunctionRef<Result<void>(uint64_t sequence, RecordType type, std::string_view body)> visit);

}  // namespace akidb::storage
