#include "server/drain.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "base/mutex.h"

namespace akidb::server {
namespace {

constexpr uint32_t kStepMs = 100;
constexpr uint32_t kHurriedIdleMs = 2000;
constexpr uint32_t kCloseMs = 4500;

// Ends the process when it is not destroyed in time.
class Watchdog {
  public:
    Watchdog(uint32_t limit_ms, ExitCode planned)
        : thread_([this, limit_ms, planned] { watch(limit_ms, planned); }) {}

    ~Watchdog() {
        {
            MutexLock lock(mutex_);
            is_over_ = true;
        }
        over_.notify_all();
        thread_.join();
    }
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

  private:
    void watch(uint32_t limit_ms, ExitCode planned) {
        MutexLock lock(mutex_);
        while (!is_over_) {
            if (!over_.wait_for(mutex_, std::chrono::milliseconds(limit_ms)) && !is_over_) {
                std::fputs("akidb: closing took too long and was cut short; the next start replays the log\n",
                           stderr);
                std::_Exit(static_cast<int>(planned));
            }
        }
    }

    Mutex mutex_;
    CondVar over_;
    bool is_over_ AKIDB_GUARDED_BY(mutex_) = false;
    std::thread thread_;
};

class Stopwatch {
  public:
    explicit Stopwatch(const io::Clock& clock) : clock_(clock), begin_us_(clock.monotonic_us()) {}
    /// Milliseconds until `limit_ms` after the start; 0 when it has passed.
    uint32_t left(uint32_t limit_ms) const {
        const uint64_t passed = (clock_.monotonic_us() - begin_us_) / 1000;
        return passed >= limit_ms ? 0 : static_cast<uint32_t>(limit_ms - passed);
    }

  private:
    const io::Clock& clock_;
    uint64_t begin_us_;
};

}  // namespace

ExitCode drain_and_close(Server& server, const StopSignals& signals, const io::Clock& clock, Logger& logger,
                         DrainTimes times, ExitCode planned) {
    const Stopwatch watch(clock);
    bool is_hurried = false;
    server.begin_draining();
    while (!is_hurried && watch.left(times.min_ms) > 0) {
        is_hurried = signals.wait(std::min(watch.left(times.min_ms), kStepMs)).has_value();
    }
    server.stop_accepting();
    bool is_idle = server.wait_until_idle(0);
    while (!is_hurried && !is_idle && watch.left(times.max_ms) > 0) {
        is_idle = server.wait_until_idle(std::min(watch.left(times.max_ms), kStepMs));
        is_hurried = signals.wait(0).has_value();
    }
    const Watchdog watchdog(kCloseMs, planned);
    if (is_hurried) {
        logger.log(LogLevel::kWarning, "second signal: stopping without further delay");
        is_idle = is_idle || server.wait_until_idle(kHurriedIdleMs);
    }
    if (!is_idle) {
        logger.log(LogLevel::kWarning, "requests were still in flight when drain.max_ms ran out");
    }
    const Result<void> closed = server.close(!is_hurried);
    if (!closed) {
        logger.log(LogLevel::kError, "closing failed", {{"why", closed.error().message()}});
        return planned == ExitCode::kClean ? ExitCode::kIo : planned;
    }
    logger.log(LogLevel::kInfo, "stopped");
    return planned;
}

}  // namespace akidb::server
