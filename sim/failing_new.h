// Failing new: the global operator new of a program that links this, of which one call can be made to fail.
// One thread only.
#pragma once

#include <cstdint>

namespace akidb::sim {

/// After so many calls that succeed one throws std::bad_alloc; those after it succeed again. UINT64_MAX:
/// none.
void fail_allocation_after(uint64_t successes);

}  // namespace akidb::sim
