// Audit: whether the parts of a collection agree with each other, asked of one snapshot: as many live rows as
// it says, each found under its id, each linked row reachable in the graph. What it returns is the whole
// truth about that snapshot; it reads everything and takes about 0.2 s a million rows, the graph's lists
// included. Reads as a search does, beside writers; but where a builder links meanwhile, a row whose list is
// just being written may be counted as unreachable.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/snapshot.h"

namespace akidb::engine {

struct AuditReport {
    uint64_t live = 0;
    /// Of ids and versions of the live rows, whatever their order: equal sets, equal hashes.
    uint64_t documents_hash = 0;
    std::vector<std::string> faults;  // sentences; empty when all agree
};

AuditReport audit(const Snapshot& snapshot);

}  // namespace akidb::engine
