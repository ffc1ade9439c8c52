// SimExecutor: background jobs that run when a test says so, on its thread, in an order drawn from a seed: as
// a pool of many threads might pick them, but the same in every run. Jobs may submit jobs. What throws goes
// through to the test. Single-threaded.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "io/executor.h"
#include "sim/dice.h"

namespace akidb::sim {

class SimExecutor final : public io::Executor {
  public:
    explicit SimExecutor(uint64_t seed, size_t queue_max = 1024) : dice_(seed), queue_max_(queue_max) {}

    bool submit(std::string name, Job job) override {
        if (stopping_.stop_requested() || queue_.size() >= queue_max_) {
            return false;
        }
        queue_.emplace_back(std::move(name), std::move(job));
        return true;
    }

    /// False when there was nothing to run.
    bool run_one() {
        if (queue_.empty()) {
            return false;
        }
        const auto chosen = queue_.begin() + static_cast<std::ptrdiff_t>(dice_.below(queue_.size()));
        const Job job = std::move(chosen->second);
        queue_.erase(chosen);
        job(stopping_.get_token());
        return true;
    }
    /// Runs until nothing is left, or until `jobs_max` ran (jobs that always submit another never end); how
    /// many ran.
    size_t run_all(size_t jobs_max = SIZE_MAX) {
        size_t ran = 0;
        while (ran < jobs_max && run_one()) {
            ++ran;
        }
        return ran;
    }
    size_t pending() const { return queue_.size(); }
    /// Sets the token of the running job, drops the queue and refuses new jobs, as a pool does at its end.
    void stop() {
        stopping_.request_stop();
        std::exchange(queue_, {}).clear();
    }

  private:
    Dice dice_;
    size_t queue_max_;
    std::vector<std::pair<std::string, Job>> queue_;
    std::stop_source stopping_;
};

}  // namespace akidb::sim
