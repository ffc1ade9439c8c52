// What a client wrote, made fit for a message of any protocol. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace akidb {

/// "a, b, c".
std::string join_names(std::span<const std::string_view> names);

/// "3 records", "1 record".
std::string counted(uint64_t count, std::string_view singular);

/// Text from a client made fit for a message: at most 64 bytes, no control characters, not cut inside a UTF-8
/// letter.
std::string printable(std::string_view text);

}  // namespace akidb
