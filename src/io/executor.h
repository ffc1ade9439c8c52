// Executor: the door to threads. Background work is a named job; production runs jobs on a bounded pool, the
// simulator when it pleases, so that one seed replays one history. Thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

namespace akidb::io {

class Executor {
  public:
    using Job = std::function<void(std::stop_token)>;

    virtual ~Executor() = default;
    /// Takes the job for one run, in order of submission; false (and the job is dropped) when the queue is
    /// full or the executor stops. `name` is for thread names, logs and metrics. A long job looks at its
    /// token often.
    virtual bool submit(std::string name, Job job) = 0;
};

struct ThreadPoolOptions {
    std::string name;  // of the threads, cut to 15 bytes
    size_t threads = 1;
    size_t queue_max = 1024;
    int nice = 0;  // added to each thread's niceness: background work yields to searches
};

/// Threads end in the destructor, or in stop(): tokens are set, queued jobs that did not start are dropped,
/// running ones are joined.
class ThreadPool final : public Executor {
  public:
    explicit ThreadPool(ThreadPoolOptions options);
    ~ThreadPool() override;
    bool submit(std::string name, Job job) override;
    void stop();
    /// Jobs queued or running.
    size_t pending() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace akidb::io
