// SearchLoad: how many searches began and ended, for background work that makes way for them. Thread-safe and
// wait-free: two increments a search, on cache lines of their own.
#pragma once

#include <atomic>
#include <cstdint>

namespace akidb::service {

class SearchLoad {
  public:
    /// One search, as long as it lives.
    class Running {
      public:
        explicit Running(SearchLoad& load) : load_(load) {
            load_.begun_.fetch_add(1, std::memory_order_relaxed);
        }
        Running(const Running&) = delete;
        Running& operator=(const Running&) = delete;
        ~Running() { load_.ended_.fetch_add(1, std::memory_order_relaxed); }

      private:
        SearchLoad& load_;
    };

    uint64_t begun() const { return begun_.load(std::memory_order_relaxed); }
    /// As of a moment ago.
    bool has_running() const {
        const uint64_t ended = ended_.load(std::memory_order_relaxed);
        return begun() > ended;
    }

  private:
    static constexpr size_t kLineBytes = 64;
    alignas(kLineBytes) std::atomic<uint64_t> begun_{0};
    alignas(kLineBytes) std::atomic<uint64_t> ended_{0};
};

}  // namespace akidb::service
