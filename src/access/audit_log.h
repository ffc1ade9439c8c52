// AuditLog: who did or tried what, in files that tell when they were tampered with (audit_line.h; the format
// in docs/formats/audit.md, the check in audit_survey.h). append() is durable at return: call it before the
// effect, and do nothing when it fails. note() is for denials, of which an attacker makes as many as he
// likes: at most ten a second go in, with the next entry or tick(), and the rest are counted in an entry of
// their own. Callers that append at once share a sync. A checkpoint is signed after 1,000 entries, at
// close(), and by tick() after a minute; `on_checkpoint` gets each line, to be kept where this machine cannot
// reach: only that proves that the end was not cut off.
//
// Errors are the disk's. After one the file's state is unknown, so nothing is written behind it: the next
// append first makes a clean file of what was acknowledged, then begins another. Files begin anew at 16 MiB;
// those whose entries are all older than the retention are removed by tick(), which an entry tells.
// Wall-clock times are as the clock says, also when it goes back. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "access/audit_line.h"
#include "base/result.h"
#include "io/clock.h"
#include "io/file_system.h"
#include "io/random.h"

namespace akidb::access {

struct AuditOptions {
    uint64_t file_bytes = 16 << 20;
    uint64_t checkpoint_ms = 60'000;
    uint64_t retention_ms = uint64_t{400} * 86'400'000;  // 0: for ever
    uint32_t notes_per_second = 10;
    std::function<void(const std::string& line)>
        on_checkpoint;  // called by the writer of the moment, unlocked
};

inline constexpr uint32_t kAuditQueryLimitMax = 1000;

struct AuditQuery {
    std::optional<std::string> tenant;
    std::optional<std::string> actor;
    std::optional<std::string> action;
    std::optional<AuditOutcome> outcome;
    uint64_t from_ms = 0;          // from this moment on
    uint64_t to_ms = UINT64_MAX;   // before this one
    uint64_t before = UINT64_MAX;  // only entries with a smaller sequence: the cursor
    uint32_t limit = 100;          // 1 to kAuditQueryLimitMax
};

struct AuditPage {
    std::vector<AuditEntry> entries;  // the newest first
    uint64_t next_before = 0;         // for the next page; 0 when there is none
};

struct AuditFigures {
    uint64_t entries = 0;  // of this log ever
    uint64_t files = 0;
    uint64_t failures = 0;  // to write, since the start
    uint64_t omitted = 0;   // notes, since the start
    uint64_t checkpoint_unix_ms = 0;
};

class AuditLog {
  public:
    /// The directory is made when it is not there. What a crash tore off is removed; kDataLoss when the end
    /// of the log was changed by somebody, which `akidb audit verify` then tells more about.
    static Result<std::unique_ptr<AuditLog>> open(io::FileSystem& files, const io::Clock& clock,
                                                  io::Random& random, std::string directory,
                                                  const AuditKey& key, AuditOptions options = {});
    ~AuditLog();
    AuditLog(const AuditLog&) = delete;
    AuditLog& operator=(const AuditLog&) = delete;

    /// The entry's sequence.
    Result<uint64_t> append(AuditEntry entry);
    void note(AuditEntry entry);
    /// Each second or so: writes notes, signs, removes what is too old.
    Result<void> tick();
    /// Notes and a last checkpoint; nothing may be appended afterwards.
    Result<void> close();
    Result<AuditPage> query(const AuditQuery& query) const;
    AuditFigures figures() const;

  private:
    struct Impl;
    explicit AuditLog(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace akidb::access
