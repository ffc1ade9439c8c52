// survey_audit: reads a whole audit log and tells whether it is what was written. It needs the directory and
// the public key; with checkpoints that were kept elsewhere it sees more. What is found:
//
//   an entry changed, taken out, moved or put in twice     by the hash chain
//   a chain made anew over changed entries                 by the signatures, each 1,000 entries and per file
//   the end cut off, or another log in its place           by a checkpoint kept elsewhere, and by nothing
//   else the beginning taken away                               when no entry says that it had expired a
//   clock that went back by more than a minute           by the times of the entries
//
// An end that a crash tore, and entries not signed yet, are remarks and no faults. Reads only. Pure but for
// the files; thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "access/audit_line.h"
#include "base/function_ref.h"
#include "base/result.h"
#include "io/file_system.h"

namespace akidb::access {

/// "<first sequence, 20 digits>.audit".
std::string audit_file_name(uint64_t first);
bool is_audit_file_name(std::string_view name);
/// Larger ones are no files of ours: the log begins another at 16 MiB.
inline constexpr uint64_t kAuditFileBytesMax = 64 << 20;

/// How far one file goes, line after line, until it ends or a line is not what must follow.
struct AuditFileScan {
    std::optional<AuditHeader> header;  // nothing: the file does not begin as one
    bool header_is_signed = false;
    uint64_t last = 0;  // sequence; header->first - 1 when there is no entry
    uint64_t last_unix_ms = 0;
    Sha256 hash{};                // h(last)
    uint64_t signed_through = 0;  // header->first - 1, or the last checkpoint
    uint64_t valid_bytes = 0;
    std::string stop;                     // why the next line is wrong; empty when all are right
    bool stop_is_whole_line = false;      // which a crash does not leave behind
    std::vector<std::string> complaints;  // of lines that are right in themselves
};
using AuditVisit = FunctionRef<void(const AuditEntry& entry, const Sha256& hash)>;
AuditFileScan scan_audit_file(std::string_view content, const AuditPublicKey& key, AuditVisit visit);

struct AuditFinding {
    std::string file;  // empty: the log as a whole
    std::string what;
};

struct AuditSurvey {
    uint64_t first = 0;  // sequence; 0 when there are no entries
    uint64_t last = 0;
    uint64_t files = 0;
    uint64_t signed_through = 0;
    std::string log;   // its id
    std::string hash;  // h(last) in hex
    std::vector<AuditFinding> faults;
    std::vector<AuditFinding> remarks;
};

/// `outside`: lines of checkpoints kept elsewhere; other lines among them are passed over.
Result<AuditSurvey> survey_audit(io::FileSystem& files, const std::string& directory,
                                 const AuditPublicKey& key, std::span<const std::string> outside);

}  // namespace akidb::access
