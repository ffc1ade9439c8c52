// ProcessGauges: the metrics of the process itself: memory, and by what it is for, and file descriptors. The
// components of memory are counted, not guessed from the whole, so that their sum is held against the
// resident memory by a test: what is counted wrongly shows. Thread-compatible: one thread exports.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "engine/memory_use.h"
#include "io/clock.h"
#include "telemetry/metrics.h"

namespace akidb::server {

/// Resident bytes that the kernel tells of: of the binary and its libraries, of threads' stacks, of the data
/// directory's mapped files.
struct MappedMemory {
    uint64_t program = 0;
    uint64_t stacks = 0;
    uint64_t files = 0;
};
MappedMemory mapped_memory();

class ProcessGauges {
  public:
    explicit ProcessGauges(const io::Clock& clock) : clock_(clock) {}

    /// `collections`: what they take, all together.
    void set(const engine::MemoryUse& collections, telemetry::Metrics& metrics);

  private:
    // Counting walks through the allocator's lists of free memory, and those who allocate wait for it.
    static constexpr uint64_t kComponentsEveryUs = 5'000'000;

    static void set_components(const engine::MemoryUse& collections, telemetry::Metrics& metrics);

    const io::Clock& clock_;
    uint64_t components_due_us_ = 0;
};

}  // namespace akidb::server
