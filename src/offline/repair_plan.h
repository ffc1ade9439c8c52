// plan_repair: what the collection will be after a repair, and what is lost by it: the rules of
// docs/repair.md. Row files before the first damaged one stay as they are; the whole and live rows of the
// others are written into one new file. A row of which it cannot be told whether it was deleted is lost, not
// kept: nothing deleted comes back by damage to tombstones. A damaged log is folded into the segments as far
// as it is unbroken, and the new manifest covers every sequence that was ever given, so none is given twice.
// The graph is derived, and kept only when no row moved. Pure; the plan points into the assessment.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "offline/assessment.h"

namespace akidb::offline {

/// A row of the new file: from a segment, or from the log.
struct PlannedRow {
    const RowsFile* file = nullptr;
    uint64_t index = 0;
    const std::string* id = nullptr;  // encoded; with `effect`
    const LogEffect* effect = nullptr;
};

struct LostRows {
    std::string file;
    uint64_t documents = 0;
    uint64_t of_unknown_state = 0;   // among them: perhaps deleted long before
    std::vector<std::string> ids{};  // readable ones, at most kIdsToldMax
};

struct RepairPlan {
    size_t files_kept = 0;
    uint64_t rows_kept = 0;  // in those files
    std::vector<PlannedRow> new_rows;
    std::vector<storage::DeadRow> dead;
    bool keeps_graph = true;
    uint64_t covered_sequence = 0;
    std::vector<LostRows> lost;

    uint64_t documents_lost() const;
};

RepairPlan plan_repair(const Assessment& found);

}  // namespace akidb::offline
