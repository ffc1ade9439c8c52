#include "storage/log_survey.h"

#include <algorithm>
#include <utility>

#include "storage/layout.h"
#include "storage/log_file_scanner.h"

namespace akidb::storage {
namespace {

using VisitSpan = FunctionRef<Result<void>(const LogSpan&)>;

class Survey {
  public:
    Survey(LogFileScanner scanner, VisitSpan visit) : scanner_(std::move(scanner)), visit_(visit) {
        found_.path = scanner_.path();
        found_.bytes = scanner_.size();
    }

    Result<LogFileSurvey> run() {
        AKIDB_TRY(found_.header, scanner_.read_header());
        if (!found_.header) {
            AKIDB_TRY(judge_headless());
            return std::move(found_);
        }
        check_header();
        if (is_known_log_format(found_.header->format_version)) {
            AKIDB_TRY(walk(frame_seed(*found_.header)));
        }
        return std::move(found_);
    }

  private:
    void add_fault(uint64_t offset, std::string what) {
        if (found_.faults.size() < kLogFaultsMax) {
            found_.faults.push_back({offset, std::move(what)});
        }
    }

    /// Without a header no frame's checksum can be known, for it starts from the header's file id.
    Result<void> judge_headless() {
        AKIDB_TRY(LogTail tail,
                  scanner_.scan_tail(std::nullopt, std::min<uint64_t>(kLogHeaderBytes, scanner_.size())));
        if (tail.garbage_bytes > 0) {
            add_fault(0, "the log file's header is invalid, and without it no frame can be proved");
        }
        return {};
    }

    void check_header() {
        if (!is_known_log_format(found_.header->format_version)) {
            add_fault(8, unknown_log_format(found_.header->format_version));
        }
        const std::string name = found_.path.substr(found_.path.find_last_of('/') + 1);
        const std::optional<uint64_t> first = parse_log_name(name);
        if (first && *first != found_.header->first_sequence) {
            add_fault(40, "the header's first sequence is not that of the name");
        }
    }

    Result<void> walk(uint32_t seed) {
        uint64_t offset = kLogHeaderBytes;
        expected_ = found_.header->first_sequence;
        while (offset < scanner_.size()) {
            AKIDB_TRY(std::optional<LogFrame> frame, scanner_.frame_at(seed, offset));
            if (frame) {
                AKIDB_TRY(offset, take_frame(*frame, offset));
            } else {
                AKIDB_TRY(offset, take_gap(seed, offset));
            }
        }
        return {};
    }

    Result<uint64_t> take_frame(const LogFrame& frame, uint64_t offset) {
        const FrameHeader& header = frame.header;
        const uint64_t end = align_frame(offset + kFrameHeaderBytes + header.body_bytes);
        LogSpan span{.kind = header.record_count == 0 ? LogSpanKind::kCleanStop : LogSpanKind::kFrame,
                     .offset = offset,
                     .bytes = std::min(end, scanner_.size()) - offset,
                     .first_sequence = header.first_sequence,
                     .record_count = header.record_count,
                     .unix_ms = frame_time_ms(frame.body)};
        uint64_t record_offset = offset + kFrameHeaderBytes + (span.unix_ms > 0 ? kTimeRecordBytes : 0);
        const Result<void> read = scanner_.for_each_record(
            frame, [&](uint64_t sequence, RecordType type, std::string_view body) -> Result<void> {
                span.records.push_back({sequence, type, record_offset, body});
                record_offset += kRecordHeaderBytes + body.size();
                return {};
            });
        if (!read) {
            span.kind = LogSpanKind::kMalformed;
            add_fault(offset, "the checksum of the frame holds, but its records are malformed");
        } else if (header.first_sequence != expected_) {
            add_fault(offset, "the frame begins at sequence " + std::to_string(header.first_sequence) +
                                  " instead of " + std::to_string(expected_));
        }
        ++found_.frames;
        found_.records += header.record_count;
        expected_ = header.first_sequence + header.record_count;
        if (header.record_count > 0) {
            found_.last_sequence = std::max(found_.last_sequence, expected_ - 1);
        }
        found_.ends_cleanly = span.kind == LogSpanKind::kCleanStop;
        AKIDB_TRY(visit_(span));
        return end;
    }

    /// Up to the next valid frame, or to the end.
    Result<uint64_t> take_gap(uint32_t seed, uint64_t offset) {
        LogSpan span{.kind = LogSpanKind::kReserved, .offset = offset, .bytes = scanner_.size() - offset};
        AKIDB_TRY(LogTail tail, scanner_.scan_tail(seed, offset, TailScan::kToFirstFrame));
        if (tail.valid_frame_offset) {
            span.kind = LogSpanKind::kHole;
            span.bytes = *tail.valid_frame_offset - offset;
            add_fault(offset, "no valid frame begins here, but one does at offset " +
                                  std::to_string(*tail.valid_frame_offset));
        } else if (tail.garbage_bytes > 0) {
            span.kind = LogSpanKind::kTornTail;
            found_.torn_bytes = tail.garbage_bytes;
            found_.ends_cleanly = false;
        }
        AKIDB_TRY(visit_(span));
        return offset + span.bytes;
    }

    LogFileScanner scanner_;
    VisitSpan visit_;
    LogFileSurvey found_;
    uint64_t expected_ = 0;
};

}  // namespace

Result<LogFileSurvey> survey_log_file(io::FileSystem& files, const std::string& path, VisitSpan visit) {
    AKIDB_TRY(LogFileScanner scanner, LogFileScanner::open(files, path));
    return Survey(std::move(scanner), visit).run();
}

}  // namespace akidb::storage
