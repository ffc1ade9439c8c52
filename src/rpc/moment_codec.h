// Milliseconds since 1970 as protobuf has them, to and fro. Pure, thread-safe.
#pragma once

#include <google/protobuf/timestamp.pb.h>

#include <cstdint>

#include "model/expiry.h"
#include "rpc/message.h"

namespace akidb::rpc {

inline void write_moment(uint64_t unix_ms, google::protobuf::Timestamp& to) {
    to.set_seconds(static_cast<int64_t>(unix_ms / 1000));
    to.set_nanos(static_cast<int32_t>(unix_ms % 1000 * 1'000'000));
}

/// kInvalidArgument on the field expires_at.
inline Result<uint64_t> read_expiry(const google::protobuf::Timestamp& from) {
    AKIDB_TRY(check_known(from));
    Result<uint64_t> expires_at_ms = model::expiry_of(from.seconds(), from.nanos());
    return expires_at_ms ? expires_at_ms : std::move(expires_at_ms).error().with_field("expires_at");
}

}  // namespace akidb::rpc
