#include "io/clock.h"

#include <chrono>

namespace akidb::io {
namespace {

class SystemClock final : public Clock {
  public:
    uint64_t monotonic_us() const override {
        const auto since = std::chrono::steady_clock::now().time_since_epoch();
        return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(since).count());
    }
    uint64_t unix_ms() const override {
        const auto since = std::chrono::system_clock::now().time_since_epoch();
        return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
    }
};

}  // namespace

std::unique_ptr<Clock> make_system_clock() {
    return std::make_unique<SystemClock>();
}

}  // namespace akidb::io
