#include "access/audit_survey.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

namespace akidb::access {
namespace {

constexpr std::string_view kSuffix = ".audit";
constexpr size_t kDigits = 20;
constexpr uint64_t kClockBackMsMax = 60'000;  // what a correction of the time may be

std::string range_text(uint64_t first, uint64_t last) {
    return first == last ? "entry " + std::to_string(first)
                         : "entries " + std::to_string(first) + " to " + std::to_string(last);
}

/// Of one file, line by line.
class FileScanner {
  public:
    FileScanner(const AuditPublicKey& key, AuditVisit visit) : key_(key), visit_(visit) {}

    /// False when the line is not what must follow; then `scan.stop` says why.
    bool take(std::string_view text) {
        const std::optional<AuditLine> line = parse_audit_line(text);
        if (!line) {
            return stop("is no line of an audit log");
        }
        if (!scan.header) {
            return take_header(text, *line);
        }
        if (const auto* entry = std::get_if<AuditEntryLine>(&*line)) {
            return take_entry(text, *entry);
        }
        if (const auto* checkpoint = std::get_if<AuditCheckpoint>(&*line)) {
            return take_checkpoint(text, *checkpoint);
        }
        return stop("is a second header");
    }

    AuditFileScan scan;

  private:
    bool stop(std::string why) {
        scan.stop = std::move(why);
        return false;
    }

    bool take_header(std::string_view text, const AuditLine& line) {
        const auto* header = std::get_if<AuditHeader>(&line);
        if (header == nullptr || header->first == 0) {
            return stop("is no header");
        }
        scan.header = *header;
        scan.header_is_signed = header->key == key_ && is_audit_line_signed(text, key_);
        scan.last = header->first - 1;
        scan.signed_through = scan.last;
        scan.hash = header->previous;
        scan.last_unix_ms = header->unix_ms;
        return true;
    }

    bool take_entry(std::string_view text, const AuditEntryLine& line) {
        const uint64_t sequence = line.entry.sequence;
        if (sequence > scan.last + 1) {
            return stop(range_text(scan.last + 1, sequence - 1) + " should stand before entry " +
                        std::to_string(sequence));
        }
        if (sequence <= scan.last) {
            return stop("entry " + std::to_string(sequence) + " stands after entry " +
                        std::to_string(scan.last));
        }
        if (audit_hash_of(text, sequence, scan.hash) != line.hash) {
            return stop("entry " + std::to_string(sequence) + " is not the one whose hash it has");
        }
        if (line.entry.unix_ms + kClockBackMsMax < scan.last_unix_ms) {
            scan.complaints.push_back("the clock went back by " +
                                      std::to_string((scan.last_unix_ms - line.entry.unix_ms) / 1000) +
                                      " s before entry " + std::to_string(sequence));
        }
        scan.last = sequence;
        scan.last_unix_ms = line.entry.unix_ms;
        scan.hash = line.hash;
        if (scan.last - scan.signed_through == kAuditEntriesPerCheckpoint + 1) {
            scan.complaints.push_back("entry " + std::to_string(sequence) +
                                      " and the 1,000 before it have no checkpoint");
        }
        visit_(line.entry, line.hash);
        return true;
    }

    bool take_checkpoint(std::string_view text, const AuditCheckpoint& checkpoint) {
        const std::string name = "the checkpoint of entry " + std::to_string(checkpoint.sequence);
        if (!is_audit_line_signed(text, key_)) {
            return stop(name + " is not signed by this key");
        }
        if (checkpoint.log != scan.header->log) {
            return stop(name + " is of another log");
        }
        if (checkpoint.sequence != scan.last || checkpoint.hash != scan.hash) {
            return stop(name + " is of other entries than those before it");
        }
        scan.signed_through = checkpoint.sequence;
        return true;
    }

    const AuditPublicKey& key_;
    AuditVisit visit_;
};

/// "entries 1 to 500" of an entry about what expired.
uint64_t last_expired(const AuditEntry& entry) {
    const size_t space = entry.resource.find_last_of(' ');
    if (entry.action != kAuditExpire || space == std::string::npos) {
        return 0;
    }
    uint64_t last = 0;
    const std::string digits = entry.resource.substr(space + 1);
    std::from_chars(digits.data(), digits.data() + digits.size(), last);
    return last;
}

class Surveyor {
  public:
    explicit Surveyor(const AuditPublicKey& key) : key_(key) {}

