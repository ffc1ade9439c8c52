#include "objects/paced_store.h"

#include <algorithm>

#include "base/mutex.h"
#include "objects/forwarding_store.h"

namespace akidb::objects {
namespace {

constexpr uint64_t kSecondUs = 1'000'000;

/// When the next call may begin, if each unit takes its time at an even pace.
class Schedule {
  public:
    explicit Schedule(uint64_t per_second) : per_second_(per_second) {}

    /// Takes `units` and returns when they may be used.
    uint64_t take(uint64_t units, uint64_t now_us) {
        if (per_second_ == 0) {
            return now_us;
        }
        // A second's worth may be saved up.
        free_at_us_ = std::max(free_at_us_, now_us > kSecondUs ? now_us - kSecondUs : 0);
        const uint64_t begin = std::max(free_at_us_, now_us);
        free_at_us_ +=
            static_cast<uint64_t>(static_cast<double>(units) * kSecondUs / static_cast<double>(per_second_));
        return begin;
    }

  private:
    const uint64_t per_second_;
    uint64_t free_at_us_ = 0;
};

class PacedStore final : public ForwardingStore<PacedStore> {
  public:
    PacedStore(ObjectStore& store, const io::Clock& clock, io::Pause& pause, Pace pace)
        : ForwardingStore(store),
          clock_(clock),
          pause_(pause),
          requests_(pace.requests_per_second),
          bytes_(pace.bytes_per_second) {}

    template <class Call>
    auto around(uint64_t bytes, Call call) -> decltype(call()) {
        AKIDB_TRY(wait(bytes));
        return call();
    }

  private:
    Result<void> wait(uint64_t bytes) {
        uint64_t now = 0;
        uint64_t begin = 0;
        {
            MutexLock lock(mutex_);
            now = clock_.monotonic_us();
            begin = std::max(requests_.take(1, now), bytes_.take(bytes, now));
        }
        if (begin > now && !pause_.wait_us(begin - now)) {
            return Error(Code::kUnavailable, "stopped before its turn came");
        }
        return {};
    }

    const io::Clock& clock_;
    io::Pause& pause_;
    Mutex mutex_;
    Schedule requests_ AKIDB_GUARDED_BY(mutex_);
    Schedule bytes_ AKIDB_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<ObjectStore> make_paced_store(ObjectStore& store, const io::Clock& clock, io::Pause& pause,
                                              Pace pace) {
    return std::make_unique<PacedStore>(store, clock, pause, pace);
}

}  // namespace akidb::objects
