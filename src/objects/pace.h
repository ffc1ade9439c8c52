// Pace: the budget of a process towards S3: so many requests and so many bytes a second, both ways together,
// whatever they are for. Requests wait for their turn, each for itself; what was not used in one second may
// be used in the next, not later.
//
// What somebody waits for (a search of a cold collection, or its opening) is in the foreground: it is counted
// like everything, so that what is in the background waits the longer, but it waits for the foreground's own
// requests alone, never behind an upload. So for a second there may be twice the budget, and no more than the
// budget over time. The bytes of a large request in the background also flow no faster than the budget.
// Thread-safe; wait() blocks.
#pragma once

#include <cstdint>

#include "base/mutex.h"
#include "base/result.h"
#include "io/clock.h"
#include "io/pause.h"

namespace akidb::objects {

/// kForeground: somebody waits for it.
enum class Urgency : uint8_t { kForeground, kBackground };

struct Budget {
    uint64_t requests_per_second = 0;  // 0: as many as there are
    uint64_t bytes_per_second = 0;
};

class Pace {
  public:
    /// All given must outlive it.
    Pace(const io::Clock& clock, io::Pause& pause, Budget budget)
        : clock_(clock), pause_(pause), budget_(budget), all_(budget), urgent_(budget) {}

    /// Before a request that sends and receives about so many bytes. kUnavailable when the pause is stopped.
    Result<void> wait(uint64_t bytes, Urgency urgency) AKIDB_EXCLUDES(mutex_);
    /// Of an answer whose size was not known before.
    void count(uint64_t bytes, Urgency urgency) AKIDB_EXCLUDES(mutex_);
    /// At which the bytes of one request may flow; 0: any.
    uint64_t bytes_per_second(Urgency urgency) const {
        return urgency == Urgency::kBackground ? budget_.bytes_per_second : 0;
    }

  private:
    /// When the next may begin, if each unit takes its time at an even pace.
    class Schedule {
      public:
        explicit Schedule(uint64_t per_second) : per_second_(per_second) {}
        /// Takes `units` and returns when they may be used.
        uint64_t take(uint64_t units, uint64_t now_us);

      private:
        const uint64_t per_second_;
        uint64_t free_at_us_ = 0;
    };
    struct Lane {
        explicit Lane(Budget budget) : requests(budget.requests_per_second), bytes(budget.bytes_per_second) {}
        uint64_t take(uint64_t request_count, uint64_t byte_count, uint64_t now_us);
        Schedule requests;
        Schedule bytes;
    };

    uint64_t take(uint64_t request_count, uint64_t byte_count, Urgency urgency, uint64_t now_us)
        AKIDB_REQUIRES(mutex_);

    const io::Clock& clock_;
    io::Pause& pause_;
    const Budget budget_;
    Mutex mutex_;
    Lane all_ AKIDB_GUARDED_BY(mutex_);
    Lane urgent_ AKIDB_GUARDED_BY(mutex_);  // the foreground, as if it were alone
};

}  // namespace akidb::objects
