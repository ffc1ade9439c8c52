// The ReadFile objects of PosixFileSystem, over descriptors that it opened: one reads through the page cache,
// one leaves that as it was, and one (opened with O_DIRECT) reads past it. Thread-compatible. Only for
// posix_file_system.cc.
#pragma once

#include <memory>
#include <string>

#include "io/file_system.h"
#include "io/posix_descriptor.h"

namespace akidb::io {

std::unique_ptr<ReadFile> make_read_file(Descriptor descriptor, std::string path);
std::unique_ptr<ReadFile> make_passing_read_file(Descriptor descriptor, std::string path);
std::unique_ptr<ReadFile> make_uncached_read_file(Descriptor descriptor, std::string path);

}  // namespace akidb::io
