// Pause: the door to waiting, for those who try again later or keep to a pace. Tests give one whose time
// passes at once. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>

namespace akidb::io {

class Pause {
  public:
    virtual ~Pause() = default;
    /// False, and at once, when whoever waits is asked to stop.
    virtual bool wait_us(uint64_t duration_us) = 0;
    /// Ends all waiting, now and from now on.
    virtual void stop() = 0;
};

std::unique_ptr<Pause> make_system_pause();

}  // namespace akidb::io
