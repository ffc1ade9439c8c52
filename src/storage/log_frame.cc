#include "storage/log_frame.h"

#include <algorithm>
#include <limits>

#include "base/bytes.h"
#include "base/crc32c.h"

namespace akidb::storage {
namespace {

constexpr std::string_view kLogMagic = "AKILOG01";
constexpr size_t kHeaderCrcOffset = kLogHeaderBytes - sizeof(uint32_t);
constexpr size_t kFrameCrcOffset = 32;

uint32_t checksum_of_frame(uint32_t seed, std::string_view frame) {
    uint32_t crc = crc32c(frame.substr(0, kFrameCrcOffset), seed);
    return crc32c(frame.substr(kFrameHeaderBytes), crc);
}

}  // namespace

uint64_t group_body_bytes(std::span<const LogRecord> records) {
    uint64_t bytes = 0;
    for (const LogRecord& record : records) {
        bytes += kRecordHeaderBytes + record.body.size();
    }
    return bytes;
}

std::string unknown_log_format(uint32_t version) {
    return "log format " + std::to_string(version) + " is not known to this version, which reads " +
           std::to_string(kLogFormatVersionMin) + " to " + std::to_string(kLogFormatVersion);
}

std::string encode_log_header(const LogFileHeader& header) {
    std::string out;
    ByteWriter writer(out);
    writer.put_bytes(kLogMagic);
    writer.put(header.format_version);
    writer.put(uint32_t{0});
    writer.put_bytes(as_text(std::as_bytes(std::span(header.collection.bytes))));
    writer.put(header.file_id);
    writer.put(header.first_sequence);
    out.resize(kHeaderCrcOffset, '\0');
    writer.put(crc32c(out));
    return out;
}

std::optional<LogFileHeader> decode_log_header(std::string_view bytes) {
    if (bytes.size() < kLogHeaderBytes || !bytes.starts_with(kLogMagic)) {
        return std::nullopt;
    }
    ByteReader crc_reader(bytes.substr(kHeaderCrcOffset, sizeof(uint32_t)));
    if (crc_reader.get<uint32_t>() != crc32c(bytes.substr(0, kHeaderCrcOffset))) {
        return std::nullopt;
    }
    ByteReader reader(bytes.substr(kLogMagic.size()));
    LogFileHeader header;
    header.format_version = reader.get<uint32_t>();
    reader.get<uint32_t>();
    std::string_view uuid = reader.get_bytes(header.collection.bytes.size());
    std::memcpy(header.collection.bytes.data(), uuid.data(), uuid.size());
    header.file_id = reader.get<uint64_t>();
    header.first_sequence = reader.get<uint64_t>();
    return header;
}

uint32_t frame_seed(const LogFileHeader& header) {
    std::string identity;
    ByteWriter writer(identity);
    writer.put_bytes(as_text(std::as_bytes(std::span(header.collection.bytes))));
    writer.put(header.file_id);
    return crc32c(identity);
}

void encode_frame(uint32_t seed, uint64_t first_sequence, uint64_t file_offset,
                  std::span<const LogRecord> records, std::string& out, uint64_t unix_ms) {
    uint64_t body_bytes = group_body_bytes(records) + (unix_ms > 0 ? kTimeRecordBytes : 0);
    AKIDB_ASSERT(body_bytes <= kFrameBodyBytesMax);
    auto is_stop = [](const LogRecord& record) { return record.type == RecordType::kCleanStop; };
    bool is_clean_stop = std::any_of(records.begin(), records.end(), is_stop);
    AKIDB_ASSERT(!is_clean_stop || body_bytes == kRecordHeaderBytes);
    out.clear();
    out.reserve(align_frame(kFrameHeaderBytes + body_bytes));
    ByteWriter writer(out);
    writer.put(kFrameMagic);
    writer.put(static_cast<uint32_t>(body_bytes));
    writer.put(first_sequence);
    writer.put(static_cast<uint32_t>(is_clean_stop ? 0 : records.size()));
    writer.put(uint32_t{0});
    writer.put(file_offset);
    writer.put(uint64_t{0});
    if (unix_ms > 0) {
        writer.put(static_cast<uint8_t>(RecordType::kTime));
        writer.put(static_cast<uint32_t>(sizeof(unix_ms)));
        writer.put(unix_ms);
    }
    for (const LogRecord& record : records) {
        writer.put(static_cast<uint8_t>(record.type));
        writer.put_string(record.body);
    }
    uint32_t crc = checksum_of_frame(seed, out);
    std::memcpy(out.data() + kFrameCrcOffset, &crc, sizeof(crc));
    out.resize(align_frame(out.size()), '\0');
}

uint64_t frame_time_ms(std::string_view body) {
    ByteReader reader(body);
    const bool is_time = reader.get<uint8_t>() == static_cast<uint8_t>(RecordType::kTime) &&
                         reader.get<uint32_t>() == sizeof(uint64_t);
    const auto unix_ms = reader.get<uint64_t>();
    return is_time && !reader.failed() ? unix_ms : 0;
}

std::optional<FrameHeader> decode_frame_header(std::string_view bytes, uint64_t file_offset,
                                               uint64_t bytes_left) {
    ByteReader reader(bytes);
    FrameHeader header;
    uint32_t magic = reader.get<uint32_t>();
    header.body_bytes = reader.get<uint32_t>();
    header.first_sequence = reader.get<uint64_t>();
    header.record_count = reader.get<uint32_t>();
    header.epoch = reader.get<uint32_t>();
    header.file_offset = reader.get<uint64_t>();
    header.crc = reader.get<uint32_t>();
    uint32_t zeros = reader.get<uint32_t>();
    if (reader.failed() || magic != kFrameMagic || zeros != 0 || header.file_offset != file_offset) {
        return std::nullopt;
    }
    bool fits = bytes_left >= kFrameHeaderBytes && header.body_bytes <= bytes_left - kFrameHeaderBytes;
    bool holds_records = header.record_count == 0
                             ? header.body_bytes == kRecordHeaderBytes
                             : uint64_t{header.record_count} * kRecordHeaderBytes <= header.body_bytes;
    bool counts_up = header.first_sequence <= std::numeric_limits<uint64_t>::max() - header.record_count;
    if (!fits || !holds_records || !counts_up) {
        return std::nullopt;
    }
    return header;
}

bool frame_checksum_holds(const FrameHeader& header, uint32_t seed, std::string_view frame) {
    return checksum_of_frame(seed, frame) == header.crc;
}

}  // namespace akidb::storage
