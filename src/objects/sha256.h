// SHA-256 (FIPS 180-4) and HMAC-SHA256 (RFC 2104) by OpenSSL. Sha256 takes the text in pieces.
// Thread-compatible.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/file_system.h"

namespace akidb::objects {

using Sha256Digest = std::array<uint8_t, 32>;

class Sha256 {
  public:
    Sha256();
    ~Sha256();
    Sha256& add(std::string_view piece);
    /// Once, at the end.
    Sha256Digest finish();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

Sha256Digest sha256(std::string_view text);
Sha256Digest hmac_sha256(std::string_view key, std::string_view text);
/// Lower case.
std::string hex(const Sha256Digest& digest);
std::string sha256_hex(std::string_view text);
bool is_sha256_hex(std::string_view text);
/// Of the first `bytes` of a file, read in pieces.
Result<std::string> sha256_of_file(const io::ReadFile& file, uint64_t bytes);

}  // namespace akidb::objects
