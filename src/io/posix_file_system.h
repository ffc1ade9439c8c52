// PosixFileSystem: FileSystem on the real disk. Opens with O_CLOEXEC and O_NOFOLLOW; retries EINTR; writes
// with pwrite at the logical end. Thread-safe, stateless.
#pragma once

#include "io/file_system.h"

namespace akidb::io {

std::unique_ptr<FileSystem> make_posix_file_system();

}  // namespace akidb::io
