#include "storage/log_excerpt.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "storage/durable_files.h"
#include "storage/layout.h"
#include "storage/log_file_scanner.h"

namespace akidb::storage {
namespace {

class Excerpt {
  public:
    Excerpt(Uuid collection, const LogRange& range, VisitTimed visit)
        : collection_(collection), range_(range), visit_(visit) {}

    Result<void> read_file(io::FileSystem& files, const std::string& path) {
        AKIDB_TRY(LogFileScanner scanner, LogFileScanner::open(files, path));
        AKIDB_TRY(const std::optional<LogFileHeader> header, scanner.read_header());
        if (!header || header->collection != collection_ || !is_known_log_format(header->format_version)) {
            return damage(path, 0, "the log file's header is invalid");
        }
        const uint32_t seed = frame_seed(*header);
        for (uint64_t offset = kLogHeaderBytes; !is_done();) {
            AKIDB_TRY(const std::optional<LogFrame> frame, scanner.frame_at(seed, offset));
            if (!frame) {
                return {};
            }
            offset = align_frame(offset + kFrameHeaderBytes + frame->header.body_bytes);
            AKIDB_TRY(take(scanner, *frame));
        }
        return {};
    }

    bool is_done() const { return is_enough_ || reached_ >= range_.to; }
    uint64_t reached() const { return reached_; }

  private:
    Result<void> take(const LogFileScanner& scanner, const LogFrame& frame) {
        if (frame.header.record_count == 0) {
            return {};
        }
        if (reached_ > 0 && frame.header.first_sequence != reached_ + 1) {
            return damage(scanner.path(), frame.header.file_offset,
                          "records from " + std::to_string(reached_ + 1) + " on are missing");
        }
        reached_ = frame.header.first_sequence + frame.header.record_count - 1;
        if (reached_ < range_.from) {
            return {};
        }
        const uint64_t unix_ms = frame_time_ms(frame.body);
        return scanner.for_each_record(
            frame, [&](uint64_t sequence, RecordType type, std::string_view body) -> Result<void> {
                if (!is_enough_ && sequence >= range_.from && sequence <= range_.to) {
                    AKIDB_TRY(const bool goes_on, visit_({sequence, unix_ms, type, body}));
                    is_enough_ = !goes_on;
                }
                return {};
            });
    }

    const Uuid collection_;
    const LogRange& range_;
    VisitTimed visit_;
    uint64_t reached_ = 0;  // the last sequence in a frame that was read
    bool is_enough_ = false;
};

}  // namespace

Result<void> read_excerpt(io::FileSystem& files, const std::string& directory, Uuid collection,
                          const LogRange& range, VisitTimed visit) {
    AKIDB_TRY(const std::vector<io::DirectoryEntry> listed, files.list(directory));
    std::vector<uint64_t> firsts;
    for (const io::DirectoryEntry& entry : listed) {
        if (const std::optional<uint64_t> first = parse_log_name(entry.name)) {
            firsts.push_back(*first);
        }
    }
    std::sort(firsts.begin(), firsts.end());
    if (firsts.empty() || firsts.front() > range.to) {
        return {};
    }
    auto next = std::upper_bound(firsts.begin(), firsts.end(), range.from);
    next -= next == firsts.begin() ? 0 : 1;
    Excerpt excerpt(collection, range, visit);
    for (; next != firsts.end() && *next <= range.to && !excerpt.is_done(); ++next) {
        AKIDB_TRY(excerpt.read_file(files, join_path(directory, log_name(*next))));
    }
    if (!excerpt.is_done()) {
        return Error(Code::kDataLoss, "the log in " + directory + " ends at sequence " +
                                          std::to_string(excerpt.reached()) + " and not at " +
                                          std::to_string(range.to));
    }
    return {};
}

}  // namespace akidb::storage
