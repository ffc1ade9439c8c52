// OTLP: spans as OpenTelemetry's protocol has them on the wire, and what a collector answers. The few
// messages are written field by field, as nothing above needs protobuf here; the tests read them with
// protobuf, from their own description of the published fields. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tracing/trace.h"

namespace akidb::tracing {

/// Who made the spans.
struct Resource {
    std::string version{};
    std::string instance{};  // the same over restarts, and no other's
    std::string host{};
    int64_t process = 0;
};

/// The body of POST /v1/traces.
std::string encode_traces(const Resource& resource, std::span<const EndedTrace> traces);
/// How many spans a collector says that it threw away, though it answered with success; 0 when it says
/// nothing that can be read.
uint64_t read_rejected_spans(std::string_view reply);

}  // namespace akidb::tracing
