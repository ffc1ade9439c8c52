// MemoryBudget: how many bytes the bodies of the requests in flight of all protocols, and what is made of
// them, may take together; reserved before a body is read (by gRPC, which receives it first, before it is
// parsed) and given back once its answer is written; what does not fit is refused and not waited for. Answers
// do not count. A body counts kBytesPerBodyByte times: itself, the index that the JSON parser makes of it
// (four bytes for each number and comma), the documents, and their log record. Floats of ten characters come
// to below 3 by that, numbers of one digit to 7. The last eighth is for small requests, so that searches go
// on while uploads are refused. Thread-safe; a share belongs to one thread at a time.
#pragma once

#include <atomic>
#include <cstdint>

#include "telemetry/metrics.h"

namespace akidb::service {

class MemoryBudget {
  public:
    static constexpr uint64_t kBytesPerBodyByte = 4;
    static constexpr uint64_t kSmallBytes = kBytesPerBodyByte * (64 << 10);

    MemoryBudget(uint64_t bytes_max, telemetry::Metrics& metrics)
        : bytes_max_(bytes_max), used_metric_(metrics.gauge(telemetry::MetricId::kRequestMemory)) {}

    /// The most that one request can ever have.
    uint64_t share_bytes_max() const { return bytes_max_ - bytes_max_ / 8; }

    class Share {
      public:
        explicit Share(MemoryBudget& budget) : budget_(budget) {}
        Share(const Share&) = delete;
        Share& operator=(const Share&) = delete;
        ~Share() { budget_.give_back(bytes_); }
        /// False when it does not fit now; then all is as before. Never shrinks.
        bool grow_to(uint64_t bytes) {
            if (bytes > bytes_ && !budget_.take(bytes - bytes_, bytes)) {
                return false;
            }
            bytes_ = bytes > bytes_ ? bytes : bytes_;
            return true;
        }

      private:
        MemoryBudget& budget_;
        uint64_t bytes_ = 0;
    };

  private:
    bool take(uint64_t more, uint64_t whole) {
        const uint64_t limit = whole <= kSmallBytes ? bytes_max_ : share_bytes_max();
        uint64_t used = used_.load();
        do {
            if (used > limit || more > limit - used) {
                return false;
            }
        } while (!used_.compare_exchange_weak(used, used + more));
        used_metric_.add(static_cast<double>(more));
        return true;
    }
    void give_back(uint64_t bytes) {
        if (bytes > 0) {
            used_.fetch_sub(bytes);
            used_metric_.add(-static_cast<double>(bytes));
        }
    }

    const uint64_t bytes_max_;
    telemetry::Gauge& used_metric_;
    std::atomic<uint64_t> used_{0};  // guards no memory: only a count
};

}  // namespace akidb::service
