// Milliseconds since 1970 as protobuf has them. Pure, thread-safe.
#pragma once

#include <google/protobuf/timestamp.pb.h>

#include <cstdint>

namespace akidb::rpc {

inline void write_moment(uint64_t unix_ms, google::protobuf::Timestamp& to) {
    to.set_seconds(static_cast<int64_t>(unix_ms / 1000));
    to.set_nanos(static_cast<int32_t>(unix_ms % 1000 * 1'000'000));
}

}  // namespace akidb::rpc
