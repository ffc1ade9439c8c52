#include "rest/connection_book.h"

#include <chrono>

namespace akidb::rest {

ConnectionBook::Seat::~Seat() {
    if (book_ != nullptr) {
        book_->leave(address_);
    }
}

ConnectionBook::ConnectionBook(size_t connections_max, size_t per_address_max, telemetry::Metrics& metrics)
    : connections_max_(connections_max),
      per_address_max_(per_address_max),
      metrics_(metrics),
      open_(metrics.gauge(telemetry::MetricId::kHttpConnections)) {}

std::pair<ConnectionBook::Seat, std::string_view> ConnectionBook::take_seat(std::string address) {
    MutexLock lock(mutex_);
    if (connections_ >= connections_max_) {
        return {Seat(), std::string_view("connections")};
    }
    size_t& here = per_address_[address];
    if (here >= per_address_max_) {
        return {Seat(), std::string_view("connections_per_address")};
    }
    ++here;
    ++connections_;
    open_.add(1);
    return {Seat(this, std::move(address)), std::string_view()};
}

void ConnectionBook::leave(const std::string& address) {
    MutexLock lock(mutex_);
    --connections_;
    auto found = per_address_.find(address);
    if (found != per_address_.end() && --found->second == 0) {
        per_address_.erase(found);
    }
    open_.add(-1);
}

void ConnectionBook::count_refused(std::string_view reason) {
    metrics_.counter(telemetry::MetricId::kHttpRefused, {reason}).add();
}

void ConnectionBook::request_ended() {
    if (requests_.fetch_sub(1) == 1 && is_awaited_) {
        MutexLock lock(mutex_);
        idle_.notify_all();
    }
}

bool ConnectionBook::wait_until_idle(uint32_t timeout_ms) {
    auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    MutexLock lock(mutex_);
    is_awaited_ = true;  // for good: who waits once is draining
    while (requests_ > 0) {
        auto left = end - std::chrono::steady_clock::now();
        if (left <= std::chrono::steady_clock::duration::zero()) {
            return false;
        }
        idle_.wait_for(mutex_, left);
    }
    return true;
}

}  // namespace akidb::rest
