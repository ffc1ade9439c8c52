#include "storage/log_reader.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "storage/durable_files.h"
#include "storage/layout.h"
#include "storage/log_file_scanner.h"
#include "storage/log_frame.h"

namespace akidb::storage {
namespace {

using Visit = FunctionRef<Result<void>(uint64_t, RecordType, std::string_view)>;

enum class After { kLeave, kRepair };  // what becomes of the files once they were read

struct LogFileName {
    std::string name;
    uint64_t first_sequence = 0;
};

/// Reads the files in order, then repairs the end. What it learns on the way is kept as members.
class Recovery {
  public:
    Recovery(io::FileSystem& files, const std::string& directory, Uuid collection, uint64_t after,
             Visit visit)
        : files_(files), directory_(directory), collection_(collection), after_(after), visit_(visit) {
        found_.last_sequence = after;
    }

    Result<LogRecovery> run(After then);

  private:
    struct EndOfFrames {
        std::string name;
        uint64_t offset = 0;
    };
    /// What was found behind the frames of one file, to be read again before it is believed.
    struct Tail {
        std::string path;
        uint64_t offset = 0;
        uint32_t checksum = 0;
    };

    Result<void> list_files(After then);
    Result<void> read_file(const LogFileName& file, bool is_last);
    Result<void> check_header(const LogFileScanner& scanner, const LogFileName& file,
                              const LogFileHeader& header) const;
    Result<void> drop_headless(LogFileScanner& scanner, const LogFileName& file, bool is_last);
    Result<void> judge_torn(const std::string& path_of_valid_frame);
    Result<void> read_frames(LogFileScanner& scanner, const LogFileName& file, uint32_t seed);
    Result<void> deliver(LogFileScanner& scanner, const LogFrame& frame);
    Result<void> read_tail(LogFileScanner& scanner, uint32_t seed, uint64_t offset);
    Result<void> confirm_tail();
    Result<void> repair();
    Result<void> copy_frames(const EndOfFrames& end);
    Result<void> copy_checked(const std::string& from, const std::string& to, uint64_t end);

