#include "backup/log_piece.h"

#include <algorithm>
#include <optional>

#include "io/memory_file.h"
#include "objects/sha256.h"
#include "storage/log_file_scanner.h"

namespace akidb::backup {
namespace {

constexpr uint64_t kGroupBytesMax = 1 << 20;  // records of one moment go together

Error damaged_piece(const std::string& name, std::string_view what) {
    return Error(Code::kDataLoss, name + " is damaged: " + std::string(what));
}

}  // namespace

void LogPieceWriter::add(const storage::TimedRecord& record) {
    if (is_empty()) {
        const storage::LogFileHeader header{
            .collection = collection_, .file_id = 1, .first_sequence = record.sequence};
        piece_.first = record.sequence;
        seed_ = storage::frame_seed(header);
        bytes_ = storage::encode_log_header(header);
    } else {
        AKIDB_ASSERT(record.sequence == piece_.last + 1);
    }
    if (record.unix_ms != group_ms_ || group_bytes_ >= kGroupBytesMax) {
        end_group();
    }
    if (group_.empty()) {
        group_first_ = record.sequence;
        group_ms_ = record.unix_ms;
    }
    group_.push_back({record.type, std::string(record.body)});
    group_bytes_ += record.body.size() + storage::kRecordHeaderBytes;
    piece_.last = record.sequence;
    piece_.last_ms = std::max(piece_.last_ms, record.unix_ms);
}

void LogPieceWriter::end_group() {
    if (group_.empty()) {
        return;
    }
    std::string frame;
    storage::encode_frame(seed_, group_first_, bytes_.size(), group_, frame, group_ms_);
    bytes_ += frame;
    group_.clear();
    group_bytes_ = 0;
}

LogPieceWriter::Made LogPieceWriter::finish() {
    AKIDB_ASSERT(!is_empty());
    end_group();
    piece_.sha256 = objects::sha256_hex(bytes_);
    Made made{std::move(piece_), std::move(bytes_)};
    piece_ = {};
    bytes_.clear();
    return made;
}

Result<void> read_log_piece(std::string bytes, const std::string& name, Uuid collection,
                            const LogPiece& piece, storage::VisitTimed visit) {
    if (objects::sha256_hex(bytes) != piece.sha256) {
        return damaged_piece(name, "it does not have the SHA-256 that its name tells");
    }
    auto scanner = storage::LogFileScanner::over(name, std::make_unique<io::MemoryFile>(std::move(bytes)));
    AKIDB_TRY(const std::optional<storage::LogFileHeader> header, scanner.read_header());
    if (!header || header->collection != collection || header->first_sequence != piece.first) {
        return damaged_piece(name, "its header is not that of this piece");
    }
    if (!storage::is_known_log_format(header->format_version)) {
        return Error(Code::kConflict, name + ": " + storage::unknown_log_format(header->format_version));
    }
    uint64_t next = piece.first;
    bool goes_on = true;
    for (uint64_t offset = storage::kLogHeaderBytes; offset < scanner.size() && goes_on;) {
        AKIDB_TRY(const std::optional<storage::LogFrame> frame,
                  scanner.frame_at(storage::frame_seed(*header), offset));
        if (!frame || frame->header.first_sequence != next || frame->header.record_count == 0) {
            return damaged_piece(name, "a group of its records is not there");
        }
        const uint64_t unix_ms = storage::frame_time_ms(frame->body);
        AKIDB_TRY(scanner.for_each_record(
            *frame, [&](uint64_t sequence, storage::RecordType type, std::string_view body) -> Result<void> {
                if (goes_on) {
                    AKIDB_TRY(goes_on, visit({sequence, unix_ms, type, body}));
                }
                return {};
            }));
        next += frame->header.record_count;
        offset = storage::align_frame(offset + storage::kFrameHeaderBytes + frame->header.body_bytes);
    }
    if (goes_on && next != piece.last + 1) {
        return damaged_piece(name, "it ends before its last record");
    }
    return {};
}

}  // namespace akidb::backup
