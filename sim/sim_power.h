// SimPower: the one switch of a simulated machine. Whatever outlives the machine (its disk, its catalog, the
// objects that it sent away) asks it before each step; from the planned one on nothing happens any more.
// Counts steps, so that a history can die at any of them. Single-threaded.
#pragma once

#include <cstdint>

namespace akidb::sim {

class SimPower {
  public:
    /// Off right before this many further steps were done.
    void plan(uint64_t steps) { off_at_ = steps_ + steps; }
    void turn_on() {
        is_off_ = false;
        off_at_ = UINT64_MAX;
    }
    bool is_off() const { return is_off_; }
    uint64_t steps() const { return steps_; }
    /// False: the power is off, and the step is not to be done.
    bool step() {
        is_off_ = is_off_ || steps_ >= off_at_;
        steps_ += is_off_ ? 0 : 1;
        return !is_off_;
    }

  private:
    uint64_t steps_ = 0;
    uint64_t off_at_ = UINT64_MAX;
    bool is_off_ = false;
};

}  // namespace akidb::sim
