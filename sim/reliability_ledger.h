// ReliabilityLedger: reliability/ledger.csv, one line for each run of the simulator, so that what was tried
// in all adds up over the months. Columns: date (UTC), commit, program with its arguments, seeds (the first
// of them), crash images, I/O faults (or failed allocations), operations, violations. Appending is not
// synchronised. Errors are false.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace akidb::sim {

inline constexpr std::string_view kLedgerHeader =
    "date,commit,program,seeds,images,faults,operations,violations";

struct LedgerLine {
    std::string commit;
    std::string program;
    std::string seeds;
    uint64_t images = 0;
    uint64_t faults = 0;
    uint64_t operations = 0;
    uint64_t violations = 0;
};

/// Appends with today's date; false when the file cannot be written.
bool append_to_ledger(const std::string& path, const LedgerLine& line);
/// What is wrong with a line that is not the header; empty when nothing is.
std::string fault_of_ledger_line(std::string_view line);

}  // namespace akidb::sim
