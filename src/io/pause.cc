#include "io/pause.h"

#include <chrono>
#include <tuple>

#include "base/mutex.h"

namespace akidb::io {
namespace {

class SystemPause final : public Pause {
  public:
    bool wait_us(uint64_t duration_us) override {
        const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(duration_us);
        MutexLock lock(mutex_);
        while (!is_stopped_) {
            const auto now = std::chrono::steady_clock::now();
            if (now >= end) {
                return true;
            }
            std::ignore = stopped_.wait_for(mutex_, end - now);
        }
        return false;
    }

    void stop() override {
        MutexLock lock(mutex_);
        is_stopped_ = true;
        stopped_.notify_all();
    }

  private:
    Mutex mutex_;
    CondVar stopped_;
    bool is_stopped_ AKIDB_GUARDED_BY(mutex_) = false;
};

}  // namespace

std::unique_ptr<Pause> make_system_pause() {
    return std::make_unique<SystemPause>();
}

}  // namespace akidb::io
