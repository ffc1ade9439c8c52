// When the answer to a call has to be there: deadline_ms of the request, which counts from when it came, and
// the deadline of the call itself, after which nobody gets an answer. Pure, thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "model/limits.h"

namespace akidb::rpc {

/// By the clock of the server (monotonic, microseconds).
struct RequestTimes {
    uint64_t received_us = 0;
    std::optional<uint64_t> deadline_us{};  // of the call
};

/// The sooner of both, or none.
template <class Message>
Result<std::optional<uint64_t>> read_deadline(const Message& from, const RequestTimes& times) {
    if (!from.has_deadline_ms()) {
        return times.deadline_us;
    }
    if (from.deadline_ms() < 1 || from.deadline_ms() > model::kDeadlineMsMax) {
        return invalid_argument("deadline_ms", "the number is out of range",
                                "1.." + std::to_string(model::kDeadlineMsMax));
    }
    const uint64_t asked_us = times.received_us + uint64_t{from.deadline_ms()} * 1'000;
    return std::optional(times.deadline_us ? std::min(*times.deadline_us, asked_us) : asked_us);
}

}  // namespace akidb::rpc
