// PosixFileSystem: FileSystem on the real disk. Opens with O_CLOEXEC and O_NOFOLLOW; retries EINTR; writes
// with pwrite at the logical end. Thread-safe, stateless.
//
// For who lets much pass by that nobody here reads soon (backups in a directory) there is one with kPassing:
// what it writes goes to the disk as it comes, so that no sync finds much to do, and neither that nor what it
// reads stays in the page cache, but what others have there does. An append may then tell of a write that
// failed: as with a failed sync, it is over.
#pragma once

#include "io/file_system.h"

namespace akidb::io {

enum class Caching : uint8_t { kUsual, kPassing };

std::unique_ptr<FileSystem> make_posix_file_system(Caching caching = Caching::kUsual);

}  // namespace akidb::io
