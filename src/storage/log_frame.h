// The bytes of a log file's header and frames, shared by writer and reader so that the checksum has one
// source of truth (rule R3). Layout in log_format.h and docs/formats/log.md. Values and pure functions;
// thread-safe. What does not decode is nullopt or LogHeaderState::kInvalid here: only the reader knows
// whether that is damage or a torn tail.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/uuid.h"
#include "storage/log_format.h"

namespace akidb::storage {

inline constexpr uint32_t kLogHeaderBytes = 64;
inline constexpr uint32_t kFrameHeaderBytes = 40;
inline constexpr uint32_t kRecordHeaderBytes = 5;
/// What is written; 2 has records with keys, 4 frames with a time. Older ones are read.
inline constexpr uint32_t kLogFormatVersion = 4;
inline constexpr uint32_t kLogFormatVersionMin = 1;
inline constexpr uint32_t kFrameMagic = 0x4d524641;  // "AFRM"
inline constexpr uint64_t kFrameBodyBytesMax = 1 << 30;
inline constexpr uint32_t kCleanStopBytes = kFrameHeaderBytes + kRecordHeaderBytes;  // without padding

constexpr uint64_t align_frame(uint64_t bytes) {
    return (bytes + kFrameAlignment - 1) / kFrameAlignment * kFrameAlignment;
}

struct LogFileHeader {
    uint32_t format_version = kLogFormatVersion;
    Uuid collection;
    uint64_t file_id = 0;
    uint64_t first_sequence = 0;
};

constexpr bool is_known_log_format(uint32_t version) {
    return version >= kLogFormatVersionMin && version <= kLogFormatVersion;
}
/// "log format 5 is not known to this version, …"
std::string unknown_log_format(uint32_t version);

std::string encode_log_header(const LogFileHeader& header);
/// nullopt when magic or checksum do not hold. Any version is returned: refusing one is the caller's.
std::optional<LogFileHeader> decode_log_header(std::string_view bytes);

/// Where every frame checksum of a file starts: CRC32C of collection and file id.
uint32_t frame_seed(const LogFileHeader& header);

struct FrameHeader {
    uint32_t body_bytes = 0;
    uint64_t first_sequence = 0;
    uint32_t record_count = 0;  // records that have a sequence: 0 makes a clean stop
    uint32_t epoch = 0;         // of the writer's leadership; 0 while there is one server
    uint64_t file_offset = 0;
    uint32_t crc = 0;
};

/// The whole frame, padded to kFrameAlignment, replaces `out`. A kCleanStop record stands alone. `unix_ms`:
/// when its group was committed, milliseconds since 1970; 0: it does not tell.
void encode_frame(uint32_t seed, uint64_t first_sequence, uint64_t file_offset,
                  std::span<const LogRecord> records, std::string& out, uint64_t unix_ms = 0);
/// What encode_frame was given, from the body of a valid frame.
uint64_t frame_time_ms(std::string_view body);
/// Magic, zero bytes, offset, and lengths within `bytes_left` (the file's bytes from this frame on); not the
/// checksum.
std::optional<FrameHeader> decode_frame_header(std::string_view bytes, uint64_t file_offset,
                                               uint64_t bytes_left);
/// `frame` is kFrameHeaderBytes + body_bytes long.
bool frame_checksum_holds(const FrameHeader& header, uint32_t seed, std::string_view frame);

}  // namespace akidb::storage
