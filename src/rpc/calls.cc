#include "rpc/calls.h"

#include <algorithm>
#include <chrono>

#include "base/error.h"

namespace akidb::rpc {
namespace {

/// As gRPC names it; "OK" and codes that none of our errors has included.
std::string_view name_of_grpc_code(int code) {
    if (code == 0) {
        return "OK";
    }
    const auto* row = std::find_if(kCodes.begin(), kCodes.end(), [&](const CodeRow& one) {
        // Of several errors with one status, the one with gRPC's name.
        return one.grpc == code && one.code != Code::kPayloadTooLarge && one.code != Code::kDiskFull;
    });
    return row == kCodes.end() ? "UNKNOWN" : row->name;
}

}  // namespace

void Calls::begin_one() {
    MutexLock lock(mutex_);
    ++in_flight_;
}

void Calls::end_one(MethodId method, int grpc_code, double seconds) {
    const auto code = static_cast<size_t>(grpc_code);
    std::atomic<telemetry::Histogram*>& cached =
        durations_[static_cast<size_t>(method) * kGrpcCodes + std::min(code, kGrpcCodes - 1)];
    telemetry::Histogram* histogram = cached.load(std::memory_order_acquire);
    if (histogram == nullptr) {
        histogram = &given_.metrics.histogram(telemetry::MetricId::kRpcDuration,
                                              {row_of(method).name, name_of_grpc_code(grpc_code)});
        cached.store(histogram, std::memory_order_release);
    }
    histogram->observe(seconds);
    MutexLock lock(mutex_);
    --in_flight_;
    if (in_flight_ == 0) {
        idle_.notify_all();
    }
}

bool Calls::wait_until_idle(uint32_t timeout_ms) {
    const uint64_t limit_us = given_.clock.monotonic_us() + uint64_t{timeout_ms} * 1000;
    MutexLock lock(mutex_);
    while (in_flight_ > 0) {
        const uint64_t now_us = given_.clock.monotonic_us();
        if (now_us >= limit_us) {
            return false;
        }
        idle_.wait_for(mutex_, std::chrono::microseconds(limit_us - now_us));
    }
    return true;
}

}  // namespace akidb::rpc
