#include "io/executor.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <deque>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/mutex.h"

namespace akidb::io {
namespace {

struct NamedJob {
    std::string name;
    Executor::Job run;
};

void dress_this_thread(const std::string& name, int nice) {
    // Names longer than 15 bytes are refused by the kernel, not cut.
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
    if (nice != 0) {
        const auto thread = static_cast<id_t>(::gettid());
        const int now = ::getpriority(PRIO_PROCESS, thread);
        // A kernel that refuses costs us politeness only, so the result is of no use to anyone.
        (void)::setpriority(PRIO_PROCESS, thread, now + nice);
    }
}

void run_job(const NamedJob& job, const std::stop_token& token) {
    // Errors are values here; an exception that gets this far left some invariant half changed.
    try {
        job.run(token);
    } catch (const std::exception& thrown) {
        assertion_failed(("job '" + job.name + "' threw: " + thrown.what()).c_str(), __FILE__, __LINE__);
    } catch (...) {
        assertion_failed(("job '" + job.name + "' threw").c_str(), __FILE__, __LINE__);
    }
}

}  // namespace

struct ThreadPool::State {
    explicit State(ThreadPoolOptions given) : options(std::move(given)) {}

    void work();

    const ThreadPoolOptions options;
    std::stop_source stopping;
    mutable Mutex mutex;
    CondVar changed;
    std::deque<NamedJob> queue AKIDB_GUARDED_BY(mutex);
    size_t running AKIDB_GUARDED_BY(mutex) = 0;
    bool stopped AKIDB_GUARDED_BY(mutex) = false;
    std::vector<std::jthread> threads AKIDB_GUARDED_BY(mutex);
};

void ThreadPool::State::work() {
    dress_this_thread(options.name, options.nice);
    while (true) {
        NamedJob job;
        {
            MutexLock lock(mutex);
            while (queue.empty() && !stopped) {
                changed.wait(mutex);
            }
            if (stopped) {
                return;
            }
            job = std::move(queue.front());
            queue.pop_front();
            ++running;
        }
        run_job(job, stopping.get_token());
        job.run = nullptr;  // what the job owned is gone before it stops counting as pending
        MutexLock lock(mutex);
        --running;
    }
}

ThreadPool::ThreadPool(ThreadPoolOptions options) : state_(std::make_unique<State>(std::move(options))) {
    AKIDB_ASSERT(state_->options.threads > 0);
    MutexLock lock(state_->mutex);
    for (size_t i = 0; i < state_->options.threads; ++i) {
        state_->threads.emplace_back([state = state_.get()] { state->work(); });
    }
}

ThreadPool::~ThreadPool() {
    stop();
}

bool ThreadPool::submit(std::string name, Job job) {
    {
        MutexLock lock(state_->mutex);
        if (state_->stopped || state_->queue.size() >= state_->options.queue_max) {
            return false;
        }
        state_->queue.push_back({std::move(name), std::move(job)});
    }
    state_->changed.notify_one();
    return true;
}

void ThreadPool::stop() {
    // Threads are joined and dropped jobs destroyed without the lock: both may run code that calls back here.
    std::deque<NamedJob> dropped;
    std::vector<std::jthread> ended;
    {
        MutexLock lock(state_->mutex);
        state_->stopped = true;
        dropped.swap(state_->queue);
        ended.swap(state_->threads);
    }
    state_->stopping.request_stop();
    state_->changed.notify_all();
    ended.clear();
}

size_t ThreadPool::pending() const {
    MutexLock lock(state_->mutex);
    return state_->queue.size() + state_->running;
}

}  // namespace akidb::io
