// Resident memory of this process as Linux counts it, in bytes. Throws std::runtime_error where /proc is
// missing.
#pragma once

#include <cstdint>

namespace akidb::bench {

uint64_t resident_bytes();
/// The most since the start or the last reset_peak().
uint64_t peak_resident_bytes();
/// False where the system does not let a process reset its peak.
bool reset_peak();

}  // namespace akidb::bench
