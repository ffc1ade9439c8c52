// drain: the end of a server, step by step, within drain.max and 5 s. Times are milliseconds.
// Thread-compatible: the thread of main.
#pragma once

#include <cstdint>

#include "base/exit_code.h"
#include "base/logger.h"
#include "io/clock.h"
#include "server/signals.h"
#include "server/wiring.h"

namespace akidb::server {

struct DrainTimes {
    uint32_t min_ms = 5000;
    uint32_t max_ms = 25'000;
};

/// Drains and closes; returns `planned`, or kIo when closing failed. When closing takes longer than 5 s the
/// process ends with `planned` at once: the clean end only saves the next start some work, nothing
/// acknowledged depends on it.
ExitCode drain_and_close(Server& server, const StopSignals& signals, const io::Clock& clock, Logger& logger,
                         DrainTimes times, ExitCode planned);

}  // namespace akidb::server
