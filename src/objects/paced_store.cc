#include "objects/paced_store.h"

#include <algorithm>

#include "base/mutex.h"

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

class PacedStore final : public ObjectStore {
  public:
    PacedStore(ObjectStore& store, const io::Clock& clock, io::Pause& pause, Pace pace)
        : store_(store),
          clock_(clock),
          pause_(pause),
          requests_(pace.requests_per_second),
          bytes_(pace.bytes_per_second) {}

    Result<void> put(const std::string& key, std::string_view bytes, PutMode mode) override {
        AKIDB_TRY(wait(bytes.size()));
        return store_.put(key, bytes, mode);
    }
    Result<void> put_file(const std::string& key, const FileToPut& source) override {
        AKIDB_TRY(wait(source.bytes));
        return store_.put_file(key, source);
    }
    Result<std::string> get(const std::string& key, uint64_t bytes_max) override {
        AKIDB_TRY(wait(0));
        return store_.get(key, bytes_max);
    }
    Result<std::string> get_range(const std::string& key, ByteRange range) override {
        AKIDB_TRY(wait(range.count));
        return store_.get_range(key, range);
    }
    Result<ObjectFacts> head(const std::string& key) override {
        AKIDB_TRY(wait(0));
        return store_.head(key);
    }
    Result<ObjectPage> list(const ListRequest& request) override {
        AKIDB_TRY(wait(0));
        return store_.list(request);
    }
    Result<void> remove(const std::string& key) override {
        AKIDB_TRY(wait(0));
        return store_.remove(key);
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

    ObjectStore& store_;
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
