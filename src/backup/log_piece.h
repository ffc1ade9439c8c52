// LogPiece: consecutive records of one collection's log, as they lie in the archive. By its form a piece is a
// log file (docs/formats/log.md), each group with its time, so `akidb inspect log` reads one. Not
// thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "storage/log_excerpt.h"

namespace akidb::backup {

/// Of what is read back; a group of the log is smaller.
inline constexpr uint64_t kLogPieceBytesMax = (uint64_t{1} << 30) + (uint64_t{64} << 20);

struct LogPiece {
    uint64_t first = 0;
    uint64_t last = 0;     // sequence numbers, both in it
    uint64_t last_ms = 0;  // no record in it was stamped later
    std::string sha256{};
    std::string key{};  // id of the tenant's key that it is encrypted with; empty: that of the place
};

class LogPieceWriter {
  public:
    explicit LogPieceWriter(Uuid collection) : collection_(collection) {}

    /// Each goes on right after the one before.
    void add(const storage::TimedRecord& record);
    bool is_empty() const { return piece_.first == 0; }
    uint64_t first() const { return piece_.first; }
    /// About; of the piece so far.
    uint64_t bytes() const { return bytes_.size() + group_bytes_; }

    struct Made {
        LogPiece piece;
        std::string bytes;
    };
    /// Not when it is empty. The next piece begins with the next record.
    Made finish();

  private:
    void end_group();

    const Uuid collection_;
    LogPiece piece_;
    std::string bytes_;
    uint32_t seed_ = 0;
    std::vector<storage::LogRecord> group_;
    uint64_t group_first_ = 0;
    uint64_t group_ms_ = 0;
    uint64_t group_bytes_ = 0;
};

/// kDataLoss when the bytes are not that piece.
Result<void> read_log_piece(std::string bytes, const std::string& name, Uuid collection,
                            const LogPiece& piece, storage::VisitTimed visit);

}  // namespace akidb::backup
