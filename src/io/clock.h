// Clock: the door to time. Order comes from sequence numbers, timers from monotonic_us, and the wall clock
// only labels (rule R15). Thread-safe.
#pragma once

#include <cstdint>
#include <memory>

namespace akidb::io {

class Clock {
  public:
    virtual ~Clock() = default;
    /// Never goes back; its zero has no meaning.
    virtual uint64_t monotonic_us() const = 0;
    /// Milliseconds since 1970 UTC; may jump.
    virtual uint64_t unix_ms() const = 0;
};

std::unique_ptr<Clock> make_system_clock();

}  // namespace akidb::io
