// WaitersShare: a place among those who may wait, given back when it goes. Thread-compatible.
#pragma once

#include <atomic>
#include <cstddef>

namespace akidb::service {

class WaitersShare {
  public:
    explicit WaitersShare(std::atomic<size_t>& waiters) : waiters_(waiters) {}
    WaitersShare(const WaitersShare&) = delete;
    WaitersShare& operator=(const WaitersShare&) = delete;
    ~WaitersShare() { waiters_ -= is_taken_ ? 1 : 0; }
    /// Once taken it is kept; false when as many as `most` wait already.
    bool take(size_t most) {
        if (is_taken_) {
            return true;
        }
        is_taken_ = waiters_.fetch_add(1) < most;
        waiters_ -= is_taken_ ? 0 : 1;
        return is_taken_;
    }

  private:
    std::atomic<size_t>& waiters_;
    bool is_taken_ = false;
};

}  // namespace akidb::service
