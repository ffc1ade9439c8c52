// Audit: whether the parts of a collection agree with each other, asked of one snapshot: as many live rows as
// it says, each found under its id, each linked row reachable in the graph. What it returns is the whole
// truth about that snapshot; it reads everything and takes about 0.2 s a million rows, the graph's lists
// included; Audit does the same in slices. Reads as a search does, beside writers; but where a builder links
// meanwhile, a row whose list is just being written may be counted as unreachable.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/snapshot.h"

namespace akidb::engine {

struct AuditReport {
    uint64_t live = 0;
    uint64_t lost = 0;         // live rows that are not found under their id
    uint64_t unreachable = 0;  // linked rows
    /// Of ids and versions of the live rows, whatever their order: equal sets, equal hashes.
    uint64_t documents_hash = 0;
    std::vector<std::string> faults;  // sentences; empty when all agree
};

AuditReport audit(const Snapshot& snapshot);

class Audit {
  public:
    explicit Audit(std::shared_ptr<const Snapshot> snapshot) : snapshot_(std::move(snapshot)) {}
    const Snapshot& snapshot() const { return *snapshot_; }
    bool is_done() const { return is_done_; }
    /// Looks at so many rows more; the graph comes after them, in one piece of about 30 ms a million rows.
    void advance(uint32_t rows_max);
    /// Complete when it is done.
    const AuditReport& report() const { return report_; }

  private:
    void look_at(uint32_t row);
    void conclude();

    std::shared_ptr<const Snapshot> snapshot_;
    uint32_t next_ = 0;
    bool is_done_ = false;
    AuditReport report_;
};

}  // namespace akidb::engine
