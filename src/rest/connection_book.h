// ConnectionBook: how many connections are open, in all and from each address, and how many requests are in
// flight; the limits of the HTTP server are decided here, and its drain waits here. Units: connections,
// requests. Thread-safe; a seat or a mark gives itself back when it is destroyed, so no error path can leak
// one.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/mutex.h"
#include "telemetry/metrics.h"

namespace akidb::rest {

class ConnectionBook {
  public:
    /// One open connection.
    class Seat {
      public:
        Seat() = default;
        Seat(ConnectionBook* book, std::string address) : book_(book), address_(std::move(address)) {}
        Seat(Seat&& other) noexcept
            : book_(std::exchange(other.book_, nullptr)), address_(std::move(other.address_)) {}
        Seat& operator=(Seat&&) = delete;
        ~Seat();
        const std::string& address() const { return address_; }

      private:
        ConnectionBook* book_ = nullptr;
        std::string address_;
    };

    ConnectionBook(size_t connections_max, size_t per_address_max, telemetry::Metrics& metrics);

    /// Empty reason = seated; else the value of the metric label: "connections" or "connections_per_address".
    std::pair<Seat, std::string_view> take_seat(std::string address) AKIDB_EXCLUDES(mutex_);
    void count_refused(std::string_view reason);

    void request_began() { requests_.fetch_add(1); }
    void request_ended() AKIDB_EXCLUDES(mutex_);
    size_t requests_in_flight() const { return requests_; }
    bool wait_until_idle(uint32_t timeout_ms) AKIDB_EXCLUDES(mutex_);

  private:
    void leave(const std::string& address) AKIDB_EXCLUDES(mutex_);

    const size_t connections_max_;
    const size_t per_address_max_;
    telemetry::Metrics& metrics_;
    telemetry::Gauge& open_;
    std::atomic<size_t> requests_{0};
    std::atomic<bool> is_awaited_{false};  // set, then requests_ read; requests_ lowered, then this read
    Mutex mutex_;
    CondVar idle_;
    size_t connections_ AKIDB_GUARDED_BY(mutex_) = 0;
    std::map<std::string, size_t, std::less<>> per_address_ AKIDB_GUARDED_BY(mutex_);
};

}  // namespace akidb::rest
