// DirectoryStore: objects as files under one directory, their keys as paths below it (which is why keys are
// as strict as they are). An object appears whole and durable or not at all: temporary file, sync, second
// name or rename, sync of the directory. A process that dies leaves at most a file whose name ends with
// ".tmp", which nobody lists. Keeps no checksums: who reads verifies. Thread-safe, also among processes.
#pragma once

#include <memory>
#include <string>

#include "io/random.h"
#include "objects/object_store.h"

namespace akidb::objects {

/// Makes `root` when it is not there (its parent must be). `files` and `random` must outlive it.
Result<std::unique_ptr<ObjectStore>> open_directory_store(io::FileSystem& files, io::Random& random,
                                                          const std::string& root);
/// As open_directory_store; kNotFound when the directory is not there.
Result<std::unique_ptr<ObjectStore>> open_existing_directory_store(io::FileSystem& files, io::Random& random,
                                                                   const std::string& root);

}  // namespace akidb::objects
