#include "io/random.h"

#include <sys/random.h>

#include <array>
#include <cerrno>

#include "base/assert.h"
#include "base/mutex.h"

namespace akidb::io {
namespace {

/// One system call serves 32 numbers. The kernel gives up to 256 bytes whole, so short reads cannot happen.
class SystemRandom final : public Random {
  public:
    uint64_t next_u64() override {
        MutexLock lock(mutex_);
        if (used_ == block_.size()) {
            refill();
        }
        const uint64_t value = block_[used_];
        block_[used_] = 0;  // a number given out as a secret must not stay in memory
        ++used_;
        return value;
    }

  private:
    static constexpr size_t kBlock = 32;

    void refill() AKIDB_REQUIRES(mutex_) {
        ssize_t got = -1;
        do {
            got = ::getrandom(block_.data(), sizeof(block_), 0);
        } while (got < 0 && errno == EINTR);
        // Weak tokens are worse than no process.
        AKIDB_ASSERT(got == static_cast<ssize_t>(sizeof(block_)));
        used_ = 0;
    }

    Mutex mutex_;
    std::array<uint64_t, kBlock> block_ AKIDB_GUARDED_BY(mutex_){};
    size_t used_ AKIDB_GUARDED_BY(mutex_) = kBlock;
};

class SeededRandom final : public Random {
  public:
    explicit SeededRandom(uint64_t seed) : state_(seed) {}

    uint64_t next_u64() override {
        MutexLock lock(mutex_);
        state_ += 0x9e3779b97f4a7c15;
        uint64_t mixed = state_;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
        return mixed ^ (mixed >> 31);
    }

  private:
    Mutex mutex_;
    uint64_t state_ AKIDB_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<Random> make_system_random() {
    return std::make_unique<SystemRandom>();
}

std::unique_ptr<Random> make_seeded_random(uint64_t seed) {
    return std::make_unique<SeededRandom>(seed);
}

Uuid make_uuid(Random& random, const Clock& clock) {
    const uint64_t high = random.next_u64();
    const uint64_t low = random.next_u64();
    return make_uuid_v7(clock.stamp_ms(), high, low);
}

}  // namespace akidb::io
