// StopSignals: SIGTERM, SIGINT and SIGHUP as values to wait for instead of interruptions. Construct it before
// any other thread starts: threads inherit the mask. SIGPIPE is ignored, as sockets report their end by a
// result. Thread-compatible.
#pragma once

#include <signal.h>

#include <cstdint>
#include <optional>

namespace akidb::server {

class StopSignals {
  public:
    StopSignals();
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;
    /// The next signal, or nothing when `timeout_ms` ran out.
    std::optional<int> wait(uint32_t timeout_ms) const;

  private:
    sigset_t signals_{};
};

}  // namespace akidb::server
