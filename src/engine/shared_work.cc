#include "engine/shared_work.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"

namespace akidb::engine {
namespace {

/// Outlives the call, for jobs that begin after it.
class Round {
  public:
    bool join() {
        MutexLock lock(mutex_);
        running_ += is_open_ ? 1 : 0;
        return is_open_;
    }

    void leave() {
        MutexLock lock(mutex_);
        --running_;
        changed_.notify_all();
    }

    void close_and_wait() {
        MutexLock lock(mutex_);
        is_open_ = false;
        while (running_ > 0) {
            changed_.wait(mutex_);
        }
    }

  private:
    Mutex mutex_;
    CondVar changed_;
    bool is_open_ AKIDB_GUARDED_BY(mutex_) = true;
    uint32_t running_ AKIDB_GUARDED_BY(mutex_) = 0;
};

/// `work` lives in the caller's frame, which must not go while a job is in it, not even by an exception.
struct Leaving {
    Round& round;
    void (Round::*leave)();
    ~Leaving() { (round.*leave)(); }
};

}  // namespace

void run_shared(io::Executor& executor, std::string_view name, uint32_t helpers, FunctionRef<void()> work) {
    if (helpers == 0) {
        work();
        return;
    }
    const auto round = std::make_shared<Round>();
    const Leaving closing{*round, &Round::close_and_wait};
    for (uint32_t i = 0; i < helpers; ++i) {
        const bool accepted = executor.submit(std::string(name), [round, work](const std::stop_token&) {
            if (round->join()) {
                const Leaving leaving{*round, &Round::leave};
                work();
            }
        });
        if (!accepted) {
            break;
        }
    }
    work();
}

Result<void> run_steps(io::Executor& executor, std::string_view name, uint32_t helpers,
                       std::span<const std::function<Result<void>()>> steps) {
    std::atomic<size_t> next = 0;
    std::vector<Result<void>> outcomes(steps.size());
    run_shared(executor, name, std::min(helpers, static_cast<uint32_t>(steps.size())), [&] {
        for (size_t step = next.fetch_add(1); step < steps.size(); step = next.fetch_add(1)) {
            outcomes[step] = steps[step]();
        }
    });
    const auto failed = std::find_if(outcomes.begin(), outcomes.end(),
                                     [](const Result<void>& outcome) { return !outcome.has_value(); });
    return failed == outcomes.end() ? Result<void>() : std::move(*failed);
}

}  // namespace akidb::engine
