// Mutex, MutexLock and CondVar: the standard ones with clang's thread-safety annotations, so that
// `-Wthread-safety` proves which lock guards which field.
#pragma once

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define AKIDB_ANNOTATE(x) __attribute__((x))
#else
#define AKIDB_ANNOTATE(x)
#endif
#define AKIDB_GUARDED_BY(mutex) AKIDB_ANNOTATE(guarded_by(mutex))
#define AKIDB_REQUIRES(...) AKIDB_ANNOTATE(requires_capability(__VA_ARGS__))
#define AKIDB_EXCLUDES(...) AKIDB_ANNOTATE(locks_excluded(__VA_ARGS__))

namespace akidb {

class AKIDB_ANNOTATE(capability("mutex")) Mutex {
  public:
    void lock() AKIDB_ANNOTATE(acquire_capability()) { mutex_.lock(); }
    void unlock() AKIDB_ANNOTATE(release_capability()) { mutex_.unlock(); }
    bool try_lock() AKIDB_ANNOTATE(try_acquire_capability(true)) { return mutex_.try_lock(); }

  private:
    std::mutex mutex_;
};

class AKIDB_ANNOTATE(scoped_lockable) MutexLock {
  public:
    explicit MutexLock(Mutex& mutex) AKIDB_ANNOTATE(acquire_capability(mutex)) : mutex_(mutex) {
        mutex_.lock();
    }
    ~MutexLock() AKIDB_ANNOTATE(release_capability()) { mutex_.unlock(); }
    MutexLock(const MutexLock&) = delete;
    MutexLock& operator=(const MutexLock&) = delete;

  private:
    Mutex& mutex_;
};

/// Waits with the mutex held by a MutexLock of the caller.
class CondVar {
  public:
    void wait(Mutex& mutex) AKIDB_REQUIRES(mutex) { condition_.wait(mutex); }
    /// False when the time ran out.
    template <class Duration>
    bool wait_for(Mutex& mutex, Duration duration) AKIDB_REQUIRES(mutex) {
        return condition_.wait_for(mutex, duration) == std::cv_status::no_timeout;
    }
    void notify_one() { condition_.notify_one(); }
    void notify_all() { condition_.notify_all(); }

  private:
    std::condition_variable_any condition_;
};

}  // namespace akidb
