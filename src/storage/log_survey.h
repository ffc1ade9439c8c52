// survey_log_file: one log file from its first byte to its last, for people who want to look at it and for
// repair: every stretch in order, and what it is. Where no valid frame begins, the next place where one does
// is looked for, so a hole is told from a torn tail as far as one file can tell (a hole has a valid frame
// behind it). Reads only. Errors are those of reading; damage is an answer here, not an error. Memory: the
// largest frame. Thread-safe: no state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/function_ref.h"
#include "io/file_system.h"
#include "storage/log_frame.h"

namespace akidb::storage {

enum class LogSpanKind : uint8_t {
    kFrame,
    kCleanStop,
    kMalformed,  // a frame whose checksum holds, but whose records do not add up
    kHole,       // no frame, and a valid one comes after it
    kTornTail,   // no frame, and none after it in this file
    kReserved,   // zeros up to the end
};

/// A record of a frame; `body` is gone when the call returns.
struct LogSpanRecord {
    uint64_t sequence = 0;
    RecordType type = RecordType::kUpsert;
    uint64_t offset = 0;
    std::string_view body;
};

struct LogSpan {
    LogSpanKind kind = LogSpanKind::kFrame;
    uint64_t offset = 0;
    uint64_t bytes = 0;           // with padding
    uint64_t first_sequence = 0;  // of a frame
    uint32_t record_count = 0;
    uint64_t unix_ms = 0;  // when its group was committed; 0: it does not tell
    std::vector<LogSpanRecord> records{};
};

struct LogFault {
    uint64_t offset = 0;
    std::string what;
};

struct LogFileSurvey {
    std::string path;
    uint64_t bytes = 0;
    std::optional<LogFileHeader> header;  // nullopt: its checksum does not hold
    uint64_t frames = 0;
    uint64_t records = 0;
    uint64_t last_sequence = 0;  // the highest of a valid frame; 0 without any
    uint64_t torn_bytes = 0;
    bool ends_cleanly = false;     // the last frame is a clean stop, and nothing is torn after it
    std::vector<LogFault> faults;  // ascending; at most kLogFaultsMax
};

inline constexpr size_t kLogFaultsMax = 1000;

Result<LogFileSurvey> survey_log_file(io::FileSystem& files, const std::string& path,
                                      FunctionRef<Result<void>(const LogSpan&)> visit);

}  // namespace akidb::storage
