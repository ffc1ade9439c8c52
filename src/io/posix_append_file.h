// The AppendFile objects of PosixFileSystem, over descriptors that it opened: one leaves the writing to the
// kernel until it is synced, the other (passing) begins it as bytes come and gives up their memory when they
// are on the disk. Thread-compatible. Only for posix_file_system.cc.
#pragma once

#include <memory>
#include <string>

#include "io/file_system.h"
#include "io/posix_descriptor.h"

namespace akidb::io {

std::unique_ptr<AppendFile> make_append_file(Descriptor descriptor, std::string path);
std::unique_ptr<AppendFile> make_passing_append_file(Descriptor descriptor, std::string path);

}  // namespace akidb::io
