// Random: the door to randomness. Production draws from the kernel's CSPRNG in blocks; the simulator from its
// seed. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>

#include "base/uuid.h"
#include "io/clock.h"

namespace akidb::io {

class Random {
  public:
    virtual ~Random() = default;
    virtual uint64_t next_u64() = 0;
};

std::unique_ptr<Random> make_system_random();
/// splitmix64: for tests and the simulator, never for secrets.
std::unique_ptr<Random> make_seeded_random(uint64_t seed);
Uuid make_uuid(Random& random, const Clock& clock);

}  // namespace akidb::io