    io::FileSystem& files_;
    const std::string& directory_;
    Uuid collection_;
    uint64_t after_;
    Visit visit_;
    std::vector<LogFileName> names_;
    LogRecovery found_;
    uint64_t read_up_to_ = 0;          // the last sequence in a frame, delivered or not
    std::optional<EndOfFrames> end_;   // in the last file that has records
    std::optional<EndOfFrames> torn_;  // the first place where something other than a frame or zeros stands
    std::optional<std::string> recordless_;  // a last file to be removed
    std::optional<Tail> tail_;               // of the file read last
};

/// Log files by first sequence, from the newest that a record after `after` can follow: older ones are
/// covered by the manifest, and a power cut may have brought some of them back without the others.
Result<void> Recovery::list_files(After then) {
    Result<std::vector<io::DirectoryEntry>> entries = files_.list(directory_);
    if (!entries) {
        return entries.error().code() == Code::kNotFound ? Result<void>() : std::move(entries).error();
    }
    for (const io::DirectoryEntry& entry : *entries) {
        if (entry.name.ends_with(io::kTemporarySuffix) && then == After::kRepair) {
            AKIDB_TRY(files_.remove(join_path(directory_, entry.name)));
        } else if (std::optional<uint64_t> first = parse_log_name(entry.name)) {
            names_.push_back({entry.name, *first});
        }
    }
    std::sort(names_.begin(), names_.end(),
              [](const LogFileName& a, const LogFileName& b) { return a.first_sequence < b.first_sequence; });
    auto is_needed = [this](const LogFileName& file) { return file.first_sequence > after_ + 1; };
    auto first_needed = std::find_if(names_.begin(), names_.end(), is_needed);
    if (first_needed != names_.begin()) {
        names_.erase(names_.begin(), first_needed - 1);
    }
    return {};
}

Result<void> Recovery::check_header(const LogFileScanner& scanner, const LogFileName& file,
                                    const LogFileHeader& header) const {
    if (!is_known_log_format(header.format_version)) {
        return damage(scanner.path(), 8, unknown_log_format(header.format_version));
    }
    if (header.collection != collection_) {
        return damage(scanner.path(), 16, "the file belongs to collection " + header.collection.to_string());
    }
    if (header.first_sequence != file.first_sequence) {
        return damage(scanner.path(), 40, "the header's first sequence is not that of the name");
    }
    return {};
}

/// The header is synced before the first frame is written, so only a file without anything behind it is
/// half-made.
Result<void> Recovery::drop_headless(LogFileScanner& scanner, const LogFileName& file, bool is_last) {
    AKIDB_TRY(const uint32_t checksum, scanner.checksum_from(0));
    tail_ = Tail{scanner.path(), 0, checksum};
    AKIDB_TRY(LogTail tail,
              scanner.scan_tail(std::nullopt, std::min<uint64_t>(kLogHeaderBytes, scanner.size())));
    if (!is_last || tail.garbage_bytes > 0) {
        return damage(scanner.path(), 0, "the log file's header is invalid");
    }
    recordless_ = file.name;
    return {};
}

Result<void> Recovery::deliver(LogFileScanner& scanner, const LogFrame& frame) {
    found_.last_ms = std::max(found_.last_ms, frame_time_ms(frame.body));
    return scanner.for_each_record(
        frame, [this](uint64_t sequence, RecordType type, std::string_view body) -> Result<void> {
            found_.was_clean = type == RecordType::kCleanStop;
            if (found_.was_clean || sequence <= after_) {
                return {};
            }
            AKIDB_TRY(visit_(sequence, type, body));
            found_.last_sequence = sequence;
            ++found_.records;
            return {};
        });
}

Result<void> Recovery::read_tail(LogFileScanner& scanner, uint32_t seed, uint64_t offset) {
    AKIDB_TRY(const uint32_t checksum, scanner.checksum_from(offset));
    tail_ = Tail{scanner.path(), offset, checksum};
    AKIDB_TRY(LogTail tail, scanner.scan_tail(seed, offset));
    if (tail.valid_frame_offset) {
        return damage(scanner.path(), offset,
                      "an invalid frame is followed by a valid one at offset " +
                          std::to_string(*tail.valid_frame_offset));
    }
    if (tail.garbage_bytes > 0) {
        found_.torn_bytes += tail.garbage_bytes;
        if (!torn_) {
            torn_ = EndOfFrames{scanner.path(), offset};
        }
    }
    return {};
}

/// A valid frame follows what is torn. The file of that frame goes on right after the last record (read_file
/// saw to that), so nothing of the length of a clean stop can have been more than one: it was not synced
/// when its process was killed, the next process saw it whole, and a power cut took it.
Result<void> Recovery::judge_torn(const std::string& path_of_valid_frame) {
    if (!torn_) {
        return {};
    }
    if (found_.torn_bytes > kCleanStopBytes) {
        return damage(torn_->name, torn_->offset,
                      "an invalid frame is followed by a valid one in " + path_of_valid_frame);
    }
    torn_.reset();
    found_.torn_bytes = 0;
    return {};
}

Result<void> Recovery::read_frames(LogFileScanner& scanner, const LogFileName& file, uint32_t seed) {
    uint64_t offset = kLogHeaderBytes;
    uint64_t expected = file.first_sequence;
    while (true) {
        AKIDB_TRY(std::optional<LogFrame> frame, scanner.frame_at(seed, offset));
        if (!frame) {
            break;
        }
        AKIDB_TRY(judge_torn(scanner.path()));
        if (frame->header.first_sequence != expected || expected <= read_up_to_) {
            return damage(scanner.path(), offset,
                          "the frame begins at sequence " + std::to_string(frame->header.first_sequence) +
                              " instead of " + std::to_string(std::max(expected, read_up_to_ + 1)));
        }
        expected += frame->header.record_count;
        offset = align_frame(offset + kFrameHeaderBytes + frame->header.body_bytes);
        read_up_to_ = expected - 1;
        AKIDB_TRY(deliver(scanner, *frame));
    }
    if (expected > file.first_sequence) {
        end_ = EndOfFrames{file.name, offset};
    } else {
        recordless_ = file.name;
    }
    return read_tail(scanner, seed, std::min(offset, scanner.size()));
}

Result<void> Recovery::read_file(const LogFileName& file, bool is_last) {
    AKIDB_TRY(LogFileScanner scanner, LogFileScanner::open(files_, join_path(directory_, file.name)));
    // A file is made when every record before it is durable, so its mere name tells how far the log reached.
    if (file.first_sequence > found_.last_sequence + 1) {
        std::string what = "the file begins at sequence " + std::to_string(file.first_sequence) +
                           ", but the records before it end at " + std::to_string(found_.last_sequence);
        return torn_ ? damage(torn_->name, torn_->offset,
                              "an invalid frame, and records after it are missing: " + what)
                     : damage(scanner.path(), 0, what);
    }
    AKIDB_TRY(std::optional<LogFileHeader> header, scanner.read_header());
    if (!header) {
        return drop_headless(scanner, file, is_last);
    }
    AKIDB_TRY(check_header(scanner, file, *header));
    AKIDB_TRY(read_frames(scanner, file, frame_seed(*header)));
    if (recordless_ && !is_last) {
        return damage(scanner.path(), kLogHeaderBytes, "a log file without records is not the last");
    }
    return {};
}

/// Without a clean stop only the tail says where the log ends, and a read that went wrong once looks like a
/// torn frame: what is about to be cut off is read twice.
Result<void> Recovery::confirm_tail() {
    if (!tail_ || found_.was_clean) {
        return {};
    }
    AKIDB_TRY(LogFileScanner again, LogFileScanner::open(files_, tail_->path));
    AKIDB_TRY(const uint32_t checksum, again.checksum_from(std::min(tail_->offset, again.size())));
    if (checksum != tail_->checksum) {
        return damage(tail_->path, tail_->offset, "two reads of the log's end differ");
    }
    return {};
}

/// Each frame is judged again on its way: a read that goes wrong now must not become what the disk holds.
Result<void> Recovery::copy_checked(const std::string& from, const std::string& to, uint64_t end) {
    AKIDB_TRY(LogFileScanner source, LogFileScanner::open(files_, from));
    AKIDB_TRY(const std::optional<LogFileHeader> header, source.read_header());
    if (!header) {
        return damage(from, 0, "two reads of the header differ");
    }
    AKIDB_TRY(std::unique_ptr<io::AppendFile> copy, files_.create(to));
    AKIDB_TRY(copy->append(encode_log_header(*header)));
    std::string piece;
    for (uint64_t at = kLogHeaderBytes; at < end;) {
        AKIDB_TRY(const std::optional<LogFrame> frame, source.frame_at(frame_seed(*header), at));
        if (!frame) {
            return damage(from, at, "two reads of a frame differ");
        }
        piece.assign(frame->bytes);
        piece.resize(align_frame(piece.size()), '\0');
        AKIDB_TRY(copy->append(piece));
        at += piece.size();
    }
    AKIDB_TRY(copy->sync());
    return copy->close();
}

/// Rule R6: what was read may be a page that a failed sync left in memory only, so it is written anew before
/// anyone builds on it. All frames before the last file's were synced when that file was made.
Result<void> Recovery::copy_frames(const EndOfFrames& end) {
    std::string path = join_path(directory_, end.name);
    std::string temporary = path + std::string(io::kTemporarySuffix);
    Result<void> copied = copy_checked(path, temporary, end.offset);
    if (!copied) {
        remove_best_effort(files_, temporary);
        return copied;
    }
    AKIDB_TRY(files_.rename(temporary, path));
    return files_.sync_directory(directory_);
}

Result<void> Recovery::repair() {
    if (recordless_) {
        AKIDB_TRY(files_.remove(join_path(directory_, *recordless_)));
        AKIDB_TRY(files_.sync_directory(directory_));
    }
    return end_ && !found_.was_clean ? copy_frames(*end_) : Result<void>();
}

Result<LogRecovery> Recovery::run(After then) {
    AKIDB_TRY(list_files(then));
    for (size_t i = 0; i < names_.size(); ++i) {
        AKIDB_TRY(read_file(names_[i], i + 1 == names_.size()));
    }
    found_.was_clean = names_.empty() || (found_.was_clean && found_.torn_bytes == 0);
    AKIDB_TRY(confirm_tail());
    if (then == After::kRepair) {
        AKIDB_TRY(repair());
    }
    return found_;
}

}  // namespace

Result<LogRecovery> recover_log(io::FileSystem& files, const std::string& directory, Uuid collection,
                                uint64_t after, Visit visit) {
    return Recovery(files, directory, collection, after, visit).run(After::kRepair);
}

Result<LogRecovery> read_log(io::FileSystem& files, const std::string& directory, Uuid collection,
                             uint64_t after, Visit visit) {
    return Recovery(files, directory, collection, after, visit).run(After::kLeave);
}

}  // namespace akidb::storage
