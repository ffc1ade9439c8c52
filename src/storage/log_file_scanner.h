// LogFileScanner: one log file through a window of memory, frame by frame. It tells what stands at an offset;
// what that means (end, torn tail, damage) is for recovery to say. Offsets and sizes are bytes. Errors are
// those of reading, and kDataLoss for a frame whose checksum holds but whose records do not add up. Not
// thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/function_ref.h"
#include "io/file_system.h"
#include "storage/log_frame.h"

namespace akidb::storage {

struct LogFrame {
    FrameHeader header;
    std::string_view bytes;  // with its header, without padding; this and body until the scanner's next call
    std::string_view body;
};

/// What lies behind the last valid frame of a file.
struct LogTail {
    uint64_t garbage_bytes = 0;                  // up to the last byte that is not zero
    std::optional<uint64_t> valid_frame_offset;  // of the first valid frame in there
};

enum class TailScan : uint8_t { kToEnd, kToFirstFrame };

class LogFileScanner {
  public:
    static Result<LogFileScanner> open(io::FileSystem& files, std::string path);
    /// One that is open already; `name` is for messages.
    static LogFileScanner over(std::string name, std::unique_ptr<io::ReadFile> file);

    const std::string& path() const { return path_; }
    uint64_t size() const { return size_; }
    /// nullopt when there is none that holds.
    Result<std::optional<LogFileHeader>> read_header();
    /// The frame at `offset`, or nullopt when no valid one begins there.
    Result<std::optional<LogFrame>> frame_at(uint32_t seed, uint64_t offset);
    /// Looks at every place from `offset` on where a frame could begin. Without a seed it only counts.
    Result<LogTail> scan_tail(std::optional<uint32_t> seed, uint64_t offset,
                              TailScan reach = TailScan::kToEnd);
    /// CRC32C of all bytes from `offset` on, to tell whether two reads agree.
    Result<uint32_t> checksum_from(uint64_t offset);
    /// Calls `visit` for each record of a valid frame; for a clean stop with the next sequence, which the
    /// record does not take.
    Result<void> for_each_record(
        const LogFrame& frame,
        FunctionRef<Result<void>(uint64_t sequence, RecordType type, std::string_view body)> visit) const;

  private:
    LogFileScanner(std::string path, std::unique_ptr<io::ReadFile> file);
    Result<std::string_view> view(uint64_t offset, uint64_t count);

    std::string path_;
    std::unique_ptr<io::ReadFile> file_;
    uint64_t size_ = 0;
    std::string window_;
    uint64_t window_offset_ = 0;
};

}  // namespace akidb::storage
