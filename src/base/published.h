// Published<T>: one immutable value that writers replace and readers copy. The reader holds the mutex only
// while it copies a shared_ptr; libstdc++ 12's atomic<shared_ptr> would save that but makes ThreadSanitizer
// report a race. Thread-safe.
#pragma once

#include <memory>
#include <utility>

#include "base/mutex.h"

namespace akidb {

template <class T>
class Published {
  public:
    Published() = default;
    explicit Published(std::shared_ptr<const T> value) : value_(std::move(value)) {}

    std::shared_ptr<const T> load() const AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        return value_;
    }
    /// The old value is destroyed outside the lock, when this was its last reference.
    void store(std::shared_ptr<const T> value) AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        value_.swap(value);
    }

  private:
    mutable Mutex mutex_;
    std::shared_ptr<const T> value_ AKIDB_GUARDED_BY(mutex_);
};

}  // namespace akidb