    void expect(std::span<const std::string> outside) {
        for (const std::string& kept : outside) {
            // Loggers put things before and behind a line, and those that write JSON a backslash before
            // quotes.
            std::string text = kept;
            text.erase(std::remove(text.begin(), text.end(), '\\'), text.end());
            const size_t begin = text.find("{\"checkpoint\":");
            const size_t end = text.find('}', begin == std::string::npos ? text.size() : begin);
            if (end == std::string::npos) {
                continue;
            }
            const std::string line = text.substr(begin, end - begin + 1);
            const std::optional<AuditLine> parsed = parse_audit_line(line);
            const auto* checkpoint = parsed ? std::get_if<AuditCheckpoint>(&*parsed) : nullptr;
            if (checkpoint == nullptr || !is_audit_line_signed(line, key_)) {
                fault("", "a checkpoint kept elsewhere is not signed by this key: " + line.substr(0, 60));
                continue;
            }
            outside_.push_back(*checkpoint);
            wanted_.emplace(checkpoint->sequence, std::nullopt);
        }
        if (!outside.empty() && outside_.empty() && survey.faults.empty()) {
            fault("", "what was kept elsewhere holds no checkpoint");
        }
    }

    void take_file(const std::string& name, std::string_view content, bool is_last) {
        const AuditFileScan scan =
            scan_audit_file(content, key_, [&](const AuditEntry& entry, const Sha256& hash) {
                remember(entry.sequence, hash);
                expired_through_ = std::max(expired_through_, last_expired(entry));
            });
        ++survey.files;
        if (!scan.header) {
            if (is_last && !scan.stop_is_whole_line) {
                remark(name, "was begun and not finished, as by a crash");
            } else {
                fault(name, "the first line " + scan.stop);
            }
            return;
        }
        join(name, scan);
        for (const std::string& complaint : scan.complaints) {
            fault(name, complaint);
        }
        if (scan.stop.empty()) {
            return;
        }
        if (is_last && !scan.stop_is_whole_line) {
            remark(name, std::to_string(content.size() - scan.valid_bytes) + " bytes behind entry " +
                             std::to_string(scan.last) + " are torn, as by a crash");
        } else {
            fault(name, "at byte " + std::to_string(scan.valid_bytes) + ": " + scan.stop);
        }
    }

    void finish() {
        if (!header_) {
            return;
        }
        survey.log = header_->log.to_string();
        survey.hash = to_hex(hash_);
        if (first_ > 1 && expired_through_ + 1 < first_) {
            fault("", range_text(expired_through_ + 1, first_ - 1) +
                          " are gone, and no entry says that they expired");
        }
        if (survey.last > survey.signed_through) {
            remark("", range_text(survey.signed_through + 1, survey.last) + " are not signed yet");
        }
        for (const AuditCheckpoint& checkpoint : outside_) {
            compare(checkpoint);
        }
    }

    AuditSurvey survey;

  private:
    void fault(std::string file, std::string what) {
        survey.faults.push_back({std::move(file), std::move(what)});
    }
    void remark(std::string file, std::string what) {
        survey.remarks.push_back({std::move(file), std::move(what)});
    }

    void remember(uint64_t sequence, const Sha256& hash) {
        if (const auto wanted = wanted_.find(sequence); wanted != wanted_.end()) {
            wanted->second = hash;
        }
    }

    /// The header against the end of the file before.
    void join(const std::string& name, const AuditFileScan& scan) {
        const AuditHeader& header = *scan.header;
        if (!scan.header_is_signed) {
            fault(name, "the header is not signed by this key");
        }
        if (!header_) {
            first_ = header.first;
            remember(header.first - 1, header.previous);
            if (header.first == 1 && header.previous != audit_hash_before_all(header.log)) {
                fault(name, "does not begin as a log");
            }
        } else if (header.log != header_->log) {
            fault(name, "is of another log");
        } else if (header.first > survey.last + 1) {
            fault(name, range_text(survey.last + 1, header.first - 1) + " should stand before this file");
        } else if (header.first <= survey.last) {
            fault(name, "a fork: " + range_text(header.first, survey.last) + " are there already");
        } else if (header.previous != hash_) {
            fault(name, "a fork: it goes on from another entry " + std::to_string(survey.last));
        } else if (header.unix_ms + kClockBackMsMax < last_unix_ms_) {
            fault(name, "the clock went back by " + std::to_string((last_unix_ms_ - header.unix_ms) / 1000) +
                            " s before entry " + std::to_string(header.first));
        }
        header_ = header;
        hash_ = scan.hash;
        last_unix_ms_ = scan.last_unix_ms;
        survey.first = scan.last >= first_ ? first_ : 0;
        survey.last = scan.last;
        survey.signed_through = scan.signed_through;
    }

