// A second name for a file. The bytes are there once, whichever name is removed first; whoever writes through
// one name writes to both, so it is for files that are never written again. Thread-safe.
#pragma once

#include <string>

#include "base/result.h"

namespace akidb::io {

/// Visible at return, durable after a sync of the directory of `to`. False: this file system has none, or not
/// from there to here, or no more of this file. kAlreadyExists, kNotFound.
Result<bool> try_hard_link(const std::string& from, const std::string& to);

}  // namespace akidb::io
