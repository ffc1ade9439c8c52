// Dice: the choices of a simulation, all from one seed (splitmix64, Steele, Lea and Flood 2014), so that a
// seed replays a history. A value: copying it copies the position. Never for secrets. Thread-compatible.
#pragma once

#include <cstdint>

namespace akidb::sim {

class Dice {
  public:
    explicit Dice(uint64_t seed) : state_(seed) {}

    uint64_t next() {
        state_ += 0x9e3779b97f4a7c15;
        uint64_t mixed = state_;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
        return mixed ^ (mixed >> 31);
    }
    /// 0..limit-1; 0 when limit is 0. The bias of the remainder does not matter for choosing what breaks.
    uint64_t below(uint64_t limit) { return limit == 0 ? 0 : next() % limit; }
    bool coin() { return (next() & 1) != 0; }
    /// True once in `times` on average.
    bool one_in(uint64_t times) { return below(times) == 0; }

  private:
    uint64_t state_;
};

}  // namespace akidb::sim
