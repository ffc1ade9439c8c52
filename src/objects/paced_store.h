// PacedStore: keeps to so many requests and so many bytes a second, on average, by waiting before a call:
// what a background job may cost, and what a bill may grow by. A call is charged when it begins (a read by
// what it asks for, and get by nothing, as its size is not known); what was not used in one second may be
// used in the next, not later. Thread-safe.
#pragma once

#include <memory>

#include "io/clock.h"
#include "io/pause.h"
#include "objects/object_store.h"

namespace akidb::objects {

struct Pace {
    uint64_t requests_per_second = 0;  // 0: as many as there are
    uint64_t bytes_per_second = 0;
};

/// All given must outlive it. kUnavailable when the pause is stopped meanwhile.
std::unique_ptr<ObjectStore> make_paced_store(ObjectStore& store, const io::Clock& clock, io::Pause& pause,
                                              Pace pace);

}  // namespace akidb::objects
