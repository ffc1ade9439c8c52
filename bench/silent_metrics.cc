// Metrics that count nothing, linked into a server of its own in place of telemetry/metrics.cc, so that a
// bench can tell what counting costs: no server that is shipped can be told not to count. Thread-safe.
#include "telemetry/metrics.h"

namespace akidb::telemetry {
namespace {

class Silent final : public Counter, public Gauge, public Histogram {
  public:
    void add(double) override {}
    void set(double) override {}
    void observe(double) override {}
};

Silent& silent() {
    static Silent one;
    return one;
}

}  // namespace

struct Metrics::Impl {};

Metrics::Metrics() = default;
Metrics::~Metrics() = default;

Counter& Metrics::counter(MetricId, std::initializer_list<std::string_view>) {
    return silent();
}
Gauge& Metrics::gauge(MetricId, std::initializer_list<std::string_view>) {
    return silent();
}
Histogram& Metrics::histogram(MetricId, std::initializer_list<std::string_view>) {
    return silent();
}
void Metrics::remove(MetricId, std::initializer_list<std::string_view>) {}
std::string Metrics::expose() const {
    return {};
}

}  // namespace akidb::telemetry
