// RetryingStore: tries again what may pass (may_pass), with full jitter: before the n-th new try a time drawn
// evenly between 0 and min(cap, base · 2ⁿ⁻¹) (Brooker, "Exponential Backoff and Jitter"). A create-only put
// whose outcome was unknown and that then finds its name taken asks whose bytes are there: its own mean
// success. Thread-safe.
#pragma once

#include <memory>

#include "io/pause.h"
#include "io/random.h"
#include "objects/object_store.h"
#include "objects/traffic.h"

namespace akidb::objects {

struct RetryOptions {
    uint32_t tries = 5;
    uint64_t base_us = 1'000'000;
    uint64_t cap_us = 64'000'000;
};

/// All given must outlive it; the observer may be null. kUnavailable when the pause is stopped meanwhile.
std::unique_ptr<ObjectStore> make_retrying_store(ObjectStore& store, io::Random& random, io::Pause& pause,
                                                 RetryOptions options = {},
                                                 TrafficObserver* observer = nullptr);

}  // namespace akidb::objects
