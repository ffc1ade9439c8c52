// Files that hold a secret (a key, a password): readable by their owner alone. They are the operator's,
// outside what the simulator plays with, so they do not go through FileSystem. Errors name the path and never
// the content. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace akidb::io {

/// The whole content. kPermissionDenied when others than owner and group may read it (its mode is in the
/// message), kNotFound, kDataLoss above `bytes_max`.
Result<std::string> read_private_file(const std::string& path, uint64_t bytes_max);
/// A new file with mode 0600, durable at return; kAlreadyExists if the name is taken.
Result<void> create_private_file(const std::string& path, std::string_view content);
/// Why the file must not be used as a secret; empty when it may.
std::string why_not_private(const std::string& path);

}  // namespace akidb::io