    void compare(const AuditCheckpoint& checkpoint) {
        const std::string number = std::to_string(checkpoint.sequence);
        if (checkpoint.log != header_->log) {
            fault("", "the checkpoint of entry " + number + " kept elsewhere is of log " +
                          checkpoint.log.to_string() + ", and this is " + header_->log.to_string());
        } else if (checkpoint.sequence > survey.last) {
            fault("", "cut off: the checkpoint kept elsewhere has entry " + number +
                          ", and the log ends with entry " + std::to_string(survey.last));
        } else if (const auto& hash = wanted_[checkpoint.sequence]; !hash) {
            if (checkpoint.sequence >= first_) {
                fault("",
                      "entry " + number + ", of which a checkpoint was kept elsewhere, cannot be reached");
            }
        } else if (*hash != checkpoint.hash) {
            fault("", "a fork: entry " + number + " is not the one of the checkpoint kept elsewhere");
        }
    }

    const AuditPublicKey& key_;
    std::vector<AuditCheckpoint> outside_;
    std::map<uint64_t, std::optional<Sha256>> wanted_;  // hashes at the checkpoints kept elsewhere
    std::optional<AuditHeader> header_;                 // of the file before
    Sha256 hash_{};
    uint64_t last_unix_ms_ = 0;
    uint64_t first_ = 0;
    uint64_t expired_through_ = 0;
};

}  // namespace

std::string audit_file_name(uint64_t first) {
    const std::string digits = std::to_string(first);
    return std::string(kDigits - digits.size(), '0') + digits + std::string(kSuffix);
}

bool is_audit_file_name(std::string_view name) {
    return name.size() == kDigits + kSuffix.size() && name.ends_with(kSuffix) &&
           name.find_first_not_of("0123456789") == kDigits;
}

AuditFileScan scan_audit_file(std::string_view content, const AuditPublicKey& key, AuditVisit visit) {
    FileScanner scanner(key, visit);
    AuditFileScan& scan = scanner.scan;
    std::string_view left = content;
    while (!left.empty()) {
        const size_t end = left.find('\n');
        const std::string_view line = left.substr(0, end);
        if (end == std::string_view::npos) {
            scan.stop = "is cut short";
            return std::move(scan);
        }
        if (!scanner.take(line)) {
            // Sectors that a crash lost are zeros; any other wrong line was written by somebody.
            scan.stop_is_whole_line = line.find('\0') == std::string_view::npos;
            return std::move(scan);
        }
        left.remove_prefix(end + 1);
        scan.valid_bytes = content.size() - left.size();
    }
    if (!scan.header) {
        scan.stop = "is missing";
    }
    return std::move(scan);
}

Result<AuditSurvey> survey_audit(io::FileSystem& files, const std::string& directory,
                                 const AuditPublicKey& key, std::span<const std::string> outside) {
    AKIDB_TRY(const std::vector<io::DirectoryEntry> entries, files.list(directory));
    std::vector<std::string> names;
    for (const io::DirectoryEntry& entry : entries) {
        if (!entry.is_directory && is_audit_file_name(entry.name)) {
            names.push_back(entry.name);
        }
    }
    Surveyor surveyor(key);
    surveyor.expect(outside);
    for (const std::string& name : names) {
        AKIDB_TRY(const std::string content,
                  io::read_whole_file(files, directory + "/" + name, kAuditFileBytesMax));
        surveyor.take_file(name, content, name == names.back());
    }
    surveyor.finish();
    if (surveyor.survey.files == 0) {
        return Error(Code::kNotFound, directory + " holds no audit log: files named by 20 digits and .audit");
    }
    return std::move(surveyor.survey);
}

}  // namespace akidb::access
