// TrafficObserver: is told of every request to an object store, for whoever counts them; this floor knows no
// metrics. A request is one call of ObjectStore; each try of it is told by itself. Thread-safe, quick.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "io/clock.h"
#include "objects/object_store.h"

namespace akidb::objects {

enum class Operation : uint8_t { kPut, kPutFile, kGet, kGetRange, kHead, kList, kRemove };
inline constexpr std::string_view kOperationNames[] = {"put",  "put_file", "get",   "get_range",
                                                       "head", "list",     "remove"};

/// kRefused: the store said no (not there, taken, not allowed), and works. kFailed: no answer, one of 500 and
/// above, or wrong bytes.
enum class TrafficOutcome : uint8_t { kOk, kRefused, kFailed };
inline constexpr std::string_view kTrafficOutcomeNames[] = {"ok", "refused", "failed"};

struct EndedRequest {
    Operation operation = Operation::kPut;
    TrafficOutcome outcome = TrafficOutcome::kOk;
    uint64_t duration_us = 0;
    uint64_t sent_bytes = 0;  // of objects; of one that failed, none
    uint64_t received_bytes = 0;
};

class TrafficObserver {
  public:
    virtual ~TrafficObserver() = default;
    virtual void note_ended(const EndedRequest& request) = 0;
    /// What failed is about to be tried again.
    virtual void note_retry() = 0;
};

/// All given must outlive it.
std::unique_ptr<ObjectStore> make_observed_store(ObjectStore& store, const io::Clock& clock,
                                                 TrafficObserver& observer);

}  // namespace akidb::objects
