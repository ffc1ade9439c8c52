// Small steps that every writer of this layer shares: joining paths, making a directory durable, and the one
// wording of damage. Errors are those of io::FileSystem. Thread-safe: no state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/file_system.h"

namespace akidb::storage {

std::string join_path(std::string_view directory, std::string_view name);
/// kDataLoss that names file and offset, so that an operator can look at the very bytes.
Error damage(std::string_view path, uint64_t offset, std::string_view what);
/// Makes `path` if needed and syncs its parent (rule R1): also when it was there, since the process that made
/// it may have died before its sync.
Result<void> make_durable_directory(io::FileSystem& files, const std::string& path);
/// For clean-up whose failure changes nothing: what stays behind is removed by the next recovery.
void remove_best_effort(io::FileSystem& files, const std::string& path);

}  // namespace akidb::storage
