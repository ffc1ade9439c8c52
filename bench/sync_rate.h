// How often the disk syncs: what durable writes of one record at a time are held against.
#pragma once

#include <cstddef>
#include <string>

namespace akidb::bench {

/// Syncs a second of records of so many bytes into a file whose blocks and zeros are there already, in
/// `directory`. Throws std::runtime_error.
double syncs_per_second(const std::string& directory, size_t record_bytes, double seconds);

}  // namespace akidb::bench
