// CRC32C (Castagnoli), by the SSE4.2 instruction where the CPU has it, else by table. Check value:
// crc32c("123456789") = 0xe3069283 (RFC 3720, B.4). Pure, thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

namespace akidb {

/// Continues `seed` (0 to start) over `bytes`.
uint32_t crc32c(std::string_view bytes, uint32_t seed = 0);

}  // namespace akidb
