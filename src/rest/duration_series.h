// DurationSeries: the request-duration histogram of each route and status, looked up once: the lookup hashes
// three strings, too dear for each request. Units: seconds. Labels are route templates, never paths, so they
// stay few. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <string>
#include <string_view>

#include "rest/router.h"
#include "telemetry/metrics.h"

namespace akidb::rest {

class DurationSeries {
  public:
    explicit DurationSeries(telemetry::Metrics& metrics) : metrics_(metrics) {}

    void observe(std::string_view method, const Route* route, int status, double seconds) {
        size_t column = 0;
        while (column < kStatuses.size() && kStatuses[column] != status) {
            ++column;
        }
        if (route == nullptr || column == kStatuses.size()) {
            series("other", "none", status).observe(seconds);
            return;
        }
        bool is_head = method == "HEAD";
        std::atomic<telemetry::Histogram*>& cached =
            cells_[(static_cast<size_t>(route->id) * kStatuses.size() + column) * 2 + (is_head ? 1 : 0)];
        telemetry::Histogram* histogram = cached.load(std::memory_order_acquire);
        if (histogram == nullptr) {
            histogram = &series(is_head ? "HEAD" : route->method, route->path, status);
            cached.store(histogram, std::memory_order_release);
        }
        histogram->observe(seconds);
    }

  private:
    static constexpr std::array<int, 19> kStatuses{200, 201, 400, 401, 403, 404, 405, 409, 413, 415,
                                                   429, 499, 500, 501, 503, 504, 507, 408, 431};

    telemetry::Histogram& series(std::string_view method, std::string_view path, int status) {
        return metrics_.histogram(telemetry::MetricId::kHttpRequestDuration,
                                  {method, path, std::to_string(status)});
    }

    telemetry::Metrics& metrics_;
    std::array<std::atomic<telemetry::Histogram*>, kRouteCount * kStatuses.size() * 2> cells_{};
};

}  // namespace akidb::rest
