#include "storage/log_file_scanner.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "storage/durable_files.h"

namespace akidb::storage {
namespace {

constexpr uint64_t kWindowBytes = 1 << 20;
// Kept between frames, and read at once when the last frame took as much: memory that is made anew for each
// costs more than reading it.
constexpr uint64_t kKeptWindowBytes = 8 << 20;

bool begins_like_a_frame(std::string_view bytes) {
    return ByteReader(bytes).get<uint32_t>() == kFrameMagic;
}

}  // namespace

LogFileScanner::LogFileScanner(std::string path, std::unique_ptr<io::ReadFile> file)
    : path_(std::move(path)), file_(std::move(file)), size_(file_->size()) {}

Result<LogFileScanner> LogFileScanner::open(io::FileSystem& files, std::string path) {
    AKIDB_TRY(std::unique_ptr<io::ReadFile> file, files.open_read(path));
    return LogFileScanner(std::move(path), std::move(file));
}

LogFileScanner LogFileScanner::over(std::string name, std::unique_ptr<io::ReadFile> file) {
    return {std::move(name), std::move(file)};
}

/// Callers ask within the file only; a frame larger than the window makes the window that large, beyond
/// kKeptWindowBytes until the next one.
Result<std::string_view> LogFileScanner::view(uint64_t offset, uint64_t count) {
    bool is_inside = offset >= window_offset_ && offset - window_offset_ <= window_.size() &&
                     count <= window_.size() - (offset - window_offset_);
    if (!is_inside) {
        AKIDB_ASSERT(offset <= size_ && count <= size_ - offset);
        const uint64_t usual = std::clamp<uint64_t>(window_.size(), kWindowBytes, kKeptWindowBytes);
        const uint64_t wanted = std::min(std::max(count, usual), size_ - offset);
        if (window_.capacity() > kKeptWindowBytes && wanted <= kKeptWindowBytes) {
            std::string().swap(window_);
        }
        window_offset_ = offset;
        Result<void> read = file_->read_at(offset, wanted, window_);
        if (!read) {
            window_.clear();
            return std::move(read).error();
        }
    }
    return std::string_view(window_).substr(offset - window_offset_, count);
}

Result<std::optional<LogFileHeader>> LogFileScanner::read_header() {
    if (size_ < kLogHeaderBytes) {
        return std::optional<LogFileHeader>();
    }
    AKIDB_TRY(std::string_view bytes, view(0, kLogHeaderBytes));
    return decode_log_header(bytes);
}

Result<std::optional<LogFrame>> LogFileScanner::frame_at(uint32_t seed, uint64_t offset) {
    if (offset > size_ || size_ - offset < kFrameHeaderBytes) {
        return std::optional<LogFrame>();
    }
    AKIDB_TRY(std::string_view bytes, view(offset, kFrameHeaderBytes));
    std::optional<FrameHeader> header = decode_frame_header(bytes, offset, size_ - offset);
    if (!header) {
        return std::optional<LogFrame>();
    }
    AKIDB_TRY(std::string_view frame, view(offset, uint64_t{kFrameHeaderBytes} + header->body_bytes));
    if (!frame_checksum_holds(*header, seed, frame)) {
        return std::optional<LogFrame>();
    }
    return std::optional(LogFrame{*header, frame, frame.substr(kFrameHeaderBytes)});
}

Result<uint32_t> LogFileScanner::checksum_from(uint64_t offset) {
    uint32_t checksum = 0;
    for (uint64_t at = offset; at < size_;) {
        const uint64_t count = std::min(kWindowBytes, size_ - at);
        AKIDB_TRY(const std::string_view bytes, view(at, count));
        checksum = crc32c(bytes, checksum);
        at += count;
    }
    return checksum;
}

Result<LogTail> LogFileScanner::scan_tail(std::optional<uint32_t> seed, uint64_t offset, TailScan reach) {
    LogTail tail;
    const std::string zeros(kFrameAlignment, '\0');
    for (uint64_t at = offset; at < size_; at += kFrameAlignment) {
        uint64_t count = std::min<uint64_t>(kFrameAlignment, size_ - at);
        AKIDB_TRY(std::string_view bytes, view(at, count));
        if (bytes == std::string_view(zeros).substr(0, count)) {
            continue;
        }
        tail.garbage_bytes = at + bytes.find_last_not_of('\0') + 1 - offset;
        if (seed && !tail.valid_frame_offset && begins_like_a_frame(bytes)) {
            AKIDB_TRY(std::optional<LogFrame> frame, frame_at(*seed, at));
            if (frame) {
                tail.valid_frame_offset = at;
                if (reach == TailScan::kToFirstFrame) {
                    break;
                }
            }
        }
    }
    return tail;
}

Result<void> LogFileScanner::for_each_record(
    const LogFrame& frame,
    FunctionRef<Result<void>(uint64_t sequence, RecordType type, std::string_view body)> visit) const {
    ByteReader reader(frame.body.substr(frame_time_ms(frame.body) > 0 ? kTimeRecordBytes : 0));
    bool is_clean_stop = frame.header.record_count == 0;
    for (uint32_t i = 0; i < std::max(frame.header.record_count, 1U); ++i) {
        uint8_t type = reader.get<uint8_t>();
        std::string_view body = reader.get_string();
        bool is_known = is_clean_stop ? type == static_cast<uint8_t>(RecordType::kCleanStop)
                                      : type == static_cast<uint8_t>(RecordType::kUpsert) ||
                                            type == static_cast<uint8_t>(RecordType::kDelete) ||
                                            type == static_cast<uint8_t>(RecordType::kKeyed);
        if (reader.failed() || !is_known) {
            return damage(path_, frame.header.file_offset,
                          "record " + std::to_string(i) + " of the frame is malformed");
        }
        AKIDB_TRY(visit(frame.header.first_sequence + i, static_cast<RecordType>(type), body));
    }
    if (!reader.finished()) {
        return damage(path_, frame.header.file_offset, "the frame is longer than its records");
    }
    return {};
}

}  // namespace akidb::storage
