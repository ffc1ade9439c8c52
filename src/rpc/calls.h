// Calls: what all calls of a server share: the service once it is there, the threads for long work, and how
// many calls are in flight, for who drains. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "access/trusted_proxies.h"
#include "base/logger.h"
#include "base/mutex.h"
#include "base/result.h"
#include "io/clock.h"
#include "io/executor.h"
#include "io/random.h"
#include "rpc/method_table.h"
#include "service/memory_budget.h"
#include "service/service.h"
#include "telemetry/metrics.h"

namespace akidb::rpc {

struct CallDependencies {
    io::Executor& workers;
    const io::Clock& clock;
    io::Random& random;
    telemetry::Metrics& metrics;
    Logger& logger;
    service::MemoryBudget& memory;
    const access::TrustedProxies* proxies = nullptr;  // whose x-forwarded-for is believed
    tracing::Tracer* tracer = nullptr;                // null: no call is traced
};

class Calls {
  public:
    explicit Calls(CallDependencies dependencies) : given_(dependencies) {}
    Calls(const Calls&) = delete;
    Calls& operator=(const Calls&) = delete;

    const CallDependencies& given() const { return given_; }

    void attach_service(service::Service& service) { service_.store(&service, std::memory_order_release); }
    /// New calls are answered kUnavailable from now on.
    void refuse() { is_refusing_.store(true, std::memory_order_release); }
    /// kUnavailable while the server starts or stops.
    Result<service::Service*> find_service() const {
        if (is_refusing_.load(std::memory_order_acquire)) {
            return Error(Code::kUnavailable, "the server is stopping").with_retry_after(1);
        }
        service::Service* service = service_.load(std::memory_order_acquire);
        if (service == nullptr) {
            return Error(Code::kUnavailable, "the server is starting").with_retry_after(1);
        }
        return service;
    }

    void begin_one();
    void end_one(MethodId method, int grpc_code, double seconds);
    /// True when no call is in flight; false when `timeout_ms` ran out.
    bool wait_until_idle(uint32_t timeout_ms);

  private:
    static constexpr size_t kGrpcCodes = 17;

    const CallDependencies given_;
    std::atomic<service::Service*> service_{nullptr};
    std::atomic<bool> is_refusing_{false};
    // Each series is looked up once: the lookup hashes two strings, too dear for each call.
    std::array<std::atomic<telemetry::Histogram*>, kMethodCount * kGrpcCodes> durations_{};
    Mutex mutex_;
    CondVar idle_;
    uint64_t in_flight_ AKIDB_GUARDED_BY(mutex_) = 0;
};

}  // namespace akidb::rpc
